//! Which command serves a purpose.

use bash_god::catalogue::Catalogue;
use bash_god::ranking::baseline::Nearest;
use bash_god::ranking::model::{Model, Pair, Ranked, Ranker};
use bash_god::ranking::suggest::{HostPrograms, Suggester};
use perflab_subject::{Benchmark, Input};

use perflab_subject::answer::{digest, mix};

/// Requests with the programs that answer them: what is learned from on the small input, and part of the large one.
const PAIRS: &[(&str, &str)] = &[
    ("count the lines of a file", "wc -l a"),
    ("how many words are in the report", "wc -w a"),
    ("show the first lines", "head a"),
    ("show the end of the log", "tail a"),
    ("sort the names", "sort a"),
    ("search for a word in all files", "grep -r a ."),
    ("which process uses the port", "ss -tlnp"),
    ("how full is the disk", "df -h"),
    ("pack the directory", "tar -czf a.tgz a"),
    ("unpack the archive", "tar -xzf a.tgz"),
];

/// What is asked for, and the program that a person would choose.
const REQUEST: (&str, &str) = ("count the lines of the report", "wc");

/// What is asked of the whole catalogue, and what it answers first.
const TASK: (&str, &str) = ("which process listens on port 8080", "ss -tlnp sport = :8080");

/// Of the catalogue every so many entries are learned from: enough for an index that outgrows the first cache, and
/// few enough to be learned before a launch loses patience.
const SHARE: usize = 8;

fn pairs(input: Input) -> Vec<Pair> {
    let pair =
        |request: &str, command: &str| Pair { request: request.to_owned(), command: command.to_owned() };
    let mut pairs: Vec<Pair> = PAIRS.iter().map(|(request, command)| pair(request, command)).collect();
    if input == Input::Measure {
        for entry in Catalogue::shipped().entries().iter().step_by(SHARE) {
            pairs.extend(entry.says.iter().map(|says| pair(says, &entry.example())));
        }
    }
    pairs
}

/// The first answer; the others are ranked as well.
fn first(ranked: &[Ranked]) -> u64 {
    ranked.first().map_or(0, |best| digest(&best.name))
}

/// One benchmark for each way to rank.
pub fn all() -> Vec<Benchmark> {
    let code = ["bash_god::ranking"];
    let known = digest(REQUEST.1);
    let nearest = Benchmark::new("rank/nearest", known, known, |input| {
        let ranker = Nearest::train(&pairs(input));
        move || first(&ranker.programs(REQUEST.0))
    });
    let learned = Benchmark::new("rank/learned", known, known, |input| {
        let ranker = Model::train(&pairs(input));
        move || first(&ranker.programs(REQUEST.0))
    });
    let suggested = Benchmark::new("rank/suggest", mix(digest(TASK.1), 5), mix(0, 0), |input| {
        // Nothing is known beforehand of the host: every program of the catalogue is there, or none.
        let catalogue = Catalogue::shipped();
        let programs = catalogue.entries().iter().flat_map(|entry| entry.programs());
        let host = HostPrograms::of(programs.map(String::as_str).filter(|_| input == Input::Measure));
        let suggester = Suggester::new(catalogue);
        move || {
            let limit = if input == Input::Measure { 5 } else { 0 };
            let found = suggester.suggest(TASK.0, limit, &host, None);
            mix(found.first().map_or(0, |best| digest(&best.command)), found.len() as u64)
        }
    });
    vec![
        nearest.code(&code),
        learned.code(&code),
        suggested.code(&["bash_god::ranking", "bash_god::catalogue"]).long(),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The program of the known request that shares most words with the one that is asked, each word counting the
    /// less the more requests hold it: TF-IDF without an index.
    fn plain(pairs: &[Pair], request: &str) -> String {
        let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
        let mut holding: BTreeMap<String, f64> = BTreeMap::new();
        for pair in pairs {
            let mut distinct = words(&pair.request);
            distinct.sort_unstable();
            distinct.dedup();
            distinct.into_iter().for_each(|word| *holding.entry(word).or_insert(0.0) += 1.0);
        }
        let weight = |word: &String| holding.get(word).map_or(0.0, |count| (pairs.len() as f64 / count).ln());
        let norm = |text: &[String]| text.iter().map(|word| weight(word).powi(2)).sum::<f64>().sqrt();
        let asked = words(request);
        let score = |pair: &Pair| {
            let known = words(&pair.request);
            let common: f64 =
                known.iter().filter(|word| asked.contains(word)).map(|word| weight(word).powi(2)).sum();
            common / norm(&known).max(f64::MIN_POSITIVE)
        };
        let best = pairs.iter().max_by(|a, b| score(a).total_cmp(&score(b))).unwrap();
        best.command.split(' ').next().unwrap().to_owned()
    }

    #[test]
    fn every_ranking_answers_as_the_plain_one_and_a_person_do() {
        for input in [Input::Measure, Input::Count] {
            let pairs = pairs(input);
            assert_eq!(plain(&pairs, REQUEST.0), REQUEST.1);
            assert_eq!(first(&Nearest::train(&pairs).programs(REQUEST.0)), digest(REQUEST.1));
            assert_eq!(first(&Model::train(&pairs).programs(REQUEST.0)), digest(REQUEST.1));
        }
    }

    #[test]
    fn the_catalogue_knows_the_task() {
        let catalogue = Catalogue::shipped();
        let host = HostPrograms::of(
            catalogue.entries().iter().flat_map(|e| e.programs().iter().map(String::as_str)),
        );
        let found = Suggester::new(catalogue).suggest(TASK.0, 5, &host, None);
        let found: Vec<&str> = found.iter().map(|suggestion| suggestion.command.as_str()).collect();
        assert_eq!((found[0], found.len()), (TASK.1, 5), "{found:?}");
    }
}
