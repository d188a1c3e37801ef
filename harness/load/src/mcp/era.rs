//! The two eras of the protocol: what every request carries, and how a connection opens.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::mcp::RpcError;

/// `UnsupportedProtocolVersionError` of revision 2026-07-28.
const UNSUPPORTED_VERSION: i64 = -32022;
/// The other codes that only a server of the newer era sends: `HeaderMismatch`, and that a capability of the
/// client is missing.
const MODERN_CODES: [i64; 2] = [-32020, -32021];

/// How requests tell their version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Era {
    /// In `_meta` of every request; nothing opens a connection.
    #[serde(rename = "2026-07-28")]
    Modern,
    /// By `initialize`, once.
    #[serde(rename = "2025-11-25")]
    Legacy,
}

impl Era {
    /// The newest version of the era that this client speaks.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::Modern => "2026-07-28",
            Self::Legacy => "2025-11-25",
        }
    }
}

/// What was agreed on with a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// The era.
    pub era: Era,
    /// The version; servers of the older era may choose an older one.
    pub version: String,
    /// The session that the server gave over HTTP.
    pub session: Option<String>,
}

impl Protocol {
    /// What a client proposes in an era.
    #[must_use]
    pub fn proposed(era: Era) -> Self {
        Self { era, version: era.version().to_owned(), session: None }
    }

    /// The params of a request with what the era adds to them.
    #[must_use]
    pub fn params(&self, mut params: Map<String, Value>) -> Map<String, Value> {
        if self.era == Era::Modern {
            let meta = json!({
                "io.modelcontextprotocol/protocolVersion": self.version,
                "io.modelcontextprotocol/clientInfo": client(),
                "io.modelcontextprotocol/clientCapabilities": {},
            });
            params.insert("_meta".to_owned(), meta);
        }
        params
    }

    /// A whole request.
    #[must_use]
    pub fn request(&self, id: u64, method: &str, params: Map<String, Value>) -> String {
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": self.params(params) }).to_string()
    }
}

fn client() -> Value {
    json!({ "name": "perflab", "version": env!("CARGO_PKG_VERSION") })
}

/// The first request of an era: its method and params.
#[must_use]
pub fn opening(era: Era) -> (&'static str, Map<String, Value>) {
    match era {
        Era::Modern => ("server/discover", Map::new()),
        Era::Legacy => {
            let params = json!({
                "protocolVersion": era.version(), "capabilities": {}, "clientInfo": client(),
            });
            let Value::Object(params) = params else { return ("initialize", Map::new()) };
            ("initialize", params)
        }
    }
}

/// The notification that takes a request back.
#[must_use]
pub fn cancelled(id: u64) -> String {
    let params = json!({ "requestId": id, "reason": "the client no longer waits" });
    json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }).to_string()
}

/// What the answer to `server/discover` says of the newer era: `Ok(true)` when the server speaks our version,
/// `Ok(false)` when it is a server of the older era.
///
/// # Errors
/// The versions that a server of the newer era supports, where ours is not among them.
pub fn supported(outcome: &Result<Value, RpcError>) -> Result<bool, Vec<String>> {
    let names = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    };
    let versions = match outcome {
        Ok(result) => names(&result["supportedVersions"]),
        Err(error) if error.code == UNSUPPORTED_VERSION => names(&error.data["supported"]),
        Err(error) if MODERN_CODES.contains(&error.code) => return Ok(true),
        Err(_) => return Ok(false),
    };
    if versions.iter().any(|version| version == Era::Modern.version()) {
        Ok(true)
    } else if versions.is_empty() || versions.iter().any(|version| version.as_str() <= Era::Legacy.version())
    {
        Ok(false)
    } else {
        Err(versions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i64, data: Value) -> Result<Value, RpcError> {
        Err(RpcError { code, message: String::new(), data })
    }

    #[test]
    fn the_newer_era_is_known_by_its_versions() {
        assert_eq!(supported(&Ok(json!({ "supportedVersions": ["2026-07-28", "2025-11-25"] }))), Ok(true));
        assert_eq!(supported(&Ok(json!({ "supportedVersions": ["2025-11-25"] }))), Ok(false));
        assert_eq!(
            supported(&Ok(json!({ "supportedVersions": ["2027-01-01"] }))),
            Err(vec!["2027-01-01".into()])
        );
    }

    #[test]
    fn any_other_error_means_the_older_era() {
        assert_eq!(supported(&refused(-32601, Value::Null)), Ok(false));
        assert_eq!(supported(&refused(-32602, Value::Null)), Ok(false));
        assert_eq!(supported(&refused(-32020, Value::Null)), Ok(true));
        let only_newer = json!({ "supported": ["2027-01-01"] });
        assert_eq!(supported(&refused(-32022, only_newer)), Err(vec!["2027-01-01".into()]));
        assert_eq!(supported(&refused(-32022, json!({ "supported": ["2025-11-25"] }))), Ok(false));
    }

    #[test]
    fn only_the_newer_era_adds_meta() {
        let text = |era| Protocol::proposed(era).request(1, "tools/list", Map::new());
        assert!(text(Era::Modern).contains("\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\""));
        assert_eq!(text(Era::Legacy), r#"{"id":1,"jsonrpc":"2.0","method":"tools/list","params":{}}"#);
    }
}
