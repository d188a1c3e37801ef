//! How well requests are answered: learned from pairs of others, and from the catalogue as it is shipped.
#![expect(clippy::print_stdout, reason = "says what was skipped and how much was tried")]

use std::path::PathBuf;

use bash_god::catalogue::Catalogue;
use bash_god::ranking::baseline::{MostFrequent, Nearest};
use bash_god::ranking::evaluation::{Places, Target, estimate, paired};
use bash_god::ranking::gate::Replay;
use bash_god::ranking::model::{Model, Pair, Ranker};
use bash_god::ranking::suggest::{HostPrograms, Suggester};

/// The pairs of `train.tsv` and `dev.tsv`, or None with a line that says where they were looked for.
fn nl2bash() -> Option<[Vec<Pair>; 2]> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("PERFLAB_SHARED_DATA").map_or(beside, PathBuf::from);
    let folder = data.join("nl2bash");
    let read = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).ok()?;
        let pairs = text.lines().filter_map(|line| line.split_once('\t'));
        Some(
            pairs
                .map(|(request, command)| Pair { request: request.to_owned(), command: command.to_owned() })
                .collect(),
        )
    };
    let pairs = read("train.tsv").and_then(|train| Some([train, read("dev.tsv")?]));
    if pairs.is_none() {
        println!(
            "skipped: no train.tsv and dev.tsv in {}; PERFLAB_SHARED_DATA names their directory",
            folder.display()
        );
    }
    pairs
}

#[test]
fn the_learned_ranking_beats_both_baselines_on_held_out_requests() {
    let Some([train, dev]) = nl2bash() else { return };
    let model = Model::train(&train);
    let baselines: [(&str, Box<dyn Ranker>); 2] = [
        ("most frequent", Box::new(MostFrequent::train(&train))),
        ("nearest", Box::new(Nearest::train(&train))),
    ];
    for target in [Target::Program, Target::Template] {
        let learned = Places::of(&model, &dev, target);
        for (name, ranker) in &baselines {
            let other = Places::of(ranker.as_ref(), &dev, target);
            for (measure, gain) in [
                ("hit@1", paired(&learned.hits(1), &other.hits(1))),
                ("hit@5", paired(&learned.hits(5), &other.hits(5))),
                ("MRR", paired(&learned.reciprocal(), &other.reciprocal())),
            ] {
                assert!(gain.low > 0.0, "{target:?} {measure} over {name}: {gain:?}");
            }
        }
    }
    let hit = estimate(&Places::of(&model, &dev, Target::Program).hits(1));
    assert!(hit.low > 0.84, "{hit:?}");
}

#[test]
fn the_gate_opens_on_a_real_replay_and_stays_shut_when_words_mean_nothing() {
    let Some([_, dev]) = nl2bash() else { return };
    let replay = Replay::of(&dev);
    assert!(replay.open(), "{}", replay.sentence());
    // The same commands, each with the words of another one.
    let words = dev.iter().cycle().skip(dev.len() / 2);
    let shifted: Vec<Pair> = words
        .zip(&dev)
        .map(|(words, pair)| Pair { request: words.request.clone(), command: pair.command.clone() })
        .collect();
    let replay = Replay::of(&shifted);
    assert!(!replay.open(), "{}", replay.sentence());
}

/// Requests in words that the catalogue does not use, each with the entries that answer it.
fn requests() -> Vec<(String, Vec<String>)> {
    let lines = include_str!("fixtures/requests.tsv").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (request, ids) = line.split_once('\t').expect("a request, a tab and ids");
            (request.to_owned(), ids.split(' ').map(str::to_owned).collect())
        })
        .collect()
}

#[test]
fn requests_name_entries_that_exist_in_other_words() {
    let catalogue = Catalogue::shipped();
    for (request, ids) in requests() {
        for id in &ids {
            assert!(catalogue.get(id).is_some(), "{request}: {id}");
        }
        let same = catalogue
            .entries()
            .iter()
            .any(|entry| entry.says.iter().any(|says| says.eq_ignore_ascii_case(&request)));
        assert!(!same, "`{request}` stands in the catalogue as it is");
    }
    assert!(requests().len() >= 100);
}

#[test]
fn the_catalogue_answers_requests_in_other_words() {
    let catalogue = Catalogue::shipped();
    let suggester = Suggester::new(catalogue);
    let programs = catalogue.entries().iter().flat_map(|entry| entry.programs().iter().map(String::as_str));
    let host = HostPrograms::of(programs);
    let place = |(request, ids): &(String, Vec<String>)| {
        let found = suggester.suggest(request, 50, &host, None);
        found.iter().position(|s| s.id.as_ref().is_some_and(|id| ids.contains(id))).map(|at| at + 1)
    };
    let places: Vec<Option<usize>> = requests().iter().map(place).collect();
    let missed: Vec<_> = requests()
        .iter()
        .zip(&places)
        .filter(|(_, p)| p.is_none_or(|p| p > 5))
        .map(|(r, p)| (r.0.clone(), *p))
        .collect();
    let places = Places(places);
    // Plain TF-IDF over the same phrases, one answer for each entry.
    let pairs: Vec<Pair> = catalogue
        .entries()
        .iter()
        .flat_map(|entry| {
            entry.says.iter().map(|says| Pair { request: says.clone(), command: entry.id.clone() })
        })
        .collect();
    let nearest = Nearest::train(&pairs);
    let plain: Vec<Option<usize>> = requests()
        .iter()
        .map(|(request, ids)| {
            nearest.programs(request).iter().position(|r| ids.contains(&r.name)).map(|at| at + 1)
        })
        .collect();
    let plain = Places(plain);
    for (name, places) in [("catalogue", &places), ("plain TF-IDF", &plain)] {
        let figures = [places.hits(1), places.hits(5), places.reciprocal()].map(|values| {
            let e = estimate(&values);
            format!("{:.3} [{:.3}, {:.3}]", e.mean, e.low, e.high)
        });
        println!(
            "{name}: {} requests, hit@1 {}, hit@5 {}, MRR {}",
            requests().len(),
            figures[0],
            figures[1],
            figures[2]
        );
    }
    println!("not among the first five: {missed:?}");
    let gain = paired(&places.reciprocal(), &plain.reciprocal());
    println!("MRR over plain TF-IDF: {gain:?}");
    assert!(gain.low > 0.0, "{gain:?}");
    let five = estimate(&places.hits(5));
    assert!(five.mean >= 0.75, "{five:?}");
}
