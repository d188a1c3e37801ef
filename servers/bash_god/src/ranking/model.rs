//! What was learned from pairs of a request and the command that answered it.

use std::collections::BTreeMap;

use crate::ranking::classifier::Classifier;
use crate::ranking::features::{Detail, Feature, features};
use crate::ranking::index::Index;
use crate::ranking::shape;

/// A request in words and the command that answered it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pair {
    /// What was asked for.
    pub request: String,
    /// The command line.
    pub command: String,
}

/// A name with a score; of two, the higher score is the better answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// A program, or the shape of a command (see [`shape::template`]).
    pub name: String,
    /// Comparable within one answer only.
    pub score: f32,
}

/// What ranks programs and shapes of commands for a request.
pub trait Ranker {
    /// Programs, best first.
    fn programs(&self, request: &str) -> Vec<Ranked>;
    /// Shapes of commands, best first.
    fn templates(&self, request: &str) -> Vec<Ranked>;
}

/// How many of the nearest known requests have a say.
const NEIGHBOURS: usize = 40;
/// The power of a neighbour's cosine that it votes with: near ones decide.
const NEARNESS: i32 = 4;
/// How much the vote of the neighbours counts beside the classifier.
const VOTE_SHARE: f32 = 0.4;
/// A program must have answered this many requests before the classifier learns it.
const LEAST_REQUESTS: usize = 2;
/// The part of a shape's score that its program's frequent shapes have without any near request.
const PRIOR_SHARE: f32 = 0.1;

/// A mix of a classifier over programs and the vote of the nearest known requests.
#[derive(Clone, Debug)]
pub struct Model {
    index: Index,
    classifier: Classifier,
    /// Programs that the classifier knows, then the others.
    programs: Vec<String>,
    learned: usize,
    /// Each distinct shape with its program and the share of the program's commands that have it.
    templates: Vec<Template>,
    documents: Vec<Document>,
}

#[derive(Clone, Debug)]
struct Template {
    name: String,
    program: usize,
    share: f32,
}

#[derive(Clone, Copy, Debug)]
struct Document {
    program: usize,
    template: usize,
}

impl Model {
    /// Learns from `pairs`; those whose command runs no program are passed over. The same pairs in the same
    /// order give the same model.
    pub fn train(pairs: &[Pair]) -> Self {
        let known: Vec<(&str, String, String)> = pairs
            .iter()
            .filter_map(|pair| {
                let program = shape::program(&pair.command)?;
                Some((pair.request.as_str(), program, shape::template(&pair.command)))
            })
            .collect();
        let (programs, learned) = by_frequency(known.iter().map(|(_, program, _)| program.as_str()));
        let program_of: BTreeMap<&str, usize> = programs.iter().map(String::as_str).zip(0..).collect();
        let (templates, documents) = shapes(&known, &program_of);
        let texts: Vec<Vec<Feature>> =
            known.iter().map(|(request, ..)| features(request, Detail::Full)).collect();
        let index = Index::new(texts.iter().map(Vec::as_slice));
        let (taught, labels): (Vec<_>, Vec<_>) = texts
            .into_iter()
            .zip(&documents)
            .filter(|(_, document)| document.program < learned)
            .map(|(text, document)| (text, document.program))
            .unzip();
        let classifier = Classifier::fit(&taught, &labels, learned, &index);
        Self { index, classifier, programs, learned, templates, documents }
    }

    /// How many pairs were learned from.
    pub fn pairs(&self) -> usize {
        self.documents.len()
    }

    /// A score for every program: a mix of two distributions.
    fn program_scores(&self, text: &[Feature], votes: &[(usize, f32)]) -> Vec<f32> {
        let mut scores = vec![0.0; self.programs.len()];
        if self.learned > 0 {
            for (score, chance) in scores.iter_mut().zip(self.classifier.chances(text, &self.index)) {
                *score += (1.0 - VOTE_SHARE) * chance;
            }
        }
        for (document, vote) in votes {
            scores[self.documents[*document].program] += VOTE_SHARE * vote;
        }
        scores
    }

    /// The nearest known requests with their shares of one vote.
    fn votes(&self, text: &[Feature]) -> Vec<(usize, f32)> {
        let mut votes = self.index.nearest(text, NEIGHBOURS);
        votes.iter_mut().for_each(|(_, cosine)| *cosine = cosine.powi(NEARNESS));
        let sum: f32 = votes.iter().map(|(_, vote)| vote).sum();
        if sum > 0.0 {
            votes.iter_mut().for_each(|(_, vote)| *vote /= sum);
        }
        votes
    }
}

impl Ranker for Model {
    fn programs(&self, request: &str) -> Vec<Ranked> {
        let text = features(request, Detail::Full);
        let scores = self.program_scores(&text, &self.votes(&text));
        ranked(self.programs.iter().cloned().zip(scores))
    }

    fn templates(&self, request: &str) -> Vec<Ranked> {
        let text = features(request, Detail::Full);
        let votes = self.votes(&text);
        let programs = self.program_scores(&text, &votes);
        let mut within = vec![0.0_f32; self.programs.len()];
        let mut scores: Vec<f32> = vec![0.0; self.templates.len()];
        for (document, vote) in &votes {
            let Document { program, template } = self.documents[*document];
            within[program] += vote;
            scores[template] += vote;
        }
        let scored = self.templates.iter().zip(&scores).map(|(template, votes)| {
            let voted = if within[template.program] > 0.0 { votes / within[template.program] } else { 0.0 };
            let chance = (1.0 - PRIOR_SHARE) * voted + PRIOR_SHARE * template.share;
            (template.name.clone(), programs[template.program] * chance)
        });
        ranked(scored)
    }
}

/// Names with scores, best first; equal ones by name.
pub(crate) fn ranked(scored: impl IntoIterator<Item = (String, f32)>) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = scored.into_iter().map(|(name, score)| Ranked { name, score }).collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.name.cmp(&b.name)));
    ranked
}

/// Distinct names, most frequent first, and how many of them are frequent enough to be learned.
fn by_frequency<'a>(names: impl Iterator<Item = &'a str>) -> (Vec<String>, usize) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_insert(0) += 1);
    let mut ordered: Vec<(&str, usize)> = counts.into_iter().collect();
    ordered.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let learned = ordered.iter().filter(|(_, count)| *count >= LEAST_REQUESTS).count();
    (ordered.into_iter().map(|(name, _)| name.to_owned()).collect(), learned)
}

/// The distinct shapes with their shares of their programs, and what each pair is.
fn shapes(
    known: &[(&str, String, String)],
    program_of: &BTreeMap<&str, usize>,
) -> (Vec<Template>, Vec<Document>) {
    let mut numbers: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    let mut templates: Vec<Template> = Vec::new();
    let mut totals = vec![0.0_f32; program_of.len()];
    let mut documents = Vec::with_capacity(known.len());
    for (_, program, name) in known {
        let program = program_of[program.as_str()];
        let template = *numbers.entry((program, name)).or_insert_with(|| {
            templates.push(Template { name: name.clone(), program, share: 0.0 });
            templates.len() - 1
        });
        templates[template].share += 1.0;
        totals[program] += 1.0;
        documents.push(Document { program, template });
    }
    templates.iter_mut().for_each(|template| template.share /= totals[template.program]);
    (templates, documents)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> Vec<Pair> {
        [
            ("show all files", "ls -a"),
            ("show files with sizes", "ls -lh"),
            ("count the lines of a file", "wc -l a.txt"),
            ("count words", "wc -w a.txt"),
            ("stop a process", "kill 12"),
            ("kill a process by force", "kill -9 12"),
            ("print a calendar", "cal"),
            ("nothing to run", "x=1"),
        ]
        .map(|(request, command)| Pair { request: request.to_owned(), command: command.to_owned() })
        .to_vec()
    }

    #[test]
    fn what_was_seen_is_ranked_first() {
        let model = Model::train(&pairs());
        assert_eq!(model.pairs(), 7);
        for pair in &pairs()[..7] {
            assert_eq!(model.programs(&pair.request)[0].name, shape::program(&pair.command).unwrap());
            assert_eq!(model.templates(&pair.request)[0].name, shape::template(&pair.command));
        }
        assert_eq!(model.programs("how many lines?")[0].name, "wc");
        assert_eq!(model.templates("kill it by force")[0].name, "kill -# _");
    }

    #[test]
    fn scores_of_programs_are_a_distribution() {
        for request in ["show", "zzz", ""] {
            let ranked = Model::train(&pairs()).programs(request);
            let sum: f32 = ranked.iter().map(|r| r.score).sum();
            assert!(sum > 0.59 && sum < 1.001 && ranked.len() == 4, "{request} {ranked:?}");
        }
    }

    #[test]
    fn training_is_deterministic() {
        let rank =
            |request| (Model::train(&pairs()).programs(request), Model::train(&pairs()).templates(request));
        for request in ["count files", "zzz"] {
            assert_eq!(rank(request), rank(request));
        }
    }

    #[test]
    fn nothing_known_ranks_nothing() {
        let model = Model::train(&[]);
        assert!(model.programs("x").is_empty() && model.templates("x").is_empty());
    }
}
