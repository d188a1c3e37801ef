//! Getting to know a server: its era, its tools, and calls that it answers rightly.

use serde_json::{Map, Value};

use crate::latency::{Member, ServerFacts};
use crate::load::{Client, InProcess, Program, Session};
use crate::load_test::options::{Calls, Servers};
use crate::load_test::setup::Setup;
use crate::load_test::{Error, Named};
use crate::mcp::{
    Call, Era, Expectation, Fault, Mix, Protocol, Tool, arguments, find_tool, mirrored, parse_calls,
    with_payload,
};

/// How long a process may take for an exchange of calls in process.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// Calls that are made together, with the headers that each needs.
#[derive(Clone)]
pub(crate) struct CallSet {
    pub calls: Vec<Call>,
    mirrored: Vec<Vec<(String, String)>>,
}

/// What is known of a server after its first process.
#[derive(Clone)]
pub(crate) struct Known {
    pub member: Member,
    pub era: Era,
    pub tools: Vec<Tool>,
    /// One set of calls, or in a field one for each load.
    pub sets: Vec<CallSet>,
    /// Whether it times calls in its own process.
    pub in_process: bool,
    pub facts: ServerFacts,
}

/// Why a server could not be got to know.
pub(crate) enum Unknown {
    /// The server's own doing.
    Fault(Fault),
    /// Of whoever asked.
    Misuse(Error),
}

impl From<Fault> for Unknown {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for Unknown {
    fn from(error: Error) -> Self {
        Self::Misuse(error)
    }
}

impl Known {
    /// The same server with other calls.
    pub(crate) fn with_calls(&self, calls: Vec<Call>) -> Result<Self, Error> {
        Ok(Self { sets: vec![call_set(&self.tools, calls)?], ..self.clone() })
    }

    /// The first calls: all, where it is not a field.
    pub(crate) fn calls(&self) -> &[Call] {
        self.sets.first().map_or(&[], |set| &set.calls)
    }

    /// Whether it is a server: something that queues what is sent to it.
    pub(crate) fn is_served(&self) -> bool {
        !self.in_process && self.member != Member::Pipe
    }

    /// The first message of each set of calls.
    pub(crate) fn lines(&self, setup: &Setup) -> Vec<Vec<u8>> {
        let line = |set: &CallSet| {
            let mut line = Vec::new();
            let mut random = rand::SeedableRng::seed_from_u64(setup.options.seed);
            let _ = Mix::new(set.calls.clone(), &Protocol::proposed(self.era)).write(
                1,
                1,
                &mut random,
                &mut line,
            );
            line
        };
        self.sets.iter().map(line).collect()
    }

    /// Starts a process that times its own calls.
    pub(crate) fn timer(&self, setup: &Setup, launch: u32) -> Result<Result<InProcess, Fault>, Error> {
        let protocol = Protocol::proposed(self.era);
        let mixes = self.sets.iter().map(|set| Mix::new(set.calls.clone(), &protocol)).collect();
        let invocation = setup.in_process(self.member)?;
        let seed = setup.options.seed ^ u64::from(launch);
        Ok(InProcess::start(&invocation, mixes, self.era, seed, PATIENCE))
    }

    /// A floor that is not a server: the pipe, or the null server's calls in process, with the calls of `like`.
    pub(crate) fn floor(setup: &Setup, member: Member, like: &Self) -> Self {
        let in_process = member == Member::InProcess;
        let facts = ServerFacts {
            member,
            label: None,
            details: None,
            floor: setup.options.floor().map(|_| Member::NullServer),
            command: setup.shown(member),
            name: None,
            era: in_process.then_some(like.era),
            version: in_process.then(|| like.facts.version.clone()).flatten(),
            transport: if in_process { "in process" } else { "pipe" }.to_owned(),
            tools: 0,
            called: like.facts.called.clone(),
        };
        Self { member, in_process, facts, ..like.clone() }
    }

    /// Starts a process of it and agrees on what is known already.
    pub(crate) fn session(&self, setup: &Setup, launch: u32) -> Result<Result<Session, Fault>, Error> {
        self.session_of(setup, launch, &setup.program(self.member, Some(self.era))?)
    }

    /// The same with a program that starts it in another way.
    pub(crate) fn session_of(
        &self,
        setup: &Setup,
        launch: u32,
        program: &Program,
    ) -> Result<Result<Session, Fault>, Error> {
        Ok(Client::open(program).map(|client| {
            let set = |set: &CallSet| (Mix::new(set.calls.clone(), &client.protocol), set.mirrored.clone());
            let sets = self.sets.iter().map(set).collect();
            Session::new(client, sets, setup.options.seed ^ u64::from(launch))
        }))
    }

    /// Calls with text of so many bytes; `None` where no argument takes any.
    pub(crate) fn payload(&self, bytes: usize) -> Option<Vec<Call>> {
        let grown = self.calls().iter().map(|call| {
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
    let calls = match (like, setup.entry(member), &setup.options.servers) {
        (Some(known), ..) => known.sets.iter().map(|set| floor_calls(&set.calls, &tools)).collect(),
        (None, Some(entry), Servers::Field { field, .. }) => field.calls(&entry.name, &tools)?,
        (None, _, Servers::Named(named)) => vec![chosen(named, &tools)?],
        (None, None, Servers::Field { .. }) => Vec::new(),
    };
    let mut called: Vec<String> = Vec::new();
    for call in calls.iter().flatten() {
        if !called.contains(&call.tool) {
            called.push(call.tool.clone());
        }
    }
    let entry = setup.entry(member);
    let transport = if program.http.is_some() { "http" } else { "stdio" };
    let facts = ServerFacts {
        member,
        label: entry.map(|entry| entry.name.clone()).filter(|_| member != Member::Control),
        details: entry.and_then(|entry| entry.details.clone()),
        floor: floor_of(setup, member, program.http.is_some()),
        command: setup.shown(member),
        name: client.name.clone(),
        era: Some(client.protocol.era),
        version: Some(client.protocol.version.clone()),
        transport: transport.to_owned(),
        tools: tools.len(),
        called,
    };
    let era = client.protocol.era;
    client.end();
    let sets: Result<Vec<CallSet>, Error> = calls.into_iter().map(|calls| call_set(&tools, calls)).collect();
    Ok(Known { member, era, sets: sets?, tools, in_process: false, facts })
}

/// The floor of a server: the null server over the same kind of connection.
fn floor_of(setup: &Setup, member: Member, http: bool) -> Option<Member> {
    setup.options.floor()?;
    Some(match member {
        Member::NullHttp => member,
        _ if http && setup.options.field().is_some() => Member::NullHttp,
        _ => Member::NullServer,
    })
}

/// A server of a field that times its own calls: what it does is known from the first server.
pub(crate) fn learn_timer(setup: &Setup, member: Member, like: &Known) -> Known {
    let entry = setup.entry(member);
    let facts = ServerFacts {
        label: entry.map(|entry| entry.name.clone()),
        details: entry.and_then(|entry| entry.details.clone()),
        floor: setup.options.floor().map(|_| Member::InProcess),
        command: setup.shown(member),
        member,
        name: None,
        transport: "in process".to_owned(),
        ..like.facts.clone()
    };
    Known { member, in_process: true, facts, ..like.clone() }
}

fn call_set(tools: &[Tool], calls: Vec<Call>) -> Result<CallSet, Error> {
    Ok(CallSet { mirrored: headers(tools, &calls)?, calls })
}

/// Every tool that only reads and whose arguments can be made, or those that were named: one call each.
pub(crate) fn each_tool(setup: &Setup, known: &Known) -> Vec<Call> {
    let Some(named) = setup.options.named().filter(|named| matches!(named.calls, Calls::Safe)) else {
        return known.calls().to_vec();
    };
    let readable = known.tools.iter().filter(|tool| tool.read_only || tool.name == "echo");
    readable.filter_map(|tool| Some(call(named, tool, arguments(&tool.input).ok()?))).collect()
}

fn call(named: &Named, tool: &Tool, arguments: Map<String, Value>) -> Call {
    Call {
        tool: tool.name.clone(),
        weight: 1,
        arguments,
        expect: Expectation { text: named.expect.clone(), structured: None },
        output: tool.output.clone(),
    }
}

/// The calls that were asked for, of a server with these tools.
fn chosen(named: &Named, tools: &[Tool]) -> Result<Vec<Call>, Error> {
    if let Calls::Mix { file, text } = &named.calls {
        let mut calls = parse_calls(file, text, tools)?;
        for call in &mut calls {
            if call.expect.text.is_none() {
                call.expect.text.clone_from(&named.expect);
            }
        }
        return Ok(calls);
    }
    if tools.is_empty() {
        return Err(Error::options("the server has no tools: there is nothing to call"));
    }
    let made = |tool: &Tool| {
        let arguments =
            arguments(&tool.input).map_err(|said| Error::Options(format!("tool {}: {said}", tool.name)))?;
        Ok(call(named, tool, arguments))
    };
    if let Calls::Tools(names) = &named.calls {
        return names.iter().map(|name| made(find_tool(tools, name).map_err(Error::NoTool)?)).collect();
    }
    let safe = tools.iter().find(|tool| tool.name == "echo").into_iter();
    let mut safe = safe.chain(tools.iter().filter(|tool| tool.read_only));
    match safe.find_map(|tool| made(tool).ok()) {
        Some(call) => Ok(vec![call]),
        None => Err(Error::NothingSafe(tools.iter().map(|tool| tool.name.clone()).collect())),
    }
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

fn headers(tools: &[Tool], calls: &[Call]) -> Result<Vec<Vec<(String, String)>>, Error> {
    let of = |call: &Call| {
        let schema = tools.iter().find(|tool| tool.name == call.tool).map(|tool| &tool.input);
        schema.map_or(Ok(Vec::new()), |schema| mirrored(schema, &call.arguments))
    };
    let wrong = |tool: &str, said| Error::Options(format!("tool {tool}: {said}"));
    calls.iter().map(|call| of(call).map_err(|said| wrong(&call.tool, said))).collect()
}
