//! What browsers ask before a page of another origin may call.

use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{Method, request::Parts};
use std::time::Duration;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::serve::http::SESSION;

/// How long a browser may remember the answer. Chromium allows no more than two hours.
const REMEMBERED: Duration = Duration::from_secs(7200);

/// Lets pages of these origins call, read the name of their session, and send whatever headers the protocol has.
pub(super) fn cors(origins: &[String]) -> CorsLayer {
    let allowed: Vec<String> = origins.iter().map(|origin| canonical(origin)).collect();
    let is_allowed = move |origin: &HeaderValue, _: &Parts| {
        origin.to_str().is_ok_and(|origin| allowed.contains(&canonical(origin)))
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_allowed))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([SESSION, HeaderName::from_static("mcp-protocol-version")])
        .allow_private_network(true)
        .max_age(REMEMBERED)
}

/// An origin as browsers write it: in small letters, without the port that its scheme has anyway (RFC 6454, section 6).
fn canonical(origin: &str) -> String {
    let origin = origin.trim_end_matches('/').to_ascii_lowercase();
    for (scheme, port) in [("https://", ":443"), ("http://", ":80")] {
        if let Some(name) = origin.strip_suffix(port).filter(|name| name.starts_with(scheme)) {
            return name.to_owned();
        }
    }
    origin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_as_browsers_write_them() {
        for (written, expected) in [
            ("https://app.example:443", "https://app.example"),
            ("https://App.Example/", "https://app.example"),
            ("http://app.example:80", "http://app.example"),
            ("http://app.example:443", "http://app.example:443"),
            ("https://app.example:8443", "https://app.example:8443"),
            ("null", "null"),
        ] {
            assert_eq!(canonical(written), expected, "{written}");
        }
    }
}
