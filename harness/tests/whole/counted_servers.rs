//! Instructions that a server executes for one call.

use std::io::{BufRead as _, BufReader, Write as _};
use std::time::Duration;

use perflab::counter::{CountError, Limits, Means, ServerCounter};
use perflab::process::{Invocation, Piped};

use crate::lab::alone;
use crate::tool_server::program;

const LIMITS: Limits = Limits { instructions: 200_000, patience: Duration::from_secs(60) };

/// A server that is spoken with line by line.
struct Server {
    child: Piped,
    answers: BufReader<std::process::ChildStdout>,
}

impl Server {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let mut child = Piped::start(&Invocation::new(program, arguments.iter().copied())).unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    fn ask(&mut self, line: &str) -> String {
        self.child.stdin.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer
    }

    /// What each of these requests takes.
    fn counted(&mut self, counter: &mut ServerCounter, lines: &[&str]) -> Vec<u64> {
        let count = |line: &&str| {
            self.ask(line);
            counter.settle().unwrap()
        };
        lines.iter().map(count).collect()
    }
}

#[test]
fn a_call_that_does_more_counts_that_much_more() {
    let _alone = alone();
    for mode in ["--lines", "--lines-by-worker"] {
        let mut server = Server::start(&program("counted-subject"), &[mode]);
        server.ask("0100");
        let mut counter = ServerCounter::attach(server.child.pid(), Means::SingleStep, LIMITS).unwrap();
        let counts = server.counted(&mut counter, &["0100", "0100", "1100", "0100", "2100", "1100"]);
        // The first one ends the wait that attaching broke off.
        assert_eq!(counts[1], counts[3], "{mode}: {counts:?}");
        assert_eq!(counts[2] - counts[1], 2 * 1000, "{mode}: {counts:?}");
        assert_eq!(counts[4] - counts[3], 2 * 2000, "{mode}: {counts:?}");
        assert_eq!(counts[2], counts[5], "{mode}: {counts:?}");
        counter.end();
        assert!(server.child.end().signal.is_some(), "{mode}: it was killed");
    }
}

#[test]
fn a_call_beyond_the_limit_is_answered_and_not_counted() {
    let _alone = alone();
    let mut server = Server::start(&program("counted-subject"), &["--lines"]);
    let limits = Limits { instructions: 5_000, ..LIMITS };
    let mut counter = ServerCounter::attach(server.child.pid(), Means::SingleStep, limits).unwrap();
    assert_eq!(server.ask("9000"), "done\n", "it runs freely from the limit on");
    assert_eq!(counter.settle(), Err(CountError::TooMany { limit: 5_000 }));
    counter.end();
}

#[test]
fn a_server_that_ends_is_told() {
    let _alone = alone();
    let mut server = Server::start(&program("counted-subject"), &["--lines"]);
    let mut counter = ServerCounter::attach(server.child.pid(), Means::SingleStep, LIMITS).unwrap();
    server.child.stdin = None;
    assert_eq!(counter.settle(), Err(CountError::Ended));
    drop(counter);
    let gone = ServerCounter::attach(u32::MAX >> 2, Means::SingleStep, LIMITS);
    assert_eq!(gone.err(), Some(CountError::Ended));
}

#[test]
fn a_tool_call_is_counted_the_same_every_time() {
    let _alone = alone();
    let mut server = Server::start(&program("null-server"), &[]);
    let call = |id: u32| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"echo","arguments":{{"text":"hello"}}}}}}"#
        )
    };
    let answer = server.ask(&call(1));
    assert!(answer.contains("hello"), "{answer}");
    let mut counter = ServerCounter::attach(server.child.pid(), Means::SingleStep, LIMITS).unwrap();
    let counts = server.counted(&mut counter, &[&call(2), &call(3), &call(4), &call(5)]);
    assert!(counts[1] == counts[2] && counts[2] == counts[3], "{counts:?}");
    counter.end();
}
