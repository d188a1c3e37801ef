//! Runs a script in the mind: which simple commands would run, with which arguments, where.

use std::rc::Rc;

use crate::analysis::Context;
use crate::analysis::effects;
use crate::analysis::expand::{self, Arg, Form};
use crate::analysis::limits::{MAX_COMMANDS, MAX_DEPTH};
use crate::analysis::outlook::{DIRECTORY, assigned, constant_output, count_calls, leaves};
use crate::analysis::paths;
use crate::analysis::scope::{Scope, Value};
use crate::analysis::syntax::script::{Connector, Node, Redirect, RedirectKind, Script, Simple, Unit, Word};
use crate::analysis::types::{CommandEffects, PathPattern, Risk, push_new};

/// What a command reads from its standard input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    /// Whatever the caller has.
    Inherited,
    /// This text.
    Text(String),
    /// A file.
    File(Arg),
    /// What another command writes; whether it came over a network.
    Pipe { network: bool },
}

/// How deep functions and nested command lines are followed; each level may hold a whole script.
const MAX_CALLS: usize = 8;

/// Walks over scripts and collects what their commands do.
pub(crate) struct Walker<'a> {
    pub(crate) context: &'a Context,
    pub(crate) scope: Scope,
    pub(crate) commands: Vec<CommandEffects>,
    /// Functions and command lines that enclose the present one.
    calls: usize,
    /// Where the commands of the present statement start.
    statement: usize,
    /// Commands that were looked at, in unrolled loops and calls too.
    steps: usize,
}

impl<'a> Walker<'a> {
    pub(crate) fn new(context: &'a Context) -> Self {
        let scope = Scope::new(&context.cwd, &context.home);
        Self { context, scope, commands: Vec::new(), calls: 0, statement: 0, steps: 0 }
    }

    /// Walks over a script in the present scope.
    pub(crate) fn script(&mut self, script: &Script, input: &Input) {
        let mut before_list: Option<Scope> = None;
        let mut previous = Connector::Sequence;
        for (node, connector) in &script.items {
            match previous {
                Connector::Sequence | Connector::Background => {
                    if let Some(before) = before_list.take() {
                        self.scope.merge(&before);
                    }
                }
                // The rest of the list runs only if what came before succeeded, so its effects are in place.
                Connector::And => {
                    before_list.get_or_insert_with(|| self.scope.clone());
                }
                Connector::Or if leaves(node) => {}
                Connector::Or => {
                    before_list.get_or_insert_with(|| self.scope.clone());
                }
            }
            if *connector == Connector::Background {
                self.apart(|walker| walker.node(node, input));
            } else if previous == Connector::Or && leaves(node) {
                self.apart(|walker| walker.node(node, input));
            } else {
                self.node(node, input);
            }
            previous = *connector;
        }
        if let Some(before) = before_list {
            self.scope.merge(&before);
        }
    }

    /// Does something that leaves no trace in the scope: a subshell.
    fn apart(&mut self, work: impl FnOnce(&mut Self)) {
        let scope = self.scope.clone();
        work(self);
        self.scope = scope;
    }

    /// Does something that may or may not happen.
    fn perhaps(&mut self, work: impl FnOnce(&mut Self)) {
        let before = self.scope.clone();
        work(self);
        self.scope.merge(&before);
    }

    fn node(&mut self, node: &Node, input: &Input) {
        if self.exhausted() {
            return;
        }
        match node {
            Node::Simple(simple) => self.simple(simple, input),
            Node::Pipeline(parts) => self.pipeline(parts, input),
            Node::Group(body) => self.script(body, input),
            Node::Subshell(body) => self.apart(|walker| walker.script(body, input)),
            Node::If { condition, branches } => {
                self.script(condition, input);
                for branch in branches {
                    self.perhaps(|walker| walker.script(branch, input));
                }
            }
            Node::Loop { condition, body } => {
                self.forget_assigned(&[condition, body]);
                self.perhaps(|walker| {
                    walker.script(condition, input);
                    walker.script(body, input);
                });
            }
            Node::For { variable, values, body } => self.for_each(variable, values.as_deref(), body, input),
            Node::ArithmeticFor { expressions, body } => {
                self.forget_assigned(&[body]);
                for expression in expressions {
                    self.arithmetic(expression);
                }
                self.perhaps(|walker| walker.script(body, input));
            }
            Node::Case { value, branches } => {
                self.substitutions(std::slice::from_ref(value));
                for (patterns, body) in branches {
                    self.substitutions(patterns);
                    self.perhaps(|walker| walker.script(body, input));
                }
            }
            Node::Function { name, body } => self.define(name, body),
            Node::Test(operands) => self.test(operands),
            Node::Arithmetic(expression) => self.arithmetic(expression),
            Node::Coprocess(body) => self.apart(|walker| walker.node(body, &Input::Pipe { network: false })),
            Node::Redirected(body, redirects) => {
                let mut effects = CommandEffects::default();
                let inner = self.redirects(redirects, &mut effects).unwrap_or_else(|| input.clone());
                self.finish(effects);
                self.node(body, &inner);
            }
        }
    }

    fn pipeline(&mut self, parts: &[Node], input: &Input) {
        let start = self.commands.len();
        let mut input = input.clone();
        for part in parts {
            self.apart(|walker| walker.node(part, &input));
            let network = self.commands[start..].iter().any(|command| command.network);
            input = match constant_output(part, &self.scope) {
                Some(text) => Input::Text(text),
                None => Input::Pipe { network },
            };
        }
    }

    fn for_each(&mut self, variable: &str, values: Option<&[Word]>, body: &Script, input: &Input) {
        self.substitutions(values.unwrap_or_default());
        match values.and_then(|words| expand::loop_values(words, &self.scope)) {
            Some(values) => {
                let before = self.scope.clone();
                for value in values {
                    self.scope.set(variable, value);
                    self.script(body, input);
                }
                self.scope.merge(&before);
            }
            None => {
                self.forget_assigned(&[body]);
                self.scope.set(variable, Value::Unknown);
                self.perhaps(|walker| walker.script(body, input));
            }
        }
    }

    /// Forgets every variable that a loop changes, because a later round sees what an earlier one left.
    fn forget_assigned(&mut self, bodies: &[&Script]) {
        let mut names = Vec::new();
        // A function may set anything.
        let mut everything = !self.scope.functions.is_empty();
        for body in bodies {
            everything |= assigned(body, &mut names);
        }
        if everything {
            names.extend(self.scope.variables.keys().cloned());
        }
        if everything || names.iter().any(|name| name == DIRECTORY) {
            self.scope.directory = None;
        }
        for name in names {
            self.scope.set(&name, Value::Unknown);
        }
    }

    fn define(&mut self, name: &str, body: &Node) {
        let mut calls_itself = 0;
        count_calls(body, name, &mut calls_itself);
        if calls_itself > 1 {
            let mut effects = CommandEffects { argv: vec![name.to_owned()], ..CommandEffects::default() };
            effects.other.push("starts processes without end".to_owned());
            effects.find(
                Risk::Critical,
                "A function that starts itself more than once fills the process table.",
            );
            self.commands.push(effects);
        }
        self.scope.functions.insert(name.to_owned(), Rc::new(body.clone()));
        // A function that nobody calls here may still be called by what runs later.
        self.steps += 1;
    }

    fn test(&mut self, operands: &[(Word, bool)]) {
        for (operand, numeric) in operands {
            self.substitutions(std::slice::from_ref(operand));
            if *numeric {
                self.evaluate(operand);
            }
        }
    }

    fn arithmetic(&mut self, expression: &Word) {
        self.substitutions(std::slice::from_ref(expression));
        if let Some((name, number)) = expression.raw.split_once('=') {
            let (name, value) = (name.trim(), Value::Known(number.trim().to_owned()));
            if is_number(&value) && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_') {
                return self.scope.set(name, value);
            }
        }
        self.evaluate(expression);
    }

    /// Arithmetic evaluates the text of variables, and with it the substitutions in their subscripts.
    fn evaluate(&mut self, expression: &Word) {
        let known = expression.units.iter().all(|unit| match unit {
            Unit::Plain('[') | Unit::Quoted('[') => false,
            Unit::Plain(_) | Unit::Quoted(_) | Unit::Arithmetic(_) => true,
            Unit::Parameter(parameter) => {
                is_number(&self.scope.value(&parameter.name)) || parameter.operator == "#"
            }
            Unit::Command(..) | Unit::Process(_) => false,
        });
        let names = expression.raw.split(|c: char| !c.is_alphanumeric() && c != '_');
        let bound =
            names.filter(|name| name.starts_with(|c: char| c.is_alphabetic() || c == '_')).all(|name| {
                // A name that this text does not set may hold anything.
                is_number(&self.scope.value(name)) || expression.raw.contains(&format!("${name}"))
            });
        if !(known && bound) {
            let mut effects = CommandEffects { argv: vec![], ..CommandEffects::default() };
            effects.doubt(format!(
                "Arithmetic on a value that is not known may run commands: `{}`.",
                expression.raw
            ));
            self.finish(effects);
        }
    }

    /// Walks over the commands inside words.
    fn substitutions(&mut self, words: &[Word]) {
        for word in words {
            let mut scripts = Vec::new();
            word.scripts(&mut scripts);
            for script in scripts {
                self.apart(|walker| walker.script(script, &Input::Inherited));
            }
        }
    }

    fn simple(&mut self, command: &Simple, input: &Input) {
        self.steps += 1;
        if self.exhausted() {
            return;
        }
        let outer = std::mem::replace(&mut self.statement, self.commands.len());
        self.substitutions(&command.words);
        let mut effects = CommandEffects::default();
        for assignment in &command.assignments {
            self.substitutions(assignment.value.as_slice());
            self.substitutions(&assignment.elements);
            effects::environment::assign(self, assignment, !command.words.is_empty(), &mut effects);
        }
        for word in
            command.words.iter().chain(command.assignments.iter().filter_map(|item| item.value.as_ref()))
        {
            self.expansions(word, &mut effects);
        }
        let input = self.redirects(&command.redirects, &mut effects).unwrap_or_else(|| input.clone());
        let mut args = Vec::with_capacity(command.words.len());
        for word in &command.words {
            args.extend(expand::arguments(word, &self.scope));
        }
        if args.is_empty() && !command.words.is_empty() {
            args.push(Arg::unknown(&command.words[0].raw));
        }
        self.run(&args, effects, &input);
        self.statement = outer;
    }

    /// Whether a substitution in the present statement uses a network.
    pub(crate) fn statement_uses_network(&self) -> bool {
        self.commands[self.statement..].iter().any(|command| command.network)
    }

    /// Expansions that evaluate text: `${!x}`, `${x@P}`, subscripts, arithmetic.
    fn expansions(&mut self, word: &Word, effects: &mut CommandEffects) {
        for unit in &word.units {
            match unit {
                Unit::Arithmetic(expression) => self.evaluate(expression),
                Unit::Parameter(parameter) => {
                    let operator = parameter.operator.as_str();
                    let operand = parameter.operand.raw.as_str();
                    let prompt = operator.ends_with('@') && operand.starts_with('P');
                    let subscript = operator.ends_with('[') && !matches!(operand, "@]" | "*]" | "0]");
                    if operator.starts_with('!') || prompt || subscript {
                        effects.doubt(format!(
                            "The expansion of `{}` evaluates a value that is not known.",
                            word.raw
                        ));
                    }
                }
                Unit::Plain(_) | Unit::Quoted(_) | Unit::Command(..) | Unit::Process(_) => {}
            }
        }
    }

    /// Adds what redirections read and write; the new standard input if they change it.
    fn redirects(&mut self, redirects: &[Redirect], effects: &mut CommandEffects) -> Option<Input> {
        let mut input = None;
        for redirect in redirects {
            self.substitutions(std::slice::from_ref(&redirect.target));
            let target = expand::value(&redirect.target, &self.scope);
            let standard_input = redirect.descriptor.unwrap_or(0) == 0;
            match redirect.kind {
                RedirectKind::Read => {
                    effects::touch(self, effects, effects::Access::Read, &target);
                    if standard_input {
                        let process =
                            redirect.target.units.iter().any(|unit| matches!(unit, Unit::Process(_)));
                        let network = self.commands.iter().any(|command| command.network);
                        input = Some(if process { Input::Pipe { network } } else { Input::File(target) });
                    }
                }
                RedirectKind::Write => effects::touch(self, effects, effects::Access::Write, &target),
                RedirectKind::ReadWrite => effects::touch(self, effects, effects::Access::Change, &target),
                RedirectKind::Duplicate => {
                    let descriptor = target.text.trim_end_matches('-');
                    if target.form != Form::Literal || !descriptor.bytes().all(|b| b.is_ascii_digit()) {
                        effects::touch(self, effects, effects::Access::Write, &target);
                    }
                }
                RedirectKind::HereDocument | RedirectKind::HereString => {
                    input = Some(match target.form {
                        Form::Literal => Input::Text(target.text),
                        Form::Glob | Form::Dynamic => Input::Pipe { network: false },
                    });
                }
            }
        }
        input
    }

    /// Runs a command from its arguments: directly, or for a program that starts another one.
    pub(crate) fn run(&mut self, args: &[Arg], mut effects: CommandEffects, input: &Input) {
        effects.argv = args.iter().map(|arg| arg.text.clone()).collect();
        effects.dynamic = (0..args.len()).filter(|at| args[*at].form != Form::Literal).collect();
        let Some((name, rest)) = args.split_first() else { return self.finish(effects) };
        let at = self.commands.len();
        // Its place is taken first, so that what runs inside of it comes after it.
        self.commands.push(CommandEffects::default());
        effects::apply(self, name, rest, input, &mut effects);
        effects::risk::grade(&mut effects, self.context);
        self.commands[at] = effects;
    }

    /// Runs a command inside another one.
    pub(crate) fn run_inner(&mut self, args: &[Arg], outer: &mut CommandEffects, input: &Input) {
        let line: Vec<&str> = args.iter().map(|arg| arg.text.as_str()).collect();
        push_new(&mut outer.executes, line.join(" "));
        if self.enter(outer) {
            self.run(args, CommandEffects::default(), input);
            self.calls -= 1;
        }
    }

    /// Runs text as a script inside another command.
    pub(crate) fn run_text(&mut self, text: &str, outer: &mut CommandEffects, input: &Input) {
        push_new(&mut outer.executes, text.to_owned());
        if !self.enter(outer) {
            return;
        }
        match crate::analysis::syntax::parse(text) {
            Ok(script) => self.apart(|walker| walker.script(&script, input)),
            Err(refusal) => {
                outer.touches_anything();
                outer.doubt(format!("The text that runs as a script is not understood: {}", refusal.0));
            }
        }
        self.calls -= 1;
    }

    /// Calls a function that this text defines.
    pub(crate) fn call(
        &mut self,
        body: &Rc<Node>,
        args: &[Arg],
        effects: &mut CommandEffects,
        input: &Input,
    ) {
        if self.enter(effects) {
            let outer = self.scope.arguments.replace(Rc::new(args.to_vec()));
            self.node(body, input);
            self.scope.arguments = outer;
            self.calls -= 1;
        }
    }

    fn enter(&mut self, effects: &mut CommandEffects) -> bool {
        if self.calls >= MAX_CALLS || self.exhausted() {
            effects.touches_anything();
            effects.doubt(format!("Calls are nested more than {MAX_CALLS} deep, or too many to follow."));
            return false;
        }
        self.calls += 1;
        true
    }

    /// Whether there are more commands than an answer holds.
    pub(crate) fn exhausted(&self) -> bool {
        self.steps > MAX_COMMANDS || self.commands.len() > MAX_COMMANDS + MAX_DEPTH
    }

    /// Keeps the effects of something that is not a command, if there are any.
    fn finish(&mut self, mut effects: CommandEffects) {
        effects::risk::grade(&mut effects, self.context);
        if effects != CommandEffects::default() {
            self.commands.push(effects);
        }
    }

    /// The pattern for an argument that names a file.
    pub(crate) fn path(&self, arg: &Arg) -> PathPattern {
        paths::pattern(arg, self.scope.directory.as_deref())
    }
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Known(text) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
}
