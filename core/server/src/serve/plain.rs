//! Plain calls over HTTP, answered in front of the protocol library.
//!
//! A request is plain when everything in it has the one form that clients of the newer protocol send: a POST with
//! the usual headers once each, to this very address, from no web page, that calls a tool which answers at once.
//! Each header is compared with the text that the library would accept, so that nothing passes here that it would
//! refuse; all else is left to it, also whatever has to be refused.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN, TRANSFER_ENCODING,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use parking_lot::Mutex;
use rmcp::model::ProtocolVersion;

use crate::content::Reply;
use crate::context::Era;
use crate::serve::front::{self, FrontCall, LastMeta, Opening, Places};
use crate::serve::http::SESSION;
use crate::serve::stdio::LONGEST_LINE;
use crate::serve::stdio::message::answer_text;
use crate::server::Server;
use crate::tool::Place;

const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// What annotates arguments that clients repeat as headers.
const MIRRORED: &str = "x-mcp-header";

const JSON: &str = "application/json";

/// The ways to say that both forms of an answer are welcome.
const ACCEPTED: [&str; 4] = [
    "application/json, text/event-stream",
    "application/json,text/event-stream",
    "text/event-stream, application/json",
    "text/event-stream,application/json",
];

/// What plain requests are compared with.
pub(crate) struct Plain {
    server: Arc<Server>,
    /// The server's address as clients write it.
    hosts: Vec<String>,
    /// The tools that answer at once and have no argument that headers repeat.
    tools: HashSet<&'static str>,
    last_meta: Mutex<LastMeta>,
}

impl Plain {
    /// The plain requests to a server at an address, under its own names there.
    pub fn new(server: Arc<Server>, address: SocketAddr, names: &[String]) -> Self {
        let port = address.port();
        let is_plain = |entry: &&crate::layers::Entry| {
            entry.spec.place == Place::Here
                && serde_json::to_string(&entry.spec.input).is_ok_and(|schema| !schema.contains(MIRRORED))
        };
        let tools = server.entries().iter().filter(is_plain).map(|entry| entry.spec.name).collect();
        let bracketed = |name: &String| {
            if name.contains(':') { format!("[{name}]:{port}") } else { format!("{name}:{port}") }
        };
        Self { hosts: names.iter().map(bracketed).collect(), tools, last_meta: Mutex::default(), server }
    }

    /// The answer to a request; `None` where it is left to the library.
    pub fn answer(&self, parts: &Parts, body: &Bytes) -> Option<Response> {
        if !self.is_plain(&parts.method, parts.uri.authority().is_some(), &parts.headers) {
            return None;
        }
        self.answer_to(parts, body).map(json)
    }

    fn is_plain(&self, method: &Method, has_authority: bool, headers: &HeaderMap) -> bool {
        let length = sole(headers, &CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
        method == Method::POST
            && !has_authority
            && sole(headers, &HOST).is_some_and(|host| self.hosts.iter().any(|own| own == host))
            && sole(headers, &VERSION) == Some(ProtocolVersion::V_2026_07_28.as_str())
            && sole(headers, &METHOD) == Some("tools/call")
            && sole(headers, &NAME).is_some_and(|name| self.tools.contains(name))
            && sole(headers, &CONTENT_TYPE) == Some(JSON)
            && sole(headers, &ACCEPT).is_some_and(|accepted| ACCEPTED.contains(&accepted))
            && length.is_some_and(|length| length <= LONGEST_LINE)
            && [ORIGIN, SESSION, TRANSFER_ENCODING].iter().all(|absent| !headers.contains_key(absent))
    }

    /// The answer to the call in a body; `None` where it is not a plain call of the tool that the headers name.
    fn answer_to(&self, parts: &Parts, body: &Bytes) -> Option<Vec<u8>> {
        let mut last = self.last_meta.lock();
        let call = front::read(body.trim_ascii(), &self.server, Opening::Stateless, Places::Here, &mut last)?;
        drop(last);
        let FrontCall { id, received, era, .. } = call;
        if era != Era::Stateless || sole(&parts.headers, &NAME) != Some(received.spec().name) {
            return None;
        }
        let layers = self.server.layers();
        let result = layers.admit(received).and_then(|admitted| layers.run_here(admitted));
        let reply = result.unwrap_or_else(|error| Reply::error(error.to_string()));
        let mut answer = Vec::with_capacity(reply.len() + 256);
        answer_text(&mut answer, id, &reply, era, &self.server);
        Some(answer)
    }
}

/// The value of a header that is there once, and is text.
fn sole<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn json(answer: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(answer));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

#[cfg(test)]
mod tests;
