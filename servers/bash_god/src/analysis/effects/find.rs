//! `find`: its tests are harmless, some of its actions are not.

use crate::analysis::effects::{Access, Call, touch, touch_below};
use crate::analysis::expand::{Arg, Form};
use crate::analysis::paths;
use crate::analysis::types::{CommandEffects, Risk};
use crate::analysis::walk::{Input, Walker};

/// Tests and options without a value.
const PLAIN: &[&str] = &[
    "-print",
    "-print0",
    "-ls",
    "-prune",
    "-quit",
    "-empty",
    "-readable",
    "-writable",
    "-executable",
    "-nouser",
    "-nogroup",
    "-true",
    "-false",
    "-and",
    "-or",
    "-not",
    "-a",
    "-o",
    "-daystart",
    "-depth",
    "-d",
    "-follow",
    "-mount",
    "-xdev",
    "-noleaf",
    "-warn",
    "-nowarn",
    "-H",
    "-L",
    "-P",
    "-X",
    "-x",
    "-E",
    "-ignore_readdir_race",
    "-noignore_readdir_race",
    "(",
    ")",
    "!",
    ",",
];

/// Tests and options with one value.
const VALUED: &[&str] = &[
    "-name",
    "-iname",
    "-path",
    "-ipath",
    "-wholename",
    "-iwholename",
    "-regex",
    "-iregex",
    "-regextype",
    "-type",
    "-xtype",
    "-size",
    "-mtime",
    "-ctime",
    "-atime",
    "-mmin",
    "-cmin",
    "-amin",
    "-perm",
    "-user",
    "-group",
    "-uid",
    "-gid",
    "-maxdepth",
    "-mindepth",
    "-links",
    "-inum",
    "-used",
    "-fstype",
    "-lname",
    "-ilname",
    "-context",
    "-printf",
    "-D",
    "-newermt",
    "-newerct",
    "-newerat",
    "-newerBt",
    "-flags",
];

/// Tests whose value is a file.
const FILES: &[&str] = &["-newer", "-anewer", "-cnewer", "-samefile", "-files0-from", "-newermm", "-newerBB"];

/// Starts whose effects are told apart; with more of them anything may be touched.
const MOST_STARTS: usize = 16;

struct Find<'a, 'b> {
    args: &'a [Arg],
    at: usize,
    /// Whether the present place holds the value of a test.
    starts: Vec<Arg>,
    effects: &'b mut CommandEffects,
}

/// Adds what `find` does.
pub(crate) fn apply(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    if call.asks_about_itself() {
        return;
    }
    let options = call.args.iter().take_while(|arg| matches!(arg.text.as_str(), "-H" | "-L" | "-P")).count();
    let expression = call.args[options..]
        .iter()
        .position(|arg| arg.prefix.starts_with(['-', '(', '!']))
        .map_or(call.args.len(), |at| at + options);
    let mut starts = call.args[options..expression].to_vec();
    for start in starts.iter().filter(|start| start.may_be_option()) {
        // The name of a file or a value may be `-delete`.
        effects.touches_anything();
        effects.doubt(format!("A value of `{}` may be an action.", start.text));
    }
    if starts.is_empty() {
        starts.push(Arg::literal("."));
    }
    for start in &starts {
        touch_below(walker, effects, Access::Read, start);
    }
    let mut find = Find { args: call.args, at: expression, starts, effects };
    while let Some(arg) = find.next() {
        find.term(walker, &arg);
    }
}

impl Find<'_, '_> {
    fn next(&mut self) -> Option<Arg> {
        let arg = self.args.get(self.at).cloned();
        self.at += usize::from(arg.is_some());
        arg
    }

    fn term(&mut self, walker: &mut Walker<'_>, arg: &Arg) {
        let Some(text) = arg.as_literal() else {
            self.effects.touches_anything();
            return self.effects.doubt(format!("A value of `{}` may be an action.", arg.text));
        };
        match text {
            "-delete" => {
                for start in &self.starts {
                    touch_below(walker, self.effects, Access::Delete, start);
                }
                self.effects.find(Risk::High, "It deletes every file that it finds.");
            }
            "-exec" | "-execdir" | "-ok" | "-okdir" => self.execute(walker),
            "-fprint" | "-fprint0" | "-fls" | "-fprintf" => {
                if let Some(file) = self.next() {
                    touch(walker, self.effects, Access::Write, &file);
                }
                if text == "-fprintf" {
                    self.next();
                }
            }
            _ if PLAIN.contains(&text) || text.starts_with("-O") => {}
            _ if VALUED.contains(&text) => {
                if self.next().is_some_and(|value| value.splits && value.form == Form::Dynamic) {
                    self.effects
                        .doubt(format!("The value of `{text}` may be several words, one of them an action."));
                }
            }
            _ if FILES.contains(&text) => {
                if let Some(file) = self.next() {
                    touch(walker, self.effects, Access::Read, &file);
                }
            }
            _ => {
                self.effects.touches_anything();
                self.effects.doubt(format!("`{text}` is not described."));
            }
        }
    }

    fn execute(&mut self, walker: &mut Walker<'_>) {
        let rest = &self.args[self.at..];
        let end = rest
            .iter()
            .enumerate()
            .position(|(at, arg)| arg.text == ";" || arg.text == "+" && at > 0 && rest[at - 1].text == "{}")
            .unwrap_or(rest.len());
        let command = rest[..end].to_vec();
        let names_found = command.iter().any(|arg| arg.text == "{}");
        let together = rest.get(end).is_some_and(|arg| arg.text == "+");
        self.at += (end + 1).min(rest.len());
        self.effects.doubt("`find` starts a program for each file that it finds.");
        // What an argument is depends on its place: what is found below each start may come last.
        let mut alternatives = self.starts.len();
        if names_found && alternatives > MOST_STARTS {
            self.effects.touches_anything();
            self.effects.doubt("It starts in more directories than are told apart.");
            alternatives = 1;
        }
        for last in 0..alternatives {
            let mut starts = self.starts.clone();
            starts.rotate_left((last + 1) % self.starts.len());
            let found = if together { &starts[..] } else { &starts[starts.len() - 1..] };
            let command: Vec<Arg> = command.iter().flat_map(|arg| Self::found(found, arg)).collect();
            walker.run_inner(&command, self.effects, &Input::Inherited);
            if !names_found {
                break;
            }
        }
    }

    /// `{}` stands for any file below the starts; inside of a longer word it is not known.
    fn found(starts: &[Arg], arg: &Arg) -> Vec<Arg> {
        if arg.text == "{}" {
            let below = |start: &Arg| match start.form {
                Form::Dynamic => Arg { splits: false, ..Arg::unknown("{}") },
                Form::Literal | Form::Glob => {
                    let start = if start.form == Form::Literal {
                        paths::escape(&start.text)
                    } else {
                        start.text.clone()
                    };
                    let start = start.trim_end_matches('/');
                    Arg {
                        text: format!("{start}/**"),
                        form: Form::Glob,
                        prefix: format!("{start}/"),
                        splits: false,
                    }
                }
            };
            return starts.iter().map(below).collect();
        }
        if arg.text.contains("{}") {
            return vec![Arg { splits: false, ..Arg::unknown(&arg.text) }];
        }
        vec![arg.clone()]
    }
}
