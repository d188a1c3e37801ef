//! Answers of HTTP/1.1 (RFC 9112), read as they come: heads, bodies with a length, in chunks, or until the end.

use std::str;

/// The longest head that is read.
const LONGEST_HEAD: usize = 64 << 10;
/// The longest line that tells a chunk's size.
const LONGEST_CHUNK_LINE: usize = 1 << 10;

/// What came does not follow HTTP/1.1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it does not answer in HTTP/1.1: {0}")]
pub struct HttpError(pub String);

/// The head of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub fields: Vec<(String, String)>,
    /// Whether the connection stays open after this response.
    pub keeps_alive: bool,
}

impl Head {
    /// The value of a field, by its name in lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// After so many bytes.
    Length(u64),
    /// With an empty chunk.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// A part of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// The head is whole.
    Head(&'a Head),
    /// The next bytes of the body.
    Data(&'a [u8]),
    /// The body is whole.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    /// So many bytes of a body, or of a chunk, are still due.
    Data {
        left: u64,
        chunked: bool,
    },
    UntilClose,
    ChunkSize,
    /// The line end after a chunk.
    ChunkEnd,
    Trailer,
}

/// Reads responses of one connection, one after the other.
#[derive(Debug)]
pub struct ResponseReader {
    state: State,
    line: Vec<u8>,
    head: Head,
}

impl Default for ResponseReader {
    fn default() -> Self {
        Self { state: State::Head, line: Vec::new(), head: Head::default() }
    }
}

impl ResponseReader {
    /// Takes the next bytes and hands over what they hold.
    ///
    /// # Errors
    /// [`HttpError`]: what came is not a response, or too long for one.
    pub fn feed(
        &mut self,
        mut bytes: &[u8],
        each: &mut dyn FnMut(Part<'_>) -> Result<(), HttpError>,
    ) -> Result<(), HttpError> {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Head => self.head(bytes, each)?,
                State::Data { left, chunked } => {
                    let (data, rest) =
                        bytes.split_at(bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
                    each(Part::Data(data))?;
                    let left = left - data.len() as u64;
                    self.state = State::Data { left, chunked };
                    if left == 0 {
                        self.state = if chunked { State::ChunkEnd } else { State::Head };
                        if !chunked {
                            each(Part::End)?;
                        }
                    }
                    rest
                }
                State::UntilClose => {
                    each(Part::Data(bytes))?;
                    &[]
                }
                State::ChunkSize => self.chunk_size(bytes)?,
                State::ChunkEnd => self.chunk_end(bytes)?,
                State::Trailer => self.trailer(bytes, each)?,
            };
        }
        Ok(())
    }

    /// The connection has ended. Whether that is the end of a response, or of none.
    ///
    /// # Errors
    /// [`HttpError`] in the middle of one.
    pub fn close(
        &mut self,
        each: &mut dyn FnMut(Part<'_>) -> Result<(), HttpError>,
    ) -> Result<(), HttpError> {
        match self.state {
            State::UntilClose => {
                self.state = State::Head;
                each(Part::End)
            }
            State::Head if self.line.is_empty() => Ok(()),
            _ => Err(HttpError("the connection ended in the middle of an answer".to_owned())),
        }
    }

    fn head<'a>(
        &mut self,
        bytes: &'a [u8],
        each: &mut dyn FnMut(Part<'_>) -> Result<(), HttpError>,
    ) -> Result<&'a [u8], HttpError> {
        let mut taken = 0;
        for &byte in bytes {
            taken += 1;
            self.line.push(byte);
            if byte == b'\n' && (self.line.ends_with(b"\r\n\r\n") || self.line.ends_with(b"\n\n")) {
                let text = std::mem::take(&mut self.line);
                self.head = parse_head(&text)?;
                self.begin_body(each)?;
                break;
            }
        }
        if self.line.len() > LONGEST_HEAD {
            return Err(HttpError(format!("its head is longer than {LONGEST_HEAD} bytes")));
        }
        Ok(&bytes[taken..])
    }

    fn begin_body(
        &mut self,
        each: &mut dyn FnMut(Part<'_>) -> Result<(), HttpError>,
    ) -> Result<(), HttpError> {
        // 100 Continue and its like come before the response itself.
        if (100..200).contains(&self.head.status) {
            return Ok(());
        }
        let body = body_of(&self.head)?;
        if body == Body::UntilClose {
            self.head.keeps_alive = false;
        }
        each(Part::Head(&self.head))?;
        self.state = match body {
            Body::Length(0) => {
                each(Part::End)?;
                State::Head
            }
            Body::Length(left) => State::Data { left, chunked: false },
            Body::Chunked => State::ChunkSize,
            Body::UntilClose => State::UntilClose,
        };
        Ok(())
    }

    /// Collects a line; the rest of the bytes, and whether the line is whole.
    fn line<'a>(&mut self, bytes: &'a [u8]) -> Result<(&'a [u8], bool), HttpError> {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(bytes.len(), |end| end + 1);
        self.line.extend_from_slice(&bytes[..taken]);
        if self.line.len() > LONGEST_CHUNK_LINE {
            return Err(HttpError("a line between chunks is too long".to_owned()));
        }
        Ok((&bytes[taken..], end.is_some()))
    }

    fn chunk_size<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], HttpError> {
        let (rest, whole) = self.line(bytes)?;
        if whole {
            let line = std::mem::take(&mut self.line);
            let text = str::from_utf8(&line).unwrap_or_default();
            let digits = text.split(';').next().unwrap_or_default().trim();
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let size = u64::from_str_radix(digits, 16).ok().filter(|_| plain);
            let size =
                size.ok_or_else(|| HttpError(format!("“{}” is not a size of a chunk", text.trim())))?;
            self.state = if size == 0 { State::Trailer } else { State::Data { left: size, chunked: true } };
        }
        Ok(rest)
    }

    fn chunk_end<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], HttpError> {
        let (rest, whole) = self.line(bytes)?;
        if whole {
            let line = std::mem::take(&mut self.line);
            if line != b"\r\n" && line != b"\n" {
                return Err(HttpError("a chunk is longer than it says".to_owned()));
            }
            self.state = State::ChunkSize;
        }
        Ok(rest)
    }

    fn trailer<'a>(
        &mut self,
        bytes: &'a [u8],
        each: &mut dyn FnMut(Part<'_>) -> Result<(), HttpError>,
    ) -> Result<&'a [u8], HttpError> {
        let (rest, whole) = self.line(bytes)?;
        if whole {
            let line = std::mem::take(&mut self.line);
            if line == b"\r\n" || line == b"\n" {
                self.state = State::Head;
                each(Part::End)?;
            }
        }
        Ok(rest)
    }
}

fn parse_head(text: &[u8]) -> Result<Head, HttpError> {
    let text = str::from_utf8(text).map_err(|_| HttpError("its head is not text".to_owned()))?;
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let status = first.strip_prefix("HTTP/1.").and_then(|rest| {
        let (minor, rest) = rest.split_once(' ')?;
        let status: u16 = rest.get(..3)?.parse().ok()?;
        Some((minor.to_owned(), status)).filter(|_| (100..600).contains(&status))
    });
    let (minor, status) = status.ok_or_else(|| {
        HttpError(format!("its first line is “{}”", first.chars().take(60).collect::<String>()))
    })?;
    let mut fields = Vec::new();
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) =
            line.split_once(':').ok_or_else(|| HttpError(format!("“{line}” is not a field of a head")))?;
        fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    let connection =
        fields.iter().find(|(name, _)| name == "connection").map(|(_, value)| value.to_ascii_lowercase());
    let keeps_alive = match connection.as_deref() {
        Some(value) if value.contains("close") => false,
        Some(value) if value.contains("keep-alive") => true,
        _ => minor != "0",
    };
    Ok(Head { status, fields, keeps_alive })
}

fn body_of(head: &Head) -> Result<Body, HttpError> {
    if head.status == 204 || head.status == 304 {
        return Ok(Body::Length(0));
    }
    if let Some(coding) = head.field("transfer-encoding") {
        return if coding.eq_ignore_ascii_case("chunked") {
            Ok(Body::Chunked)
        } else {
            Err(HttpError(format!("it has the transfer encoding “{coding}”, which nobody asked for")))
        };
    }
    match head.field("content-length") {
        Some(length) => {
            let plain = length.bytes().all(|byte| byte.is_ascii_digit());
            let length = length.parse().ok().filter(|_| plain);
            length.map(Body::Length).ok_or_else(|| HttpError("its content length is not a number".to_owned()))
        }
        None => Ok(Body::UntilClose),
    }
}

#[cfg(test)]
mod tests;
