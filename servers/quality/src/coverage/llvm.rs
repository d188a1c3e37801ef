//! From the segments of LLVM's coverage mapping to counts of lines, as LLVM itself does it (`LineCoverageStats` and
//! `LineCoverageIterator` in `llvm/ProfileData/Coverage/CoverageMapping.h`).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use crate::coverage::report::LAST_LINE;

/// Where a region begins or ends, and the count from there on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    line: u32,
    count: u64,
    has_count: bool,
    is_entry: bool,
    is_gap: bool,
}

impl<'de> Deserialize<'de> for Segment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(SegmentVisitor)
    }
}

struct SegmentVisitor;

impl<'de> Visitor<'de> for SegmentVisitor {
    type Value = Segment;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a segment: [line, column, count, has count, is entry, is gap]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Segment, A::Error> {
        let short = || A::Error::custom("a segment has less than five parts");
        let line = list.next_element()?.ok_or_else(short)?;
        list.next_element::<IgnoredAny>()?.ok_or_else(short)?;
        let count = list.next_element()?.ok_or_else(short)?;
        let has_count = list.next_element()?.ok_or_else(short)?;
        let is_entry = list.next_element()?.ok_or_else(short)?;
        // Version 1 has no gaps.
        let is_gap = list.next_element()?.unwrap_or(false);
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Segment { line, count, has_count, is_entry, is_gap })
    }
}

impl Segment {
    fn starts_region(self) -> bool {
        !self.is_gap && self.has_count && self.is_entry
    }
}

/// Tells every line that has a count, with the count.
pub(crate) fn lines(segments: &[Segment], mut tell: impl FnMut(u32, u64)) {
    let mut wrapped: Option<Segment> = None;
    let mut rest = segments;
    while let Some(first) = rest.first() {
        let line = first.line;
        let here = rest.iter().take_while(|segment| segment.line == line).count();
        let (on_line, after) = rest.split_at(here);
        if let Some(count) = count(on_line, wrapped) {
            tell(line, count);
        }
        wrapped = on_line.last().copied();
        rest = after;
        // Lines without a segment go on as the last one left off.
        if let (Some(next), Some(count)) = (rest.first(), count(&[], wrapped)) {
            let last = next.line.min(LAST_LINE);
            (line.saturating_add(1)..last).for_each(|line| tell(line, count));
        }
    }
}

/// The count of a line with these segments; `wrapped` is the last one before it. `None` where it has none.
fn count(on_line: &[Segment], wrapped: Option<Segment>) -> Option<u64> {
    let starts = on_line.iter().filter(|segment| segment.starts_region()).count();
    let is_skipped = on_line.first().is_some_and(|first| !first.has_count && first.is_entry);
    let goes_on = wrapped.is_some_and(|segment| segment.has_count);
    let is_mapped = (!is_skipped && (goes_on || starts > 0))
        || on_line.iter().any(|segment| segment.has_count && segment.is_entry);
    if !is_mapped {
        return None;
    }
    let count = wrapped.map_or(0, |segment| segment.count);
    Some(
        on_line
            .iter()
            .filter(|segment| segment.starts_region())
            .fold(count, |most, segment| most.max(segment.count)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(u32, u64)> {
        let mut found = Vec::new();
        lines(&serde_json::from_str::<Vec<Segment>>(text).unwrap(), |line, count| found.push((line, count)));
        found
    }

    #[test]
    fn regions_that_nest_and_gaps_count_as_llvm_counts_them() {
        // A function of lines 1 to 7, run 3 times; a block of lines 3 to 4 never; a gap before it.
        let found = of(
            "[[1,1,3,true,true,false],[2,10,0,true,true,true],[3,5,0,true,true,false],[4,6,3,true,false,false],\
                        [7,2,0,false,false,false],[9,1,0,true,true,false],[9,30,0,false,false,false]]",
        );
        assert_eq!(found, [(1, 3), (2, 3), (3, 0), (4, 0), (5, 3), (6, 3), (7, 3), (9, 0)]);
    }

    #[test]
    fn skipped_regions_have_no_count() {
        let found = of(
            "[[1,1,2,true,true,false],[3,1,0,false,true,false],[5,1,2,true,false,false],[6,2,0,false,false,false]]",
        );
        assert_eq!(found, [(1, 2), (2, 2), (6, 2)]);
    }

    #[test]
    fn a_segment_far_away_takes_no_memory_for_ever() {
        let found = of("[[1,1,0,false,false,false],[4294967295,1,1,true,true,false]]");
        assert_eq!(found, [(4_294_967_295, 1)]);
        assert!(serde_json::from_str::<Segment>("[1,1,1,true]").is_err());
    }
}
