//! What the analysis says that a command writes and deletes, against what it is seen to write and delete.
//!
//! Commands of a corpus that is not part of the project run without a sandbox, each in a system of its own with files
//! of the names that it mentions; whatever is different afterwards has to be among what the analysis named.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bash_god::analysis::{Analysis, Context, PathPattern, analyse};
use serde::{Deserialize, Serialize};

use crate::coverage::covers;
use crate::ground::{HOME, LINKS, PROJECT, make_template};
use crate::inside::{is_present, skipped};
use crate::place::Place;
use crate::state::{Difference, Kind, State};
use crate::witnesses::end;

/// Long enough for the effects of a command on small files.
const TIME: Duration = Duration::from_millis(1_000);

/// One command in this many is run by the test; `-- differential 1` runs all.
pub const SHARE: usize = 40;

/// What came of a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comparison {
    pub command: String,
    /// Why it was not run.
    pub skipped: Option<String>,
    /// How many files it changed, made or removed.
    pub seen: usize,
    /// Those that the analysis does not name.
    pub missed: Vec<String>,
}

/// The commands of both parts of the corpus, or `None` with a line that says where they were looked for.
pub fn commands() -> Option<Vec<String>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("PERFLAB_SHARED_DATA").map_or(beside, PathBuf::from).join("nl2bash");
    let mut lines = BTreeSet::new();
    for name in ["train.tsv", "dev.tsv"] {
        let Ok(text) = fs::read_to_string(folder.join(name)) else {
            println!("skipped: no {name} in {}; PERFLAB_SHARED_DATA names its directory", folder.display());
            return None;
        };
        lines.extend(text.lines().filter_map(|line| line.split('\t').nth(1)).map(str::to_owned));
    }
    Some(lines.into_iter().collect())
}

/// Every command in `share` of the corpus; panics if the analysis missed anything.
pub fn what_is_seen_was_told(share: usize) {
    let Some(commands) = commands() else { return };
    let chosen: Vec<&str> = commands.iter().step_by(share).map(String::as_str).collect();
    let Some(output) = crate::bypass::inside("differential", &chosen.join("\n")) else { return };
    let found: Vec<Comparison> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), chosen.len(), "every command has an answer");
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in found.iter().filter_map(|each| each.skipped.as_deref()) {
        *reasons.entry(reason).or_insert(0) += 1;
    }
    let run = found.iter().filter(|each| each.skipped.is_none()).count();
    let changing = found.iter().filter(|each| each.seen > 0).count();
    let missed: Vec<&Comparison> = found.iter().filter(|each| !each.missed.is_empty()).collect();
    println!(
        "nl2bash: {run} of {} commands were run, {changing} of them changed files; not run: {reasons:?}; {} did more \
         than was reported",
        found.len(),
        missed.len()
    );
    let shown: Vec<String> =
        missed.iter().map(|each| format!("{}: {:?}", each.command, each.missed)).collect();
    assert!(missed.is_empty(), "{}", shown.join("\n"));
    assert!(run * 2 >= found.len() && changing * 20 >= run, "too few to say anything");
}

/// Runs the commands of a file, one a line; called in the namespaces.
pub fn inside(path: &Path, out: &mut impl Write) -> io::Result<()> {
    let template = PathBuf::from("/template");
    make_template(&template)?;
    for command in fs::read_to_string(path)?.lines() {
        let comparison =
            compare(command, &template).map_err(|error| io::Error::other(format!("{command}: {error}")))?;
        writeln!(out, "{}", serde_json::to_string(&comparison)?)?;
    }
    out.flush()
}

fn compare(command: &str, template: &Path) -> io::Result<Comparison> {
    let analysis = analyse(command, &Context::new(PROJECT, HOME));
    let mut comparison =
        Comparison { command: command.to_owned(), skipped: None, seen: 0, missed: Vec::new() };
    let first = analysis.commands.iter().map(|command| command.argv.first());
    let absent = first.flatten().any(|name| !name.contains(['$', '`', '/']) && !is_present(name));
    if !analysis.parsed {
        comparison.skipped = Some("it is not read alike by both parsers".to_owned());
        return Ok(comparison);
    }
    if absent {
        comparison.skipped = Some("a program is not there".to_owned());
        return Ok(comparison);
    }
    let place = Place::make(Path::new("/w"), template)?;
    fixtures(&place, &analysis)?;
    let skip = skips(&place);
    let before = State::of(&place.ground.path("/"), &skip)?;
    place.run(command, TIME)?;
    end(&BTreeSet::from([1]));
    let after = State::of(&place.ground.path("/"), &skip)?;
    let differences = before.differences_of_content(&after);
    let base = place.ground.path("/");
    let missed = unexplained(&differences, &base, &analysis);
    comparison.seen = differences.len();
    comparison.missed =
        missed.iter().map(|each| format!("{:?} {}", each.kind, each.path.display())).collect();
    Ok(comparison)
}

/// As for canaries, but the project counts.
fn skips(place: &Place) -> Vec<PathBuf> {
    let project = place.ground.path(PROJECT);
    skipped(&place.ground).into_iter().filter(|path| *path != project).collect()
}

/// Programs whose operand is a directory more often than a file.
const OF_FOLDERS: [&str; 10] = ["cd", "pushd", "find", "ls", "du", "tree", "rmdir", "rsync", "chdir", "diff"];

/// Files in many forms, and files and directories of the names that a command mentions.
fn fixtures(place: &Place, analysis: &Analysis) -> io::Result<()> {
    let old = std::time::SystemTime::now() - Duration::from_secs(400 * 86_400);
    for name in [
        "one.txt",
        "two words.txt",
        "c.log",
        "d.jpg",
        "e.php",
        "f.html",
        "g.py",
        "h.bak",
        "i.mp3",
        "core",
        "j~",
        "k.tmp",
    ] {
        for folder in ["", "folder/", "folder/deep/"] {
            let path = place.ground.path(PROJECT).join(folder).join(name);
            fs::create_dir_all(path.parent().unwrap_or(&path))?;
            fs::write(&path, format!("canary foo bar\n1 2 3\n{name}\n"))?;
            if folder == "folder/" {
                fs::File::options().write(true).open(&path)?.set_modified(old)?;
            }
        }
    }
    fs::create_dir_all(place.ground.path(PROJECT).join("empty/.svn"))?;
    for command in &analysis.commands {
        let of_folders = OF_FOLDERS.contains(&command.program());
        for (at, word) in
            command.argv.iter().enumerate().skip(1).filter(|(at, _)| !command.dynamic.contains(at))
        {
            let last = word.rsplit('/').next().unwrap_or_default();
            mention(place, word, word.ends_with('/') || of_folders && at < 3 && !last.contains('.'));
        }
    }
    Ok(())
}

/// Makes a file or a directory of this name, if it is one and it can be made.
fn mention(place: &Place, word: &str, folder: bool) {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/~+,@ ".contains(c);
    let is_name = !word.is_empty() && word.len() < 80 && !word.starts_with('-') && word.chars().all(plain);
    if !is_name || word.parse::<f64>().is_ok() || word.split('/').any(|part| part == "..") {
        return;
    }
    let path = match word.strip_prefix("~/") {
        Some(rest) => place.ground.path(HOME).join(rest),
        None if word.starts_with('/') => place.ground.path(word),
        None => place.ground.path(PROJECT).join(word),
    };
    // What lies in directories of the machine, or below a file, is left as it is.
    let own = ["usr", "bin", "sbin", "lib", "lib64", "proc", "dev", "sys"];
    if path.symlink_metadata().is_ok() || own.iter().any(|name| path.starts_with(place.ground.path(name))) {
        return;
    }
    // A name that cannot be made is left out: a command that needs it fails.
    let _ = if folder {
        fs::create_dir_all(path.join("below"))
            .and_then(|()| fs::write(path.join("below/inner.txt"), "canary\n"))
            .and_then(|()| fs::write(path.join("inner.txt"), "canary foo\n"))
    } else {
        fs::create_dir_all(path.parent().unwrap_or(&path))
            .and_then(|()| fs::write(&path, "canary foo bar\n1 2 3\nline\n"))
    };
}

/// The differences that the effects of no command explain.
fn unexplained<'a>(differences: &'a [Difference], base: &Path, analysis: &Analysis) -> Vec<&'a Difference> {
    let patterns = |each: fn(&bash_god::analysis::CommandEffects) -> &Vec<PathPattern>| {
        analysis.commands.iter().flat_map(each).map(|pattern| pattern.0.as_str()).collect::<Vec<&str>>()
    };
    let (writes, deletes) = (patterns(|command| &command.writes), patterns(|command| &command.deletes));
    let seen = |path: &Path| format!("/{}", path.strip_prefix(base).unwrap_or(path).display());
    let new: BTreeSet<String> =
        differences.iter().filter(|each| each.kind == Kind::New).map(|each| seen(&each.path)).collect();
    // It brings the times in its index up to date, unless that may not be written; what the index holds stays.
    let compares =
        analysis.commands.iter().any(|command| command.argv.starts_with(&["git".into(), "diff".into()]));
    let explained = |each: &&Difference| {
        let path = seen(&each.path);
        match each.kind {
            Kind::Gone => deletes.iter().any(|pattern| {
                Path::new(&path).ancestors().any(|above| covers(pattern, &above.to_string_lossy()))
            }),
            // What is written through a link is reported under the link's name: where it leads is not in the command.
            Kind::Changed => {
                let links = LINKS.iter().filter(|(_, target)| leads_to(target) == path);
                let mut names = links.map(|(name, _)| format!("{PROJECT}/{name}"));
                writes.iter().any(|pattern| covers(pattern, &path))
                    || path.ends_with("/.git/index") && compares
                    || names.any(|name| writes.iter().any(|pattern| covers(pattern, &name)))
            }
            // A directory on the way to what is written is made with it, and a new directory with what is in it.
            Kind::New => {
                writes.iter().any(|pattern| covers(pattern, &path) || each.directory && below(pattern, &path))
                    || Path::new(&path).ancestors().skip(1).any(|above| {
                        let above = above.to_string_lossy();
                        new.contains(above.as_ref()) && writes.iter().any(|pattern| covers(pattern, &above))
                    })
            }
        }
    };
    differences.iter().filter(|each| !explained(each)).collect()
}

/// Where a link of the project leads.
fn leads_to(target: &str) -> &str {
    match target {
        ".." => "/srv",
        "/proc/self/root" => "/",
        path => path,
    }
}

fn below(pattern: &str, folder: &str) -> bool {
    pattern.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}
