//! Getting to know a server: its era, its tools, and calls that it answers rightly.

use std::fs;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

use crate::cli::mcp::setup::Setup;
use crate::latency::{Member, ServerFacts};
use crate::load::{Client, Session};
use crate::mcp::{
    Call, Era, Expectation, Fault, Mix, Tool, arguments, find_tool, mirrored, parse_calls, with_payload,
};

/// What is known of a server after its first process.
#[derive(Clone)]
pub(crate) struct Known {
    pub member: Member,
    pub era: Era,
    pub tools: Vec<Tool>,
    pub calls: Vec<Call>,
    mirrored: Vec<Vec<(String, String)>>,
    pub facts: ServerFacts,
}

/// Why a server could not be got to know.
pub(crate) enum Unknown {
    /// The server's own doing.
    Fault(Fault),
    /// The command line's.
    Misuse(anyhow::Error),
}

impl From<Fault> for Unknown {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<anyhow::Error> for Unknown {
    fn from(error: anyhow::Error) -> Self {
        Self::Misuse(error)
    }
}

impl Known {
    /// The same server with other calls.
    pub(crate) fn with_calls(&self, calls: Vec<Call>) -> anyhow::Result<Self> {
        let mirrored = headers(&self.tools, &calls)?;
        Ok(Self { calls, mirrored, ..self.clone() })
    }

    /// Starts a process of it and agrees on what is known already.
    pub(crate) fn session(&self, setup: &Setup, launch: u32) -> anyhow::Result<Result<Session, Fault>> {
        let program = setup.program(self.member, Some(self.era))?;
        Ok(Client::open(&program).map(|client| {
            let mix = Mix::new(self.calls.clone(), &client.protocol);
            Session::new(client, mix, self.mirrored.clone(), setup.seed ^ u64::from(launch))
        }))
    }

    /// Calls with text of so many bytes; `None` where no argument takes any.
    pub(crate) fn payload(&self, bytes: usize) -> Option<Vec<Call>> {
        let grown = self.calls.iter().map(|call| {
            let tool = self.tools.iter().find(|tool| tool.name == call.tool)?;
            let arguments = with_payload(&tool.input, &call.arguments, bytes)?;
            Some(Call { arguments, expect: Expectation::default(), ..call.clone() })
        });
        grown.collect()
    }
}

/// Starts a server for the first time: finds out its era and tools, and makes the calls. The null server is spoken
/// with `like` the server that it is the floor of.
pub(crate) fn learn(setup: &Setup, member: Member, like: Option<&Known>) -> Result<Known, Unknown> {
    let program = setup.program(member, like.map(|known| known.era))?;
    let mut client = Client::open(&program)?;
    let tools = client.list_tools()?;
    let calls = match like {
        Some(known) => floor_calls(&known.calls, &tools),
        None => chosen(setup, &tools)?,
    };
    let facts = ServerFacts {
        member,
        command: setup.shown(member),
        name: client.name.clone(),
        era: Some(client.protocol.era),
        version: Some(client.protocol.version.clone()),
        transport: if program.http.is_some() { "http" } else { "stdio" }.to_owned(),
        tools: tools.len(),
        called: calls.iter().map(|call| call.tool.clone()).collect(),
    };
    let mirrored = headers(&tools, &calls)?;
    Ok(Known { member, era: client.protocol.era, mirrored, tools, calls, facts })
}

/// Every tool that only reads and whose arguments can be made, or those that were named: one call each.
pub(crate) fn each_tool(setup: &Setup, known: &Known) -> Vec<Call> {
    if !setup.args.tool.is_empty() || setup.args.calls.is_some() {
        return known.calls.clone();
    }
    let readable = known.tools.iter().filter(|tool| tool.read_only || tool.name == "echo");
    readable.filter_map(|tool| Some(call(setup, tool, arguments(&tool.input).ok()?))).collect()
}

fn call(setup: &Setup, tool: &Tool, arguments: Map<String, Value>) -> Call {
    Call {
        tool: tool.name.clone(),
        weight: 1,
        arguments,
        expect: Expectation { text: setup.args.expect.clone(), structured: None },
        output: tool.output.clone(),
    }
}

fn chosen(setup: &Setup, tools: &[Tool]) -> anyhow::Result<Vec<Call>> {
    if let Some(file) = &setup.args.calls {
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read the calls {}", file.display()))?;
        let mut calls = parse_calls(&file.display().to_string(), &text, tools)?;
        for call in &mut calls {
            if call.expect.text.is_none() {
                call.expect.text.clone_from(&setup.args.expect);
            }
        }
        return Ok(calls);
    }
    if tools.is_empty() {
        bail!("the server has no tools: there is nothing to call");
    }
    let made = |tool: &Tool| -> anyhow::Result<Call> {
        let arguments =
            arguments(&tool.input).map_err(|said| anyhow::anyhow!("tool {}: {said}", tool.name))?;
        Ok(call(setup, tool, arguments))
    };
    if !setup.args.tool.is_empty() {
        let named = setup
            .args
            .tool
            .iter()
            .map(|name| made(find_tool(tools, name).map_err(|said| anyhow::anyhow!("--tool: {said}"))?));
        return named.collect();
    }
    let safe = tools.iter().find(|tool| tool.name == "echo").into_iter();
    let mut safe = safe.chain(tools.iter().filter(|tool| tool.read_only));
    if let Some(call) = safe.find_map(|tool| made(tool).ok()) {
        return Ok(vec![call]);
    }
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    bail!(
        "no tool says of itself that it only reads and has arguments that can be made, and calling others may change \
         something: name one with --tool, or write --calls FILE (there are {})",
        names.join(", ")
    )
}

/// What the null server is called with: the same where it has the tool, else as much text.
fn floor_calls(calls: &[Call], tools: &[Tool]) -> Vec<Call> {
    let same = |call: &Call| {
        let tool = tools.iter().find(|tool| tool.name == call.tool)?;
        let known = tool.input["properties"].as_object()?;
        let fits = tool.name != "wait" && call.arguments.keys().all(|name| known.contains_key(name));
        fits.then(|| Call { output: tool.output.clone(), expect: Expectation::default(), ..call.clone() })
    };
    let as_much = |call: &Call| {
        let length = Value::Object(call.arguments.clone()).to_string().len();
        let mut arguments = Map::new();
        arguments.insert("text".to_owned(), "x".repeat(length.saturating_sub(r#"{"text":""}"#.len())).into());
        Call {
            tool: "echo".to_owned(),
            weight: call.weight,
            arguments,
            expect: Expectation::default(),
            output: None,
        }
    };
    calls.iter().map(|call| same(call).unwrap_or_else(|| as_much(call))).collect()
}

fn headers(tools: &[Tool], calls: &[Call]) -> anyhow::Result<Vec<Vec<(String, String)>>> {
    let of = |call: &Call| {
        let schema = tools.iter().find(|tool| tool.name == call.tool).map(|tool| &tool.input);
        schema.map_or(Ok(Vec::new()), |schema| mirrored(schema, &call.arguments))
    };
    calls.iter().map(|call| of(call).map_err(|said| anyhow::anyhow!("tool {}: {said}", call.tool))).collect()
}
