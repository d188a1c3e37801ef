use serde_json::Value;

use super::*;
use crate::serve::stdio::message::tool_call;

fn refused(text: &str) -> (i32, Option<Value>) {
    let (error, id) =
        parse(text.as_bytes(), "the line").err().unwrap_or_else(|| panic!("{text} is a message"));
    (error.code.0, id)
}

#[test]
fn what_is_no_message_is_refused_with_what_can_be_known() {
    assert_eq!(refused("{"), (-32700, None));
    assert_eq!(refused("hello"), (-32700, None));
    assert_eq!(refused("\u{1}"), (-32700, None));
    assert_eq!(refused(r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#), (-32600, None));
    assert_eq!(refused(r#"{"id":7}"#), (-32600, Some(7.into())));
    assert_eq!(refused(r#"{"jsonrpc":"2.0","id":{}}"#), (-32600, None));
    assert_eq!(refused("3"), (-32600, None));
}

#[test]
fn the_short_way_reads_calls_as_the_library_does() {
    for line in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"b":1},"_meta":{"progressToken":"t","x":1}}}"#,
        r#"{"jsonrpc":"2.0","id":"1","method":"tools/call","params":{"name":"a","inputResponses":{"q":{"action":"accept"}},"requestState":"s"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#,
    ] {
        let short = tool_call(line.as_bytes()).unwrap();
        let long: ClientJsonRpcMessage = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_value(&short).unwrap(), serde_json::to_value(&long).unwrap());
        let (JsonRpcMessage::Request(short), JsonRpcMessage::Request(long)) = (short, long) else {
            panic!("{line}")
        };
        assert_eq!(short.request.get_meta(), long.request.get_meta());
    }
    assert!(
        tool_call(br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"name":"tools/call"}}"#).is_none()
    );
}

#[test]
fn lines_are_found_however_they_arrive() {
    let text = "\u{feff}one\r\n\n  two\nthree";
    for chunk in 1..text.len() {
        let server =
            Server::builder(crate::server::About { name: "t", title: "t", version: "1", instructions: "" })
                .tools(&Arc::new(()), crate::reference::tools())
                .build()
                .unwrap();
        let direct = Direct { input: None, output: None };
        let mut stdio = Stdio::new(Arc::new(server), tokio::io::empty(), tokio::io::sink(), direct, true);
        let mut lines = Vec::new();
        for piece in text.as_bytes().chunks(chunk) {
            stdio.buffer.extend_from_slice(piece);
            while let Some(range) = stdio.next_line() {
                lines.push(String::from_utf8(trimmed(&stdio.buffer[range]).to_vec()).unwrap());
            }
        }
        assert_eq!(lines, ["one", "", "two"]);
    }
}
