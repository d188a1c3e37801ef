//! `__calls`: a server as a subject, which is how an arm of a `tool_call` suite is started.

use std::fs;

use anyhow::Context as _;

use crate::bridge::{BridgedCall, serve};
use crate::cli::Exit;
use crate::cli::args::CallsArgs;
use crate::process::Invocation;

/// Answers the lab on stdin and stdout until it closes its end.
pub(crate) fn calls(args: &CallsArgs) -> anyhow::Result<Exit> {
    let text = fs::read_to_string(&args.calls)
        .with_context(|| format!("cannot read the calls {}", args.calls.display()))?;
    let calls: Vec<BridgedCall> = serde_json::from_str(&text).context("the calls are malformed")?;
    let (program, rest) = args.command.split_first().context("no server")?;
    // Through the lab itself, so that the server ends with this process. It runs where this process does.
    let lab = std::env::current_exe().context("cannot find the lab's own executable")?;
    let invocation = Invocation::new(program, rest.to_vec()).through(lab, ["__exec".to_owned()]);
    serve(calls, invocation, std::io::stdin().lock(), std::io::stdout().lock())?;
    Ok(Exit::Fine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ToolCall;

    #[test]
    fn the_calls_of_a_plan_are_read_by_the_bridge() {
        let call = ToolCall {
            name: "search, 4 in flight".to_owned(),
            tool: "search".to_owned(),
            arguments: serde_json::Map::from_iter([("text".to_owned(), "{payload:64}".into())]),
            expect: Some("found".to_owned()),
            expect_structured: Some(serde_json::json!({ "count": 3 })),
            in_flight: 4,
        };
        let bare = ToolCall { expect: None, expect_structured: None, ..call.clone() };
        for call in [call, bare] {
            let text = serde_json::to_string(&[&call]).unwrap();
            let read: Vec<BridgedCall> = serde_json::from_str(&text).unwrap();
            let BridgedCall { name, tool, arguments, expect, expect_structured, in_flight } = read[0].clone();
            assert_eq!(ToolCall { name, tool, arguments, expect, expect_structured, in_flight }, call);
        }
    }
}
