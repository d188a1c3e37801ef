//! The tokens of many files, and which of them share text.

use mcp_kernels::shingles::{Cut, Fingerprint, Scratch, winnow};
use mcp_source::Language;

use crate::duplicates::follow::{Side, follow};
use crate::duplicates::lex::{Class, exact, lex};
use crate::duplicates::{Options, Pair};

/// How fingerprints are cut: any 11 tokens that are equal share one. Shorter shingles find more edited copies and cost
/// more seeds; with these a copy of 100 tokens of which 10 are changed at random keeps a run that is long enough in
/// nearly all cases.
const CUT: Cut = Cut { shingle: 8, window: 4 };

/// Of texts that are found so often only neighbours are compared; they chain.
const MOST_COMPARED: usize = 8;

/// The number of a file in a corpus.
pub type FileNumber = u32;

/// The tokens of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Tokens {
    /// Hashes without names and values.
    pub plain: Vec<u32>,
    /// Hashes as written.
    pub exact: Vec<u32>,
    pub lines: Vec<u32>,
    pub classes: Vec<Class>,
}

struct Entry {
    tokens: Tokens,
    line_count: u32,
    is_live: bool,
}

/// Where a fingerprint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Print {
    hash: u64,
    file: FileNumber,
    token: u32,
}

/// The tokens of many files. A file that changed is replaced, and only what it shares is looked for again.
#[derive(Default)]
pub struct Corpus {
    files: Vec<Entry>,
    /// Sorted but for the files from `sorted` on.
    prints: Vec<Print>,
    sorted: usize,
    /// Prints of files that were added since the list was sorted.
    fresh: Vec<Print>,
    scratch: Scratch,
    found: Vec<Fingerprint>,
    words: String,
}

impl Corpus {
    /// Adds a file, and gives its number.
    pub fn add(&mut self, language: Language, text: &[u8]) -> FileNumber {
        let file = FileNumber::try_from(self.files.len()).unwrap_or(FileNumber::MAX);
        let tokens = self.tokens(language, text);
        winnow(&self.words, CUT, &mut self.scratch, &mut self.found);
        let prints = self.found.iter().map(|print| Print { hash: print.hash, file, token: print.token });
        self.fresh.extend(prints);
        let line_count = u32::try_from(memchr::memchr_iter(b'\n', text).count()).unwrap_or(u32::MAX);
        self.files.push(Entry { tokens, line_count, is_live: true });
        file
    }

    /// Takes a file out.
    pub fn remove(&mut self, file: FileNumber) {
        if let Some(entry) = self.files.get_mut(file as usize) {
            entry.is_live = false;
            entry.tokens = Tokens::default();
        }
    }

    /// The lines of all files.
    #[must_use]
    pub fn line_count(&self) -> u64 {
        self.files.iter().filter(|entry| entry.is_live).map(|entry| u64::from(entry.line_count)).sum()
    }

    /// The lines of tokens of a file: of the first, and of the one before the last.
    #[must_use]
    pub fn lines(&self, (file, from, to): (FileNumber, u32, u32)) -> (u32, u32) {
        let lines = &self.files[file as usize].tokens.lines;
        let of = |token: u32| lines.get(token as usize).copied().unwrap_or_default();
        (of(from), of(to.saturating_sub(1)))
    }

    /// The copies in all files, or those that have to do with some. `is_wanted` is asked now and then whether to go on.
    pub fn pairs(
        &mut self,
        options: Options,
        only: Option<&[FileNumber]>,
        is_wanted: impl Fn() -> bool,
    ) -> Vec<Pair> {
        self.settle();
        let mut seeds = match only {
            Some(files) => self.seeds_of(files),
            None => self.all_seeds(),
        };
        seeds.sort_unstable();
        seeds.dedup();
        self.follow_all(&seeds, options, is_wanted)
    }

    /// Sorts what was added. Few files are merged in, which costs less than sorting everything.
    fn settle(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        self.fresh.sort_unstable();
        let files = &self.files;
        self.prints.retain(|print| files[print.file as usize].is_live);
        self.prints.append(&mut self.fresh);
        // A merge sort that knows runs: what was sorted before is one.
        self.prints.sort();
        self.sorted = self.files.len();
    }

    fn all_seeds(&self) -> Vec<Seed> {
        let mut seeds = Vec::new();
        for group in self.prints.chunk_by(|a, b| a.hash == b.hash) {
            self.seeds_of_group(group, &mut seeds, |_, _| true);
        }
        seeds
    }

    fn seeds_of(&self, files: &[FileNumber]) -> Vec<Seed> {
        let mut seeds = Vec::new();
        let wanted = |file: FileNumber| files.contains(&file);
        let mut hashes: Vec<u64> =
            self.prints.iter().filter(|print| wanted(print.file)).map(|print| print.hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        for hash in hashes {
            let start = self.prints.partition_point(|print| print.hash < hash);
            let end = start + self.prints[start..].partition_point(|print| print.hash == hash);
            self.seeds_of_group(&self.prints[start..end], &mut seeds, |a, b| wanted(a) || wanted(b));
        }
        seeds
    }

    fn seeds_of_group(
        &self,
        group: &[Print],
        seeds: &mut Vec<Seed>,
        is_wanted: impl Fn(FileNumber, FileNumber) -> bool,
    ) {
        let live: Vec<&Print> =
            group.iter().filter(|print| self.files[print.file as usize].is_live).collect();
        let ahead = if live.len() <= MOST_COMPARED { live.len() } else { 1 };
        for (place, one) in live.iter().enumerate() {
            for other in live.iter().skip(place + 1).take(ahead) {
                if is_wanted(one.file, other.file) {
                    seeds.push(Seed { files: (one.file, other.file), at: (one.token, other.token) });
                }
            }
        }
    }

    fn follow_all(&self, seeds: &[Seed], options: Options, is_wanted: impl Fn() -> bool) -> Vec<Pair> {
        let mut pairs: Vec<Pair> = Vec::new();
        for group in seeds.chunk_by(|a, b| a.files == b.files) {
            if !is_wanted() {
                return pairs;
            }
            let (one, other) = group[0].files;
            let sides = (self.side(one), self.side(other));
            // What was found of these two files, with what was followed in vain, so that no seed is followed twice.
            let mut seen: Vec<(u32, u32, u32, u32)> = Vec::new();
            for seed in group {
                let (a, b) = seed.at;
                seen.retain(|(_, to, ..)| *to > a);
                if seen.iter().any(|(from, to, other_from, other_to)| {
                    (*from..*to).contains(&a) && (*other_from..*other_to).contains(&b)
                }) {
                    continue;
                }
                let is_same = one == other;
                let found = follow(sides, seed.at, CUT.shingle, is_same);
                seen.push((found.one.0, found.one.1, found.other.0, found.other.1));
                if let Some((kind, equal)) = found.judge(sides, options) {
                    let pair = Pair {
                        kind,
                        one: (one, found.one.0, found.one.1),
                        other: (other, found.other.0, found.other.1),
                        equal,
                    };
                    if self.has_lines(&pair, options.lines) {
                        pairs.push(pair);
                    }
                }
            }
        }
        pairs
    }

    fn has_lines(&self, pair: &Pair, least: u32) -> bool {
        [pair.one, pair.other].into_iter().all(|place| {
            let (first, last) = self.lines(place);
            last.saturating_sub(first) + 1 >= least
        })
    }

    fn side(&self, file: FileNumber) -> Side<'_> {
        let tokens = &self.files[file as usize].tokens;
        Side { plain: &tokens.plain, exact: &tokens.exact, classes: &tokens.classes }
    }

    /// The tokens of a text; their words for the fingerprints are in `words`, one for each token.
    fn tokens(&mut self, language: Language, text: &[u8]) -> Tokens {
        let mut tokens = Tokens::default();
        let words = &mut self.words;
        words.clear();
        let (mut line, mut at) = (1_u32, 0);
        lex(language, text, |lexeme| {
            let ends = memchr::memchr_iter(b'\n', &text[at..lexeme.start]).count();
            line += u32::try_from(ends).unwrap_or_default();
            at = lexeme.start;
            let written = &text[lexeme.start..lexeme.end];
            let start = words.len();
            match lexeme.class {
                Class::Word => words.extend(written.iter().map(|byte| char::from(*byte))),
                Class::Name => words.push('i'),
                Class::Number => words.push('n'),
                Class::Text => words.push('s'),
                Class::Sign => {
                    words.push('_');
                    for byte in written {
                        words.push(char::from(b'a' + (byte >> 4)));
                        words.push(char::from(b'a' + (byte & 15)));
                    }
                }
            }
            tokens.plain.push(exact(&words.as_bytes()[start..]));
            words.push(' ');
            tokens.exact.push(exact(written));
            tokens.lines.push(line);
            tokens.classes.push(lexeme.class);
        });
        tokens
    }
}

/// Two places with the same fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seed {
    files: (FileNumber, FileNumber),
    at: (u32, u32),
}
