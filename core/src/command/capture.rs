//! What is kept of an output: its beginning and its end.

use std::collections::VecDeque;

/// An output, or what was kept of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// Its beginning; all of it when nothing was left out.
    pub head: Vec<u8>,
    /// Its end; empty when nothing was left out.
    pub tail: Vec<u8>,
    /// How many bytes came between the two and were dropped.
    pub left_out: u64,
}

impl Captured {
    /// Whether bytes were dropped.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.left_out > 0
    }

    /// As text, with what is not UTF-8 replaced, and a line where bytes were dropped.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.head).into_owned();
        if self.is_truncated() {
            text.push_str(&format!("\n[… {} bytes left out …]\n", self.left_out));
            text.push_str(&String::from_utf8_lossy(&self.tail));
        }
        text
    }
}

/// Keeps the first and the last bytes of what it is given, half of `limit` each.
pub struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    dropped: u64,
    limit: usize,
}

impl Capture {
    pub fn new(limit: usize) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), dropped: 0, limit }
    }

    pub fn take(&mut self, bytes: &[u8]) {
        let head = (self.limit.div_ceil(2) - self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..head]);
        let rest = &bytes[head..];
        let most = self.limit / 2;
        // Of more than fits only the end is copied.
        let end = &rest[rest.len().saturating_sub(most)..];
        let surplus = (self.tail.len() + end.len()).saturating_sub(most);
        self.tail.drain(..surplus);
        self.tail.extend(end);
        self.dropped += (surplus + rest.len() - end.len()) as u64;
    }

    pub fn finish(mut self) -> Captured {
        if self.dropped == 0 {
            self.head.extend(self.tail.drain(..));
        }
        Captured { head: self.head, tail: self.tail.into(), left_out: self.dropped }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_beginning_and_the_end_are_kept(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..10),
            limit in 0_usize..80,
        ) {
            let mut capture = Capture::new(limit);
            for piece in &pieces {
                capture.take(piece);
            }
            let all = pieces.concat();
            let captured = capture.finish();
            if all.len() <= limit {
                prop_assert_eq!(captured, Captured { head: all, tail: Vec::new(), left_out: 0 });
            } else {
                let tail = limit / 2;
                let head = limit - tail;
                prop_assert_eq!(&captured.head, &all[..head]);
                prop_assert_eq!(&captured.tail, &all[all.len() - tail..]);
                prop_assert_eq!(captured.left_out, (all.len() - limit) as u64);
                prop_assert!(captured.is_truncated());
            }
        }
    }

    #[test]
    fn text_says_what_is_missing() {
        let mut capture = Capture::new(4);
        capture.take(b"ab\xFF");
        assert_eq!(
            Capture { dropped: 0, head: capture.head.clone(), tail: capture.tail.clone(), limit: 4 }
                .finish()
                .text(),
            "ab\u{FFFD}"
        );
        capture.take(b"cdef");
        assert_eq!(capture.finish().text(), "ab\n[… 3 bytes left out …]\nef");
    }
}
