//! Trains on `train.tsv` of a directory and prints how well the ranking does on its `dev.tsv`.
//!
//! Both hold a request, a tab and a command on each line. What counts as the answer is the program of the
//! command, or its shape without names and numbers.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use bash_god::catalogue::Catalogue;
use bash_god::ranking::baseline::{MostFrequent, MostRecent, Nearest};
use bash_god::ranking::evaluation::{Estimate, Places, Target, estimate, paired};
use bash_god::ranking::gate::Replay;
use bash_god::ranking::model::{Model, Pair, Ranked, Ranker};
use bash_god::ranking::suggest::{HostPrograms, Suggester, Suggestion};

fn main() -> io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1) else {
        return Err(io::Error::other("name the directory that holds train.tsv and dev.tsv"));
    };
    let folder = Path::new(&folder);
    let (train, dev) = (pairs(&folder.join("train.tsv"))?, pairs(&folder.join("dev.tsv"))?);
    let mut out = io::stdout().lock();
    let started = Instant::now();
    let model = Model::train(&train);
    let seconds = started.elapsed().as_secs_f64();
    writeln!(out, "{} pairs learned in {seconds:.1} s, {} requests asked", model.pairs(), dev.len())?;
    writeln!(out, "means with 95 % intervals (bootstrap over requests; differences are paired)")?;
    let rankers: [(&str, Box<dyn Ranker>); 5] = [
        ("learned", Box::new(model)),
        ("most frequent", Box::new(MostFrequent::train(&train))),
        ("most recent", Box::new(MostRecent::train(&train))),
        ("nearest, plain TF-IDF", Box::new(Nearest::train(&train))),
        ("catalogue, untrained", Box::new(Shipped::new())),
    ];
    for target in [Target::Program, Target::Template] {
        table(&mut out, &rankers, &dev, target)?;
    }
    let replay = Replay::of(&dev);
    writeln!(out, "\nthe requests asked, as a history: {}", replay.sentence())
}

fn table(
    out: &mut impl Write,
    rankers: &[(&str, Box<dyn Ranker>)],
    dev: &[Pair],
    target: Target,
) -> io::Result<()> {
    writeln!(out, "\n{:<32} {:>22} {:>22} {:>22}", format!("{target:?}"), "hit@1", "hit@5", "MRR")?;
    let places: Vec<Places> =
        rankers.iter().map(|(_, ranker)| Places::of(ranker.as_ref(), dev, target)).collect();
    for ((name, _), places) in rankers.iter().zip(&places) {
        row(
            out,
            name,
            [places.hits(1), places.hits(5), places.reciprocal()].map(|values| estimate(&values)),
        )?;
    }
    let learned = &places[0];
    for ((name, _), other) in rankers.iter().zip(&places).skip(1) {
        let gains = [
            paired(&learned.hits(1), &other.hits(1)),
            paired(&learned.hits(5), &other.hits(5)),
            paired(&learned.reciprocal(), &other.reciprocal()),
        ];
        row(out, &format!("learned − {name}"), gains)?;
    }
    Ok(())
}

fn row(out: &mut impl Write, name: &str, estimates: [Estimate; 3]) -> io::Result<()> {
    let [a, b, c] = estimates.map(|e| format!("{:.3} [{:.3}, {:.3}]", e.mean, e.low, e.high));
    writeln!(out, "{name:<32} {a:>22} {b:>22} {c:>22}")
}

/// The catalogue as it is shipped, which has seen none of the pairs.
struct Shipped {
    suggester: Suggester<'static>,
    host: HostPrograms,
}

impl Shipped {
    fn new() -> Self {
        let catalogue = Catalogue::shipped();
        let programs =
            catalogue.entries().iter().flat_map(|entry| entry.programs().iter().map(String::as_str));
        Self { suggester: Suggester::new(catalogue), host: HostPrograms::of(programs) }
    }

    fn distinct(&self, request: &str, name: impl Fn(&Suggestion) -> String) -> Vec<Ranked> {
        let mut ranked: Vec<Ranked> = Vec::new();
        for suggestion in self.suggester.suggest(request, 100, &self.host, None) {
            let name = name(&suggestion);
            if !ranked.iter().any(|known| known.name == name) {
                ranked.push(Ranked { name, score: suggestion.score });
            }
        }
        ranked
    }
}

impl Ranker for Shipped {
    fn programs(&self, request: &str) -> Vec<Ranked> {
        self.distinct(request, |suggestion| suggestion.program.clone())
    }

    fn templates(&self, request: &str) -> Vec<Ranked> {
        self.distinct(request, |suggestion| bash_god::ranking::shape::template(&suggestion.command))
    }
}

fn pairs(path: &Path) -> io::Result<Vec<Pair>> {
    let named = |e: io::Error| io::Error::other(format!("{} cannot be read: {e}", path.display()));
    let text = fs::read_to_string(path).map_err(named)?;
    let pairs = text.lines().filter_map(|line| line.split_once('\t'));
    Ok(pairs
        .map(|(request, command)| Pair { request: request.to_owned(), command: command.to_owned() })
        .collect())
}
