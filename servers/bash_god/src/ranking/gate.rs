//! Whether what was learned from a history may count: only while it beats choosing the most frequent and
//! the most recent on a replay of that history.

use crate::ranking::baseline::{MostFrequent, MostRecent};
use crate::ranking::evaluation::{Estimate, estimate, paired, place};
use crate::ranking::model::{Model, Pair, Ranker};
use crate::ranking::shape;

/// Fewer replayed requests than this prove nothing.
pub const LEAST_REPLAYED: usize = 20;
/// How many of the newest pairs are replayed.
pub const MOST_REPLAYED: usize = 200;
/// The model is trained anew after so many replayed pairs.
const BLOCK: usize = 20;

/// What a replay showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// How many requests were answered from what came before them.
    pub replayed: usize,
    /// The mean reciprocal rank of the learned ranking.
    pub learned: Estimate,
    /// That of the most frequent first.
    pub most_frequent: Estimate,
    /// That of the most recent first.
    pub most_recent: Estimate,
    /// Learned less most frequent, request by request.
    pub over_frequent: Estimate,
    /// Learned less most recent, request by request.
    pub over_recent: Estimate,
}

impl Replay {
    /// Goes through `pairs`, oldest first: each of the newest is answered by rankings that know only what
    /// came before it, and that are asked for the shape of its command.
    pub fn of(pairs: &[Pair]) -> Self {
        let start = pairs.len().saturating_sub(MOST_REPLAYED).max(pairs.len() / 3);
        let (mut frequent, mut recent) =
            (MostFrequent::train(&pairs[..start]), MostRecent::train(&pairs[..start]));
        let mut ranks = [const { Vec::new() }; 3];
        for block in (start..pairs.len()).step_by(BLOCK) {
            let model = Model::train(&pairs[..block]);
            for pair in &pairs[block..pairs.len().min(block + BLOCK)] {
                if shape::program(&pair.command).is_none() {
                    continue;
                }
                let rankers: [&dyn Ranker; 3] = [&model, &frequent, &recent];
                for (ranks, ranker) in ranks.iter_mut().zip(rankers) {
                    let found = place(&ranker.templates(&pair.request), &shape::template(&pair.command));
                    ranks.push(found.map_or(0.0, |place| 1.0 / place as f64));
                }
                frequent.learn(pair);
                recent.learn(pair);
            }
        }
        let [learned, frequent, recent] = ranks;
        Self {
            replayed: learned.len(),
            learned: estimate(&learned),
            most_frequent: estimate(&frequent),
            most_recent: estimate(&recent),
            over_frequent: paired(&learned, &frequent),
            over_recent: paired(&learned, &recent),
        }
    }

    /// Whether the learned ranking counts: it beat both others by more than chance explains.
    pub fn open(&self) -> bool {
        self.replayed >= LEAST_REPLAYED && self.over_frequent.low > 0.0 && self.over_recent.low > 0.0
    }

    /// One sentence for the person: whether it counts, and by which figures.
    pub fn sentence(&self) -> String {
        if self.replayed < LEAST_REPLAYED {
            return format!(
                "the history does not rank yet: {} requests could be replayed, {LEAST_REPLAYED} are needed",
                self.replayed
            );
        }
        let (learned, frequent, recent) = (self.learned.mean, self.most_frequent.mean, self.most_recent.mean);
        let verdict = if self.open() { "the history ranks" } else { "the history does not rank" };
        format!(
            "{verdict}: over {} replayed requests its mean reciprocal rank was {learned:.2}, that of the most \
             frequent {frequent:.2}, of the most recent {recent:.2}",
            self.replayed
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASKS: &[(&str, &str)] = &[
        ("show what changed in the repository", "git status"),
        ("run all the tests", "cargo test"),
        ("how full is the disk", "df -h"),
        ("which process listens on the port", "ss -tlnp"),
        ("follow the server log", "tail -F server.log"),
        ("count lines of the report", "wc -l report.txt"),
        ("list containers", "docker ps"),
        ("pack the directory", "tar -czf a.tgz directory"),
    ];

    fn pair(request: &str, command: &str) -> Pair {
        Pair { request: request.to_owned(), command: command.to_owned() }
    }

    /// A person who asks for the same things again and again, in an order without a pattern.
    fn regular(count: usize) -> Vec<Pair> {
        (0..count).map(|n| TASKS[n * n * 7 % 61 % TASKS.len()]).map(|(r, c)| pair(r, c)).collect()
    }

    #[test]
    fn words_that_mean_something_open_the_gate() {
        let replay = Replay::of(&regular(120));
        assert!(replay.open(), "{replay:?}");
        assert!(replay.learned.mean > 0.9 && replay.sentence().starts_with("the history ranks: over 80 "));
    }

    #[test]
    fn words_that_mean_nothing_leave_it_shut() {
        let words = ["do it", "again", "please", "go on"];
        let noise: Vec<Pair> = (0..120)
            .map(|n: usize| pair(words[n * 5 % 7 % 4], TASKS[n * n * 31 % 101 % TASKS.len()].1))
            .collect();
        let replay = Replay::of(&noise);
        assert!(!replay.open(), "{replay:?}");
        assert!(replay.sentence().starts_with("the history does not rank: "));
    }

    #[test]
    fn one_repeated_command_needs_no_learning() {
        let same: Vec<Pair> = (0..120).map(|_| pair("run all the tests", "cargo test")).collect();
        assert!(!Replay::of(&same).open());
    }

    #[test]
    fn a_short_history_proves_nothing() {
        for count in [0, 1, 2, 28] {
            let replay = Replay::of(&regular(count));
            assert!(!replay.open() && replay.replayed < LEAST_REPLAYED);
            assert!(replay.sentence().contains("20 are needed"));
        }
    }
}
