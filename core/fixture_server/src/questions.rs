//! Tools that ask the client: its user, its model, its directories; in both generations of the protocol.

use std::sync::Arc;

use mcp_server::ask::{Answer, Ask};
use mcp_server::content::{Block, Blocks};
use mcp_server::context::{Capability, Context, Era};
use mcp_server::tool::{Tool, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::extras::Fixture;
use crate::tools::Nothing;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Prompt {
    /// What to ask the model.
    prompt: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Message {
    /// What to ask the user.
    message: String,
}

type Said = Result<Blocks, ToolError>;

fn say(text: String) -> Said {
    Ok(Blocks(vec![Block::text(text)]))
}

/// All of them.
pub fn all() -> Vec<Tool<Fixture>> {
    let mut tools = sessions();
    tools.extend(rounds());
    tools
}

/// A question for one field of text.
fn field(message: &str, name: &str) -> Ask {
    Ask::form(
        message,
        &json!({"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}),
    )
}

fn model(text: &str, max_tokens: u32) -> Ask {
    let message = json!({"role": "user", "content": {"type": "text", "text": text}});
    Ask::model(json!({"messages": [message], "maxTokens": max_tokens}))
}

fn yes_or_no() -> Ask {
    let schema = json!({"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]});
    Ask::form("Please confirm", &schema).sealed()
}

fn shown(answer: &Answer) -> String {
    match answer {
        Answer::Accepted(content) => format!("action=accept, content={}", Value::Object(content.clone())),
        Answer::Declined => "action=decline".into(),
        Answer::Dismissed => "action=cancel".into(),
        Answer::Result(result) => result.to_string(),
    }
}

/// Asks with a form and says what came back.
async fn form(context: Context, key: &str, message: &str, schema: Value) -> Said {
    let answer = context.ask(key, Ask::form(message, &schema)).await?;
    say(format!("Elicitation completed: {}", shown(&answer)))
}

fn sessions() -> Vec<Tool<Fixture>> {
    vec![
        Tool::new(
            "test_sampling",
            "Asks the client's model.",
            |_, prompt: Prompt, context: Context| async move {
                let answer = context.ask("answer", model(&prompt.prompt, 100)).await?;
                say(format!("LLM response: {}", shown(&answer)))
            },
        )
        .interactive(),
        Tool::new("test_elicitation", "Asks the user.", |_, message: Message, context: Context| async move {
            let schema = json!({
                "type": "object",
                "properties": {
                    "username": {"type": "string", "description": "User's response"},
                    "email": {"type": "string", "description": "User's email address"},
                },
                "required": ["username", "email"],
            });
            let answer = context.ask("user", Ask::form(&message.message, &schema)).await?;
            say(format!("User response: {}", shown(&answer)))
        })
        .interactive(),
        Tool::new(
            "test_elicitation_sep1034_defaults",
            "Asks with defaults.",
            |_, _: Nothing, context| async move {
                form(context, "defaults", "Check these values", with_defaults()).await
            },
        )
        .interactive(),
        Tool::new(
            "test_elicitation_sep1330_enums",
            "Asks with choices.",
            |_, _: Nothing, context| async move { form(context, "choices", "Choose", with_choices()).await },
        )
        .interactive(),
        Tool::new(
            "test_streaming_elicitation",
            "Asks the user while it is called.",
            |_, _: Nothing, context| async move {
                form(context, "name", "What is your name?", json!({"type": "object", "properties": {}})).await
            },
        )
        .interactive(),
        Tool::new("test_missing_capability", "Needs the client's model.", |_, _: Nothing, _| async move {
            say("The client can be asked.".into())
        })
        .requires(Capability::Sampling),
        Tool::new("test_confirmation", "Does something after the user agreed.", confirmed)
            .interactive()
            .destructive(),
    ]
}

async fn confirmed(_: Arc<Fixture>, message: Message, context: Context) -> Said {
    match context.ask("sure", Ask::confirmation(&message.message)).await? {
        Answer::Accepted(_) => say(format!("done: {}", message.message)),
        _ => Err(ToolError::failed("the user did not agree")),
    }
}

fn with_defaults() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "default": "John Doe"},
            "age": {"type": "integer", "default": 30},
            "score": {"type": "number", "default": 95.5},
            "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
            "verified": {"type": "boolean", "default": true},
        },
    })
}

fn with_choices() -> Value {
    let options = json!(["option1", "option2", "option3"]);
    let titled = |kind: &str| {
        json!([
            {"const": "value1", "title": format!("First {kind}")},
            {"const": "value2", "title": format!("Second {kind}")},
            {"const": "value3", "title": format!("Third {kind}")},
        ])
    };
    json!({
        "type": "object",
        "properties": {
            "untitledSingle": {"type": "string", "enum": options},
            "titledSingle": {"type": "string", "oneOf": titled("Option")},
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
            "titledMulti": {"type": "array", "items": {"anyOf": titled("Choice")}},
        },
    })
}

fn rounds() -> Vec<Tool<Fixture>> {
    vec![
        Tool::new(
            "test_input_required_result_elicitation",
            "Greets whom the user names.",
            |_, _: Nothing, context: Context| async move {
                match context.ask("user_name", field("What is your name?", "name")).await? {
                    Answer::Accepted(content) => {
                        say(format!("Hello, {}!", content["name"].as_str().unwrap_or("stranger")))
                    }
                    _ => say("Hello, stranger!".into()),
                }
            },
        )
        .interactive(),
        Tool::new(
            "test_input_required_result_sampling",
            "Asks the client's model for a capital.",
            |_, _: Nothing, context: Context| async move {
                let answer =
                    context.ask("capital_question", model("What is the capital of France?", 100)).await?;
                say(shown(&answer))
            },
        )
        .interactive(),
        Tool::new(
            "test_input_required_result_list_roots",
            "Asks for the client's directories.",
            |_, _: Nothing, context: Context| async move {
                let answer = context.ask("client_roots", Ask::folders()).await?;
                say(shown(&answer))
            },
        )
        .interactive(),
        Tool::new("test_input_required_result_request_state", "Asks under a seal.", sealed).interactive(),
        Tool::new("test_input_required_result_tampered_state", "Asks under a seal.", sealed).interactive(),
        Tool::new(
            "test_input_required_result_multiple_inputs",
            "Asks three things at once.",
            |_, _: Nothing, context: Context| async move {
                let name = field("What is your name?", "name").sealed();
                let asks = [
                    ("user_name", name),
                    ("greeting", model("Generate a greeting", 50)),
                    ("client_roots", Ask::folders()),
                ];
                let answers = context.ask_all(asks.map(|(key, ask)| (key.to_owned(), ask)).into()).await?;
                say(answers.iter().map(shown).collect::<Vec<_>>().join("; "))
            },
        )
        .interactive(),
        Tool::new(
            "test_input_required_result_multi_round",
            "Asks one thing after another.",
            |_, _: Nothing, context: Context| async move {
                let name = context.ask("step1", field("Step 1: What is your name?", "name").sealed()).await?;
                let color = context
                    .ask("step2", field("Step 2: What is your favorite color?", "color").sealed())
                    .await?;
                say(format!("{}; {}", shown(&name), shown(&color)))
            },
        )
        .interactive(),
        Tool::new(
            "test_input_required_result_capabilities",
            "Asks what the client can answer.",
            |_, _: Nothing, context: Context| async move {
                let asks = [
                    ("name", field("What is your name?", "name")),
                    ("greeting", model("Generate a greeting", 50)),
                ];
                let can = asks.into_iter().filter(|(_, ask)| context.client_can(ask.needs()));
                let answers = context.ask_all(can.map(|(key, ask)| (key.to_owned(), ask)).collect()).await?;
                say(answers.iter().map(shown).collect::<Vec<_>>().join("; "))
            },
        )
        .interactive(),
    ]
}

async fn sealed(_: Arc<Fixture>, _: Nothing, context: Context) -> Said {
    let answer = context.ask("confirm", yes_or_no()).await?;
    let seal = if context.era() == Era::Stateless { "state-ok" } else { "no state" };
    say(format!("{seal}: {}", shown(&answer)))
}
