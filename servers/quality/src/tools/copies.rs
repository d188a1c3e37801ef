//! `duplicates`.

use std::collections::BTreeMap;

use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use mcp_source::walk::{Rules, Stamp, walk};
use mcp_source::{Language, Skips};
use mcp_workspace::Root;

use crate::answers::{DuplicatesView, Looked};
use crate::duplicates::{CloneClass, Corpus, FileNumber, Options, classes};
use crate::params;
use crate::state::Quality;
use crate::tools::{failed, page};
use crate::tree;

/// The tokens of a root, kept from call to call: only files that changed are read again.
pub(crate) struct Copies {
    root: std::path::PathBuf,
    corpus: Corpus,
    files: BTreeMap<String, (Stamp, FileNumber)>,
    names: Vec<String>,
    /// Files that were taken out; their tokens are gone, their numbers are not.
    gone: usize,
}

/// So many files that are gone are carried along before all is read anew.
const MOST_GONE: usize = 5_000;

impl Copies {
    fn new(root: &Root) -> Self {
        Self {
            root: root.path().to_owned(),
            corpus: Corpus::default(),
            files: BTreeMap::new(),
            names: Vec::new(),
            gone: 0,
        }
    }

    /// Reads what changed.
    fn refresh(&mut self, root: &Root, context: &Context) -> Result<Skips, ToolError> {
        let walked = walk(root.path(), &Rules { most: tree::MOST_FILES, ..Rules::default() });
        let mut skips = Skips::default();
        let mut there = BTreeMap::new();
        for (number, file) in walked.files.into_iter().enumerate() {
            if number % 256 == 0 && context.is_cancelled() {
                return Err(failed("the call was cancelled"));
            }
            if Language::of_path(file.path.as_ref()).is_none() {
                continue;
            }
            if let Some((stamp, number)) = self.files.remove(&file.path) {
                if stamp == file.stamp {
                    there.insert(file.path, (stamp, number));
                    continue;
                }
                self.corpus.remove(number);
                self.gone += 1;
            }
            let Some((language, text)) = tree::source(root, &file.path, &mut skips) else { continue };
            let number = self.corpus.add(language, &text);
            self.names.push(file.path.clone());
            there.insert(file.path, (file.stamp, number));
        }
        for (_, number) in std::mem::replace(&mut self.files, there).into_values() {
            self.corpus.remove(number);
            self.gone += 1;
        }
        Ok(skips)
    }
}

pub(super) fn duplicates(
    state: &Quality,
    params: &params::Duplicates,
    context: &Context,
) -> Result<DuplicatesView, ToolError> {
    let place = state.place(params.paths.as_deref())?;
    let mut held = state.copies.lock();
    let is_usable =
        held.as_ref().is_some_and(|copies| copies.root == place.root.path() && copies.gone < MOST_GONE);
    let mut copies = match held.take() {
        Some(copies) if is_usable => copies,
        _ => Copies::new(place.root),
    };
    let skips = copies.refresh(place.root, context)?;
    let files: Vec<String> = copies.files.keys().cloned().collect();
    let wanted = tree::below(&files, &place.paths);
    let numbers: Vec<FileNumber> = wanted.iter().map(|path| copies.files[*path].1).collect();
    let only = (!place.paths.is_empty()).then_some(numbers.as_slice());
    let options = Options { tokens: usize::from(params.min_tokens.unwrap_or(50)), ..Options::default() };
    let pairs = copies.corpus.pairs(options, only, || !context.is_cancelled());
    let names = &copies.names;
    let name = |file: FileNumber| names.get(file as usize).cloned().unwrap_or_default();
    let clones = classes(&copies.corpus, &pairs, name);
    let lines = copies.corpus.line_count();
    let looked =
        Looked { files: files.len(), partial: 0, skipped: skips.list(), complete: skips.is_complete() };
    *held = Some(copies);
    drop(held);
    let (total, duplicated) = (clones.len(), duplicated_lines(&clones));
    #[expect(clippy::cast_precision_loss, reason = "counts of lines are far below 2^52")]
    let percent =
        if lines == 0 { 0.0 } else { (duplicated as f64 / lines as f64 * 10_000.0).round() / 100.0 };
    let (clones, next_cursor) = page(clones, "clones", params.cursor.as_deref(), None, context)?;
    Ok(DuplicatesView { clones, total, duplicated_percent: percent, lines, looked, next_cursor })
}

/// The lines that are part of any copy, each once.
fn duplicated_lines(clones: &[CloneClass]) -> u64 {
    let mut by_file: BTreeMap<&str, Vec<(u32, u32)>> = BTreeMap::new();
    for place in clones.iter().flat_map(|clone| &clone.places) {
        by_file.entry(&place.path).or_default().push((place.first_line, place.last_line));
    }
    let mut sum = 0;
    for regions in by_file.values_mut() {
        regions.sort_unstable();
        let mut end = 0;
        for (first, last) in regions {
            sum += u64::from((*last + 1).saturating_sub((*first).max(end)));
            end = end.max(*last + 1);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duplicates::{CloneType, Place};

    #[test]
    fn a_line_counts_once() {
        let place =
            |path: &str, first_line, last_line| Place { path: path.to_owned(), first_line, last_line };
        let clone = |places| CloneClass { kind: CloneType::Exact, tokens: 50, places };
        let clones = [
            clone(vec![place("a", 1, 10), place("b", 1, 10)]),
            clone(vec![place("a", 5, 12), place("a", 20, 20)]),
        ];
        assert_eq!(duplicated_lines(&clones), 12 + 1 + 10);
        assert_eq!(duplicated_lines(&[]), 0);
    }
}
