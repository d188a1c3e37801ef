//! Streamable HTTP over the loopback device: connections that stay open, one call at a time on each.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use crate::load::Clock;
use crate::load::link::{Intake, LONGEST_MESSAGE, Outgoing, READ, exited, is_passing, timespec};
use crate::mcp::{EventReader, Fault, HttpError, Part, Protocol, ResponseReader, request_head};
use crate::process::{Invocation, Piped};

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub socket: SocketAddr,
    /// What the `Host` header says.
    pub host: String,
    /// The path of its endpoint.
    pub path: String,
}

/// Why an address cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AddressError(pub String);

impl Address {
    /// Reads `http://127.0.0.1:PORT/PATH`.
    ///
    /// # Errors
    /// [`AddressError`] for other schemes, and for hosts that are not this machine.
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        let wrong = |why: &str| AddressError(format!("“{url}” {why}: write http://127.0.0.1:PORT/mcp"));
        let rest = url.strip_prefix("http://").ok_or_else(|| wrong("does not begin with http://"))?;
        let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let (name, port) = host.rsplit_once(':').ok_or_else(|| wrong("names no port"))?;
        let port: u16 = port.parse().ok().filter(|port| *port > 0).ok_or_else(|| wrong("names no port"))?;
        let ip: IpAddr = match name.trim_matches(['[', ']']) {
            "localhost" => Ipv4Addr::LOCALHOST.into(),
            name => name.parse().map_err(|_| wrong("is not on this machine"))?,
        };
        if !ip.is_loopback() {
            return Err(wrong("is not on this machine"));
        }
        if path.chars().any(|c| c.is_control() || c == ' ') {
            return Err(wrong("has a path that no request can carry"));
        }
        Ok(Self { socket: SocketAddr::new(ip, port), host: host.to_owned(), path: path.to_owned() })
    }

    /// Whether nobody listens there yet: answers of somebody else would be measured otherwise.
    ///
    /// # Errors
    /// A sentence when the port is taken.
    pub fn check_free(&self) -> Result<(), AddressError> {
        match TcpListener::bind(self.socket) {
            Ok(_) => Ok(()),
            Err(error) => Err(AddressError(format!(
                "port {} is in use already ({error}): end what listens there, or name another port",
                self.socket.port()
            ))),
        }
    }

    /// A port of the loopback device that is free now.
    ///
    /// # Errors
    /// The system's, when it has none.
    pub fn free_port() -> io::Result<u16> {
        Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
    }
}

/// One connection.
struct Connection {
    stream: TcpStream,
    reader: ResponseReader,
    events: EventReader,
    /// The request that it carries; `None` while it is idle. A notification has no id.
    busy: Option<Option<u64>>,
    exchange: Exchange,
    out: Vec<u8>,
    left: usize,
    closing: bool,
}

/// What is known of the response that is being read.
#[derive(Default)]
struct Exchange {
    status: u16,
    streams: bool,
    body: Vec<u8>,
    answered: bool,
}

/// A server over HTTP.
pub(crate) struct HttpLink {
    pub child: Piped,
    /// The session that it gave.
    pub session: Option<String>,
    address: Address,
    connections: Vec<Connection>,
    most: usize,
    buffer: Vec<u8>,
}

impl HttpLink {
    /// Starts the server and waits until it listens.
    pub(crate) fn start(
        invocation: &Invocation,
        address: &Address,
        patience: Duration,
    ) -> Result<Self, Fault> {
        let not_started = |error: io::Error| Fault::NotStarted { said: error.to_string() };
        let mut child = Piped::start(invocation).map_err(not_started)?;
        if let Some(mut stdout) = child.stdout.take() {
            // Over HTTP its stdout is a log. It is read so that the server never blocks on it.
            thread::spawn(move || io::copy(&mut stdout, &mut io::sink()).ok());
        }
        let mut link = Self {
            child,
            session: None,
            address: address.clone(),
            connections: Vec::new(),
            most: 1,
            buffer: vec![0; READ],
        };
        let start = Instant::now();
        loop {
            match link.connect() {
                Ok(()) => return Ok(link),
                Err(_) if !link.child.is_running() => return Err(exited(&mut link.child)),
                Err(error) if start.elapsed() > patience => {
                    let said = format!(
                        "nobody listens on {} after {} s: {error}",
                        address.socket,
                        patience.as_secs()
                    );
                    return Err(Fault::Connection { said });
                }
                Err(_) => thread::sleep(Duration::from_micros(300)),
            }
        }
    }

    pub(crate) fn widen(&mut self, connections: usize) {
        self.most = connections.max(1);
    }

    fn connect(&mut self) -> io::Result<()> {
        let stream = TcpStream::connect(self.address.socket)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        self.connections.push(Connection {
            stream,
            reader: ResponseReader::default(),
            events: EventReader::default(),
            busy: None,
            exchange: Exchange::default(),
            out: Vec::new(),
            left: 0,
            closing: false,
        });
        Ok(())
    }

    pub(crate) fn has_room(&self) -> bool {
        self.connections.len() < self.most
            || self.connections.iter().any(|connection| connection.busy.is_none())
    }

    pub(crate) fn send(&mut self, protocol: &Protocol, message: Outgoing<'_>) -> Result<(), Fault> {
        if self.connections.iter().all(|connection| connection.busy.is_some()) {
            self.connect().map_err(|error| self.failed(&error.to_string()))?;
        }
        let head = request_head(
            &self.address.host,
            &self.address.path,
            protocol,
            message.method,
            message.name,
            message.mirrored,
            message.body.len(),
        );
        let idle = self.connections.iter_mut().find(|connection| connection.busy.is_none());
        let Some(connection) = idle else { return Ok(()) };
        connection.out.extend_from_slice(head.as_bytes());
        connection.out.extend_from_slice(message.body);
        connection.busy = Some(message.id);
        connection.exchange = Exchange::default();
        let flushed = connection.flush();
        flushed.map_err(|error| self.failed(&error.to_string()))
    }

    /// Closes the connection that carries a request.
    pub(crate) fn abandon(&mut self, id: u64) {
        self.connections.retain(|connection| connection.busy != Some(Some(id)));
    }

    pub(crate) fn wait(&mut self, timeout: Duration) -> Result<(), Fault> {
        let interest = |connection: &Connection| {
            if connection.out.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT }
        };
        let mut sockets: Vec<PollFd<'_>> = self
            .connections
            .iter()
            .map(|connection| PollFd::new(&connection.stream, interest(connection)))
            .collect();
        poll(&mut sockets, Some(&timespec(timeout))).ok();
        drop(sockets);
        let flushed: io::Result<()> = self.connections.iter_mut().try_for_each(Connection::flush);
        flushed.map_err(|error| self.failed(&error.to_string()))
    }

    pub(crate) fn receive(&mut self, clock: Clock, each: &mut Intake<'_>) -> Result<(), Fault> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut outcome = Ok(());
        for index in 0..self.connections.len() {
            outcome = self.receive_from(index, &mut buffer, clock, each);
            if outcome.is_err() {
                break;
            }
        }
        self.buffer = buffer;
        self.connections.retain(|connection| !connection.closing);
        outcome
    }

    fn receive_from(
        &mut self,
        index: usize,
        buffer: &mut [u8],
        clock: Clock,
        each: &mut Intake<'_>,
    ) -> Result<(), Fault> {
        let connection = &mut self.connections[index];
        let (read, ended) = match connection.stream.read(buffer) {
            Ok(0) => (0, true),
            Ok(read) => (read, false),
            Err(error) if is_passing(&error) => return Ok(()),
            Err(_) => (0, true),
        };
        let at = clock.ns();
        let mut messages = Vec::new();
        match connection.take(&buffer[..read], ended, &mut messages, &mut self.session) {
            Ok(()) => {}
            Err(Broken::Fault(fault)) => return Err(fault),
            Err(Broken::Http(error)) => return Err(self.failed(&error.to_string())),
            Err(Broken::Closed) => return Err(self.failed("it was closed in the place of an answer")),
        }
        messages.iter().try_for_each(|message| each(message, at))
    }

    fn failed(&mut self, said: &str) -> Fault {
        // A process that has just closed its sockets takes a moment to end.
        let start = Instant::now();
        while self.child.is_running() && start.elapsed() < Duration::from_millis(100) {
            thread::sleep(Duration::from_millis(1));
        }
        if self.child.is_running() {
            Fault::Connection { said: said.to_owned() }
        } else {
            exited(&mut self.child)
        }
    }
}

/// What may be wrong with a response.
enum Broken {
    Fault(Fault),
    Http(HttpError),
    Closed,
}

impl Connection {
    fn flush(&mut self) -> io::Result<()> {
        while self.left < self.out.len() {
            match self.stream.write(&self.out[self.left..]) {
                Ok(written) => self.left += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_passing(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.out.clear();
        self.left = 0;
        Ok(())
    }

    /// Takes bytes in. Messages that are whole go to `messages`.
    fn take(
        &mut self,
        bytes: &[u8],
        ended: bool,
        messages: &mut Vec<Vec<u8>>,
        session: &mut Option<String>,
    ) -> Result<(), Broken> {
        let (exchange, events) = (&mut self.exchange, &mut self.events);
        let (mut whole, mut stays) = (false, true);
        let mut each = |part: Part<'_>| {
            match part {
                Part::Head(head) => {
                    exchange.status = head.status;
                    exchange.streams =
                        head.field("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
                    if let Some(given) = head.field("mcp-session-id") {
                        *session = Some(given.to_owned());
                    }
                    stays = head.keeps_alive;
                }
                Part::Data(data) if exchange.streams => events.feed(data, &mut |event| {
                    if !event.is_empty() {
                        exchange.answered |= is_answer(event);
                        messages.push(event.to_vec());
                    }
                }),
                Part::Data(data) => exchange.body.extend_from_slice(data),
                Part::End => whole = true,
            }
            Ok(())
        };
        let fed = self.reader.feed(bytes, &mut each);
        let fed = fed.and_then(|()| if ended { self.reader.close(&mut each) } else { Ok(()) });
        fed.map_err(Broken::Http)?;
        if self.exchange.body.len() + self.events.held() > LONGEST_MESSAGE {
            return Err(Broken::Fault(Fault::LongLine { bytes: LONGEST_MESSAGE }));
        }
        self.closing |= ended || !stays;
        if whole {
            return self.finish(messages).map_err(Broken::Fault);
        }
        if ended && self.busy.is_some() {
            return Err(Broken::Closed);
        }
        Ok(())
    }

    /// The response is whole: a message, or a reason why there is none.
    fn finish(&mut self, messages: &mut Vec<Vec<u8>>) -> Result<(), Fault> {
        let exchange = std::mem::take(&mut self.exchange);
        let request = self.busy.take().flatten();
        self.closing |= exchange.status >= 400;
        let text = String::from_utf8_lossy(&exchange.body);
        let status =
            |said: &str| Fault::Status { status: exchange.status, said: said.chars().take(200).collect() };
        if exchange.streams {
            let wrong = "the event stream ended before the answer".to_owned();
            let answered = exchange.answered || request.is_none();
            return if answered {
                Ok(())
            } else {
                Err(Fault::Malformed { method: "a request".to_owned(), wrong })
            };
        }
        if request.is_none() {
            return if exchange.status < 300 { Ok(()) } else { Err(status(&text)) };
        }
        if is_answer(&exchange.body) && (exchange.status < 300 || !text.contains("\"id\":null")) {
            messages.push(exchange.body);
            return Ok(());
        }
        Err(status(&text))
    }
}

/// Whether a text looks like an answer; whether it is one is found out when it is read.
fn is_answer(text: &[u8]) -> bool {
    let has = |name: &[u8]| memchr::memmem::find(text, name).is_some();
    has(b"\"jsonrpc\"") && (has(b"\"result\"") || has(b"\"error\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_are_read() {
        let address = Address::parse("http://localhost:8080/mcp").unwrap();
        assert_eq!((address.socket.to_string().as_str(), address.path.as_str()), ("127.0.0.1:8080", "/mcp"));
        assert_eq!(Address::parse("http://[::1]:9").unwrap().path, "/");
        for (url, why) in [
            ("https://127.0.0.1:1/", "begin with http://"),
            ("http://127.0.0.1/mcp", "names no port"),
            ("http://127.0.0.1:99999/", "names no port"),
            ("http://example.com:80/", "not on this machine"),
            ("http://10.0.0.1:80/", "not on this machine"),
            ("http://127.0.0.1:1/a b", "no request can carry"),
        ] {
            let said = Address::parse(url).unwrap_err().to_string();
            assert!(said.contains(why) && said.ends_with("write http://127.0.0.1:PORT/mcp"), "{said}");
        }
    }

    #[test]
    fn a_port_in_use_is_told() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let address = Address::parse(&format!("http://127.0.0.1:{port}/mcp")).unwrap();
        assert!(
            address
                .check_free()
                .unwrap_err()
                .to_string()
                .starts_with(&format!("port {port} is in use already"))
        );
        drop(listener);
        assert_eq!(address.check_free(), Ok(()));
    }
}
