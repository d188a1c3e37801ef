//! Calls of tools, read in one pass and answered in front of the protocol library.
//!
//! A line is read once, from left to right where its members have the usual order: the arguments go from its bytes into the tool's own type, and
//! the answer from the tool's own type into bytes. Whatever is not plainly a `tools/call` of an opened
//! connection is left to the library: other methods, tools that ask the client, members that stand in an
//! unusual order or have escapes in their names, metadata that is not complete.

use std::borrow::Cow;

use memchr::memchr2;
use rmcp::model::{ClientCapabilities, ProtocolVersion};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::context::Era;
use crate::layers::{Entry, Received};
use crate::server::Server;
use crate::tool::Place;

/// A call that can be answered here.
pub(crate) struct FrontCall<'a> {
    /// The identity of the request, as JSON text.
    pub id: &'a str,
    pub received: Received<'a>,
    pub era: Era,
    pub progress_token: Option<Value>,
}

/// How the connection was opened, which decides what a request without metadata means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Not yet: the library sees every message.
    None,
    /// With the handshake of the older protocol.
    Handshake,
    /// With a request that stands alone.
    Stateless,
}

/// Which tools are called here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Places {
    /// All that ask nothing.
    All,
    /// Only those that answer at once.
    Here,
}

/// The metadata of the last request, which most clients repeat to the letter.
#[derive(Default)]
pub(crate) struct LastMeta {
    text: String,
    meaning: Option<Meaning>,
}

#[derive(Clone)]
struct Meaning {
    era: Option<Era>,
    progress_token: Option<Value>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/logLevel")]
    log_level: Option<&'a RawValue>,
    #[serde(rename = "progressToken")]
    progress_token: Option<Value>,
}

/// Reads a line; `None` leaves it to the library.
pub(crate) fn read<'a>(
    line: &'a [u8],
    server: &'a Server,
    opening: Opening,
    places: Places,
    last: &mut LastMeta,
) -> Option<FrontCall<'a>> {
    if opening == Opening::None {
        return None;
    }
    let text = std::str::from_utf8(line).ok()?;
    let seen = Reader { text, line, at: 0, places }.message(server)?;
    let meaning = match seen.meta {
        None => Meaning { era: None, progress_token: None },
        Some(text) => last.meaning(text)?,
    };
    let era = match (meaning.era, opening) {
        (Some(era), _) => era,
        (None, Opening::Handshake) => Era::Sessions,
        (None, _) => return None,
    };
    let Seen { id, received, .. } = seen;
    Some(FrontCall { id, received, era, progress_token: meaning.progress_token })
}

impl LastMeta {
    fn meaning(&mut self, text: &str) -> Option<Meaning> {
        if self.text != text {
            self.meaning = meaning(text);
            text.clone_into(&mut self.text);
        }
        self.meaning.clone()
    }
}

/// What metadata says; `None` where the library has to judge it.
fn meaning(text: &str) -> Option<Meaning> {
    let meta: Meta<'_> = serde_json::from_str(text).ok()?;
    if meta.log_level.is_some() {
        return None;
    }
    let era = match (&meta.version, meta.capabilities) {
        (None, None) => None,
        (Some(version), Some(capabilities)) if version == ProtocolVersion::V_2026_07_28.as_str() => {
            serde_json::from_str::<ClientCapabilities>(capabilities.get()).ok()?;
            Some(Era::Stateless)
        }
        _ => return None,
    };
    let token = meta.progress_token.filter(|token| !token.is_null());
    if token.as_ref().is_some_and(|token| !token.is_string() && !token.is_i64()) {
        return None;
    }
    Some(Meaning { era, progress_token: token })
}

struct Seen<'a> {
    id: &'a str,
    received: Received<'a>,
    meta: Option<&'a str>,
}

struct Reader<'a> {
    text: &'a str,
    /// The bytes of the text.
    line: &'a [u8],
    at: usize,
    places: Places,
}

impl<'a> Reader<'a> {
    fn message(mut self, server: &'a Server) -> Option<Seen<'a>> {
        let (mut id, mut params, mut is_call, mut is_rpc) = (None, None, false, false);
        let mut members = self.object()?;
        while let Some(name) = self.member(&mut members)? {
            match name {
                b"jsonrpc" if !is_rpc => is_rpc = self.string()? == b"2.0",
                b"id" if id.is_none() => id = Some(self.id()?),
                b"method" if !is_call => {
                    if self.string()? != b"tools/call" {
                        return None;
                    }
                    is_call = true;
                }
                // Only behind the method: parameters of anything else are none of our business.
                b"params" if is_call && params.is_none() => params = Some(self.params(server)?),
                _ => return None,
            }
        }
        self.space();
        if self.at != self.line.len() || !is_rpc {
            return None;
        }
        let (received, meta) = params?;
        Some(Seen { id: id?, received, meta })
    }

    fn params(&mut self, server: &'a Server) -> Option<(Received<'a>, Option<&'a str>)> {
        let (mut entry, mut received, mut meta, mut early) = (None, None, None, None);
        let mut members = self.object()?;
        while let Some(name) = self.member(&mut members)? {
            match name {
                b"name" if entry.is_none() => {
                    let name = std::str::from_utf8(self.string()?).ok()?;
                    let found = server.find(name).ok()?;
                    let is_elsewhere = self.places == Places::Here && found.spec.place != Place::Here;
                    if found.spec.is_interactive || is_elsewhere {
                        return None;
                    }
                    entry = Some(found);
                }
                b"arguments" if received.is_none() && early.is_none() => match entry {
                    Some(entry) => received = Some(self.arguments(entry)?),
                    // Some clients write members in alphabetical order: these are read when the tool is known.
                    None => early = Some(self.skipped_object()?),
                },
                b"_meta" if meta.is_none() => meta = Some(self.skipped_object()?),
                _ => return None,
            }
        }
        let received = match received {
            Some(received) => received,
            None => {
                let text = early.unwrap_or("{}");
                let mut reader = Reader { text, line: text.as_bytes(), at: 0, places: self.places };
                let received = reader.arguments(entry?)?;
                // The text of the object is the object, to its end.
                (reader.at == text.len()).then_some(received)?
            }
        };
        Some((received, meta))
    }

    /// Hands the arguments to the tool, from where they stand.
    fn arguments(&mut self, entry: &'a Entry) -> Option<Received<'a>> {
        self.space();
        let rest = self.text.get(self.at..)?;
        if !rest.starts_with('{') {
            return None;
        }
        let (received, consumed) = entry.receive_from(rest)?;
        self.at += consumed;
        Some(received)
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.line.get(self.at) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.space();
        (self.line.get(self.at) == Some(&byte)).then(|| self.at += 1)
    }

    /// Enters an object; tells whether a first member may follow.
    fn object(&mut self) -> Option<bool> {
        self.take(b'{').map(|()| true)
    }

    /// The name of the next member, or `None` inside at the end of the object.
    #[expect(clippy::option_option, reason = "the outer one says that the text is left to the library")]
    fn member(&mut self, is_first: &mut bool) -> Option<Option<&'a [u8]>> {
        self.space();
        if self.line.get(self.at) == Some(&b'}') {
            self.at += 1;
            return Some(None);
        }
        if !std::mem::replace(is_first, false) {
            self.take(b',')?;
        }
        self.space();
        let name = self.string()?;
        self.take(b':')?;
        self.space();
        Some(Some(name))
    }

    /// A string without escapes.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.take(b'"')?;
        let rest = &self.line[self.at..];
        let end = memchr2(b'"', b'\\', rest)?;
        if rest[end] == b'\\' || rest[..end].iter().any(|byte| *byte < b' ') {
            return None;
        }
        self.at += end + 1;
        Some(&rest[..end])
    }

    /// A whole number or a string, as it stands.
    fn id(&mut self) -> Option<&'a str> {
        let start = self.at;
        if self.line.get(self.at) == Some(&b'"') {
            self.string()?;
        } else {
            let rest = &self.line[self.at..];
            let length = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'-')?;
            // Written as it is read: `007` and `-0` are left to the library.
            let text = std::str::from_utf8(&rest[..length]).ok()?;
            if text.parse::<i64>().ok()?.to_string() != text {
                return None;
            }
            self.at += length;
        }
        std::str::from_utf8(&self.line[start..self.at]).ok()
    }

    /// The text of an object. That it is JSON is seen when it is read.
    fn skipped_object(&mut self) -> Option<&'a str> {
        let start = self.at;
        let mut depth = 0usize;
        loop {
            match self.line.get(self.at)? {
                b'{' => depth += 1,
                b'}' => depth = depth.checked_sub(1)?,
                b'"' => {
                    self.quoted()?;
                    continue;
                }
                _ if depth == 0 => return None,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return self.text.get(start..self.at);
            }
        }
    }

    /// Passes over a string, with or without escapes.
    fn quoted(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            let end = memchr2(b'"', b'\\', &self.line[self.at..])?;
            let is_end = self.line[self.at + end] == b'"';
            self.at += end + if is_end { 1 } else { 2 };
            if is_end {
                return Some(());
            }
            if self.at >= self.line.len() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
