//! `tar` and `dd`, whose arguments do not look like those of other programs.

use crate::analysis::effects::{Access, Call, touch, touch_below};
use crate::analysis::expand::{Arg, Form};
use crate::analysis::types::{CommandEffects, Risk, push_new};
use crate::analysis::walk::Walker;

/// Long options without an effect on other files.
const HARMLESS: &[&str] = &[
    "--list",
    "--create",
    "--extract",
    "--get",
    "--append",
    "--update",
    "--verbose",
    "--gzip",
    "--bzip2",
    "--xz",
    "--zstd",
    "--gunzip",
    "--keep-old-files",
    "--skip-old-files",
    "--overwrite",
    "--preserve-permissions",
    "--same-owner",
    "--no-same-owner",
    "--numeric-owner",
    "--totals",
    "--wildcards",
    "--no-recursion",
    "--dereference",
    "--one-file-system",
    "--auto-compress",
    "--no-same-permissions",
    "--sparse",
    "--test-label",
    "--diff",
    "--compare",
    "--full-time",
];

/// Long options with an attached value and no further effect.
const VALUED: &[&str] = &[
    "--exclude=",
    "--strip-components=",
    "--transform=",
    "--xform=",
    "--owner=",
    "--group=",
    "--mode=",
    "--mtime=",
    "--format=",
    "--sort=",
    "--label=",
];

#[derive(Default)]
struct Tar {
    mode: Option<char>,
    archive: Option<Arg>,
    target: Option<Arg>,
    operands: Vec<Arg>,
    removes: bool,
}

/// Adds what `tar` does.
pub(crate) fn apply(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    if call.asks_about_itself() {
        return;
    }
    let mut tar = Tar::default();
    let mut args = call.args.iter();
    let mut first = true;
    while let Some(arg) = args.next() {
        let text = arg.prefix.as_str();
        if arg.may_be_option() {
            effects.touches_anything();
            effects.doubt(format!("A name or value of `{}` may be an option that runs a command.", arg.text));
            tar.operands.push(arg.clone());
        } else if let Some(long) = text.strip_prefix("--") {
            self::long(&mut tar, long, arg, &mut args, effects);
        } else if text.starts_with('-') || first {
            cluster(&mut tar, arg, &mut args, effects);
        } else {
            tar.operands.push(arg.clone());
        }
        first = false;
    }
    tar.finish(walker, effects);
}

fn long(
    tar: &mut Tar,
    long: &str,
    arg: &Arg,
    args: &mut std::slice::Iter<'_, Arg>,
    effects: &mut CommandEffects,
) {
    let text = format!("--{long}");
    match text.as_str() {
        "--list" => tar.mode = Some('t'),
        "--create" => tar.mode = Some('c'),
        "--extract" | "--get" => tar.mode = Some('x'),
        "--append" | "--update" => tar.mode = Some('r'),
        "--diff" | "--compare" => tar.mode = Some('d'),
        "--file" => tar.archive = args.next().cloned(),
        "--directory" => tar.target = args.next().cloned(),
        "--remove-files" => tar.removes = true,
        "--exclude" => {
            args.next();
        }
        _ if text.starts_with("--file=") => tar.archive = arg.strip("--file="),
        _ if text.starts_with("--directory=") => tar.target = arg.strip("--directory="),
        _ if HARMLESS.contains(&text.as_str()) || VALUED.iter().any(|start| text.starts_with(start)) => {}
        _ => {
            effects.touches_anything();
            effects.doubt(format!("The option `{text}` can run or change anything."));
            effects.find(Risk::High, "An option of tar can run commands.");
        }
    }
}

fn cluster(tar: &mut Tar, arg: &Arg, args: &mut std::slice::Iter<'_, Arg>, effects: &mut CommandEffects) {
    let letters = arg.prefix.trim_start_matches('-');
    let dashed = arg.prefix.starts_with('-');
    for (at, letter) in letters.char_indices() {
        match letter {
            'c' | 'x' | 't' | 'r' | 'u' | 'd' => tar.mode = Some(if letter == 'u' { 'r' } else { letter }),
            'v' | 'z' | 'j' | 'J' | 'a' | 'p' | 'k' | 'h' | 'm' | 'o' | 'O' | 'w' | 'S' | 'U' | 'Z' => {}
            'f' | 'C' => {
                let rest = arg.strip(&arg.prefix[..arg.prefix.len() - letters.len() + at + 1]);
                let attached = rest.filter(|rest| dashed && !rest.text.is_empty());
                let done = attached.is_some();
                let value = attached.or_else(|| args.next().cloned());
                *(if letter == 'f' { &mut tar.archive } else { &mut tar.target }) = value;
                if done {
                    return;
                }
            }
            _ => {
                effects.touches_anything();
                effects.doubt(format!("The option `-{letter}` of tar can run or change anything."));
            }
        }
    }
    if arg.form != Form::Literal {
        effects.touches_anything();
        effects.doubt(format!("`{}` may be any option.", arg.text));
    }
}

impl Tar {
    fn finish(self, walker: &Walker<'_>, effects: &mut CommandEffects) {
        if let Some(archive) = self.archive.as_ref().filter(|archive| archive.text != "-") {
            if archive.prefix.contains(':') {
                // GNU tar takes `host:file` for an archive on another host.
                effects.network = true;
                effects.doubt(format!("`{}` names another host.", archive.text));
            }
            let access = match self.mode {
                Some('c') => Access::Write,
                Some('r') => Access::Change,
                Some(_) | None => Access::Read,
            };
            touch(walker, effects, access, archive);
        }
        match self.mode {
            Some('x') => {
                let target = self.target.unwrap_or_else(|| Arg::literal("."));
                touch_below(walker, effects, Access::Write, &target);
                effects.find(Risk::Medium, "It writes the files that the archive names.");
            }
            Some('c' | 'r' | 'd') => {
                let base = self.target.as_ref().and_then(Arg::as_literal);
                for operand in &self.operands {
                    let operand = match base {
                        Some(base) if !operand.prefix.starts_with('/') => {
                            let join = |text: &str| format!("{base}/{text}");
                            Arg {
                                text: join(&operand.text),
                                prefix: join(&operand.prefix),
                                ..operand.clone()
                            }
                        }
                        Some(_) | None => operand.clone(),
                    };
                    touch_below(walker, effects, Access::Read, &operand);
                    if self.removes {
                        touch_below(walker, effects, Access::Delete, &operand);
                    }
                }
            }
            Some('t') => {}
            Some(_) | None => {
                effects.touches_anything();
                effects.doubt("What tar shall do is not clear.");
            }
        }
    }
}

/// `dd`: `if=` is read, `of=` is written.
pub(crate) fn dd(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    if call.asks_about_itself() {
        return;
    }
    for arg in call.args {
        let key = arg.prefix.split('=').next().unwrap_or("");
        match key {
            "if" | "of" if arg.prefix.contains('=') => {
                let access = if key == "if" { Access::Read } else { Access::Write };
                if let Some(file) = arg.strip(&format!("{key}=")) {
                    touch(walker, effects, access, &file);
                }
            }
            "bs" | "ibs" | "obs" | "cbs" | "count" | "skip" | "seek" | "status" | "conv" | "iflag"
            | "oflag" => {}
            _ => {
                effects.touches_anything();
                effects.doubt(format!("The operand `{}` of dd is not described.", arg.text));
            }
        }
    }
    if !effects.writes.is_empty() {
        push_new(&mut effects.other, "overwrites a file from its start".to_owned());
        effects.find(Risk::Medium, "It overwrites a file from its start.");
    }
}
