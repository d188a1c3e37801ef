//! Instructions that a server executes for one call.

use std::io::{BufRead as _, BufReader, Write as _};
use std::time::Duration;

use perflab::counter::{CountError, Limits, Means, ServerCounter};
use perflab::load::{Client, Program, Session, Uncounted, count_instructions};
use perflab::mcp::{Call, Expectation, Mix, arguments, find_tool};
use perflab::process::{Invocation, Piped};

use crate::lab::alone;
use crate::tool_server::program;

const LIMITS: Limits = Limits { instructions: 200_000, patience: Duration::from_secs(300) };

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
    // Starting takes more than the limit.
    server.ask("0100");
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

/// A session with a server, which calls `echo`.
fn session(program: &str, arguments_of_it: &[&str]) -> Session {
    let invocation = Invocation::new(program, arguments_of_it.iter().copied());
    let program = Program { invocation, http: None, era: None, patience: Duration::from_secs(60) };
    let mut client = Client::open(&program).unwrap();
    let tools = client.list_tools().unwrap();
    let tool = find_tool(&tools, "echo").unwrap();
    let call = Call {
        tool: tool.name.clone(),
        weight: 1,
        arguments: arguments(&tool.input).unwrap(),
        expect: Expectation::default(),
        output: tool.output.clone(),
    };
    let mix = Mix::new(vec![call], &client.protocol);
    Session::new(client, vec![(mix, vec![Vec::new()])], 1)
}

#[test]
fn a_tool_call_is_counted_the_same_every_time() {
    let _alone = alone();
    let counts =
        count_instructions(session(&program("null-server"), &[]), 5, Means::SingleStep, LIMITS).unwrap();
    assert!(counts.len() == 5 && counts[0] > 1_000, "{counts:?}");
    // Until its buffers have grown, a server does other things from call to call.
    assert!(counts[2..].iter().all(|&count| count == counts[4]), "{counts:?}");
    let few = Limits { instructions: 1_000, ..LIMITS };
    let more = count_instructions(session(&program("null-server"), &[]), 3, Means::SingleStep, few);
    assert!(matches!(more, Err(Uncounted::Counter(CountError::TooMany { limit: 1_000 }))), "{more:?}");
}
