//! What every server has to hold, whatever its tools do: the list and its size, the schemas, the options, how it starts
//! and ends, what reaches it over HTTP. [`protocol_tests!`](crate::protocol_tests) makes a test of each.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::client::{Process, stateless, text};
use crate::http::Http;
use crate::place::{Place, kibibytes};
use crate::schema::hold_to_schema;

/// The most tokens that the definitions of a server's tools may have together: a client puts them in front of every
/// conversation.
pub const MOST_TOKENS: usize = 1_500;

/// The most kibibytes of memory that a server may hold at rest. A build without optimisation has several times as much
/// code as what is handed out.
pub const MOST_MEMORY: u64 = if cfg!(debug_assertions) { 32 << 10 } else { 20 << 10 };

/// A server under test.
pub struct Served {
    /// The program: `env!("CARGO_BIN_EXE_…")`.
    pub program: &'static str,
    /// The name that it gives itself.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The tools, in the order of the list.
    pub tools: &'static [&'static str],
    /// The names of its toolsets, sorted.
    pub toolsets: &'static [&'static str],
    /// Words of its own that `--help` says.
    pub help: &'static [&'static str],
    /// Words of its own that `doctor` says.
    pub facts: &'static [&'static str],
    /// How many calls a tool gets that are made from its schema; no more than its rate lets through at once.
    pub calls: fn(tool: &str) -> usize,
    /// Makes arguments harmless, and sets right what a schema cannot say.
    pub tame: fn(tool: &str, arguments: &mut Value),
}

impl Served {
    fn place(&self) -> Place {
        Place::new(self.program)
    }

    fn listed(&self, process: &mut Process) -> Vec<Value> {
        let list = process.request(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
        list["result"]["tools"].as_array().unwrap_or_else(|| panic!("{list}")).clone()
    }

    fn names(tools: &[Value]) -> Vec<&str> {
        tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect()
    }

    /// What it prints for an argument after which it ends well.
    fn told(&self, argument: &str) -> String {
        let output = self.place().command().arg(argument).output().unwrap();
        assert!(output.status.success(), "{argument}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Its exit code and what it says where it is started with arguments that it does not take.
    fn refused(place: &Place, arguments: &[&str]) -> (Option<i32>, String) {
        let output = place.bare().args(arguments).stdin(Stdio::null()).output().unwrap();
        assert!(output.stdout.is_empty(), "stdout belongs to the protocol");
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    /// The tools are those named, and their definitions are short.
    pub fn the_list_is_short(&self) {
        let place = self.place();
        let tools = self.listed(&mut place.server(&[]));
        assert_eq!(Self::names(&tools), self.tools);
        let tokenizer = tiktoken_rs::cl100k_base().unwrap();
        let tokens = tokenizer.encode_with_special_tokens(&Value::from(tools).to_string()).len();
        assert!(tokens <= MOST_TOKENS, "{tokens} tokens");
    }

    /// Arguments made from the schemas of the tools: whatever they allow is taken, whatever they exclude refused.
    pub fn schemas_say_what_tools_take(&self, options: &[&str], front: bool) {
        let place = self.place();
        let mut command: Command = place.forgetful();
        command.args(options);
        if !front {
            command.env("MCP_NO_FRONT", "1");
        }
        let mut process = Process::start(&mut command);
        process.open();
        for tool in &self.listed(&mut process) {
            let name = tool["name"].as_str().unwrap();
            hold_to_schema(&mut process, tool, (self.calls)(name), |arguments| (self.tame)(name, arguments));
        }
    }

    /// Where nothing may be changed, each tool that is left says that it changes nothing.
    pub fn a_server_that_only_reads_says_so_of_each_tool(&self) {
        let place = self.place();
        let before = place.everything();
        let mut process = Process::start(place.forgetful().arg("--read-only"));
        process.open();
        let tools = self.listed(&mut process);
        assert!(!tools.is_empty());
        assert!(tools.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true), "{tools:?}");
        assert!(Self::names(&tools).iter().all(|name| self.tools.contains(name)), "{tools:?}");
        process.close();
        assert!(place.everything() == before, "without a state directory nothing is written");
    }

    /// Roots, state and toolsets that cannot be used are named in one line, and nothing is served.
    pub fn what_cannot_be_used_is_named(&self) {
        let place = self.place();
        let file = place.path("root/a.txt").display().to_string();
        let toolsets = format!("there is no toolset `none`; there are {}", self.toolsets.join(", "));
        let mut cases = vec![
            (["--root", "/none"], "the root /none cannot be used"),
            (["--root", &file], "not a directory"),
            (["--state", "/proc/none"], "choose another with --state"),
        ];
        if !self.toolsets.is_empty() {
            cases.push((["--toolset", "none"], &toolsets));
        }
        for (arguments, part) in cases {
            let (code, error) = Self::refused(&place, &arguments);
            assert!(code == Some(2) && error.contains(part), "{arguments:?}: {code:?} {error}");
            assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        }
    }

    /// Each toolset shows a part of the tools, and all together show all.
    pub fn toolsets_show_a_part_of_the_tools(&self) {
        if self.toolsets.is_empty() {
            return;
        }
        let place = self.place();
        let mut seen = Vec::new();
        for toolset in self.toolsets {
            let tools = self.listed(&mut place.server(&["--toolset", toolset]));
            assert!(!tools.is_empty() && tools.len() < self.tools.len(), "{toolset}");
            seen.extend(Self::names(&tools).iter().map(|name| (*name).to_owned()));
        }
        let all = self.listed(&mut place.server(&["--toolset", &self.toolsets.join(",")]));
        assert_eq!(Self::names(&all), self.tools);
        seen.sort();
        let mut expected = self.tools.to_vec();
        expected.sort_unstable();
        assert_eq!(seen, expected, "each tool is in one set");
    }

    /// `--help`, `--version` and `doctor` say what there is.
    pub fn help_version_and_doctor_say_what_there_is(&self) {
        let help = self.told("--help");
        assert_eq!(help.lines().next(), Some(self.title), "{help}");
        let shared = ["--root", "--state", "--read-only", "--toolset", "--http", "doctor"];
        for word in shared.iter().chain(self.help) {
            assert!(help.contains(word), "{word} in {help}");
        }
        let version = self.told("--version");
        let words: Vec<&str> = version.split_whitespace().collect();
        assert!(words.len() >= 5 && words[0] == self.name && words[2].starts_with('('), "{version}");
        assert_eq!(self.told("-V").trim_end(), format!("{} {}", words[0], words[1]));
        let facts = self.told("doctor");
        for word in ["protocol", "kernel", "state"].iter().chain(self.facts) {
            assert!(facts.contains(word), "{word} in {facts}");
        }
    }

    /// `--fixture` serves the two reference tools.
    pub fn the_fixture_mode_serves_the_reference_tools(&self) {
        let place = self.place();
        let mut process = place.server(&["--fixture"]);
        assert_eq!(Self::names(&self.listed(&mut process)), ["echo", "stats"]);
        assert_eq!(text(&process.call("echo", &json!({"text": "a"}))), "a");
    }

    /// A server at rest is small.
    pub fn a_server_at_rest_is_small(&self) {
        let place = self.place();
        let mut process = place.server(&[]);
        self.listed(&mut process);
        let held = kibibytes(process.child.id(), "VmRSS");
        assert!(held <= MOST_MEMORY, "{held} KiB");
    }

    /// It ends when its input does, and says nothing that nobody asked for.
    pub fn the_end_of_input_is_the_end(&self) {
        let place = self.place();
        let (rest, status) = place.server(&[]).close();
        assert!(rest.is_empty() && status.success(), "{rest:?} {status}");
    }

    /// A tool that is not there is an error of the protocol.
    pub fn an_unknown_tool_is_an_error_of_the_protocol(&self) {
        let place = self.place();
        let answer = place.server(&[]).call("no_such_tool", &json!({}));
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }

    /// Over HTTP there are the same tools, for whoever may call: not for a foreign page or host.
    pub fn http_serves_the_same_tools_and_no_foreign_page(&self) {
        let place = self.place();
        let http = Http::start(&mut place.command());
        let list = stateless(1, "tools/list", json!({}));
        let answer = http.post(&[], &list).message();
        assert_eq!(Self::names(answer["result"]["tools"].as_array().unwrap()), self.tools);
        for header in [("Origin", "https://evil.example"), ("Host", "evil.example")] {
            assert_eq!(http.post(&[header], &list).status, 403, "{header:?}");
        }
        let call = stateless(1, "tools/call", json!({"name": self.tools[0], "arguments": {}}));
        let answer = http.post(&[], &call).message();
        let said = &answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"];
        assert_eq!(said, self.name, "{answer}");
        assert!(place.audit().is_empty(), "what was refused was not run");
    }
}

/// Makes a test of each property of [`Served`](crate::protocol::Served), for the server in a constant.
#[macro_export]
macro_rules! protocol_tests {
    ($served:expr) => {
        $crate::protocol_tests! { $served,
            the_list_is_short
            a_server_that_only_reads_says_so_of_each_tool
            what_cannot_be_used_is_named
            toolsets_show_a_part_of_the_tools
            help_version_and_doctor_say_what_there_is
            the_fixture_mode_serves_the_reference_tools
            a_server_at_rest_is_small
            the_end_of_input_is_the_end
            an_unknown_tool_is_an_error_of_the_protocol
            http_serves_the_same_tools_and_no_foreign_page
        }

        #[test]
        fn schemas_say_what_tools_take() {
            $served.schemas_say_what_tools_take(&[], true);
        }

        #[test]
        fn schemas_say_what_tools_take_past_the_front() {
            $served.schemas_say_what_tools_take(&[], false);
        }

        #[test]
        fn schemas_say_what_tools_take_that_only_read() {
            $served.schemas_say_what_tools_take(&["--read-only"], true);
        }
    };
    ($served:expr, $($name:ident)*) => {
        $(#[test]
        fn $name() {
            $served.$name();
        })*
    };
}
