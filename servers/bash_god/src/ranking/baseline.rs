//! What a learned ranking has to beat: the most frequent, the most recent, and the nearest request by
//! plain TF-IDF.

use std::collections::{BTreeMap, BTreeSet};

use crate::ranking::features::{Detail, Feature, features};
use crate::ranking::index::Index;
use crate::ranking::model::{Pair, Ranked, Ranker, ranked};
use crate::ranking::shape;

/// Ranks what occurred by how often it did, whatever the request.
#[derive(Clone, Debug, Default)]
pub struct MostFrequent {
    programs: BTreeMap<String, u32>,
    templates: BTreeMap<String, u32>,
}

impl MostFrequent {
    /// Counts the programs and shapes of `pairs`.
    pub fn train(pairs: &[Pair]) -> Self {
        let mut counted = Self::default();
        pairs.iter().for_each(|pair| counted.learn(pair));
        counted
    }

    /// Counts one more pair.
    pub fn learn(&mut self, pair: &Pair) {
        if let Some(program) = shape::program(&pair.command) {
            *self.programs.entry(program).or_insert(0) += 1;
            *self.templates.entry(shape::template(&pair.command)).or_insert(0) += 1;
        }
    }
}

fn by_number(numbers: &BTreeMap<String, u32>) -> Vec<Ranked> {
    ranked(numbers.iter().map(|(name, number)| (name.clone(), *number as f32)))
}

impl Ranker for MostFrequent {
    fn programs(&self, _request: &str) -> Vec<Ranked> {
        by_number(&self.programs)
    }

    fn templates(&self, _request: &str) -> Vec<Ranked> {
        by_number(&self.templates)
    }
}

/// Ranks what occurred by when it last did, whatever the request.
#[derive(Clone, Debug, Default)]
pub struct MostRecent {
    programs: BTreeMap<String, u32>,
    templates: BTreeMap<String, u32>,
    seen: u32,
}

impl MostRecent {
    /// Takes `pairs` in their order, the last one the most recent.
    pub fn train(pairs: &[Pair]) -> Self {
        let mut seen = Self::default();
        pairs.iter().for_each(|pair| seen.learn(pair));
        seen
    }

    /// Takes one more pair, now the most recent.
    pub fn learn(&mut self, pair: &Pair) {
        if let Some(program) = shape::program(&pair.command) {
            self.seen += 1;
            self.programs.insert(program, self.seen);
            self.templates.insert(shape::template(&pair.command), self.seen);
        }
    }
}

impl Ranker for MostRecent {
    fn programs(&self, _request: &str) -> Vec<Ranked> {
        by_number(&self.programs)
    }

    fn templates(&self, _request: &str) -> Vec<Ranked> {
        by_number(&self.templates)
    }
}

/// Ranks by the known request that is nearest in plain TF-IDF over whole words.
#[derive(Clone, Debug)]
pub struct Nearest {
    index: Index,
    commands: Vec<(String, String)>,
}

impl Nearest {
    /// Indexes the requests of `pairs`.
    pub fn train(pairs: &[Pair]) -> Self {
        let known: Vec<(&Pair, String)> =
            pairs.iter().filter_map(|pair| Some((pair, shape::program(&pair.command)?))).collect();
        let texts: Vec<Vec<Feature>> =
            known.iter().map(|(pair, _)| features(&pair.request, Detail::Words)).collect();
        let index = Index::new(texts.iter().map(Vec::as_slice));
        let commands =
            known.into_iter().map(|(pair, program)| (program, shape::template(&pair.command))).collect();
        Self { index, commands }
    }

    fn ranked(&self, request: &str, name: impl Fn(&(String, String)) -> &str) -> Vec<Ranked> {
        let mut seen = BTreeSet::new();
        let nearest = self.index.nearest(&features(request, Detail::Words), self.commands.len());
        let names = nearest.into_iter().map(|(at, score)| (name(&self.commands[at]), score));
        names
            .filter(|(name, _)| seen.insert(*name))
            .map(|(name, score)| Ranked { name: name.to_owned(), score })
            .collect()
    }
}

impl Ranker for Nearest {
    fn programs(&self, request: &str) -> Vec<Ranked> {
        self.ranked(request, |command| &command.0)
    }

    fn templates(&self, request: &str) -> Vec<Ranked> {
        self.ranked(request, |command| &command.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> Vec<Pair> {
        [("show files", "ls"), ("show sizes", "du -h ."), ("show all", "ls -a"), ("stop it", "kill 1")]
            .map(|(request, command)| Pair { request: request.to_owned(), command: command.to_owned() })
            .to_vec()
    }

    fn names(ranked: Vec<Ranked>) -> Vec<String> {
        ranked.into_iter().map(|ranked| ranked.name).collect()
    }

    #[test]
    fn each_ranks_by_its_own_rule() {
        assert_eq!(names(MostFrequent::train(&pairs()).programs("kill")), ["ls", "du", "kill"]);
        assert_eq!(names(MostRecent::train(&pairs()).programs("x")), ["kill", "ls", "du"]);
        assert_eq!(names(MostRecent::train(&pairs()).templates("x")), ["kill _", "ls -a", "du -h _", "ls"]);
        assert_eq!(names(Nearest::train(&pairs()).programs("show the sizes")), ["du", "ls"]);
        assert_eq!(names(Nearest::train(&pairs()).templates("stop")), ["kill _"]);
        assert!(Nearest::train(&pairs()).programs("stopp").is_empty(), "whole words only");
    }
}
