//! The face over Streamable HTTP, for clients on this machine, or further away with a token.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::serve::ListenerExt;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::options::Options;
use crate::serve::handler::{Handler, Shared};
use crate::serve::plain::Plain;
use crate::serve::run::Way;
use crate::serve::stdio::LONGEST_LINE;
use crate::server::Server;

/// The path of the endpoint.
pub const ENDPOINT: &str = "/mcp";

/// The fewest bytes of a token: shorter ones are guessed.
pub const SHORTEST_TOKEN: usize = 16;

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
    service: StreamableHttpService<Handler, LocalSessionManager>,
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
    let service = StreamableHttpService::new(handler, Arc::default(), config(address, names, options));
    let router =
        Router::new().route(ENDPOINT, any(answer)).with_state(Arc::new(Gate { token, plain, service }));
    tracing::info!(%address, "serving HTTP");
    // Small answers are sent at once, not held back for more.
    let listener = listener.tap_io(|stream| {
        stream.set_nodelay(true).ok();
    });
    axum::serve(listener, router).await.map_err(HttpError::Serve)
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
        .with_max_request_body_bytes(LONGEST_LINE)
}

async fn answer(State(gate): State<Arc<Gate>>, request: Request) -> Response {
    if let Some(token) = &gate.token
        && !has_token(request.headers(), token)
    {
        let sentence = "a bearer token is needed: send `Authorization: Bearer TOKEN`";
        return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], sentence).into_response();
    }
    let request = match &gate.plain {
        Some(plain) => match plain.answer(request).await {
            Ok(answer) => return answer,
            Err(request) => request,
        },
        None => request,
    };
    gate.service.handle(request).await.map(Body::new)
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
