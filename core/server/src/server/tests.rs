use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::*;
use crate::reference;
use crate::tool::{Tool, ToolError};

const ABOUT: About = About { name: "test", title: "Test", version: "1", instructions: "" };

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn reference() -> Server {
    Server::builder(ABOUT).tools(&Arc::new(()), reference::tools()).build().unwrap()
}

fn with(tools: Vec<Tool<()>>) -> Result<Server, ServerError> {
    Server::builder(ABOUT).tools(&Arc::new(()), tools).build()
}

fn named(name: &'static str) -> Tool<()> {
    Tool::quick(name, "Fails.", |(), _: Nothing, _| -> Result<crate::content::Blocks, _> {
        Err(ToolError::failed("no"))
    })
}

#[test]
fn a_call_in_process_answers_with_structured_content() {
    let server = reference();
    let answer = block_on(server.call_tool("echo", json!({"text": "a"}))).unwrap();
    let expected = json!({"content": [{"type": "text", "text": "a"}], "structuredContent": {"text": "a"}, "isError": false});
    assert_eq!(answer, expected);
    assert_eq!(server.latency().summary("echo").unwrap().count, 1);
}

#[test]
fn failures_of_the_job_and_of_the_protocol_are_kept_apart() {
    let server = reference();
    let unknown = block_on(server.call_tool("none", json!({}))).unwrap_err();
    assert_eq!(unknown, CallError::UnknownTool("none".into()));
    for (name, arguments, sentence) in [
        ("echo", json!({}), "echo: `text` is required"),
        (
            "echo",
            json!({"text": "a", "size": 1}),
            "echo: `size` is not known; known are `detail`, `max_tokens`, `text`",
        ),
        ("echo", json!({"text": "a", "max_tokens": 0}), "echo: `max_tokens` must be at least 1, not 0"),
        ("stats", json!({"values": []}), "there are no values: give at least one"),
        ("stats", json!({"values": [1, "2"]}), "stats: `values[1]` must be a number, not a string"),
    ] {
        let answer = block_on(server.call_tool(name, arguments)).unwrap();
        assert_eq!((&answer["isError"], &answer["content"][0]["text"]), (&json!(true), &json!(sentence)));
    }
}

#[test]
fn an_answer_beyond_the_budget_is_an_error_that_says_so() {
    let server = reference();
    let text = "x".repeat(1000);
    let answer = block_on(server.call_tool("echo", json!({"text": text, "max_tokens": 100}))).unwrap();
    let sentence = answer["content"][0]["text"].as_str().unwrap();
    assert!(sentence.contains("more than the 100 of max_tokens"), "{sentence}");
    assert_eq!(
        block_on(server.try_tool("echo", json!({"text": text, "max_tokens": 100}))).unwrap_err().failure(),
        Failure::TooLong
    );
}

#[test]
fn tools_are_selected_by_what_they_do_and_where_they_belong() {
    let tools = || {
        vec![
            named("look").read_only().toolset("eyes"),
            named("push").toolset("hands"),
            named("listen").read_only(),
        ]
    };
    let names = |server: Server| {
        server.list_tools().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let select = |read_only, sets: &[&str]| {
        let toolsets = sets.iter().map(|set| (*set).to_owned()).collect();
        Server::builder(ABOUT).tools(&Arc::new(()), tools()).select(Selection { read_only, toolsets }).build()
    };
    assert_eq!(names(select(false, &[]).unwrap()), ["look", "push", "listen"]);
    assert_eq!(names(select(true, &[]).unwrap()), ["look", "listen"]);
    assert_eq!(names(select(false, &["hands", "eyes"]).unwrap()), ["look", "push"]);
    let unknown = select(false, &["feet"]).err().unwrap().to_string();
    assert_eq!(unknown, "there is no toolset `feet`; there are eyes, hands");
    assert!(matches!(select(true, &["hands"]), Err(ServerError::NoTools(_))));
    assert!(matches!(with(vec![named("a"), named("a")]), Err(ServerError::SameName("a"))));
}

#[test]
fn pages_cover_the_list_once() {
    let names = ["a", "b", "c", "d", "e"];
    let server = Server::builder(ABOUT).tools(&Arc::new(()), names.map(named)).per_page(2).build().unwrap();
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let (range, next) = server.page(cursor.as_deref()).unwrap();
        seen.extend(range);
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, [0, 1, 2, 3, 4]);
    for wrong in ["", "tools-1", "tools-6", "tools-0", "2", "tools-x"] {
        assert!(matches!(server.page(Some(wrong)), Err(CallError::BadParams { .. })), "{wrong}");
    }
}

#[test]
fn definitions_say_what_models_and_clients_need() {
    let server = reference();
    let echo = &server.list_tools()[0];
    assert_eq!(echo["annotations"], json!({"readOnlyHint": true, "openWorldHint": false}));
    let input = &echo["inputSchema"];
    assert_eq!(input["required"], json!(["text"]));
    assert_eq!(input["properties"]["text"], json!({"type": "string", "description": "Text to return."}));
    assert_eq!(input["properties"]["detail"]["enum"], json!(["concise", "detailed"]));
    assert_eq!(echo["outputSchema"]["properties"]["text"]["type"], "string");
}

#[test]
fn time_and_interest_end_a_call() {
    let sleep = |milliseconds| {
        Tool::new("sleep", "Sleeps.", move |_: Arc<()>, _: Nothing, _| async move {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok(crate::content::Blocks(Vec::new()))
        })
        .timeout(Duration::from_millis(milliseconds))
    };
    let answer = block_on(with(vec![sleep(10)]).unwrap().call_tool("sleep", json!({}))).unwrap();
    assert_eq!(answer["content"][0]["text"], "sleep took longer than 10ms: ask for less");
    let token = CancellationToken::new();
    token.cancel();
    let server = with(vec![sleep(60_000)]).unwrap();
    assert_eq!(
        block_on(server.call_tool_until("sleep", json!({}), token)).unwrap_err(),
        CallError::Cancelled
    );
}
