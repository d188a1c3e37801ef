//! Copies of copies in one class.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::duplicates::{CloneType, Corpus, FileNumber, Pair};

/// Where a copy is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file.
    pub path: String,
    /// The first line.
    pub first_line: u32,
    /// The last line.
    pub last_line: u32,
}

/// Places that are copies of each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CloneClass {
    /// How the two differ most that differ most.
    pub kind: CloneType,
    /// Equal tokens of the two that have the most in common.
    pub tokens: u32,
    /// Where they are, at least two.
    pub places: Vec<Place>,
}

/// Joins pairs whose places are the same or nearly so. The largest classes come first. `name` gives the path of a
/// file.
#[must_use]
pub fn classes(corpus: &Corpus, pairs: &[Pair], name: impl Fn(FileNumber) -> String) -> Vec<CloneClass> {
    let mut known = Known::default();
    let mut ordered: Vec<&Pair> = pairs.iter().collect();
    ordered.sort_by_key(|pair| std::cmp::Reverse(pair.equal));
    for pair in &ordered {
        let (one, other) = (known.place(pair.one), known.place(pair.other));
        known.join(one, other);
    }
    let mut joined: BTreeMap<usize, CloneClass> = BTreeMap::new();
    for pair in ordered {
        let place = known.place(pair.one);
        let root = known.root(place);
        let class = joined.entry(root).or_insert_with(|| CloneClass {
            kind: CloneType::Exact,
            tokens: 0,
            places: Vec::new(),
        });
        class.kind = class.kind.max(pair.kind);
        class.tokens = class.tokens.max(pair.equal);
    }
    for index in 0..known.places.len() {
        let root = known.root(index);
        let (first_line, last_line) = corpus.lines(known.places[index]);
        if let Some(class) = joined.get_mut(&root) {
            class.places.push(Place { path: name(known.places[index].0), first_line, last_line });
        }
    }
    let mut classes: Vec<CloneClass> = joined.into_values().collect();
    for class in &mut classes {
        class.places.sort();
        class.places.dedup();
    }
    classes.retain(|class| class.places.len() > 1);
    let weight = |class: &CloneClass| class.tokens as usize * (class.places.len() - 1);
    classes.sort_by(|a, b| weight(b).cmp(&weight(a)).then_with(|| a.places.cmp(&b.places)));
    classes
}

/// Places that are told apart, and which belong together.
#[derive(Default)]
struct Known {
    places: Vec<(FileNumber, u32, u32)>,
    /// Places of a file by their numbers.
    by_file: BTreeMap<FileNumber, Vec<usize>>,
    above: Vec<usize>,
}

impl Known {
    /// The number of a place; one that nearly is it will do.
    fn place(&mut self, place: (FileNumber, u32, u32)) -> usize {
        let numbers = self.by_file.entry(place.0).or_default();
        if let Some(number) = numbers.iter().find(|number| is_nearly(self.places[**number], place)) {
            return *number;
        }
        let number = self.places.len();
        self.places.push(place);
        self.above.push(number);
        numbers.push(number);
        number
    }

    fn root(&mut self, mut number: usize) -> usize {
        while self.above[number] != number {
            self.above[number] = self.above[self.above[number]];
            number = self.above[number];
        }
        number
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.above[one.max(other)] = one.min(other);
    }
}

/// Whether two places of a file share nine tenths of both.
fn is_nearly(one: (FileNumber, u32, u32), other: (FileNumber, u32, u32)) -> bool {
    let shared = one.2.min(other.2).saturating_sub(one.1.max(other.1));
    let longest = (one.2 - one.1).max(other.2 - other.1);
    u64::from(shared) * 10 >= u64::from(longest) * 9
}
