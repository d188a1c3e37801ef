//! What the fixture offers beside tools: prompts, resources, completion.

use mcp_server::ask::{Answer, Ask};
use mcp_server::context::{Boxed, Context};
use mcp_server::server::{CallError, Change, ExtraError, Extras, LIST_TTL_MS};
use serde_json::{Map, Value, json};
use tokio::sync::broadcast::{Receiver, Sender, channel};

use crate::media::PNG;

/// The state of the fixture's tools: who listens to changes.
pub struct Fixture {
    changes: Sender<Change>,
}

impl Default for Fixture {
    fn default() -> Self {
        Self { changes: channel(16).0 }
    }
}

impl Fixture {
    /// Tells a change to all who listen.
    pub fn tell(&self, change: Change) {
        // Without a listener nobody has to know.
        self.changes.send(change).ok();
    }
}

impl Extras for Fixture {
    fn capabilities(&self) -> Map<String, Value> {
        let capabilities = json!({
            "prompts": {"listChanged": true},
            "resources": {"subscribe": true, "listChanged": true},
            "completions": {},
            "logging": {},
        });
        capabilities.as_object().cloned().unwrap_or_default()
    }

    fn answer<'a>(
        &'a self,
        method: &'a str,
        params: Value,
        context: Context,
    ) -> Boxed<'a, Result<Value, ExtraError>> {
        Box::pin(async move {
            match method {
                "prompts/list" => Ok(cached(json!({"prompts": prompts()}))),
                "prompts/get" => prompt(&params, &context).await,
                "resources/list" => Ok(cached(json!({"resources": resources()}))),
                "resources/templates/list" => Ok(cached(json!({"resourceTemplates": [{
                    "uriTemplate": "test://template/{id}/data",
                    "name": "template",
                    "description": "Data by its number.",
                    "mimeType": "application/json",
                }]}))),
                "resources/read" => read(text(&params, "uri")),
                "resources/subscribe" | "resources/unsubscribe" => Ok(json!({})),
                "completion/complete" => Ok(complete(text(&params["argument"], "value"))),
                _ => Err(CallError::UnknownMethod(method.to_owned()).into()),
            }
        })
    }

    fn changes(&self) -> Option<Receiver<Change>> {
        Some(self.changes.subscribe())
    }
}

/// Says how long a client may keep a list that does not change by itself.
fn cached(mut list: Value) -> Value {
    list["ttlMs"] = LIST_TTL_MS.into();
    list["cacheScope"] = "public".into();
    list
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn prompts() -> Value {
    json!([
        {"name": "test_simple_prompt", "description": "A prompt without arguments."},
        {"name": "test_prompt_with_arguments", "description": "A prompt with two arguments.", "arguments": [
            {"name": "arg1", "description": "First test argument", "required": true},
            {"name": "arg2", "description": "Second test argument", "required": true},
        ]},
        {"name": "test_prompt_with_embedded_resource", "description": "A prompt with a resource.", "arguments": [
            {"name": "resourceUri", "description": "URI of the resource to embed", "required": true},
        ]},
        {"name": "test_prompt_with_image", "description": "A prompt with a picture."},
        {"name": "test_input_required_result_prompt", "description": "A prompt that asks the user."},
    ])
}

fn message(content: &Value) -> Value {
    json!({"role": "user", "content": content})
}

fn said(text: &str) -> Value {
    message(&json!({"type": "text", "text": text}))
}

async fn prompt(params: &Value, context: &Context) -> Result<Value, ExtraError> {
    let arguments = &params["arguments"];
    let messages = match text(params, "name") {
        "test_simple_prompt" => json!([said("This is a simple prompt for testing.")]),
        "test_prompt_with_arguments" => {
            let (first, second) = (text(arguments, "arg1"), text(arguments, "arg2"));
            json!([said(&format!("Prompt with arguments: arg1='{first}', arg2='{second}'"))])
        }
        "test_prompt_with_embedded_resource" => {
            let uri = text(arguments, "resourceUri");
            let resource = json!({"uri": uri, "mimeType": "text/plain", "text": "Embedded resource content for testing."});
            json!([
                message(&json!({"type": "resource", "resource": resource})),
                said("Please process the embedded resource above."),
            ])
        }
        "test_prompt_with_image" => json!([
            message(&json!({"type": "image", "data": PNG, "mimeType": "image/png"})),
            said("Please analyze the image above."),
        ]),
        "test_input_required_result_prompt" => {
            let schema = json!({"type": "object", "properties": {"context": {"type": "string"}}, "required": ["context"]});
            let answer = context
                .ask("user_context", Ask::form("What context should the prompt use?", &schema))
                .await?;
            let given = match &answer {
                Answer::Accepted(content) => {
                    content.get("context").and_then(Value::as_str).unwrap_or_default()
                }
                _ => "none",
            };
            json!([said(&format!("Context: {given}"))])
        }
        name => return Err(CallError::bad_params(format!("there is no prompt named `{name}`")).into()),
    };
    Ok(json!({"messages": messages}))
}

fn resources() -> Value {
    json!([
        {"uri": "test://static-text", "name": "static-text", "description": "Text.", "mimeType": "text/plain"},
        {"uri": "test://static-binary", "name": "static-binary", "description": "A picture.", "mimeType": "image/png"},
        {"uri": "test://watched-resource", "name": "watched", "description": "Text to watch.", "mimeType": "text/plain"},
    ])
}

fn read(uri: &str) -> Result<Value, ExtraError> {
    let id = uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data"));
    let content = match (uri, id) {
        ("test://static-text", _) => json!({
            "uri": uri, "mimeType": "text/plain", "text": "This is the content of the static text resource.",
        }),
        ("test://static-binary", _) => json!({"uri": uri, "mimeType": "image/png", "blob": PNG}),
        ("test://watched-resource", _) => json!({"uri": uri, "mimeType": "text/plain", "text": "Watched."}),
        (_, Some(id)) => {
            let data = json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")});
            json!({"uri": uri, "mimeType": "application/json", "text": data.to_string()})
        }
        _ => {
            let sentence = format!("there is no resource `{uri}`; resources/list tells which there are");
            return Err(CallError::BadParams { sentence, data: Some(json!({"uri": uri})) }.into());
        }
    };
    Ok(cached(json!({"contents": [content]})))
}

fn complete(value: &str) -> Value {
    let known = ["paris", "park", "party", "test", "testing"];
    let values: Vec<_> = known.into_iter().filter(|known| known.starts_with(value)).collect();
    json!({"completion": {"total": values.len(), "hasMore": false, "values": values}})
}
