//! Arguments told apart into options, their values, and operands.

use crate::analysis::effects::table::{Role, Spec};
use crate::analysis::expand::{Arg, Form};

/// An option as it was given.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// With its dashes: `-n`, `--lines`.
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) value: Option<Arg>,
}

/// The arguments of one program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) options: Vec<Given>,
    pub(crate) operands: Vec<Arg>,
    /// What is unknown, one sentence each.
    pub(crate) doubts: Vec<String>,
    /// How many arguments were read; fewer than given if operands end the options.
    pub(crate) read: usize,
}

impl Arguments {
    /// Whether one of these options is given.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        self.options.iter().any(|option| names.contains(&option.name.as_str()))
    }
}

/// Tells arguments apart. With `stop`, the first operand ends the options.
pub(crate) fn read(args: &[Arg], spec: &Spec, stop: bool) -> Arguments {
    let mut out = Arguments::default();
    let mut at = 0;
    let mut only_operands = false;
    while let Some(arg) = args.get(at) {
        at += 1;
        if !only_operands && arg.may_be_option() {
            // A name or a value that starts with a dash would be taken for an option.
            if !spec.open || has_effect(spec, arg.form) {
                let what = if arg.form == Form::Glob { "A file name" } else { "A value" };
                out.doubts.push(format!("{what} of `{}` may be an option.", arg.text));
            }
            out.operands.push(arg.clone());
        } else if only_operands || !arg.prefix.starts_with('-') || arg.text == "-" {
            out.operands.push(arg.clone());
            if stop {
                break;
            }
        } else if arg.as_literal() == Some("--") {
            only_operands = true;
        } else if arg.prefix.starts_with("--") || spec.single {
            long(arg, args, &mut at, spec, &mut out);
        } else {
            cluster(arg, args, &mut at, spec, &mut out);
        }
    }
    out.read = at;
    out
}

/// Whether a listed option of a program does something that its operands do not. The name of a file that is
/// taken for an option can name files of the same directory only.
fn has_effect(spec: &Spec, form: Form) -> bool {
    spec.options.iter().any(|(_, role)| match role {
        Role::Flag | Role::Ignored | Role::Attached | Role::TwoIgnored => false,
        Role::Read => form == Form::Dynamic,
        _ => true,
    })
}

fn long(arg: &Arg, args: &[Arg], at: &mut usize, spec: &Spec, out: &mut Arguments) {
    let (name, attached) = match arg.prefix.split_once('=') {
        Some((name, _)) => (name.to_owned(), arg.strip(&format!("{name}="))),
        None if arg.form == Form::Literal => (arg.text.clone(), None),
        None => return out.doubts.push(format!("`{}` may be any option.", arg.text)),
    };
    match spec.long_option(&name) {
        None if spec.open => out.options.push(Given { name, role: Role::Flag, value: None }),
        None => out.doubts.push(format!("The option `{name}` is not described.")),
        Some(role @ (Role::Flag | Role::Attached | Role::Danger)) => give(out, name, role, attached),
        Some(role) => {
            let value = attached.or_else(|| next(args, at));
            if role == Role::TwoIgnored {
                next(args, at);
            }
            give(out, name, role, value);
        }
    }
}

fn give(out: &mut Arguments, name: String, role: Role, value: Option<Arg>) {
    if role == Role::Danger {
        out.doubts.push(format!("The option `{name}` can run or change anything."));
    }
    out.options.push(Given { name, role, value });
}

fn next(args: &[Arg], at: &mut usize) -> Option<Arg> {
    let value = args.get(*at).cloned();
    *at += usize::from(value.is_some());
    value
}

fn cluster(arg: &Arg, args: &[Arg], at: &mut usize, spec: &Spec, out: &mut Arguments) {
    let mut from = 1;
    while let Some(letter) = arg.prefix[from..].chars().next() {
        let name = format!("-{letter}");
        let end = from + letter.len_utf8();
        let rest = arg.strip(&arg.prefix[..end]).filter(|rest| !rest.text.is_empty());
        from = end;
        match spec.option(&name) {
            // A word like `-Wall` or `-std=c99` is one option of some programs.
            None if from == 2 && spec.option(&arg.prefix).is_some() => {
                return give(out, arg.prefix.clone(), Role::Flag, None);
            }
            None if spec.open => out.options.push(Given { name, role: Role::Flag, value: None }),
            None => return out.doubts.push(format!("The option `{name}` is not described.")),
            Some(role @ (Role::Flag | Role::Danger)) => give(out, name, role, None),
            Some(Role::Attached) => return give(out, name, Role::Attached, rest),
            Some(role) => {
                let value = rest.or_else(|| next(args, at));
                return give(out, name, role, value);
            }
        }
    }
    if arg.form != Form::Literal {
        out.doubts.push(format!("`{}` may be any option.", arg.text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::effects::table::find;

    fn arguments(program: &str, words: &[&str]) -> Arguments {
        let args: Vec<Arg> = words.iter().map(|word| Arg::literal(*word)).collect();
        read(&args, find(program).unwrap(), false)
    }

    #[test]
    fn options_values_and_operands_are_told_apart() {
        let out = arguments("sort", &["-rno", "out", "-k2", "a", "--", "-b"]);
        let names: Vec<&str> = out.options.iter().map(|option| option.name.as_str()).collect();
        assert_eq!(names, ["-r", "-n", "-o", "-k"]);
        assert_eq!(out.options[2].value.as_ref().unwrap().text, "out");
        assert_eq!(out.operands.len(), 2);
        assert!(out.doubts.is_empty());
    }

    #[test]
    fn an_option_that_is_not_described_is_a_doubt() {
        assert!(arguments("rm", &["--shred", "a"]).doubts[0].contains("--shred"));
        assert!(arguments("git", &["-c", "core.pager=x"]).doubts[0].contains("-c"));
    }

    #[test]
    fn a_name_that_may_be_an_option_is_a_doubt_where_options_matter() {
        let glob = Arg { text: "*".into(), form: Form::Glob, prefix: String::new(), splits: true };
        assert!(!read(std::slice::from_ref(&glob), find("sort").unwrap(), false).doubts.is_empty());
        assert!(read(std::slice::from_ref(&glob), find("cat").unwrap(), false).doubts.is_empty());
        let after = [Arg::literal("--"), glob];
        assert!(read(&after, find("sort").unwrap(), false).doubts.is_empty());
    }
}
