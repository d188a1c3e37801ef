use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::reference;
use crate::server::About;

fn server() -> Server {
    let about = About { name: "test", title: "Test", version: "1", instructions: "" };
    Server::builder(about).tools(&Arc::new(()), reference::tools()).build().unwrap()
}

/// What the front makes of a line: identity, tool, whether the arguments are valid, era.
fn seen(line: &str, opening: Opening) -> Option<(String, &'static str, bool, Era)> {
    let server = server();
    let call = read(line.as_bytes(), &server, opening, Places::All, &mut LastMeta::default())?;
    Some((call.id.to_owned(), call.received.spec().name, call.received.is_valid(), call.era))
}

const META: &str = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

#[test]
fn calls_are_taken_in_every_usual_order() {
    for line in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"a"}}}"#,
        r#"{"method":"tools/call","params":{"name":"echo","arguments":{"text":"a"}},"jsonrpc":"2.0","id":1}"#,
        r#"{"id":1,"jsonrpc":"2.0","method":"tools/call","params":{"_meta":{},"arguments":{"text":"}\"{"},"name":"echo"}}"#,
        r#" { "method" : "tools/call" , "params" : { "name" : "echo" , "arguments" : { "text" : "a" } , "_meta" : { } } , "jsonrpc" : "2.0" , "id" : 1 } "#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"progressToken":"}\"{"},"name":"echo","arguments":{"text":"}"}}}"#,
    ] {
        assert_eq!(seen(line, Opening::Handshake), Some(("1".into(), "echo", true, Era::Sessions)), "{line}");
    }
}

#[test]
fn the_metadata_decides_the_era() {
    let line = format!(
        r#"{{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{{"name":"echo","arguments":{{"text":"a"}},"_meta":{META}}}}}"#
    );
    for opening in [Opening::Handshake, Opening::Stateless] {
        assert_eq!(seen(&line, opening), Some((r#""a""#.into(), "echo", true, Era::Stateless)));
    }
    assert_eq!(seen(&line, Opening::None), None);
    let bare =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"a"}}}"#;
    assert_eq!(seen(bare, Opening::Stateless), None);
}

#[test]
fn wrong_arguments_are_taken_and_refused_here() {
    let line =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"txet":"a"}}}"#;
    assert_eq!(seen(line, Opening::Handshake), Some(("1".into(), "echo", false, Era::Sessions)));
    let none = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}"#;
    assert_eq!(seen(none, Opening::Handshake), Some(("1".into(), "echo", false, Era::Sessions)));
}

#[test]
fn everything_else_is_left_to_the_library() {
    let call =
        |params: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
    let good = r#"{"name":"echo","arguments":{"text":"a"}}"#;
    for line in [
        call(r#"{"name":"none","arguments":{}}"#),
        call(r#"{"name":"echo","arguments":[]}"#),
        call(r#"{"name":"echo","arguments":null}"#),
        call(r#"{"name":"ec\u0068o","arguments":{"text":"a"}}"#),
        call(r#"{"name":"echo","arguments":{"text":"a"},"requestState":"x"}"#),
        call(r#"{"name":"echo","arguments":{"text":"a"},"arguments":{"text":"a"}}"#),
        call(
            r#"{"name":"echo","arguments":{"text":"a"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#,
        ),
        call(r#"{"name":"echo","arguments":{"text":"a"},"_meta":{"progressToken":1.5}}"#),
        call(r#"{"name":"echo","arguments":{"text":"a"},"_meta":{"a":}}"#),
        call(r#"{"name":"echo","arguments":{"text":"a"},}"#),
        call(r#"{"name":"echo","arguments":{"text":"a"}} 1"#),
        call(r#"{"name":"echo","arguments":{"text":"a" "b"}}"#),
        format!(r#"{{"jsonrpc":"2.0","method":"tools/call","params":{good}}}"#),
        format!(r#"{{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{good}}}"#),
        format!(r#"{{"id":1,"method":"tools/call","params":{good}}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":1.0,"method":"tools/call","params":{good}}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{good}}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":01,"method":"tools/call","params":{good}}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":1,"params":{good},"method":"tools/call"}}"#),
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#.into(),
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.into(),
        String::new(),
        "[]".into(),
    ] {
        assert_eq!(seen(&line, Opening::Handshake), None, "{line}");
    }
}

/// What reads the line that the front took has to be JSON, with the same identity.
fn agrees(line: &[u8]) -> Result<(), TestCaseError> {
    let server = server();
    if let Some(call) = read(line, &server, Opening::Handshake, Places::All, &mut LastMeta::default()) {
        let value: Value =
            serde_json::from_slice(line).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(value["id"].to_string(), call.id);
        prop_assert_eq!(&value["params"]["name"], &json!(call.received.spec().name));
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_damaged_line_is_never_taken_for_another(at in 0usize..200, byte in any::<u8>(), cut in any::<bool>()) {
        let mut line = format!(
            r#"{{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{{"name":"stats","arguments":{{"values":[1,2.5,-3e2]}},"_meta":{META}}}}}"#
        ).into_bytes();
        let at = at % line.len();
        if cut { line.remove(at); } else { line[at] = byte; }
        agrees(&line)?;
    }
}
