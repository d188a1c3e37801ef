//! Shell source as a tree that holds only what the analysis looks at.

/// A list of commands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    /// Each command with what stands between it and the next one.
    pub(crate) items: Vec<(Node, Connector)>,
}

/// What stands after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connector {
    /// `&&`
    And,
    /// `||`
    Or,
    /// `;`, a new line, or the end.
    Sequence,
    /// `&`
    Background,
}

/// One command.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// Words, assignments and redirections.
    Simple(Simple),
    /// Two or more commands joined with `|`.
    Pipeline(Vec<Node>),
    /// `{ …; }`
    Group(Script),
    /// `( … )`
    Subshell(Script),
    /// The condition, then every branch.
    If { condition: Script, branches: Vec<Script> },
    /// `while` and `until`.
    Loop { condition: Script, body: Script },
    /// `for NAME in WORDS`; without words the arguments of the function or shell.
    For { variable: String, values: Option<Vec<Word>>, body: Script },
    /// `for ((…))`
    ArithmeticFor { expressions: Vec<Word>, body: Script },
    /// The word that is compared, then each branch with its patterns.
    Case { value: Word, branches: Vec<(Vec<Word>, Script)> },
    /// A function; its body runs when it is called.
    Function { name: String, body: Box<Node> },
    /// The operands of `[[ … ]]`, with whether they are compared as numbers.
    Test(Vec<(Word, bool)>),
    /// `(( … ))`
    Arithmetic(Word),
    /// `coproc`
    Coprocess(Box<Node>),
    /// A compound command with redirections.
    Redirected(Box<Node>, Vec<Redirect>),
}

/// Words, assignments and redirections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Simple {
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) words: Vec<Word>,
    pub(crate) redirects: Vec<Redirect>,
}

/// `NAME=VALUE`
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    /// The value; absent for an array.
    pub(crate) value: Option<Word>,
    /// The words of an array, and its subscript.
    pub(crate) elements: Vec<Word>,
    /// `+=`
    pub(crate) append: bool,
    /// As it was written.
    pub(crate) raw: String,
}

/// How a redirection opens its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RedirectKind {
    /// `<`
    Read,
    /// `>`, `>>`, `>|`, `&>`, `&>>`
    Write,
    /// `<>`
    ReadWrite,
    /// `<&` and `>&`
    Duplicate,
    /// `<<`
    HereDocument,
    /// `<<<`
    HereString,
}

/// A redirection.
#[derive(Clone, Debug)]
pub(crate) struct Redirect {
    pub(crate) kind: RedirectKind,
    /// The file, descriptor or text.
    pub(crate) target: Word,
    /// The descriptor that it changes, where the text names one.
    pub(crate) descriptor: Option<i32>,
}

/// A word as it was written, and as the units that it consists of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Word {
    pub(crate) raw: String,
    pub(crate) units: Vec<Unit>,
}

impl Word {
    /// A word that means itself.
    pub(crate) fn literal(text: &str) -> Self {
        Self { raw: text.to_owned(), units: text.chars().map(Unit::Quoted).collect() }
    }

    /// The text, if every character of it is known without running anything.
    pub(crate) fn fixed(&self) -> Option<String> {
        self.units
            .iter()
            .map(|unit| match unit {
                Unit::Plain(c) | Unit::Quoted(c) => Some(*c),
                Unit::Parameter(_) | Unit::Command(..) | Unit::Process(_) | Unit::Arithmetic(_) => None,
            })
            .collect()
    }

    /// The scripts inside: substitutions of commands and processes, at any depth.
    pub(crate) fn scripts<'a>(&'a self, out: &mut Vec<&'a Script>) {
        for unit in &self.units {
            match unit {
                Unit::Plain(_) | Unit::Quoted(_) => {}
                Unit::Parameter(parameter) => parameter.operand.scripts(out),
                Unit::Arithmetic(expression) => expression.scripts(out),
                Unit::Command(script, _) | Unit::Process(script) => out.push(script),
            }
        }
    }
}

/// A part of a word. The rare parts are boxed, so that a word costs little more than its characters.
#[derive(Clone, Debug)]
pub(crate) enum Unit {
    /// A character on which the shell still acts: globs, braces, tilde.
    Plain(char),
    /// A character that means itself.
    Quoted(char),
    /// `$name` and `${name…}`
    Parameter(Box<Parameter>),
    /// `$(…)` and backquotes; whether in double quotes.
    Command(Box<Script>, bool),
    /// `<(…)` and `>(…)`
    Process(Box<Script>),
    /// `$((…))` and `$[…]`
    Arithmetic(Box<Word>),
}

/// The expansion of a parameter.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    /// The name, or a special character such as `@`.
    pub(crate) name: String,
    /// What is done with it: empty, `:-`, `#` (length), `!` (indirect), `@`, `/` …
    pub(crate) operator: String,
    /// The word after the operator.
    pub(crate) operand: Word,
    /// Whether it stands in double quotes.
    pub(crate) quoted: bool,
}
