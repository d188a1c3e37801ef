//! Tools that answer without asking anybody: every kind of content, errors, progress, log messages, waiting,
//! schemas with constraints.

use std::sync::Arc;
use std::time::Duration;

use mcp_server::budget::Detail;
use mcp_server::content::{Block, Blocks, Embedded, Output};
use mcp_server::context::{Context, Level};
use mcp_server::server::Change;
use mcp_server::tool::{Tool, ToolError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use crate::extras::Fixture;
use crate::media::{PNG, WAV};

/// How long the steps of a tool take that reports on its way.
const STEP: Duration = Duration::from_millis(50);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wait {
    /// How long, in milliseconds.
    #[schemars(range(max = 60_000))]
    milliseconds: u64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Region {
    /// Where.
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: String,
}

/// Parameters of every form that servers use.
#[derive(Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
struct Form {
    /// A name.
    #[schemars(length(min = 1, max = 8))]
    name: String,
    /// A count.
    #[schemars(range(min = 1, max = 100))]
    count: u32,
    /// A share.
    #[schemars(range(min = 0.0, max = 1.0))]
    share: Option<f64>,
    /// A choice.
    #[serde(default)]
    color: Color,
    /// Labels.
    #[serde(default)]
    #[schemars(length(max = 3))]
    labels: Vec<String>,
    /// A place.
    place: Option<Place>,
}

#[derive(Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
enum Color {
    #[default]
    Red,
    Green,
}

#[derive(Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
struct Place {
    /// Its line, from 1.
    #[schemars(range(min = 1))]
    line: u64,
    /// Whether it is exact.
    exact: bool,
}

impl Output for Form {
    fn text(&self, detail: Detail) -> String {
        match detail {
            Detail::Concise => self.name.clone(),
            Detail::Detailed => format!("{} × {}", self.name, self.count),
        }
    }
}

#[derive(JsonSchema, Serialize)]
struct Waited {
    /// How long, in milliseconds.
    milliseconds: u64,
}

impl Output for Waited {
    fn text(&self, _detail: Detail) -> String {
        format!("waited {} ms", self.milliseconds)
    }
}

#[derive(JsonSchema, Serialize)]
struct Counted {
    /// How far it came.
    count: u64,
}

impl Output for Counted {
    fn text(&self, _detail: Detail) -> String {
        format!("counted to {}", self.count)
    }
}

/// A tool without parameters that answers in blocks.
fn blocks(name: &'static str, description: &'static str, blocks: fn() -> Vec<Block>) -> Tool<Fixture> {
    Tool::quick(name, description, move |_: &Fixture, _: Nothing, _| Ok(Blocks(blocks()))).read_only()
}

fn text(text: &str) -> Blocks {
    Blocks(vec![Block::text(text)])
}

/// All of them.
pub fn all() -> Vec<Tool<Fixture>> {
    let mut tools = contents();
    tools.extend(behaviours());
    tools.extend(schemas());
    tools
}

fn contents() -> Vec<Tool<Fixture>> {
    vec![
        blocks("test_simple_text", "Answers with text.", || {
            vec![Block::text("This is a simple text response for testing.")]
        }),
        blocks("test_image_content", "Answers with a picture.", || vec![picture()]),
        blocks("test_audio_content", "Answers with sound.", || {
            vec![Block::Audio { data: WAV.into(), mime_type: "audio/wav".into() }]
        }),
        blocks("test_embedded_resource", "Answers with a resource.", || {
            vec![embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]
        }),
        blocks("test_multiple_content_types", "Answers with text, a picture and a resource.", || {
            let resource = embedded(
                "test://mixed-content-resource",
                "application/json",
                r#"{"test":"data","value":123}"#,
            );
            vec![Block::text("Multiple content types test:"), picture(), resource]
        }),
        blocks("test_reconnection", "Answers with text, on one stream.", || {
            vec![Block::text("The stream stayed open.")]
        }),
    ]
}

fn picture() -> Block {
    Block::Image { data: PNG.into(), mime_type: "image/png".into() }
}

fn embedded(uri: &str, mime_type: &str, text: &str) -> Block {
    Block::Resource { resource: Embedded { uri: uri.into(), mime_type: mime_type.into(), text: text.into() } }
}

fn behaviours() -> Vec<Tool<Fixture>> {
    vec![
        Tool::quick("test_error_handling", "Fails.", |_: &Fixture, _: Nothing, _| -> Result<Blocks, _> {
            Err(ToolError::failed("This tool intentionally returns an error for testing"))
        })
        .read_only(),
        Tool::quick(
            "test_panic",
            "Breaks down.",
            |_: &Fixture, _: Nothing, _| -> Result<Blocks, ToolError> { panic!("asked for") },
        )
        .read_only(),
        Tool::new("test_tool_with_logging", "Sends three log messages.", logging).read_only().interactive(),
        Tool::new(
            "test_logging_tool",
            "Sends a log message.",
            |_, _: Nothing, context: Context| async move {
                context.log(Level::Info, "A log message").await;
                Ok(text("Logged, where the client wanted it."))
            },
        )
        .read_only()
        .interactive(),
        Tool::new("test_tool_with_progress", "Reports its progress.", progress).read_only(),
        Tool::new("test_wait", "Waits.", |_, wait: Wait, _| async move {
            sleep(Duration::from_millis(wait.milliseconds)).await;
            Ok(Waited { milliseconds: wait.milliseconds })
        })
        .read_only()
        .audited()
        .timeout(Duration::from_secs(5)),
        Tool::heavy(
            "test_count",
            "Counts until it is cancelled.",
            |_: &Fixture, _: Nothing, context: &Context| {
                let mut count = 0;
                while !context.is_cancelled() {
                    count += 1;
                    std::thread::sleep(Duration::from_millis(1));
                }
                Ok(Counted { count })
            },
        )
        .read_only()
        .timeout(Duration::from_millis(100)),
        Tool::heavy(
            "test_heavy_with_progress",
            "Reports its progress from a thread of its own.",
            |_: &Fixture, _: Nothing, context: &Context| {
                for done in [1.0, 2.0] {
                    context.progress_from_thread(done, None, "counting");
                }
                Ok(Counted { count: 2 })
            },
        )
        .read_only(),
        Tool::quick("test_rate", "May be called once a minute.", |_: &Fixture, _: Nothing, _| {
            Ok(text("called"))
        })
        .read_only()
        .rate(1.0 / 60.0),
        Tool::quick(
            "test_dirty_text",
            "Answers with characters that nobody sees.",
            |_: &Fixture, _: Nothing, _| Ok(text("\u{1b}[31mred\u{1b}[0m\u{202e}")),
        )
        .read_only(),
        change("test_trigger_tool_change", "Says that the list of tools changed.", Change::Tools),
        change("test_trigger_prompt_change", "Says that the list of prompts changed.", Change::Prompts),
    ]
}

fn change(name: &'static str, description: &'static str, change: Change) -> Tool<Fixture> {
    Tool::quick(name, description, move |fixture: &Fixture, _: Nothing, _| {
        fixture.tell(change.clone());
        Ok(text("Told to all who listen."))
    })
    .idempotent()
}

async fn logging(_: Arc<Fixture>, _: Nothing, context: Context) -> Result<Blocks, ToolError> {
    context.log(Level::Info, "Tool execution started").await;
    sleep(STEP).await;
    context.log(Level::Info, "Tool processing data").await;
    sleep(STEP).await;
    context.log(Level::Info, "Tool execution completed").await;
    Ok(text("Three messages were logged."))
}

async fn progress(_: Arc<Fixture>, _: Nothing, context: Context) -> Result<Blocks, ToolError> {
    for done in [0.0, 50.0, 100.0] {
        if done > 0.0 {
            sleep(STEP).await;
        }
        context.progress(done, Some(100.0), "").await;
    }
    Ok(text("Progress was reported."))
}

fn schemas() -> Vec<Tool<Fixture>> {
    vec![
        Tool::quick("test_form", "Returns its arguments.", |_: &Fixture, form: Form, _| Ok(form)).read_only(),
        Tool::quick(
            "test_custom_header",
            "Takes an argument that HTTP clients repeat as a header.",
            |_: &Fixture, region: Region, _| Ok(text(&region.region)),
        )
        .read_only(),
        Tool::quick(
            "json_schema_2020_12_tool",
            "Takes what a schema with many keywords allows.",
            |_: &Fixture, all: Map<String, Value>, _| Ok(text(&Value::Object(all).to_string())),
        )
        .read_only()
        .input_schema(rich_schema()),
    ]
}

/// A schema with the keywords of JSON Schema 2020-12 that clients must get unchanged.
fn rich_schema() -> Map<String, Value> {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {"address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }},
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false,
    });
    match schema {
        Value::Object(schema) => schema,
        _ => unreachable!("the schema is an object"),
    }
}
