//! Histogram logs: the whole distribution of each launch, as standard HdrHistogram tools read it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::interval_log::{
    IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, Tag,
};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};

use crate::latency::Times;

/// A histogram log (format V2, deflated, base64) of one interval a launch: start and length since the Unix
/// epoch, and its times. Standard HdrHistogram tools read it.
///
/// # Errors
/// When the histogram cannot be encoded.
pub fn hlog(what: &str, intervals: &[(Duration, Duration, &Times)]) -> Result<String, String> {
    let mut text = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut builder = IntervalLogWriterBuilder::new();
    builder.add_comment("[Histogram log format version 1.3]").add_comment(what);
    builder.add_comment("values in nanoseconds, maxima of intervals in milliseconds; one interval a launch");
    builder.with_max_value_divisor(1e6);
    let mut writer = builder.begin_log_with(&mut text, &mut serializer).map_err(|error| error.to_string())?;
    for (launch, (start, length, times)) in intervals.iter().enumerate() {
        let tag = format!("launch-{launch}");
        writer
            .write_histogram(times.histogram(), *start, *length, Tag::new(&tag))
            .map_err(|error| error.to_string())?;
    }
    String::from_utf8(text).map_err(|error| error.to_string())
}

/// One interval of a histogram log: a launch.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedLaunch {
    /// Its tag: `launch-0`.
    pub tag: Option<String>,
    /// Since the Unix epoch, when it began; to the millisecond.
    pub start: Duration,
    /// How long it lasted; to the millisecond.
    pub length: Duration,
    /// Its times.
    pub times: Times,
}

/// What is wrong with a histogram log, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {wrong}")]
pub struct LogError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub wrong: String,
}

/// Reads a histogram log. Comments and times of a beginning are skipped, as they are for every tool; nothing else is.
///
/// # Errors
/// [`LogError`] for the first line that is malformed, or cut off.
pub fn read_hlog(text: &str) -> Result<Vec<LoggedLaunch>, LogError> {
    let mut intervals = Vec::new();
    // Line by line: of a whole text the parser does not report where an entry was that decoding then refuses.
    for (number, line) in (1..).zip(text.split_terminator('\n')) {
        let wrong = |wrong: String| LogError { line: number, wrong };
        if let Some(entry) = IntervalLogIterator::new(format!("{line}\n").as_bytes()).next() {
            let entry = entry.map_err(|_| wrong("expected an interval of a histogram log".to_owned()))?;
            intervals.extend(interval(&entry).map_err(wrong)?);
        }
    }
    Ok(intervals)
}

/// The interval of an entry; `None` of one that holds none.
fn interval(entry: &LogEntry<'_>) -> Result<Option<LoggedLaunch>, String> {
    let LogEntry::Interval(found) = entry else { return Ok(None) };
    let cut_off = |why: String| format!("the histogram is malformed or cut off ({why})");
    let bytes = STANDARD.decode(found.encoded_histogram()).map_err(|error| cut_off(error.to_string()))?;
    // Reading alone would not see the end of the compressed bytes missing, their checksum.
    let announced = bytes.get(4..8).and_then(|length| length.try_into().ok()).map(u32::from_be_bytes);
    let (expected, there) = (announced.map(|length| length as usize + 8), bytes.len());
    if expected != Some(there) {
        return Err(cut_off(format!("expected {} bytes, found {there}", expected.unwrap_or(8))));
    }
    let histogram =
        Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|error| cut_off(error.to_string()))?;
    Ok(Some(LoggedLaunch {
        tag: found.tag().map(|tag| tag.as_str().to_owned()),
        start: found.start_timestamp(),
        length: found.duration(),
        times: Times::from_histogram(histogram),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(values: impl IntoIterator<Item = u64>) -> Times {
        let mut times = Times::default();
        values.into_iter().for_each(|value| times.record(value));
        times
    }

    fn log() -> String {
        let second = Duration::from_secs(1);
        let start = Duration::from_secs(1_700_000_000);
        let (one, two) = (times([5, 1000, 2_000_000]), times([7]));
        hlog("response of a", &[(start, second, &one), (start + second, second, &two)]).unwrap()
    }

    #[test]
    fn a_log_is_read_back_as_it_was() {
        let found = read_hlog(&log()).unwrap();
        assert_eq!(found.len(), 2);
        let start = Duration::from_secs(1_700_000_000);
        assert_eq!((found[0].tag.as_deref(), found[0].start), (Some("launch-0"), start));
        assert_eq!(found[1].length, Duration::from_secs(1));
        assert_eq!(found[0].times, times([5, 1000, 2_000_000]));
        assert_eq!(found[1].times, times([7]));
    }

    #[test]
    fn a_line_that_is_malformed_or_cut_off_is_reported_with_its_place() {
        let whole = log();
        for cut in [
            whole.len() - 2,
            whole.len() - 5,
            whole.len() - 9,
            whole.len() - 10,
            whole.len() - 30,
            whole.rfind("Tag=").unwrap() + 8,
        ] {
            let error = read_hlog(&whole[..cut]).unwrap_err();
            assert_eq!(error.line, 6, "{error} after {cut} of {}", whole.len());
        }
        let garbage = whole.replacen("Tag=launch-0", "Tag=launch-0,x", 1);
        assert_eq!(
            read_hlog(&garbage).unwrap_err().to_string(),
            "5: expected an interval of a histogram log"
        );
        let other = whole.replacen("HISTF", "hISTF", 1);
        assert!(read_hlog(&other).unwrap_err().to_string().starts_with("5: the histogram is malformed"));
        assert_eq!(read_hlog("#only a comment\n"), Ok(Vec::new()));
    }
}
