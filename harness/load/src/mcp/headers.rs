//! The head of an HTTP request that carries a message.

use serde_json::{Map, Value};

use crate::mcp::{Era, Protocol};

/// The head of a POST, up to the blank line. `name` is the tool of a call, `mirrored` what [`mirrored`] found.
#[must_use]
pub fn request_head(
    host: &str,
    path: &str,
    protocol: &Protocol,
    method: &str,
    name: Option<&str>,
    mirrored: &[(String, String)],
    length: usize,
) -> String {
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nContent-Length: {length}\r\n"
    );
    // The first request of the older era has no version yet to tell.
    if method != "initialize" {
        head += &format!("MCP-Protocol-Version: {}\r\n", protocol.version);
    }
    if let Some(session) = &protocol.session {
        head += &format!("Mcp-Session-Id: {session}\r\n");
    }
    if protocol.era == Era::Modern {
        head += &format!("Mcp-Method: {method}\r\n");
        if let Some(name) = name {
            head += &format!("Mcp-Name: {}\r\n", field(name));
        }
        for (name, value) in mirrored {
            head += &format!("Mcp-Param-{name}: {}\r\n", field(value));
        }
    }
    head + "\r\n"
}

/// The arguments that a tool's schema wants to see in headers too (`x-mcp-header`), by header name.
///
/// # Errors
/// A sentence, when such an argument differs from call to call: its header is written once.
pub fn mirrored(schema: &Value, arguments: &Map<String, Value>) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut open = vec![(schema, arguments)];
    while let Some((schema, arguments)) = open.pop() {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let value = match arguments.get(name) {
                None | Some(Value::Null) => continue,
                Some(Value::Object(inner)) => {
                    open.push((property, inner));
                    continue;
                }
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            let Some(header) = property["x-mcp-header"].as_str() else { continue };
            if value.contains("{n}") || value.contains("{int:") {
                return Err(format!("the argument {name} goes into a header and cannot be a template"));
            }
            found.push((header.to_owned(), value));
        }
    }
    Ok(found)
}

/// A value that is safe in a header: as it is, or in the base64 form that revision 2026-07-28 defines.
fn field(value: &str) -> String {
    let plain = value.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && value.trim() == value;
    let looks_encoded = value.starts_with("=?base64?") && value.ends_with("?=");
    if plain && !looks_encoded {
        value.to_owned()
    } else {
        format!("=?base64?{}?=", base64(value.as_bytes()))
    }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = char::from(LETTERS[(bits >> (18 - 6 * place) & 63) as usize]);
            text.push(if place <= group.len() { letter } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_newer_era_names_method_and_tool() {
        let protocol = Protocol::proposed(Era::Modern);
        let mirrored = [("Region".to_owned(), "Hello, 世界".to_owned())];
        let head = request_head("127.0.0.1:80", "/mcp", &protocol, "tools/call", Some("get"), &mirrored, 12);
        assert!(
            head.starts_with("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:80\r\n") && head.ends_with("\r\n\r\n")
        );
        for line in [
            "Content-Length: 12",
            "MCP-Protocol-Version: 2026-07-28",
            "Mcp-Method: tools/call",
            "Mcp-Name: get",
            // The example of the specification.
            "Mcp-Param-Region: =?base64?SGVsbG8sIOS4lueVjA==?=",
        ] {
            assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} in {head}");
        }
    }

    #[test]
    fn the_older_era_has_a_session_and_no_version_before_it_is_agreed() {
        let mut protocol = Protocol::proposed(Era::Legacy);
        let first = request_head("h", "/", &protocol, "initialize", None, &[], 1);
        assert!(!first.contains("MCP-Protocol-Version") && !first.contains("Mcp-Method"));
        protocol.session = Some("s1".to_owned());
        let later = request_head("h", "/", &protocol, "tools/list", None, &[], 1);
        assert!(
            later.contains("Mcp-Session-Id: s1\r\n")
                && later.contains("MCP-Protocol-Version: 2025-11-25\r\n")
        );
    }

    #[test]
    fn values_are_encoded_where_they_must_be() {
        // The examples of the specification.
        assert_eq!(field("us-west1"), "us-west1");
        assert_eq!(field(" padded "), "=?base64?IHBhZGRlZCA=?=");
        assert_eq!(field("line1\nline2"), "=?base64?bGluZTEKbGluZTI=?=");
        assert_eq!(field("=?base64?literal?="), "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
    }

    #[test]
    fn annotated_arguments_are_found_along_properties() {
        let schema = json!({ "properties": {
            "region": { "type": "string", "x-mcp-header": "Region" },
            "inner": { "properties": { "n": { "type": "integer", "x-mcp-header": "N" } } },
            "none": { "type": "string", "x-mcp-header": "None" },
        } });
        let arguments = json!({ "region": "eu", "inner": { "n": 4 }, "none": null });
        let found = mirrored(&schema, arguments.as_object().unwrap()).unwrap();
        assert_eq!(found, [("Region".to_owned(), "eu".to_owned()), ("N".to_owned(), "4".to_owned())]);
        let varied = json!({ "region": "{int:1..2}" });
        assert!(mirrored(&schema, varied.as_object().unwrap()).unwrap_err().contains("region"));
    }
}
