//! Trains on `train.tsv` of a folder and prints how well the ranking does on its `dev.tsv`.
//!
//! Both hold a request, a tab and a command on each line.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use bash_god::ranking::baseline::{MostFrequent, MostRecent, Nearest};
use bash_god::ranking::evaluation::{Estimate, Places, Target, estimate, paired};
use bash_god::ranking::model::{Model, Pair, Ranker};

fn main() -> io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1) else {
        return Err(io::Error::other("name the folder that holds train.tsv and dev.tsv"));
    };
    let (train, dev) = (pairs(&Path::new(&folder).join("train.tsv"))?, pairs(&Path::new(&folder).join("dev.tsv"))?);
    let mut out = io::stdout().lock();
    let started = std::time::Instant::now();
    let model = Model::train(&train);
    writeln!(out, "{} pairs learned in {:.1} s, {} asked", model.pairs(), started.elapsed().as_secs_f64(), dev.len())?;
    let rankers: [(&str, Box<dyn Ranker>); 4] = [
        ("most frequent", Box::new(MostFrequent::train(&train))),
        ("most recent", Box::new(MostRecent::train(&train))),
        ("nearest, plain TF-IDF", Box::new(Nearest::train(&train))),
        ("learned", Box::new(model)),
    ];
    for (target, name) in [(Target::Program, "program"), (Target::Template, "template")] {
        let places = rankers.each_ref().map(|(_, ranker)| Places::of(ranker.as_ref(), &dev, target));
        writeln!(out, "\n{name:<22} {:>22} {:>22} {:>22}", "hit@1", "hit@5", "MRR")?;
        for ((ranker, _), places) in rankers.iter().zip(&places) {
            let cells = [places.hits(1), places.hits(5), places.reciprocal()].map(|values| cell(estimate(&values)));
            writeln!(out, "{ranker:<22} {:>22} {:>22} {:>22}", cells[0], cells[1], cells[2])?;
        }
        let learned = &places[3];
        for ((ranker, _), other) in rankers.iter().zip(&places[..3]) {
            let gains = [
                paired(&learned.hits(1), &other.hits(1)),
                paired(&learned.hits(5), &other.hits(5)),
                paired(&learned.reciprocal(), &other.reciprocal()),
            ];
            let cells = gains.map(cell);
            writeln!(out, "learned − {ranker:<12} {:>22} {:>22} {:>22}", cells[0], cells[1], cells[2])?;
        }
    }
    Ok(())
}

fn cell(estimate: Estimate) -> String {
    format!("{:.3} [{:.3}, {:.3}]", estimate.mean, estimate.low, estimate.high)
}

fn pairs(path: &Path) -> io::Result<Vec<Pair>> {
    let text = fs::read_to_string(path)?;
    let pair = |line: &str| {
        let (request, command) = line.split_once('\t')?;
        Some(Pair { request: request.to_owned(), command: command.to_owned() })
    };
    Ok(text.lines().filter_map(pair).collect())
}
