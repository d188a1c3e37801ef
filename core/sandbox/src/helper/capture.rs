//! Keeps the start and the end of a stream of any length.

use std::collections::VecDeque;

use crate::outcome::Captured;

/// The bounded memory of one stream.
pub(crate) struct Capture {
    head: Vec<u8>,
    head_limit: usize,
    tail: VecDeque<u8>,
    tail_limit: usize,
    total: u64,
}

impl Capture {
    pub(crate) fn new(head_limit: usize, tail_limit: usize) -> Self {
        Self { head: Vec::new(), head_limit, tail: VecDeque::new(), tail_limit, total: 0 }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let free = self.head_limit - self.head.len();
        let (first, rest) = bytes.split_at(free.min(bytes.len()));
        self.head.extend_from_slice(first);
        let rest = &rest[rest.len().saturating_sub(self.tail_limit)..];
        let over = (self.tail.len() + rest.len()).saturating_sub(self.tail_limit);
        self.tail.drain(..over);
        self.tail.extend(rest);
    }

    pub(crate) fn captured(&self) -> Captured {
        Captured { head: self.head.clone(), tail: self.tail.iter().copied().collect(), total: self.total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn start_and_end_are_kept_whatever_the_pieces(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20),
            head in 0_usize..50,
            tail in 0_usize..50,
        ) {
            let whole = pieces.concat();
            let mut capture = Capture::new(head, tail);
            for piece in &pieces {
                capture.push(piece);
            }
            let found = capture.captured();
            let head = head.min(whole.len());
            let tail = tail.min(whole.len() - head);
            prop_assert_eq!(&found.head, &whole[..head]);
            prop_assert_eq!(&found.tail, &whole[whole.len() - tail..]);
            prop_assert_eq!(found.dropped(), (whole.len() - head - tail) as u64);
        }
    }
}
