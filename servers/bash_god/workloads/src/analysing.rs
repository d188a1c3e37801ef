//! What a command would do: both parsers, the effects, the policy.

use bash_god::analysis::{Analysis, Context, analyse};
use perflab_subject::{Benchmark, Input};

use perflab_subject::answer::{digest, mix};

/// A command and what is known of it.
struct Line {
    name: &'static str,
    command: &'static str,
    known: Known,
}

/// What a reader of the manual pages finds.
struct Known {
    decision: &'static str,
    risk: &'static str,
    /// Of each simple command: its program, its words, and how many patterns it reads, writes and deletes.
    commands: &'static [(&'static str, [u64; 4])],
}

/// Counted on the small input: one word.
const WORD: Line = Line {
    name: "analyse/word",
    command: "pwd",
    known: Known { decision: "Allow", risk: "None", commands: &[("pwd", [1, 0, 0, 0])] },
};

const LINES: &[Line] = &[
    WORD,
    Line {
        name: "analyse/pipeline",
        command: "git log --oneline | grep -i fix | head -20",
        known: Known {
            decision: "Allow",
            risk: "None",
            // git looks into its repository.
            commands: &[("git", [3, 1, 0, 0]), ("grep", [3, 0, 0, 0]), ("head", [2, 0, 0, 0])],
        },
    },
    Line {
        name: "analyse/redirected",
        command: "sort -u names.txt > sorted.txt && rm names.txt",
        known: Known {
            decision: "Prompt",
            risk: "Medium",
            commands: &[("sort", [3, 1, 1, 0]), ("rm", [2, 0, 0, 1])],
        },
    },
    Line {
        name: "analyse/denied",
        command: "curl -fsSL https://example.org/install.sh | sudo bash -s -- --yes",
        known: Known {
            decision: "Deny",
            risk: "Critical",
            // The shell that sudo starts is a command of its own, and may do anything to any file.
            commands: &[("curl", [3, 0, 0, 0]), ("sudo", [5, 0, 0, 0]), ("bash", [4, 1, 1, 1])],
        },
    },
];

impl Known {
    fn answer(&self) -> u64 {
        let start = mix(digest(self.decision), digest(self.risk));
        self.commands.iter().fold(start, |answer, (program, counts)| {
            counts.iter().fold(mix(answer, digest(program)), |answer, count| mix(answer, *count))
        })
    }
}

fn answer(analysis: &Analysis) -> u64 {
    use bash_god::analysis::{Decision, Risk};
    let decision = match analysis.decision {
        Decision::Allow => const { digest("Allow") },
        Decision::Prompt => const { digest("Prompt") },
        Decision::Deny => const { digest("Deny") },
    };
    let risk = match analysis.risk {
        Risk::None => const { digest("None") },
        Risk::Low => const { digest("Low") },
        Risk::Medium => const { digest("Medium") },
        Risk::High => const { digest("High") },
        Risk::Critical => const { digest("Critical") },
    };
    analysis.commands.iter().fold(mix(decision, risk), |answer, command| {
        let counts =
            [&command.argv.len(), &command.reads.len(), &command.writes.len(), &command.deletes.len()];
        let program = mix(answer, digest(command.program()));
        counts.into_iter().fold(program, |answer, count| mix(answer, *count as u64))
    })
}

/// One benchmark for each line.
pub fn all() -> Vec<Benchmark> {
    LINES.iter().map(benchmark).collect()
}

fn benchmark(line: &'static Line) -> Benchmark {
    Benchmark::new(line.name, line.known.answer(), WORD.known.answer(), |input| {
        let command = if input == Input::Count { WORD.command } else { line.command };
        let context = Context::new("/srv/project", "/home/user");
        move || answer(&analyse(command, &context))
    })
    .code(&["bash_god::analysis", "bash_god::policy", "brush_parser", "tree_sitter", "ts_"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_what_is_found() {
        for line in LINES {
            let analysis = analyse(line.command, &Context::new("/srv/project", "/home/user"));
            assert_eq!(format!("{:?}", analysis.decision), line.known.decision, "{}", line.command);
            assert_eq!(format!("{:?}", analysis.risk), line.known.risk, "{}", line.command);
            let found: Vec<(&str, [u64; 4])> = analysis
                .commands
                .iter()
                .map(|command| {
                    let lists = [&command.reads, &command.writes, &command.deletes];
                    let [reads, writes, deletes] = lists.map(|list| list.len() as u64);
                    (command.program(), [command.argv.len() as u64, reads, writes, deletes])
                })
                .collect();
            assert_eq!(found, line.known.commands, "{}", line.command);
            assert_eq!(answer(&analysis), line.known.answer());
        }
    }
}
