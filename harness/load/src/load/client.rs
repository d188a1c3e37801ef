//! A server that is running, and the conversation with it.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::load::clock::ns;
use crate::load::http::HttpLink;
use crate::load::link::{Link, Outgoing};
use crate::load::stdio::StdioLink;
use crate::load::{Address, Clock};
use crate::mcp::{
    Era, Fault, Incoming, Protocol, RpcError, Tool, cancelled, opening, read_message, read_tools, supported,
};
use crate::process::{Ended, Invocation};

/// The longest that a server may take to answer the probe for the newer era before the older one is tried.
const PROBE: Duration = Duration::from_secs(3);
/// A starting server is given so many times the patience for one call.
const START: u32 = 3;
/// The most pages of tools that are asked for.
const PAGES: usize = 100;

/// How a server is started and spoken with.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its command.
    pub invocation: Invocation,
    /// Where it listens; stdio without.
    pub http: Option<Address>,
    /// The era to speak; found out when `None`.
    pub era: Option<Era>,
    /// How long an answer may take.
    pub patience: Duration,
}

/// A running server.
pub struct Client {
    /// What was agreed on.
    pub protocol: Protocol,
    /// The server's name and version, where it tells them.
    pub name: Option<String>,
    /// From the start of the process to its first answer, in ns.
    pub ready_ns: u64,
    pub(crate) link: Link,
    pub(crate) next_id: u64,
    pub(crate) patience: Duration,
    /// Begins with the process.
    pub(crate) clock: Clock,
}

/// What came of a first request.
enum Opened {
    Agreed(Box<Client>),
    /// The server is of the older era; it still runs.
    Older(Box<Client>),
}

impl Client {
    /// Starts a server and agrees on a protocol with it: the newer era is tried first, where none is named.
    ///
    /// # Errors
    /// The [`Fault`] that kept it from answering.
    pub fn open(program: &Program) -> Result<Self, Fault> {
        match program.era {
            Some(Era::Modern) => match Self::start(program)?.discover(program.patience * START)? {
                Opened::Agreed(client) => Ok(*client),
                Opened::Older(_) => Err(Fault::Refused {
                    method: "server/discover".to_owned(),
                    code: -32601,
                    said: "it does not speak revision 2026-07-28".to_owned(),
                }),
            },
            Some(Era::Legacy) => Self::start(program)?.initialize(),
            None => match Self::start(program)?.discover(PROBE.min(program.patience * START)) {
                Ok(Opened::Agreed(client)) => Ok(*client),
                Ok(Opened::Older(client)) => client.initialize(),
                // Some servers of the older era end when the first request is not `initialize`.
                Err(Fault::Exited { .. } | Fault::Status { .. } | Fault::Connection { .. }) => {
                    Self::start(program)?.initialize()
                }
                Err(fault) => Err(fault),
            },
        }
    }

    fn start(program: &Program) -> Result<Self, Fault> {
        let clock = Clock::start();
        let link = match &program.http {
            None => Link::Stdio(StdioLink::start(&program.invocation)?),
            Some(address) => {
                Link::Http(HttpLink::start(&program.invocation, address, program.patience * START)?)
            }
        };
        Ok(Self {
            protocol: Protocol::proposed(Era::Modern),
            name: None,
            ready_ns: 0,
            link,
            next_id: 1,
            patience: program.patience,
            clock,
        })
    }

    fn discover(mut self, patience: Duration) -> Result<Opened, Fault> {
        let (method, params) = opening(Era::Modern);
        let outcome = match self.ask_within(method, params, patience) {
            Ok(outcome) => outcome,
            Err(Fault::Silent { .. }) => return Ok(Opened::Older(Box::new(self))),
            Err(fault) => return Err(fault),
        };
        match supported(&outcome) {
            Ok(true) => {
                let meta = outcome
                    .as_ref()
                    .ok()
                    .map(|result| &result["_meta"]["io.modelcontextprotocol/serverInfo"]);
                self.name = meta.and_then(name_of);
                self.ready_ns = self.clock.ns();
                Ok(Opened::Agreed(Box::new(self)))
            }
            Ok(false) => Ok(Opened::Older(Box::new(self))),
            Err(versions) => Err(Fault::Refused {
                method: method.to_owned(),
                code: -32022,
                said: format!(
                    "it speaks {} only, and this lab 2026-07-28 and 2025-11-25",
                    versions.join(", ")
                ),
            }),
        }
    }

    fn initialize(mut self) -> Result<Self, Fault> {
        self.protocol = Protocol::proposed(Era::Legacy);
        let (method, params) = opening(Era::Legacy);
        let patience = self.patience * START;
        let result = self.ask_within(method, params, patience)?.map_err(|error| refused(method, error))?;
        self.ready_ns = self.clock.ns();
        let version = result["protocolVersion"].as_str().ok_or_else(|| Fault::Malformed {
            method: method.to_owned(),
            wrong: "it has no protocolVersion".to_owned(),
        })?;
        version.clone_into(&mut self.protocol.version);
        self.protocol.session = self.link.session();
        self.name = name_of(&result["serverInfo"]);
        self.tell("notifications/initialized", r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)?;
        Ok(self)
    }

    /// Asks one thing and waits for the answer.
    ///
    /// # Errors
    /// The [`Fault`] that came in its place; a JSON-RPC error is [`Fault::Refused`].
    pub fn ask(&mut self, method: &str, params: Map<String, Value>) -> Result<Value, Fault> {
        self.ask_within(method, params, self.patience)?.map_err(|error| refused(method, error))
    }

    fn ask_within(
        &mut self,
        method: &str,
        params: Map<String, Value>,
        patience: Duration,
    ) -> Result<Result<Value, RpcError>, Fault> {
        let id = self.next_id;
        self.next_id += 1;
        let body = self.protocol.request(id, method, params);
        let message = Outgoing { id: Some(id), method, name: None, mirrored: &[], body: body.as_bytes() };
        self.link.send(&self.protocol, message)?;
        let deadline = self.clock.ns() + ns(patience);
        loop {
            let now = self.clock.ns();
            if now >= deadline {
                let after_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
                return Err(Fault::Silent { method: method.to_owned(), after_ms });
            }
            self.link.wait(Duration::from_nanos(deadline - now))?;
            if let Some(outcome) = self.answer_to(id)? {
                return Ok(outcome);
            }
        }
    }

    /// Reads what is there; the answer to a request, if it is among it.
    fn answer_to(&mut self, id: u64) -> Result<Option<Result<Value, RpcError>>, Fault> {
        let (mut found, mut pings, mut asks) = (None, Vec::new(), None);
        self.link.receive(self.clock, &mut |text, _| {
            match read_message(text)? {
                Incoming::Answer(answer) if answer.id == Some(id) || answer.id.is_none() => {
                    found = Some(answer.outcome);
                }
                // A late answer to the probe, which nobody waits for any more.
                Incoming::Answer(_) | Incoming::Notification { .. } => {}
                Incoming::Request { id, method } if method == "ping" => pings.push(id),
                Incoming::Request { method, .. } => asks = Some(method),
            }
            Ok(())
        })?;
        self.pong(&pings)?;
        match asks {
            Some(method) => Err(Fault::AsksForInput { method }),
            None => Ok(found),
        }
    }

    /// Answers the server's own pings.
    pub(crate) fn pong(&mut self, ids: &[Value]) -> Result<(), Fault> {
        ids.iter().try_for_each(|id| {
            let text = serde_json::json!({ "jsonrpc": "2.0", "id": id, "result": {} }).to_string();
            self.tell("ping", &text)
        })
    }

    fn tell(&mut self, method: &str, text: &str) -> Result<(), Fault> {
        let message = Outgoing { id: None, method, name: None, mirrored: &[], body: text.as_bytes() };
        self.link.send(&self.protocol, message)?;
        let deadline = self.clock.ns() + ns(self.patience);
        // Over HTTP a notification is a request with an empty answer, and its connection is busy until then.
        while !self.link.has_room() && self.clock.ns() < deadline {
            self.link.wait(Duration::from_millis(10))?;
            self.link.receive(self.clock, &mut |_, _| Ok(()))?;
        }
        Ok(())
    }

    /// Cancels a request: by a message, or over HTTP in the newer era by closing its connection.
    pub(crate) fn cancel(&mut self, id: u64) -> Result<(), Fault> {
        match (&self.link, self.protocol.era) {
            (Link::Http(_), Era::Modern) => {
                self.link.abandon(id);
                Ok(())
            }
            _ => {
                let text = cancelled(id);
                let method = "notifications/cancelled";
                let message = Outgoing { id: None, method, name: None, mirrored: &[], body: text.as_bytes() };
                self.link.send(&self.protocol, message)
            }
        }
    }

    /// All tools of the server.
    ///
    /// # Errors
    /// The [`Fault`] of a page.
    pub fn list_tools(&mut self) -> Result<Vec<Tool>, Fault> {
        let (mut tools, mut cursor) = (Vec::new(), None);
        for _ in 0..PAGES {
            let params = cursor.map(|cursor: String| ("cursor".to_owned(), Value::from(cursor)));
            let (mut page, next) = read_tools(&self.ask("tools/list", params.into_iter().collect())?)?;
            tools.append(&mut page);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(tools)
    }

    /// The process group of the server.
    pub fn group(&mut self) -> u32 {
        self.link.child().pid()
    }

    /// How much it has written to stderr so far, in bytes.
    pub fn stderr_bytes(&mut self) -> u64 {
        self.link.child().stderr_bytes()
    }

    /// Since the process was started, in ns.
    #[must_use]
    pub fn age_ns(&self) -> u64 {
        self.clock.ns()
    }

    /// Ends the server.
    pub fn end(mut self) -> Ended {
        self.link.child().end()
    }
}

fn refused(method: &str, error: RpcError) -> Fault {
    Fault::Refused { method: method.to_owned(), code: error.code, said: error.message }
}

fn name_of(info: &Value) -> Option<String> {
    let name = info["name"].as_str()?;
    Some(match info["version"].as_str() {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    })
}
