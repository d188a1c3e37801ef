//! XML that others wrote: read as a stream, without entities of its own, with bounds on depth and on the size of one
//! piece.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// The deepest nesting: reports have less than 10.
const DEEPEST: usize = 64;

/// The most bytes of a tag or a text. What a test printed is the longest piece there is.
const LONGEST: usize = 8 << 20;

/// The most bytes that are looked at before they are counted.
const PORTION: usize = 64 << 10;

/// What was found next.
pub enum Step<'a> {
    /// An element begins.
    Open(&'a Element<'a>),
    /// The element with this name ends.
    Close(&'a str),
    /// Text inside of an element, in one of several pieces.
    Text(&'a str),
}

/// The beginning of an element.
pub struct Element<'a>(&'a BytesStart<'a>);

impl Element<'_> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name().0
    }

    /// An attribute, where it is there.
    ///
    /// # Errors
    /// One clause: the tag is malformed.
    pub fn attribute(&self, name: &str) -> Result<Option<Cow<'_, str>>, String> {
        let found =
            self.0.try_get_attribute(name).map_err(|error| format!("has a malformed tag ({error})"))?;
        let Some(attribute) = found else { return Ok(None) };
        match attribute.value {
            // The usual case allocates nothing.
            Cow::Borrowed(text) if !text.contains(['&', '\t', '\r', '\n']) => Ok(Some(Cow::Borrowed(text))),
            _ => attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map(|value| Some(Cow::Owned(value.into_owned())))
                .map_err(|error| format!("has an attribute {name} that cannot be read ({error})")),
        }
    }

    /// An attribute that has to be there.
    ///
    /// # Errors
    /// One clause: it is missing.
    pub fn needed(&self, name: &str) -> Result<Cow<'_, str>, String> {
        self.attribute(name)?.ok_or_else(|| format!("has a `{}` without `{name}`", self.name()))
    }

    /// A number that has to be there.
    ///
    /// # Errors
    /// One clause: it is missing, or not a number.
    pub fn number(&self, name: &str) -> Result<u64, String> {
        let text = self.needed(name)?;
        text.trim()
            .parse()
            .map_err(|_| format!("has a `{}` whose `{name}` is `{text}` and not a number", self.name()))
    }
}

/// Where a document is wrong, and why.
#[derive(Debug, thiserror::Error)]
pub enum XmlError {
    /// What the system says.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is malformed, too deep, or not what is expected.
    #[error("near byte {at} it {problem}")]
    Wrong {
        /// Bytes from the start.
        at: u64,
        /// A clause.
        problem: String,
    },
    /// It ends too early.
    #[error("it is cut off: it ends inside of `{0}`")]
    Cut(String),
    /// It holds no element.
    #[error("it holds no element")]
    Empty,
}

/// Walks a document. `on` gives a clause where something is not what it expects.
///
/// # Errors
/// Where it is malformed, deeper or longer in one piece than is read, declares entities, or `on` says so.
pub fn walk(input: impl BufRead, mut on: impl FnMut(Step<'_>) -> Result<(), String>) -> Result<(), XmlError> {
    let mut reader = Reader::from_reader(Bounded { input, since: 0 });
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut has_element = false;
    loop {
        buffer.clear();
        reader.get_mut().since = 0;
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(quick_xml::Error::Io(error)) => {
                return Err(XmlError::Io(io::Error::new(error.kind(), error.to_string())));
            }
            Err(quick_xml::Error::Syntax(_)) if !open.is_empty() && is_at_end(&mut reader) => {
                return Err(XmlError::Cut(open.pop().unwrap_or_default()));
            }
            Err(error) => return Err(wrong(&reader, format!("is malformed ({error})"))),
        };
        let step = match &event {
            Event::Start(start) => {
                has_element = true;
                if open.len() == DEEPEST {
                    return Err(wrong(&reader, format!("is nested deeper than {DEEPEST} elements")));
                }
                open.push(start.name().0.to_owned());
                on(Step::Open(&Element(start)))
            }
            Event::End(end) => {
                open.pop();
                on(Step::Close(end.name().0))
            }
            Event::Text(text) if !open.is_empty() => on(Step::Text(text)),
            Event::CData(text) => on(Step::Text(text)),
            Event::GeneralRef(reference) => {
                let text = resolved(reference);
                text.and_then(|text| on(Step::Text(&text)))
            }
            Event::DocType(declaration) if declaration.contains(['[', '%']) => {
                Err("declares entities of its own, which are not read".to_owned())
            }
            Event::Eof => {
                return match open.pop() {
                    Some(name) => Err(XmlError::Cut(name)),
                    None if has_element => Ok(()),
                    None => Err(XmlError::Empty),
                };
            }
            Event::Empty(_)
            | Event::Text(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => Ok(()),
        };
        step.map_err(|problem| wrong(&reader, problem))?;
    }
}

fn wrong<R>(reader: &Reader<R>, problem: String) -> XmlError {
    XmlError::Wrong { at: reader.buffer_position(), problem }
}

fn is_at_end<R: BufRead>(reader: &mut Reader<Bounded<R>>) -> bool {
    reader.get_mut().since = 0;
    reader.get_mut().fill_buf().is_ok_and(<[u8]>::is_empty)
}

fn resolved(reference: &quick_xml::events::BytesRef<'_>) -> Result<String, String> {
    if let Some(letter) = reference.resolve_char_ref().map_err(|error| format!("is malformed ({error})"))? {
        return Ok(letter.to_string());
    }
    let name: &str = reference;
    quick_xml::escape::resolve_predefined_entity(name)
        .map(str::to_owned)
        .ok_or_else(|| format!("names the entity `{name}`, which is not one of XML's own"))
}

/// Counts the bytes of one piece, so that a document in one piece does not fill the memory.
struct Bounded<R> {
    input: R,
    since: usize,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.since > LONGEST {
            let sentence = format!("a piece of the document is longer than {} MiB", LONGEST >> 20);
            return Err(io::Error::new(io::ErrorKind::InvalidData, sentence));
        }
        // In small portions, so that the count is looked at in between.
        self.input.fill_buf().map(|buffer| &buffer[..buffer.len().min(PORTION)])
    }

    fn consume(&mut self, count: usize) {
        self.since += count;
        self.input.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Result<String, String> {
        use std::fmt::Write as _;
        let mut seen = String::new();
        walk(text.as_bytes(), |step| {
            match step {
                Step::Open(element) => {
                    write!(seen, "<{} {:?}>", element.name(), element.attribute("a")?).unwrap();
                }
                Step::Close(name) => write!(seen, "</{name}>").unwrap(),
                Step::Text(text) => seen.push_str(text.trim()),
            }
            Ok(())
        })
        .map_err(|error| error.to_string())?;
        Ok(seen)
    }

    #[test]
    fn elements_texts_and_references_are_read() {
        let text = "<?xml version=\"1.0\"?><!DOCTYPE x PUBLIC \"-//A//B\" \"b.dtd\">\n<x a=\"1 &lt; 2\"><y/>p &amp; &#65;<![CDATA[<q>]]></x>";
        assert_eq!(seen(text).unwrap(), "<x Some(\"1 < 2\")><y None></y>p&A<q></x>");
    }

    #[test]
    fn bombs_and_broken_documents_are_refused() {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><x>&b;</x>";
        let external = "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><x>&a;</x>";
        for (text, part) in [
            (bomb, "declares entities"),
            (external, "declares entities"),
            ("<x>&b;</x>", "names the entity `b`"),
            ("<x><y></x>", "malformed"),
            ("<x><y>", "cut off: it ends inside of `y`"),
            ("<x><y a=\"", "cut off"),
            ("", "no element"),
            ("text", "no element"),
        ] {
            let error = seen(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        let deep = "<x>".repeat(100_000);
        assert!(seen(&deep).unwrap_err().contains("nested deeper"));
        let long = format!("<x a=\"{}\"/>", "a".repeat(20 << 20));
        assert!(seen(&long).unwrap_err().contains("longer than 8 MiB"));
    }
}
