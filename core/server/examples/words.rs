//! A server with one tool: how many words a text has.

use std::process::ExitCode;
use std::sync::Arc;

use mcp_server::budget::Detail;
use mcp_server::content::Output;
use mcp_server::serve::{Purpose, main as serve};
use mcp_server::server::About;
use mcp_server::tool::{Tool, ToolError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the tool takes. The schema that clients see is made from this type, comments included.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Count {
    /// The text whose words are counted.
    text: String,
}

/// What it answers: structured content, and a text for models.
#[derive(Serialize, JsonSchema)]
struct Counted {
    /// How many words there are.
    words: usize,
}

impl Output for Counted {
    fn text(&self, _detail: Detail) -> String {
        format!("{} words", self.words)
    }
}

fn tools() -> Vec<Tool<()>> {
    vec![
        Tool::quick("count_words", "Counts the words of a text.", |(), count: Count, _context| {
            let words = count.text.split_whitespace().count();
            if words == 0 {
                Err(ToolError::failed("the text has no words: give some"))
            } else {
                Ok(Counted { words })
            }
        })
        .read_only(),
    ]
}

fn main() -> ExitCode {
    let purpose: Purpose = Purpose {
        about: About {
            name: "words",
            title: "Words",
            version: env!("CARGO_PKG_VERSION"),
            instructions: "Counts the words of texts.",
        },
        tools: |builder, _options, ()| Ok(builder.tools(&Arc::new(()), tools())),
        facts: |_options, ()| Vec::new(),
        act: |action, _options, ()| match action {},
    };
    serve(&purpose)
}
