//! Parts of long answers: what fits into the budget, and where the next part begins.

use mcp_server::answer::{cursor, length, place};
use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use crate::answers::FileView;

/// What an answer needs beside its list.
const REST: usize = 700;
/// An answer holds its list twice: for programs, and as text.
pub(super) const FORMS: usize = 2;

/// The part of a list that a call is about.
pub(super) struct Page {
    list: String,
    /// The first item.
    pub start: usize,
    /// The most items.
    pub limit: usize,
    /// The most bytes of JSON, in one of the two forms.
    pub room: usize,
}

impl Page {
    /// The page of a call. `key` is what the list depends on: a cursor of another list is refused.
    pub fn new(
        key: &[&str],
        limit: usize,
        given: Option<&str>,
        context: &Context,
    ) -> Result<Self, ToolError> {
        let list = format!("{:08x}", xxh3_64(key.join("\0").as_bytes()) >> 32);
        // Clients in a strict mode send every member: an empty one is one that was left out.
        let start = match given.filter(|given| !given.is_empty()) {
            None => 0,
            Some(given) => place(&list, given).and_then(|start| usize::try_from(start).ok()).ok_or_else(|| {
                ToolError::bad_arguments(format!(
                    "the cursor {given} belongs to another question: repeat the question as it was, with its next_cursor"
                ))
            })?,
        };
        Ok(Self { list, start, limit, room: context.budget().max_bytes().saturating_sub(REST) / FORMS })
    }

    /// The first part of another list, in as much room.
    pub fn beside(&self, limit: usize) -> Self {
        Self { list: String::new(), start: 0, limit, room: self.room }
    }

    /// The cursor of what follows `end`, if anything does.
    pub fn next(&self, end: usize, total: usize) -> Option<String> {
        (end < total && end > self.start).then(|| cursor(&self.list, end as u64))
    }

    /// The items of this page, and the cursor of the next.
    pub fn of<T: Serialize>(&self, items: Vec<T>) -> (Vec<T>, Option<String>) {
        let total = items.len();
        let mut room = self.room;
        let mut page = Vec::new();
        for item in items.into_iter().skip(self.start).take(self.limit) {
            let needed = length(&item) + 1;
            if needed > room && !page.is_empty() {
                break;
            }
            room = room.saturating_sub(needed);
            page.push(item);
        }
        let next = self.next(self.start + page.len(), total);
        (page, next)
    }
}

/// A line of an answer, with the file that it is of.
pub(super) struct Row {
    pub path: String,
    pub line: String,
    /// Whether it counts; lines around hits come along.
    pub counts: bool,
}

/// The rows of a page, grouped by file.
pub(super) fn rows(page: &Page, rows: Vec<Row>) -> (Vec<FileView>, Option<String>) {
    let total = rows.len();
    let (mut files, mut room, mut counted, mut end) =
        (Vec::<FileView>::new(), page.room, 0, page.start.min(total));
    for row in rows.into_iter().skip(page.start) {
        if row.counts && counted == page.limit {
            break;
        }
        let is_new = files.last().is_none_or(|file| file.path != row.path);
        let needed = length(&row.line) + 1 + if is_new { length(&row.path) + 24 } else { 0 };
        if needed > room && end > page.start {
            break;
        }
        room = room.saturating_sub(needed);
        counted += usize::from(row.counts);
        end += 1;
        match files.last_mut() {
            Some(file) if !is_new => file.lines.push(row.line),
            _ => files.push(FileView { path: row.path, hits: None, lines: vec![row.line] }),
        }
    }
    (files, page.next(end, total))
}

#[cfg(test)]
mod tests {
    use mcp_server::budget::{Budget, Detail};

    use super::*;

    fn context(max_tokens: u32) -> Context {
        Context::detached(Budget { detail: Detail::Concise, max_tokens })
    }

    #[test]
    fn pages_together_are_the_list() {
        let items: Vec<String> = (0..100).map(|number| format!("item {number}")).collect();
        let context = context(250);
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let page = Page::new(&["a"], 30, cursor.as_deref(), &context).unwrap();
            let (part, next) = page.of(items.clone());
            assert!(!part.is_empty() && part.len() <= 30);
            seen.extend(part);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, items);
        let first = Page::new(&["a"], 5, None, &context).unwrap().of(items.clone()).1.unwrap();
        assert!(Page::new(&["b"], 5, Some(&first), &context).is_err());
        assert!(Page::new(&["a"], 5, Some("x-1"), &context).is_err());
    }

    #[test]
    fn rows_of_a_file_stand_together() {
        let row =
            |path: &str, line: &str, counts| Row { path: path.to_owned(), line: line.to_owned(), counts };
        let all = || {
            vec![
                row("a", "1- x", false),
                row("a", "2: y", true),
                row("b", "1: z", true),
                row("b", "2: z", true),
            ]
        };
        let page = Page::new(&[], 2, None, &context(1_000)).unwrap();
        let (files, next) = rows(&page, all());
        assert_eq!((files.len(), files[0].lines.len(), files[1].lines.len()), (2, 2, 1));
        let page = Page::new(&[], 2, next.as_deref(), &context(1_000)).unwrap();
        let (files, next) = rows(&page, all());
        assert_eq!((files.len(), files[0].lines.len(), next), (1, 1, None));
    }
}
