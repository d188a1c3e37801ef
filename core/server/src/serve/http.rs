//! The face over Streamable HTTP, for clients on this machine, or further away with a token.

use std::error::Error as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http_body_util::LengthLimitError;
use rmcp::transport::streamable_http_server::session::SessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::options::Options;
use crate::serve::connections;
use crate::serve::cors::cors;
use crate::serve::handler::{Handler, Shared};
use crate::serve::plain::Plain;
use crate::serve::run::Way;
use crate::serve::sessions::Sessions;
use crate::serve::stdio::LONGEST_LINE;
use crate::serve::stdio::message::{parse, trimmed};
use crate::server::Server;

/// The path of the endpoint.
pub const ENDPOINT: &str = "/mcp";

/// The fewest bytes of a token: shorter ones are guessed.
pub const SHORTEST_TOKEN: usize = 16;

/// How long a body may take to come.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// The header that names a session.
pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// Why HTTP cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is taken, or not one of this machine.
    #[error("cannot listen at {address}: {error}; choose another address with --http")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// Other machines could call, and nothing would keep strangers out.
    #[error("{0} can be reached from other machines: add --token-file FILE, or listen at 127.0.0.1")]
    NoToken(SocketAddr),
    /// The token cannot be read.
    #[error("the token file {path} cannot be read: {error}")]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The token is none.
    #[error(
        "the token in {0} has fewer than {SHORTEST_TOKEN} characters, or spaces in it: write one long random word"
    )]
    WeakToken(PathBuf),
    /// The server ended.
    #[error("the server cannot go on: {0}")]
    Serve(std::io::Error),
}

/// What is checked before the protocol library sees a request.
struct Gate {
    /// The SHA-256 of the token: comparing digests tells nothing about how much of a guess was right.
    token: Option<[u8; 32]>,
    /// The calls that need no library; `None` where it shall see every request.
    plain: Option<Plain>,
    sessions: Arc<Sessions>,
    service: StreamableHttpService<Handler, Sessions>,
}

/// Serves HTTP until the process ends.
///
/// # Errors
///
/// When the address cannot be used, and when the token is missing or cannot be read.
pub async fn serve(
    server: Arc<Server>,
    address: SocketAddr,
    options: &Options,
    way: Way,
) -> Result<(), HttpError> {
    let token = options.token_file.as_deref().map(token).transpose()?;
    if token.is_none() && !address.ip().is_loopback() {
        return Err(HttpError::NoToken(address));
    }
    let listener = TcpListener::bind(address).await.map_err(|error| HttpError::Listen { address, error })?;
    let address = listener.local_addr().map_err(HttpError::Serve)?;
    let names = names(address, options);
    let plain = (way == Way::Front).then(|| Plain::new(Arc::clone(&server), address, &names));
    let shared = Shared::new(server);
    let handler = move || Ok(Handler::new(Arc::clone(&shared), None));
    let sessions = Arc::new(Sessions::new(options.max_sessions, options.session_idle));
    let service = StreamableHttpService::new(handler, Arc::clone(&sessions), config(address, names, options));
    let router = Router::new()
        .route(ENDPOINT, any(answer))
        .fallback(async || (StatusCode::NOT_FOUND, "there is nothing here: the endpoint is /mcp"))
        .with_state(Arc::new(Gate { token, plain, sessions, service }));
    let router =
        if options.allow_origin.is_empty() { router } else { router.layer(cors(&options.allow_origin)) };
    tracing::info!(%address, "serving HTTP");
    connections::serve(listener, router).await.map_err(HttpError::Serve)
}

/// The names under which clients may address the server.
fn names(address: SocketAddr, options: &Options) -> Vec<String> {
    let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    if !address.ip().is_unspecified() {
        hosts.push(address.ip().to_string());
    }
    hosts.extend(options.allow_host.iter().cloned());
    hosts
}

fn config(address: SocketAddr, hosts: Vec<String>, options: &Options) -> StreamableHttpServerConfig {
    let port = address.port();
    let own = ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("http://{host}:{port}"));
    let origins = own.into_iter().chain(options.allow_origin.iter().cloned());
    StreamableHttpServerConfig::default()
        .with_allowed_hosts(hosts)
        .with_allowed_origins(origins)
        .enforce_origin_validation()
        .with_json_response(true)
        // Which sessions know such events is known to the sessions.
        .with_sse_retry(None)
        .with_max_request_body_bytes(LONGEST_LINE)
}

async fn answer(State(gate): State<Arc<Gate>>, request: Request) -> Response {
    if let Some(token) = &gate.token
        && !has_token(request.headers(), token)
    {
        let sentence = "a bearer token is needed: send `Authorization: Bearer TOKEN`";
        return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], sentence).into_response();
    }
    if request.headers().get_all(HOST).iter().nth(1).is_some() {
        return (StatusCode::BAD_REQUEST, "the request has two Host headers: send one").into_response();
    }
    match *request.method() {
        Method::POST => gate.post(request).await,
        Method::DELETE => gate.delete(request).await,
        _ => gate.library(request).await,
    }
}

impl Gate {
    /// Leaves a request to the library.
    async fn library(&self, request: Request) -> Response {
        self.service.handle(request).await.map(Body::new)
    }

    async fn post(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = match whole(&parts, body).await {
            Ok(body) => body,
            Err(refused) => return refused,
        };
        if let Some(answer) = self.plain.as_ref().and_then(|plain| plain.answer(&parts, &body)) {
            return answer;
        }
        let says_json = is_json(&parts.headers);
        let answer = self.library(Request::from_parts(parts, Body::from(body.clone()))).await;
        // The library takes a body that is not a message for one of another type. Whoever it refuses for another
        // reason learns that reason.
        if says_json
            && answer.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE
            && let Err((error, id)) = parse(trimmed(&body), "the body")
        {
            let id = id.unwrap_or(Value::Null);
            return not_a_message(&json!({"jsonrpc": "2.0", "id": id, "error": error}));
        }
        answer
    }

    /// Ends a session. The library calls that accepted; clients expect it to be done.
    async fn delete(&self, request: Request) -> Response {
        let named = request.headers().get(SESSION).and_then(|id| id.to_str().ok()).map(str::to_owned);
        let is_known = match named {
            Some(id) => self.sessions.has_session(&id.into()).await.unwrap_or(false),
            None => true,
        };
        let mut answer = self.library(request).await;
        if answer.status() == StatusCode::ACCEPTED {
            if !is_known {
                let sentence = "there is no such session: it has ended, or never began";
                return (StatusCode::NOT_FOUND, sentence).into_response();
            }
            *answer.status_mut() = StatusCode::NO_CONTENT;
        }
        answer
    }
}

/// The whole body of a request, or what to answer instead.
async fn whole(parts: &Parts, body: Body) -> Result<Bytes, Response> {
    let too_long = || {
        let sentence = format!("the body is longer than {LONGEST_LINE} bytes");
        (StatusCode::PAYLOAD_TOO_LARGE, sentence).into_response()
    };
    let length = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if length.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > LONGEST_LINE as u64)
    {
        return Err(too_long());
    }
    match tokio::time::timeout(BODY_PATIENCE, to_bytes(body, LONGEST_LINE)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if error.source().is_some_and(|cause| cause.is::<LengthLimitError>()) => {
            Err(too_long())
        }
        Ok(Err(error)) => {
            let sentence = format!("the body cannot be read: {error}");
            Err((StatusCode::BAD_REQUEST, sentence).into_response())
        }
        Err(_) => {
            let sentence = format!("the body did not come within {} s", BODY_PATIENCE.as_secs());
            Err((StatusCode::REQUEST_TIMEOUT, sentence).into_response())
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn not_a_message(error: &Value) -> Response {
    (StatusCode::BAD_REQUEST, [(CONTENT_TYPE, "application/json")], error.to_string()).into_response()
}

fn has_token(headers: &HeaderMap, token: &[u8; 32]) -> bool {
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, given)) = given.and_then(|given| given.split_once(' ')) else { return false };
    scheme.eq_ignore_ascii_case("bearer") && digest(given.trim()) == *token
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn token(path: &Path) -> Result<[u8; 32], HttpError> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| HttpError::TokenFile { path: path.to_owned(), error })?;
    let token = text.trim();
    if token.len() < SHORTEST_TOKEN || token.contains(char::is_whitespace) {
        return Err(HttpError::WeakToken(path.to_owned()));
    }
    Ok(digest(token))
}
