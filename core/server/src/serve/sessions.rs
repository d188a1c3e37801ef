//! Sessions of the older protocol over HTTP: how many there are, and when they end.
//!
//! The library's own manager ends a session after a time without messages, also one whose call is under way, and keeps
//! any number of them. Here a session ends when its client says so, when it was idle for long, or when a new one needs
//! its place: the one that was used least recently goes first. One with a call under way stays.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_core::Stream;
use parking_lot::Mutex;
use rmcp::model::{
    ClientJsonRpcMessage, JsonRpcMessage, ProtocolVersion, ServerJsonRpcMessage, ServerResult,
};
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionManager, LocalSessionManagerError,
};
use rmcp::transport::streamable_http_server::session::{ServerSseMessage, SessionId, SessionManager};

/// How long clients are asked to wait before they take up a stream again; what the library says by default.
const RETRY: Duration = Duration::from_secs(3);

/// All sessions of a server.
pub(crate) struct Sessions {
    inner: LocalSessionManager,
    known: Known,
    /// How many there may be.
    most: usize,
    /// How long one may be idle.
    idle: Duration,
}

type Known = Arc<Mutex<HashMap<SessionId, Session>>>;

struct Session {
    last_used: Instant,
    /// Requests that are being answered, and streams that are open.
    under_way: usize,
    /// Whether its protocol knows events without data, from which a client may take up a stream again. Older clients
    /// take them for messages that are not JSON.
    knows_empty_events: bool,
}

/// Why a session does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionsError {
    /// It cannot be begun.
    #[error("{0} sessions have calls under way, and there can be no more: end one, or try again later")]
    Full(usize),
    /// What the library says.
    #[error(transparent)]
    Library(#[from] LocalSessionManagerError),
}

impl Sessions {
    /// No session yet; later `most` at once, each idle no longer than `idle`.
    pub fn new(most: usize, idle: Duration) -> Self {
        let mut inner = LocalSessionManager::default();
        inner.session_config.keep_alive = None;
        inner.session_config.sse_retry = Some(RETRY);
        Self { inner, known: Known::default(), most, idle }
    }

    /// Ends the sessions that nobody used for long, and one more where all places are taken.
    async fn make_room(&self) -> Result<(), SessionsError> {
        let mut ended = self.expired();
        {
            let known = self.known.lock();
            if known.len() - ended.len() >= self.most {
                let free = known.iter().filter(|(id, session)| session.under_way == 0 && !ended.contains(id));
                let oldest = free.min_by_key(|(_, session)| session.last_used).map(|(id, _)| id.clone());
                ended.push(oldest.ok_or(SessionsError::Full(self.most))?);
            }
        }
        for id in ended {
            self.close_session(&id).await?;
        }
        Ok(())
    }

    fn expired(&self) -> Vec<SessionId> {
        let known = self.known.lock();
        let expired = known.iter().filter(|(_, session)| session.is_expired(self.idle));
        expired.map(|(id, _)| id.clone()).collect()
    }

    /// Keeps a session for as long as a stream of it is open. Events without data are left out where its client does
    /// not know them.
    fn held(
        &self,
        id: &SessionId,
        inner: impl Stream<Item = ServerSseMessage> + Send + Sync + 'static,
        first: Option<ServerSseMessage>,
    ) -> Held {
        let mut known = self.known.lock();
        let session = known.get_mut(id);
        let knows_empty_events = session.as_ref().is_some_and(|session| session.knows_empty_events);
        if let Some(session) = session {
            session.begin();
        }
        Held {
            first: first.filter(|_| knows_empty_events),
            inner: Box::pin(inner),
            knows_empty_events,
            id: id.clone(),
            known: Arc::clone(&self.known),
        }
    }
}

impl Session {
    fn new() -> Self {
        Self { last_used: Instant::now(), under_way: 0, knows_empty_events: false }
    }

    fn is_expired(&self, idle: Duration) -> bool {
        self.under_way == 0 && self.last_used.elapsed() >= idle
    }

    fn begin(&mut self) {
        self.under_way += 1;
        self.last_used = Instant::now();
    }

    fn end(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
        self.last_used = Instant::now();
    }
}

impl SessionManager for Sessions {
    type Error = SessionsError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), SessionsError> {
        self.make_room().await?;
        let (id, transport) = self.inner.create_session().await?;
        self.known.lock().insert(id.clone(), Session::new());
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, SessionsError> {
        let answer = self.inner.initialize_session(id, message).await?;
        if let JsonRpcMessage::Response(response) = &answer
            && let ServerResult::InitializeResult(opened) = &response.result
            && let Some(session) = self.known.lock().get_mut(id)
        {
            session.knows_empty_events = opened.protocol_version >= ProtocolVersion::V_2025_11_25;
        }
        Ok(answer)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, SessionsError> {
        let is_expired = match self.known.lock().get_mut(id) {
            None => return Ok(false),
            Some(session) if session.is_expired(self.idle) => true,
            Some(session) => {
                session.last_used = Instant::now();
                false
            }
        };
        if is_expired {
            self.close_session(id).await?;
            return Ok(false);
        }
        Ok(self.inner.has_session(id).await?)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), SessionsError> {
        self.known.lock().remove(id);
        Ok(self.inner.close_session(id).await?)
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionsError> {
        let stream = self.inner.create_stream(id, message).await?;
        Ok(self.held(id, stream, None))
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), SessionsError> {
        Ok(self.inner.accept_message(id, message).await?)
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionsError> {
        let stream = self.inner.create_standalone_stream(id).await?;
        Ok(self.held(id, stream, Some(ServerSseMessage::priming("0", RETRY))))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionsError> {
        let stream = self.inner.resume(id, last_event_id).await?;
        Ok(self.held(id, stream, None))
    }
}

/// A stream of a session, which stays while the stream is open.
struct Held {
    first: Option<ServerSseMessage>,
    inner: Pin<Box<dyn Stream<Item = ServerSseMessage> + Send + Sync>>,
    knows_empty_events: bool,
    id: SessionId,
    known: Known,
}

impl Stream for Held {
    type Item = ServerSseMessage;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ServerSseMessage>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        loop {
            let next = std::task::ready!(self.inner.as_mut().poll_next(context));
            match next {
                Some(event) if event.message.is_none() && !self.knows_empty_events => {}
                next => return Poll::Ready(next),
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(session) = self.known.lock().get_mut(&self.id) {
            session.end();
        }
    }
}
