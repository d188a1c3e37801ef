//! The wire types as lines of JSON: requests are read, answers written.

use std::fmt::{self, Write as _};

use crate::json::{Quoted, Value, array};
use crate::protocol::{
    BenchmarkInfo, Counted, Listing, PROTOCOL_VERSION, Prepared, Refused, Request, Slice, Turned,
};

/// Why a line is not a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError(String);

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a request of protocol {PROTOCOL_VERSION}: {}", self.0)
    }
}

impl std::error::Error for RequestError {}

impl Request {
    /// Reads a request from its line.
    ///
    /// # Errors
    /// The line is not a request: what is wrong, in a sentence.
    pub fn read(line: &str) -> Result<Self, RequestError> {
        read_request(line).map_err(RequestError)
    }
}

fn read_request(line: &str) -> Result<Request, String> {
    let value = Value::read(line)?;
    let op = value.get("op").and_then(Value::text).ok_or("expected an object with \"op\"")?;
    let fields: &[&str] = match op {
        "list" => &["op"],
        "prepare" | "count" => &["op", "benchmark"],
        "turn" => &["op", "benchmark", "settle_ns", "slices", "iters", "extra"],
        _ => return Err(format!("unknown op {op:?}; known: list, prepare, turn, count")),
    };
    if let Some(unknown) = value.names().find(|name| !fields.contains(name)) {
        return Err(format!("unknown field {unknown:?} of {op}; known: {}", fields.join(", ")));
    }
    let whole = |name: &str| match value.get(name) {
        Some(number) => number.whole().ok_or_else(|| format!("{name} is not a whole number of 64 bits")),
        None => Err(format!("{op} lacks {name}")),
    };
    let benchmark = || {
        let name = value.get("benchmark").and_then(Value::text);
        name.map(str::to_owned).ok_or_else(|| format!("{op} lacks the name of a benchmark"))
    };
    Ok(match op {
        "list" => Request::List,
        "prepare" => Request::Prepare { benchmark: benchmark()? },
        "count" => Request::Count { benchmark: benchmark()? },
        _ => Request::Turn {
            benchmark: benchmark()?,
            settle_ns: whole("settle_ns")?,
            slices: u32::try_from(whole("slices")?).map_err(|_| "slices are more than 32 bits hold")?,
            iters: whole("iters")?,
            extra: if value.get("extra").is_some() { whole("extra")? } else { 0 },
        },
    })
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List => f.write_str(r#"{"op":"list"}"#),
            Self::Prepare { benchmark } => {
                write!(f, r#"{{"op":"prepare","benchmark":{}}}"#, Quoted(benchmark))
            }
            Self::Count { benchmark } => write!(f, r#"{{"op":"count","benchmark":{}}}"#, Quoted(benchmark)),
            Self::Turn { benchmark, settle_ns, slices, iters, extra } => write!(
                f,
                r#"{{"op":"turn","benchmark":{},"settle_ns":{settle_ns},"slices":{slices},"iters":{iters},"extra":{extra}}}"#,
                Quoted(benchmark)
            ),
        }
    }
}

impl BenchmarkInfo {
    /// Reads what [`Display`](fmt::Display) wrote.
    ///
    /// # Errors
    /// The text is not that of a benchmark: what is wrong.
    pub fn read(text: &str) -> Result<Self, String> {
        let value = Value::read(text)?;
        let flag = |name: &str| value.get(name).and_then(Value::flag).unwrap_or(false);
        let whole = |name: &str| value.get(name).and_then(Value::whole);
        let code = value.get("code").and_then(Value::list).unwrap_or_default();
        Ok(Self {
            name: value.get("name").and_then(Value::text).ok_or("a benchmark lacks its name")?.to_owned(),
            answer: whole("answer").ok_or("a benchmark lacks its answer")?,
            count_answer: whole("count_answer").ok_or("a benchmark lacks its count_answer")?,
            long: flag("long"),
            code: code.iter().filter_map(Value::text).map(str::to_owned).collect(),
            slow: flag("slow"),
            unchecked: flag("unchecked"),
            payload: whole("payload"),
            elements: whole("elements"),
        })
    }
}

impl fmt::Display for BenchmarkInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, answer, count_answer, long, code, slow, unchecked, payload, elements } = self;
        write!(f, r#"{{"name":{},"answer":{answer},"count_answer":{count_answer}"#, Quoted(name))?;
        let code = array(code.iter().map(|prefix| Quoted(prefix)));
        write!(f, r#","long":{long},"code":{code}"#)?;
        for (key, set) in [("slow", slow), ("unchecked", unchecked)] {
            if *set {
                write!(f, r#","{key}":true"#)?;
            }
        }
        for (key, number) in [("payload", payload), ("elements", elements)] {
            if let Some(number) = number {
                write!(f, r#","{key}":{number}"#)?;
            }
        }
        f.write_char('}')
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, subject, benchmarks } = self;
        let benchmarks = array(benchmarks);
        write!(f, r#"{{"protocol":{protocol},"subject":{},"benchmarks":{benchmarks}}}"#, Quoted(subject))
    }
}

impl fmt::Display for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { checksum, call_ns, whole_ns, long } = self;
        write!(f, r#"{{"checksum":{checksum},"call_ns":{call_ns}"#)?;
        if *whole_ns > 0 {
            write!(f, r#","whole_ns":{whole_ns}"#)?;
        }
        if *long {
            f.write_str(r#","long":true"#)?;
        }
        f.write_char('}')
    }
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { iters, wall_ns, cpu_ns, checksum } = self;
        write!(f, r#"{{"iters":{iters},"wall_ns":{wall_ns},"cpu_ns":{cpu_ns},"checksum":{checksum}}}"#)
    }
}

impl fmt::Display for Turned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"{{"slices":{}}}"#, array(&self.slices))
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"{{"checksum":{}}}"#, self.checksum)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"{{"error":{}}}"#, Quoted(&self.error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_with_their_defaults_and_refused_with_their_faults() {
        let turn = r#"{"op":"turn","benchmark":"a","settle_ns":1,"slices":2,"iters":3}"#;
        let read = Request::Turn { benchmark: "a".into(), settle_ns: 1, slices: 2, iters: 3, extra: 0 };
        assert_eq!(Request::read(turn), Ok(read.clone()));
        assert_eq!(Request::read(&read.to_string()), Ok(read));
        let fault = |line: &str| Request::read(line).unwrap_err().to_string();
        assert!(fault("{}").ends_with("expected an object with \"op\""));
        assert!(fault(r#"{"op":"halt"}"#).contains("unknown op \"halt\""));
        assert!(fault(r#"{"op":"list","all":1}"#).contains("unknown field \"all\" of list"));
        assert!(fault(r#"{"op":"count"}"#).ends_with("count lacks the name of a benchmark"));
        assert!(fault(&turn.replace(":3", ":-3")).ends_with("iters is not a whole number of 64 bits"));
        assert!(fault(&turn.replace(":2", ":4294967296")).ends_with("slices are more than 32 bits hold"));
    }

    #[test]
    fn a_benchmark_is_read_as_it_was_written() {
        let plain = BenchmarkInfo { name: "a \"b\"\n".into(), answer: u64::MAX, ..BenchmarkInfo::default() };
        let full = BenchmarkInfo {
            code: vec!["x::y".into(), "z".into()],
            slow: true,
            unchecked: true,
            payload: Some(7),
            elements: Some(8),
            long: true,
            ..plain.clone()
        };
        for info in [plain, full] {
            assert_eq!(BenchmarkInfo::read(&info.to_string()), Ok(info));
        }
        assert_eq!(BenchmarkInfo::read("{}"), Err("a benchmark lacks its name".to_owned()));
    }

    #[test]
    fn what_is_absent_is_not_written() {
        let prepared = Prepared { checksum: 1, call_ns: 2, ..Prepared::default() };
        assert_eq!(prepared.to_string(), r#"{"checksum":1,"call_ns":2}"#);
        let apart = Prepared { whole_ns: 9, long: true, ..prepared };
        assert_eq!(apart.to_string(), r#"{"checksum":1,"call_ns":2,"whole_ns":9,"long":true}"#);
    }
}
