//! Server-Sent Events, as far as MCP uses them: the data of each event
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

/// Reads events from a stream that comes in pieces of any size.
#[derive(Debug, Default)]
pub struct EventReader {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    after_return: bool,
}

impl EventReader {
    /// Takes the next bytes, and hands over the data of every event that they complete.
    pub fn feed(&mut self, bytes: &[u8], each: &mut dyn FnMut(&[u8])) {
        for &byte in bytes {
            match byte {
                // CR LF ends one line, not two.
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    self.end_line(each);
                }
                _ => {
                    self.after_return = false;
                    self.line.push(byte);
                }
            }
        }
    }

    /// How many bytes are held of an event that has not ended.
    #[must_use]
    pub fn held(&self) -> usize {
        self.line.len() + self.data.len()
    }

    fn end_line(&mut self, each: &mut dyn FnMut(&[u8])) {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            if self.has_data {
                each(&self.data);
            }
            self.data.clear();
            self.has_data = false;
        } else if let Some(value) = line.strip_prefix(b"data") {
            let value = match value {
                [] => value,
                [b':', b' ', rest @ ..] | [b':', rest @ ..] => rest,
                // `database: x` is another field.
                _ => return,
            };
            if self.has_data {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(value);
            self.has_data = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(text: &[u8], piece: usize) -> Vec<String> {
        let (mut reader, mut events) = (EventReader::default(), Vec::new());
        for part in text.chunks(piece) {
            reader.feed(part, &mut |data| events.push(String::from_utf8_lossy(data).into_owned()));
        }
        events
    }

    #[test]
    fn data_is_joined_and_the_rest_left_out() {
        let text = b": keep-alive\n\nevent: message\nid: 1\ndata: {\"a\":\ndata: 1}\n\ndata:x\r\n\r\ndatabase: y\n\ndata\n\n";
        for piece in [1, 3, 1000] {
            assert_eq!(events(text, piece), ["{\"a\":\n1}", "x", ""], "in pieces of {piece}");
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(text in "(data: ?[a-z]{0,4}\r?\n|\r?\n|:c\n|\r){0,12}", piece in 1usize..7) {
            prop_assert_eq!(events(text.as_bytes(), piece), events(text.as_bytes(), 10_000));
        }
    }
}
