//! Takes the hits of one file.

use std::io;

use grep_matcher::Matcher;
use grep_regex::RegexMatcher;
use grep_searcher::{Searcher, Sink, SinkContext, SinkFinish, SinkMatch};

use super::{FileHits, Line, cut};

/// So many hits of one file between two looks at the clock.
const BETWEEN_LOOKS: u64 = 256;

pub(super) struct Hits<'h> {
    pub file: FileHits,
    pub is_stopped: bool,
    matcher: &'h RegexMatcher,
    room: usize,
    most_bytes: usize,
    is_over: &'h dyn Fn() -> bool,
}

impl<'h> Hits<'h> {
    pub fn new(
        matcher: &'h RegexMatcher,
        room: usize,
        most_bytes: usize,
        is_over: &'h dyn Fn() -> bool,
    ) -> Self {
        Self { file: FileHits::default(), is_stopped: false, matcher, room, most_bytes, is_over }
    }

    fn keep(&mut self, number: Option<u64>, bytes: &[u8], is_hit: bool) {
        if self.file.lines.len() >= self.room {
            return;
        }
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let place = if is_hit && bytes.len() > self.most_bytes {
            self.matcher.find(bytes).ok().flatten().map_or(0..0, |found| found.start()..found.end())
        } else {
            0..0
        };
        // What is far from the hit need not be made a text first.
        let around = self.most_bytes.saturating_mul(2);
        let from = place.start.saturating_sub(around);
        let to = place
            .end
            .min(place.start.saturating_add(self.most_bytes))
            .saturating_add(around)
            .min(bytes.len());
        let near = String::from_utf8_lossy(&bytes[from..to]);
        let line = near.trim_end_matches('\r');
        let inner = (place.start - from).min(line.len())..(place.end.min(to) - from).min(line.len());
        let mut text = cut(line, inner, self.most_bytes);
        if from > 0 && !text.starts_with('…') {
            text.insert(0, '…');
        }
        if to < bytes.len() && !text.ends_with('…') {
            text.push('…');
        }
        self.file.lines.push(Line { number: number.unwrap_or_default(), text, is_hit });
    }
}

impl Sink for Hits<'_> {
    type Error = io::Error;

    fn matched(&mut self, _searcher: &Searcher, found: &SinkMatch<'_>) -> Result<bool, io::Error> {
        self.file.hits += 1;
        self.keep(found.line_number(), found.bytes(), true);
        if self.file.hits.is_multiple_of(BETWEEN_LOOKS) && (self.is_over)() {
            self.is_stopped = true;
            return Ok(false);
        }
        Ok(true)
    }

    fn context(&mut self, _searcher: &Searcher, context: &SinkContext<'_>) -> Result<bool, io::Error> {
        self.keep(context.line_number(), context.bytes(), false);
        Ok(true)
    }

    fn finish(&mut self, _searcher: &Searcher, finish: &SinkFinish) -> Result<(), io::Error> {
        self.file.binary_at = finish.binary_byte_offset();
        Ok(())
    }
}
