//! Calls in front of the library that go on while other lines are read.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::AsyncWrite;

use crate::content::Reply;
use crate::context::{Boxed, Call, Capability, Client, Level};
use crate::layers::Admitted;
use crate::serve::output::Output;
use crate::serve::stdio::Running;
use crate::serve::stdio::message::{answer_line, line};
use crate::server::Server;
use crate::tool::{Failure, ToolError};

/// A call that goes on while others are read.
pub(super) struct Beside<W> {
    pub server: Arc<Server>,
    pub id: String,
    pub output: Arc<Output<W>>,
    pub running: Running,
}

impl<W: AsyncWrite + Unpin + Send + 'static> Beside<W> {
    pub async fn run(self, admitted: Admitted, call: Arc<Call>) {
        let era = call.era;
        let result = self.server.layers().run(admitted, call).await;
        self.running.lock().remove(&self.id);
        let reply = match result {
            Ok(reply) => reply,
            // Nobody waits for this answer.
            Err(error) if error.failure() == Failure::Cancelled => return,
            Err(error) => Reply::error(error.to_string()),
        };
        self.output.collect(|out| answer_line(out, &self.id, &reply, era, &self.server));
        self.output.flush();
    }
}

/// The client of a call in front of the library. It hears of progress; it is asked nothing.
pub(super) struct FrontClient<W> {
    pub output: Arc<Output<W>>,
    pub progress_token: Option<Value>,
}

impl<W: AsyncWrite + Unpin + Send + 'static> Client for FrontClient<W> {
    fn can(&self, _capability: Capability) -> bool {
        false
    }

    fn request<'a>(&'a self, method: &'a str, _params: Value) -> Boxed<'a, Result<Value, ToolError>> {
        let error = ToolError::failed(format!("{method} needs a tool that was built as interactive"));
        Box::pin(std::future::ready(Err(error)))
    }

    fn notify<'a>(&'a self, method: &'static str, params: Value) -> Boxed<'a, ()> {
        self.output.collect(|out| line(out, &json!({"jsonrpc": "2.0", "method": method, "params": params})));
        self.output.flush();
        Box::pin(std::future::ready(()))
    }

    fn wants_log(&self, _level: Level) -> bool {
        false
    }

    fn progress_token(&self) -> Option<&Value> {
        self.progress_token.as_ref()
    }
}
