//! The client of a request that came through the protocol library.

use parking_lot::Mutex;
use rmcp::model::{ClientCapabilities, CustomRequest, ServerNotification, ServerRequest};
use rmcp::service::{Peer, RequestContext, RoleServer};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::context::{Boxed, Capability, Client, Era, Level};
use crate::tool::ToolError;

/// The least bad level of log messages that the client of a session asked for.
pub(crate) type SessionLevel = Mutex<Option<Level>>;

/// The other side of one request.
pub(crate) struct RequestClient {
    peer: Peer<RoleServer>,
    capabilities: ClientCapabilities,
    progress_token: Option<Value>,
    level: Option<Level>,
}

impl RequestClient {
    /// The client behind a request.
    pub fn of(context: &RequestContext<RoleServer>, era: Era, session: &SessionLevel) -> Self {
        let progress_token = context.meta.get_progress_token();
        Self {
            peer: context.peer.clone(),
            capabilities: context.client_capabilities().unwrap_or_default(),
            progress_token: progress_token.map(|token| token.0.into_json_value()),
            level: match era {
                Era::Stateless => context.meta.log_level().map(level),
                // A session that asked for no level gets what is worth reading.
                Era::Sessions => Some(session.lock().unwrap_or(Level::Info)),
            },
        }
    }
}

/// The protocol library's level in our words.
pub(crate) fn level(level: impl Serialize) -> Level {
    let named = serde_json::to_value(level).and_then(serde_json::from_value);
    named.unwrap_or(Level::Info)
}

impl Client for RequestClient {
    fn can(&self, capability: Capability) -> bool {
        match capability {
            Capability::Elicitation => self.capabilities.elicitation.is_some(),
            Capability::Sampling => self.capabilities.sampling.is_some(),
            Capability::Roots => self.capabilities.roots.is_some(),
        }
    }

    fn request<'a>(&'a self, method: &'a str, params: Value) -> Boxed<'a, Result<Value, ToolError>> {
        Box::pin(async move {
            // Not the library's own types, which do not know every schema that the protocol allows in a form.
            let request = ServerRequest::CustomRequest(CustomRequest::new(method, Some(params)));
            let answer = self.peer.send_request(request).await;
            let answer = answer
                .map_err(|error| ToolError::failed(format!("the client did not answer {method}: {error}")))?;
            serde_json::to_value(answer).map_err(|error| ToolError::failed(error.to_string()))
        })
    }

    fn notify<'a>(&'a self, method: &'static str, params: Value) -> Boxed<'a, ()> {
        Box::pin(async move {
            // The library routes notifications by their type: progress goes where the request came from.
            let notification = serde_json::from_value(json!({"method": method, "params": params}));
            let notification: ServerNotification = match notification {
                Ok(notification) => notification,
                Err(error) => {
                    return tracing::error!(method, %error, "a notification has not the protocol's shape");
                }
            };
            if let Err(error) = self.peer.send_notification(notification).await {
                tracing::debug!(method, %error, "a notification did not reach the client");
            }
        })
    }

    fn wants_log(&self, level: Level) -> bool {
        self.level.is_some_and(|least| level >= least)
    }

    fn progress_token(&self) -> Option<&Value> {
        self.progress_token.as_ref()
    }
}

/// The members of an object; of anything else, none.
pub(crate) fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
