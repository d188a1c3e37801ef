//! `__calls`: a server as a subject, which is how an arm of a `tool_call` suite is started.

use std::fs;

use anyhow::Context as _;

use crate::bridge::{BridgedCall, BridgedRow, serve};
use crate::cli::Exit;
use crate::cli::args::CallsArgs;
use crate::plan::{Measure, ToolCall};
use crate::process::Invocation;

/// Answers the lab on stdin and stdout until it closes its end.
pub(crate) fn calls(args: &CallsArgs) -> anyhow::Result<Exit> {
    let text = fs::read_to_string(&args.calls)
        .with_context(|| format!("cannot read the calls {}", args.calls.display()))?;
    let calls: Vec<ToolCall> = serde_json::from_str(&text).context("the calls are malformed")?;
    let (program, rest) = args.command.split_first().context("no server")?;
    // Through the lab itself, so that the server ends with this process. It runs where this process does.
    let lab = std::env::current_exe().context("cannot find the lab's own executable")?;
    let invocation = Invocation::new(program, rest.to_vec()).through(lab, ["__exec".to_owned()]);
    let calls = calls.into_iter().map(bridged).collect();
    serve(calls, invocation, std::io::stdin().lock(), std::io::stdout().lock())?;
    Ok(Exit::Fine)
}

/// A call of a plan, as the client that makes it takes it.
fn bridged(call: ToolCall) -> BridgedCall {
    let row = |&measure: &Measure| BridgedRow {
        name: call.row_name(measure),
        tail: match measure {
            Measure::Latency(quantile) if measure != Measure::P50 => Some(quantile.fraction()),
            _ => None,
        },
    };
    let rows = call.measures.iter().map(row).collect();
    let ToolCall { name, tool, arguments, expect, expect_structured, in_flight, measures: _ } = call;
    BridgedCall { name, tool, arguments, expect, expect_structured, in_flight, rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_measure_of_a_call_is_a_row_of_its_name_and_quantile() {
        let text = r#"{"name": "search", "tool": "find", "arguments": {"text": "a"}, "expect": "found", "in_flight": 4}"#;
        let call: ToolCall = serde_json::from_str(text).unwrap();
        let plain = bridged(call.clone());
        let row = |name: &str, tail| BridgedRow { name: name.to_owned(), tail };
        assert_eq!(plain.rows, [row("search", None), row("search/p99", Some(0.99))]);
        assert_eq!((plain.name.as_str(), plain.tool.as_str(), plain.in_flight), ("search", "find", 4));
        assert_eq!((&plain.arguments, &plain.expect), (&call.arguments, &call.expect));
        assert_eq!(plain.expect_structured, None);
        let tail_alone = bridged(ToolCall { measures: vec![Measure::P99], ..call });
        assert_eq!(tail_alone.rows, [row("search/p99", Some(0.99))]);
    }
}
