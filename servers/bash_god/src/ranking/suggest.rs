//! Commands for a task in words.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;

use crate::catalogue::{Catalogue, Needs, Risk};
use crate::ranking::features::{Detail, Feature, features};
use crate::ranking::gate::Replay;
use crate::ranking::index::Index;
use crate::ranking::model::{Model, Pair, Ranker};
use crate::ranking::shape;

/// Where a suggestion comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The catalogue.
    Catalogue,
    /// The person's own history.
    History,
}

/// A command for a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// The command with what the task named, else with defaults and examples.
    pub command: String,
    /// The template it was made from; of a command of the history, its shape.
    pub template: String,
    /// The program that it runs first.
    pub program: String,
    /// 0 to 1; comparable within one answer only.
    pub score: f32,
    /// Where it comes from.
    pub source: Source,
    /// The entry of the catalogue.
    pub id: Option<String>,
    /// What the command does; of a command of the history, the task it was for.
    pub says: String,
    /// Parameters that the task named no value for.
    pub assumed: Vec<String>,
    /// What the command can do to what is there, where the catalogue says so.
    pub risk: Option<Risk>,
    /// What it cannot do without.
    pub needs: Needs,
}

/// The programs that a host offers.
#[derive(Clone, Debug, Default)]
pub struct HostPrograms {
    names: BTreeSet<String>,
}

/// What bash runs itself.
const BUILTINS: &[&str] = &[
    "[", "alias", "bg", "cd", "command", "declare", "dirs", "echo", "eval", "exec", "export", "false", "fg",
    "getopts", "hash", "help", "history", "jobs", "kill", "let", "popd", "printf", "pushd", "pwd", "read",
    "set", "shopt", "source", "test", "times", "trap", "true", "type", "ulimit", "umask", "unalias", "unset",
    "wait",
];

impl HostPrograms {
    /// The executable files of the directories of `path`, as `PATH` lists them, and what bash runs itself.
    /// Directories that cannot be read are passed over.
    pub fn on_path(path: &OsStr) -> Self {
        let mut names: BTreeSet<String> = BUILTINS.iter().map(|name| (*name).to_owned()).collect();
        for entry in
            std::env::split_paths(path).filter_map(|folder| folder.read_dir().ok()).flatten().flatten()
        {
            let runs = |entry: &std::fs::DirEntry| {
                let metadata = entry.path().metadata().ok()?;
                (metadata.is_file() && metadata.permissions().mode() & 0o111 != 0).then_some(())
            };
            if runs(&entry).is_some() {
                names.extend(entry.file_name().into_string().ok());
            }
        }
        Self { names }
    }

    /// Just these programs.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self { names: names.into_iter().map(str::to_owned).collect() }
    }

    /// Whether the host has all of these programs.
    pub fn has_all(&self, programs: &[String]) -> bool {
        programs.iter().all(|program| self.names.contains(program))
    }
}

/// A command of the person's history, as far as suggestions need it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Past {
    /// What was asked for; empty where nobody said.
    pub task: String,
    /// The command line.
    pub command: String,
    /// Whether it ended well, or the person said that it was right; None where neither is known.
    pub good: Option<bool>,
}

/// What a history adds to suggestions: its commands, and what was learned from them if a replay shows that
/// it helps.
#[derive(Clone, Debug)]
pub struct Experience {
    pasts: Vec<Distinct>,
    index: Index,
    model: Option<Model>,
    replay: Replay,
}

/// A command that was run, once or more often.
#[derive(Clone, Debug)]
struct Distinct {
    task: String,
    command: String,
    shape: String,
    programs: Vec<String>,
    runs: u32,
    failures: u32,
}

/// How many of the newest commands with a task are learned from: more would take seconds to replay.
pub const MOST_LEARNED: usize = 1_000;
/// How much of the score the learned ranking decides when the gate is open.
const LEARNED_SHARE: f32 = 0.3;
/// How much the whole description of an entry counts beside its nearest phrase.
const WHOLE_SHARE: f32 = 0.5;

impl Experience {
    /// Reads a history, oldest first. Replays and trains on up to [`MOST_LEARNED`] commands, which takes long
    /// enough to be done outside of an answer.
    pub fn new(history: &[Past]) -> Self {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut pasts: Vec<Distinct> = Vec::new();
        for past in history {
            let programs = shape::programs(&past.command);
            if programs.is_empty() {
                continue;
            }
            let at = *places.entry(&past.command).or_insert_with(|| {
                let (task, command) = (String::new(), past.command.clone());
                pasts.push(Distinct {
                    task,
                    shape: shape::template(&command),
                    command,
                    programs,
                    runs: 0,
                    failures: 0,
                });
                pasts.len() - 1
            });
            pasts[at].runs += 1;
            pasts[at].failures += u32::from(past.good == Some(false));
            if !past.task.is_empty() {
                pasts[at].task.clone_from(&past.task);
            }
        }
        let texts: Vec<Vec<Feature>> =
            pasts.iter().map(|past| described(&past.task, &past.command)).collect();
        let taught: Vec<Pair> = history
            .iter()
            .filter(|past| !past.task.is_empty() && past.good != Some(false))
            .map(|past| Pair { request: past.task.clone(), command: past.command.clone() })
            .collect();
        let taught = &taught[taught.len().saturating_sub(MOST_LEARNED)..];
        let replay = Replay::of(taught);
        let model = replay.open().then(|| Model::train(taught));
        Self { pasts, index: Index::new(texts.iter().map(Vec::as_slice)), model, replay }
    }

    /// What the replay of the history showed.
    pub fn replay(&self) -> &Replay {
        &self.replay
    }

    /// The learned chance of each shape for a task, where the gate is open.
    fn chances(&self, task: &str) -> BTreeMap<String, f32> {
        let templates = self.model.as_ref().map(|model| model.templates(task)).unwrap_or_default();
        templates.into_iter().map(|ranked| (ranked.name, ranked.score)).collect()
    }
}

fn described(task: &str, command: &str) -> Vec<Feature> {
    features(&format!("{task} {command}"), Detail::Full)
}

/// The catalogue with what is needed to search it.
#[derive(Clone, Debug)]
pub struct Suggester<'a> {
    catalogue: &'a Catalogue,
    /// Every phrase of every entry on its own, and the entry each belongs to.
    phrases: Index,
    owners: Vec<usize>,
    /// Every entry as a whole: its phrases, programs and area.
    whole: Index,
    /// The shape of every entry's example, as a history knows commands.
    shapes: Vec<String>,
}

impl<'a> Suggester<'a> {
    /// Indexes a catalogue.
    pub fn new(catalogue: &'a Catalogue) -> Self {
        let mut phrases = Vec::new();
        let mut owners = Vec::new();
        let mut whole = Vec::new();
        for (at, entry) in catalogue.entries().iter().enumerate() {
            for says in &entry.says {
                phrases.push(features(says, Detail::Full));
                owners.push(at);
            }
            let id = entry.id.replace('-', " ");
            let programs = entry.programs().join(" ");
            whole.push(features(
                &format!("{} {id} {programs} {}", entry.says.join(" "), entry.area),
                Detail::Full,
            ));
        }
        let shapes = catalogue.entries().iter().map(|entry| shape::template(&entry.example())).collect();
        let [phrases, whole] = [phrases, whole].map(|texts| Index::new(texts.iter().map(Vec::as_slice)));
        Self { catalogue, phrases, owners, whole, shapes }
    }

    /// How well each entry of the catalogue answers `task`, 0 to 1.
    fn scores(&self, task: &[Feature]) -> Vec<f32> {
        let mut nearest = vec![0.0_f32; self.catalogue.entries().len()];
        for (cosine, owner) in self.phrases.cosines(task).into_iter().zip(&self.owners) {
            nearest[*owner] = nearest[*owner].max(cosine);
        }
        let whole = self.whole.cosines(task);
        nearest
            .iter()
            .zip(whole)
            .map(|(near, whole)| (1.0 - WHOLE_SHARE) * near + WHOLE_SHARE * whole)
            .collect()
    }

    /// Up to `limit` commands for `task`, best first, of programs that the host has. The same arguments give
    /// the same answer.
    ///
    /// Commands of the history stand beside those of the catalogue by the same measure, marked down by the
    /// share of their runs that failed; what was learned from the history re-ranks both where its gate is
    /// open.
    pub fn suggest(
        &self,
        task: &str,
        limit: usize,
        host: &HostPrograms,
        history: Option<&Experience>,
    ) -> Vec<Suggestion> {
        let text = features(task, Detail::Full);
        let chances = history.map(|history| history.chances(task)).unwrap_or_default();
        let learned = !chances.is_empty();
        let blend = |score: f32, shape: &str| {
            let chance = chances.get(shape).copied().unwrap_or(0.0);
            if learned { (1.0 - LEARNED_SHARE) * score + LEARNED_SHARE * chance } else { score }
        };
        let mut found = Vec::new();
        for ((entry, score), shape) in
            self.catalogue.entries().iter().zip(self.scores(&text)).zip(&self.shapes)
        {
            if score > 0.0 && host.has_all(entry.programs()) {
                found.push((blend(score, shape), Candidate::Entry(entry)));
            }
        }
        if let Some(history) = history {
            for (past, score) in history.pasts.iter().zip(history.index.cosines(&text)) {
                let worth = 1.0 - past.failures as f32 / past.runs as f32;
                if score * worth > 0.0 && host.has_all(&past.programs) {
                    found.push((blend(score * worth, &past.shape), Candidate::Past(past)));
                }
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut commands = BTreeSet::new();
        let made = found.into_iter().map(|(score, candidate)| candidate.suggestion(task, score));
        made.filter(|suggestion| commands.insert(suggestion.command.clone())).take(limit).collect()
    }
}

enum Candidate<'a> {
    Entry(&'a crate::catalogue::Entry),
    Past(&'a Distinct),
}

impl Candidate<'_> {
    fn suggestion(&self, task: &str, score: f32) -> Suggestion {
        match self {
            Self::Entry(entry) => {
                let filled = entry.fill(task);
                Suggestion {
                    command: filled.command,
                    template: entry.template.text().to_owned(),
                    program: entry.program().to_owned(),
                    score,
                    source: Source::Catalogue,
                    id: Some(entry.id.clone()),
                    says: entry.says[0].clone(),
                    assumed: filled.assumed,
                    risk: Some(entry.risk),
                    needs: entry.needs,
                }
            }
            Self::Past(past) => Suggestion {
                command: past.command.clone(),
                template: past.shape.clone(),
                program: past.programs[0].clone(),
                score,
                source: Source::History,
                id: None,
                says: past.task.clone(),
                assumed: Vec::new(),
                risk: None,
                needs: Needs::default(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> HostPrograms {
        let entries = Catalogue::shipped().entries().iter();
        HostPrograms::of(entries.flat_map(|entry| entry.programs().iter().map(String::as_str)))
    }

    fn commands(task: &str, history: &[Past]) -> Vec<String> {
        let suggester = Suggester::new(Catalogue::shipped());
        let history = Experience::new(history);
        suggester.suggest(task, 5, &all(), Some(&history)).into_iter().map(|s| s.command).collect()
    }

    fn past(task: &str, command: &str, good: Option<bool>) -> Past {
        Past { task: task.to_owned(), command: command.to_owned(), good }
    }

    #[test]
    fn tasks_become_commands() {
        for (task, expected) in [
            ("find files larger than 100 MB in /var", "find /var -type f -size +100M"),
            ("which process listens on port 3000", "ss -tlnp sport = :3000"),
            ("extract backup.tar.gz", "tar -xf backup.tar.gz"),
            ("count the lines of report.txt", "wc -l report.txt"),
            ("make deploy.sh executable", "chmod +x deploy.sh"),
        ] {
            assert_eq!(commands(task, &[])[0], expected, "{task}");
        }
    }

    #[test]
    fn programs_that_the_host_lacks_are_not_suggested() {
        let suggester = Suggester::new(Catalogue::shipped());
        let task = "which process listens on port 3000";
        let host = HostPrograms::of(["lsof"]);
        let found = suggester.suggest(task, 50, &host, None);
        assert!(!found.is_empty() && found.iter().all(|s| s.program == "lsof"));
        assert!(suggester.suggest(task, 50, &HostPrograms::default(), None).is_empty());
        // A pipeline needs the programs of all its stages.
        let found = suggester.suggest("largest directories", 50, &HostPrograms::of(["du", "sort"]), None);
        assert!(found.iter().all(|s| !s.command.contains("head")));
    }

    #[test]
    fn the_same_task_gets_the_same_answer() {
        let history = [past("deploy the site", "rsync -a out/ web:/srv/", None)];
        assert_eq!(commands("copy a directory", &history), commands("copy a directory", &history));
    }

    #[test]
    fn own_commands_stand_beside_the_catalogue() {
        let history = [past("deploy the site", "rsync -a out/ web:/srv/", Some(true))];
        assert_eq!(commands("deploy the site", &history)[0], "rsync -a out/ web:/srv/");
        let failed = [past("deploy the site", "rsync -a out/ web:/srv/", Some(false))];
        assert!(!commands("deploy the site", &failed).contains(&"rsync -a out/ web:/srv/".to_owned()));
    }

    #[test]
    fn an_open_gate_moves_what_the_person_prefers_up() {
        let tasks = [
            ("what is using the port", "lsof -nP -i :8080"),
            ("free disk space", "df -h"),
            ("show the commit history", "git log --oneline"),
            ("size of the directory", "du -sh src"),
        ];
        let history: Vec<Past> =
            (0..160).map(|n: usize| tasks[n * n * 7 % 61 % 4]).map(|(t, c)| past(t, c, Some(true))).collect();
        let suggester = Suggester::new(Catalogue::shipped());
        let experience = Experience::new(&history);
        assert!(experience.replay().open());
        let task = "which process uses port 3000";
        let place = |experience: Option<&Experience>| {
            let found = suggester.suggest(task, 100, &all(), experience);
            found.iter().position(|s| s.id.as_deref() == Some("port-owner-lsof")).unwrap()
        };
        assert!(place(Some(&experience)) < place(None), "{} {}", place(Some(&experience)), place(None));
    }

    #[test]
    fn odd_tasks_are_answered_with_little_or_nothing() {
        for task in ["", "   ", "\0", "zzzzzz qqqqq", "日本語", &"word ".repeat(5_000)] {
            commands(task, &[]);
        }
        assert!(commands("", &[]).is_empty());
    }

    #[test]
    fn programs_on_a_path_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, mode| {
            let path = folder.path().join(name);
            std::fs::write(&path, "").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        make("runs", 0o755);
        make("reads", 0o644);
        let host = HostPrograms::on_path(folder.path().as_os_str());
        assert!(host.has_all(&["runs".to_owned(), "cd".to_owned()]));
        assert!(!host.has_all(&["reads".to_owned()]));
    }
}
