//! The face on stdin and stdout: one message a line.

mod beside;
pub(super) mod message;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use memchr::memchr;
use parking_lot::Mutex;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorData, GetMeta, JsonRpcError,
    JsonRpcMessage, ProtocolVersion, ServerJsonRpcMessage, ServerResult,
};
use rmcp::service::RoleServer;
use rmcp::transport::Transport;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::runtime::{Handle, RuntimeMetrics};
use tokio_util::sync::CancellationToken;

use crate::ask::Inputs;
use crate::content::Reply;
use crate::context::Era;
use crate::serve::front::{self, FrontCall, LastMeta, Opening, Places};
use crate::serve::output::{MOST_WAITING, Output};
use crate::serve::pipes::{Direct, Waiting};
use crate::serve::stdio::beside::{Beside, FrontClient};
use crate::serve::stdio::message::{answer_line, id_text, line, parse, trimmed};
use crate::server::{CallError, Server};
use crate::tool::Place;

/// The longest line that is read, in bytes: as long as the largest message over HTTP.
pub const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// How much is read at once, in bytes: what a pipe of Linux holds.
const CHUNK: usize = 64 * 1024;

/// Calls that are under way in front of the library, by the identity of their request.
///
/// The library keeps the same account of the requests that it was given, and nobody keeps one of both. So whatever
/// concerns a request by its identity comes here first and goes on to the library when it is not found, and the end
/// of the input concerns both: [`Leftover::gone`] waits for the calls in front, the library for its own.
type Running = Arc<Mutex<HashMap<String, CancellationToken>>>;

/// Lines in and out, with calls of tools answered on the way.
pub(crate) struct Stdio<R, W> {
    server: Arc<Server>,
    input: R,
    output: Arc<Output<W>>,
    buffer: Vec<u8>,
    /// Where the next line begins in `buffer`, and how far it was searched for its end.
    line: usize,
    searched: usize,
    /// The rest of a line that is too long is passed over.
    is_skipping: bool,
    opening: Opening,
    last_meta: LastMeta,
    running: Running,
    /// Ends the calls that are under way when the input has ended and their time is up.
    end: CancellationToken,
    /// When the input ended.
    ended: Option<Instant>,
    /// How many questions of the server the client has not answered: none is, once the input ended.
    asked: usize,
    /// Whether calls are answered in front of the library.
    has_front: bool,
    /// stdin past the runtime.
    waiting: Option<Waiting>,
    /// Requests that the library has not answered yet.
    unanswered: HashSet<String>,
    /// What runs beside; only known inside of a runtime.
    runtime: Option<RuntimeMetrics>,
}

/// How long calls that are under way at the end of the input may still take. Clients that end a server so wait for two
/// seconds before they send a signal.
const GRACE: Duration = Duration::from_secs(1);

/// How often is looked whether they have ended.
const GLANCE: Duration = Duration::from_millis(5);

/// The one task that is alive when nothing is under way: the library's loop, which runs all this.
const LOOP: usize = 1;

impl<R, W> Stdio<R, W>
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send + 'static,
{
    pub fn new(server: Arc<Server>, input: R, output: W, direct: Direct, has_front: bool) -> Self {
        Self {
            server,
            input,
            output: Output::new(output, direct.output),
            buffer: Vec::with_capacity(2 * CHUNK),
            line: 0,
            searched: 0,
            is_skipping: false,
            opening: Opening::None,
            last_meta: LastMeta::default(),
            running: Running::default(),
            end: CancellationToken::new(),
            ended: None,
            asked: 0,
            has_front,
            waiting: direct.input,
            unanswered: HashSet::new(),
            runtime: Handle::try_current().ok().map(|handle| handle.metrics()),
        }
    }

    /// The next line of the buffer, without its end; `None` when more has to be read.
    fn next_line(&mut self) -> Option<std::ops::Range<usize>> {
        loop {
            let Some(end) = memchr(b'\n', &self.buffer[self.searched..]).map(|at| self.searched + at) else {
                self.searched = self.buffer.len();
                return None;
            };
            let range = self.line..end;
            (self.line, self.searched) = (end + 1, end + 1);
            if !std::mem::take(&mut self.is_skipping) {
                return Some(range);
            }
        }
    }

    /// Whether nothing goes on but waiting for the next line: then this thread can wait by itself, which takes one
    /// call of the system where the runtime takes two, and its bookkeeping.
    fn is_quiet(&self) -> bool {
        self.waiting.is_some()
            && self.unanswered.is_empty()
            && self.runtime.as_ref().is_some_and(|runtime| runtime.num_alive_tasks() <= LOOP)
    }

    /// The rest of the input, when it ends without a line feed.
    fn last_line(&mut self) -> Option<std::ops::Range<usize>> {
        let range = self.line..self.buffer.len();
        (self.line, self.searched) = (range.end, range.end);
        (!self.is_skipping && !range.is_empty()).then_some(range)
    }

    /// Waits, when the input has ended, until the calls under way have, too. Nobody is there to answer a question, and
    /// who closed the output reads no answer. Nothing is lost when this is dropped before its end.
    async fn finish(&mut self, since: Instant) {
        let is_busy = |this: &Self| !this.unanswered.is_empty() || !this.running.lock().is_empty();
        while is_busy(self) && self.asked == 0 && since.elapsed() < GRACE && !self.output.is_closed() {
            tokio::time::sleep(GLANCE).await;
        }
        // What is still under way ends, also what the library holds.
        self.end.cancel();
    }

    /// Makes room and reads more past the runtime.
    fn fill_here(&mut self) -> io::Result<usize> {
        self.make_room();
        self.waiting.as_ref().map_or(Ok(0), |waiting| waiting.read(&mut self.buffer))
    }

    /// Makes room and reads more. Nothing is lost when this is dropped before its end.
    async fn fill(&mut self) -> io::Result<usize> {
        self.make_room();
        self.input.read_buf(&mut self.buffer).await
    }

    fn make_room(&mut self) {
        // What was read moves to the front, so that the buffer grows with one line only.
        if self.line > 0 {
            self.buffer.drain(..self.line);
            self.searched -= self.line;
            self.line = 0;
        }
        if self.buffer.len() > LONGEST_LINE {
            if !self.is_skipping {
                let sentence = format!("the line is longer than {LONGEST_LINE} bytes");
                self.refuse(&ErrorData::invalid_request(sentence, None), None);
                self.output.flush();
            }
            self.is_skipping = true;
            self.buffer = Vec::with_capacity(2 * CHUNK);
            self.searched = 0;
        }
        self.buffer.reserve(CHUNK);
    }

    /// Answers a line that is not a message.
    fn refuse(&self, error: &ErrorData, id: Option<&Value>) {
        let mut answer = json!({"jsonrpc": "2.0", "error": error});
        if let Some(id) = id {
            answer["id"] = id.clone();
        }
        self.output.collect(|out| line(out, &answer));
    }

    /// Reads a line, answers it where that can be done here, and returns what is left to the library.
    fn take(&mut self, range: std::ops::Range<usize>) -> Option<ClientJsonRpcMessage> {
        let text = trimmed(&self.buffer[range]);
        if text.is_empty() {
            return None;
        }
        let opening = self.opening;
        if self.has_front {
            let call = front::read(text, &self.server, opening, Places::All, &mut self.last_meta);
            if let Some(call) = call {
                self.answer(call);
                return None;
            }
        }
        match parse(text, "the line") {
            Ok(message) => self.passed_on(message, opening),
            Err((error, id)) => {
                self.refuse(&error, id.as_ref());
                None
            }
        }
    }

    /// What the library should see of a message, and what its answers will mean.
    fn passed_on(&mut self, message: ClientJsonRpcMessage, opening: Opening) -> Option<ClientJsonRpcMessage> {
        let message = self.judged(message, opening)?;
        match &message {
            JsonRpcMessage::Request(_) if self.output.is_closed() => return None,
            JsonRpcMessage::Request(request) => {
                self.unanswered.insert(id_text(&request.id));
            }
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => {
                self.asked = self.asked.saturating_sub(1);
            }
            JsonRpcMessage::Notification(notification) => {
                // The library does not answer what was cancelled.
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.unanswered.remove(&id_text(id));
                }
            }
        }
        Some(message)
    }

    fn judged(&mut self, message: ClientJsonRpcMessage, opening: Opening) -> Option<ClientJsonRpcMessage> {
        match &message {
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                    && let Some(token) = self.running.lock().remove(&id_text(id))
                {
                    token.cancel();
                    return None;
                }
                // The library ends the connection when it does not begin with a request.
                (opening != Opening::None).then_some(message)
            }
            JsonRpcMessage::Request(request) => {
                let meta = request.request.get_meta();
                let opens = opening == Opening::None
                    && !matches!(
                        request.request,
                        ClientRequest::DiscoverRequest(_)
                            | ClientRequest::InitializeRequest(_)
                            | ClientRequest::PingRequest(_)
                    )
                    && meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
                    && meta
                        .protocol_version()
                        .is_some_and(|version| ProtocolVersion::KNOWN_VERSIONS.contains(&version));
                if opens {
                    self.opening = Opening::Stateless;
                }
                Some(message)
            }
            _ => (opening != Opening::None).then_some(message),
        }
    }

    fn answer(&self, call: FrontCall<'_>) {
        let FrontCall { id, received, era, progress_token } = call;
        let layers = self.server.layers();
        let place = received.spec().place;
        let admitted = match layers.admit(received) {
            Ok(admitted) => admitted,
            Err(error) => return self.reply(id, &Reply::error(error.to_string()), era),
        };
        if place != Place::Here && self.output.is_closed() {
            // Nobody would learn what it did.
            return;
        }
        if place == Place::Here {
            let result = layers.run_here(admitted);
            let reply = result.unwrap_or_else(|error| Reply::error(error.to_string()));
            return self.reply(id, &reply, era);
        }
        let client = FrontClient { output: Arc::clone(&self.output), progress_token };
        let cancel = self.end.child_token();
        let call = admitted.call(era, Some(Arc::new(client)), cancel.clone(), Inputs::default());
        self.running.lock().insert(id.to_owned(), cancel);
        let task = Beside {
            server: Arc::clone(&self.server),
            id: id.to_owned(),
            output: Arc::clone(&self.output),
            running: Arc::clone(&self.running),
        };
        tokio::spawn(task.run(admitted, call));
    }

    fn reply(&self, id: &str, reply: &Reply, era: Era) {
        self.output.collect(|out| answer_line(out, id, reply, era, &self.server));
    }
}

impl<R, W> Transport<RoleServer> for Stdio<R, W>
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    type Error = io::Error;

    fn name() -> Cow<'static, str> {
        "stdio".into()
    }

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        if let JsonRpcMessage::Response(response) = &message
            && matches!(response.result, ServerResult::InitializeResult(_))
        {
            self.opening = Opening::Handshake;
        }
        match &message {
            JsonRpcMessage::Request(_) => self.asked += 1,
            JsonRpcMessage::Response(response) => {
                self.unanswered.remove(&id_text(&response.id));
            }
            JsonRpcMessage::Error(error) => {
                if let Some(id) = &error.id {
                    self.unanswered.remove(&id_text(id));
                }
            }
            _ => {}
        }
        // The library drops the answers of calls that were cancelled by a message; these were cancelled by the
        // end of the input, and the protocol wants no answer to them either.
        let is_cancelled = |error: &JsonRpcError| error.error.message == CallError::Cancelled.to_string();
        if !matches!(&message, JsonRpcMessage::Error(error) if is_cancelled(error)) {
            self.output.collect(|out| line(out, &message));
            self.output.flush();
        }
        let output = Arc::clone(&self.output);
        async move { output.written().await }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        // Whether the library looked, since this was called, for whatever else there may be to do.
        let mut has_looked = false;
        loop {
            while let Some(range) = self.next_line() {
                if let Some(message) = self.take(range) {
                    self.output.flush();
                    return Some(message);
                }
            }
            self.output.flush();
            if let Some(since) = self.ended {
                self.finish(since).await;
                return None;
            }
            if self.output.waiting() > MOST_WAITING {
                self.output.written().await.ok()?;
            }
            let read = if !self.is_quiet() {
                has_looked = false;
                self.fill().await
            } else if std::mem::replace(&mut has_looked, true) {
                self.fill_here()
            } else {
                tokio::task::yield_now().await;
                continue;
            };
            match read {
                Ok(1..) => continue,
                Ok(0) => {}
                Err(error) => tracing::error!(%error, "stdin cannot be read"),
            }
            self.ended = Some(Instant::now());
            if let Some(message) = self.last_line().and_then(|range| self.take(range)) {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.output.written().await
    }
}

/// What outlives the connection: the calls that its end has to wait for.
pub(crate) struct Leftover<W> {
    output: Arc<Output<W>>,
    running: Running,
}

impl<R, W> Stdio<R, W> {
    /// Is cancelled when the input ends.
    pub fn end(&self) -> CancellationToken {
        self.end.clone()
    }

    /// What to wait for when the connection has ended.
    pub fn leftover(&self) -> Leftover<W> {
        Leftover { output: Arc::clone(&self.output), running: Arc::clone(&self.running) }
    }
}

impl<W: AsyncWrite + Unpin + Send + 'static> Leftover<W> {
    /// Waits until the calls under way, which are all cancelled, have ended, and all is written.
    pub async fn gone(self) {
        while !self.running.lock().is_empty() {
            tokio::task::yield_now().await;
        }
        // A client that is gone has closed its end, which is not a failure.
        self.output.written().await.ok();
    }
}

#[cfg(test)]
mod tests;
