//! The answers as text, for clients that hand nothing else to their model: each result with its path and line, what is
//! missing, and how to go on. What is there for programs alone (`about` of a complete answer) is left out.

use std::fmt::Write as _;

use mcp_server::budget::Detail;
use mcp_server::content::Output;

use super::{
    About, DefinitionView, FileView, ImpactView, MapView, OutlineView, ReadView, ReferencesView, SearchView,
    SymbolView,
};

/// A number with the word for what it counts.
pub(crate) fn counted(number: u64, what: &str) -> String {
    let ending = match (number, what) {
        (1, _) => return format!("1 {what}"),
        (_, what) if what.ends_with("match") => "es",
        _ => "s",
    };
    format!("{number} {what}{ending}")
}

fn many(number: usize, what: &str) -> String {
    counted(number as u64, what)
}

/// The lines of an answer.
struct Text(String);

impl Text {
    fn of(first: String) -> Self {
        Self(first)
    }

    fn line(&mut self, line: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(line);
    }

    /// Lines of files: a single one behind its path, several below it.
    fn files(&mut self, files: &[FileView]) {
        for file in files {
            match &file.lines[..] {
                [line] => self.line(&format!("{}:{}", file.path, line.trim_start())),
                lines => {
                    let hits = file.hits.map(|hits| format!(" ({hits} in all)")).unwrap_or_default();
                    self.line(&format!("{}{hits}", file.path));
                    lines.iter().for_each(|line| self.line(line));
                }
            }
        }
    }

    fn section(&mut self, title: &str, files: &[FileView]) {
        if !files.is_empty() {
            self.line(title);
            self.files(files);
        }
    }

    fn hint(&mut self, hint: Option<&String>) {
        hint.into_iter().for_each(|hint| self.line(hint));
    }

    /// What is missing, what there is to say of the index, and how to go on.
    fn end(mut self, about: &About, cursor: Option<&String>) -> String {
        if !about.complete {
            let skipped: Vec<String> =
                about.skipped.iter().map(|skipped| format!("{} {}", skipped.n, skipped.reason)).collect();
            let what = if skipped.is_empty() {
                String::new()
            } else {
                format!("; left out: {}", skipped.join(", "))
            };
            self.line(&format!("not complete{what}"));
        }
        about.notices.iter().for_each(|notice| self.line(notice));
        if let Some(cursor) = cursor {
            self.line(&format!("more with cursor {cursor}"));
        }
        self.0
    }
}

impl Output for SearchView {
    fn text(&self, _detail: Detail) -> String {
        let first = format!("{}, {} searched", counted(self.hits, "hit"), counted(self.searched, "file"));
        let mut text = Text::of(first);
        text.hint(self.hint.as_ref());
        text.files(&self.files);
        text.end(&self.about, self.next_cursor.as_ref())
    }
}

impl Output for OutlineView {
    fn text(&self, _detail: Detail) -> String {
        let lines: usize = self.files.iter().map(|file| file.lines.len()).sum();
        let mut text =
            Text::of(format!("{} in {}", many(lines, "definition"), many(self.files.len(), "file")));
        text.hint(self.hint.as_ref());
        text.files(&self.files);
        text.end(&self.about, self.next_cursor.as_ref())
    }
}

fn defined(one: &DefinitionView) -> String {
    let lines = if one.end > one.line { format!("{}-{}", one.line, one.end) } else { one.line.to_string() };
    let declared = if one.declaration { " (declaration)" } else { "" };
    let mut said = format!("{}:{lines} {} {}{declared}", one.path, one.kind, one.name);
    let parts = [Some(&one.signature), one.doc.as_ref(), one.body.as_ref()];
    for part in parts.into_iter().flatten().filter(|part| !part.is_empty()) {
        said.push('\n');
        said.push_str(part);
    }
    said
}

impl Output for SymbolView {
    fn text(&self, _detail: Detail) -> String {
        let mut text = Text::of(match self.total {
            0 => String::new(),
            total => many(total, "definition"),
        });
        text.hint(self.hint.as_ref());
        self.definitions.iter().for_each(|one| text.line(&defined(one)));
        text.end(&self.about, self.next_cursor.as_ref())
    }
}

impl Output for ReferencesView {
    fn text(&self, _detail: Detail) -> String {
        let count = |files: &[FileView]| files.iter().map(|file| file.lines.len()).sum::<usize>();
        let mut text = Text::of(format!(
            "{} resolved, {} likely, {} unresolved",
            count(&self.resolved),
            count(&self.likely),
            self.unresolved
        ));
        text.hint(self.hint.as_ref());
        for one in &self.definitions {
            let uses = many(one.uses, "use");
            text.line(&format!("definition {}:{} {} {}, {uses}", one.path, one.line, one.kind, one.name));
        }
        text.section("resolved:", &self.resolved);
        text.section("likely:", &self.likely);
        text.section("unresolved:", &self.candidates);
        if self.unresolved > 0 && self.candidates.is_empty() {
            text.line("candidates: true shows what is unresolved");
        }
        text.end(&self.about, self.next_cursor.as_ref())
    }
}

impl Output for ImpactView {
    fn text(&self, _detail: Detail) -> String {
        let depend = if self.total == 1 {
            "1 file depends".to_owned()
        } else {
            format!("{} files depend", self.total)
        };
        let more = if self.bounded { ", more beyond the depth" } else { "" };
        let mut text = Text::of(format!("{depend} on {}{more}", self.changed.join(", ")));
        text.hint(self.hint.as_ref());
        for one in &self.dependents {
            let via = one.via.as_ref().map(|via| format!(" via {via}")).unwrap_or_default();
            text.line(&format!("{} {}{via}", one.distance, one.path));
        }
        text.section("direct uses:", &self.uses);
        if self.unresolved > 0 {
            text.line(&format!("{} with the name not resolved", many(self.unresolved, "place")));
        }
        if self.unresolved_imports > 0 {
            text.line(&format!("{} of the root lead nowhere", many(self.unresolved_imports, "import")));
        }
        if !self.cycle.is_empty() {
            text.line(&format!("in a cycle of imports with {}", self.cycle.join(", ")));
        }
        text.end(&self.about, self.next_cursor.as_ref())
    }
}

impl Output for ReadView {
    fn text(&self, _detail: Detail) -> String {
        let mut text = Text::of(String::new());
        for part in &self.parts {
            text.line(&format!("{}:{}-{} of {}", self.path, part.lines[0], part.lines[1], self.total_lines));
            text.line(part.text.trim_end_matches('\n'));
        }
        text.hint(self.hint.as_ref());
        self.next_lines.iter().for_each(|lines| text.line(&format!("next_lines {lines}")));
        text.end(&self.about, None)
    }
}

impl Output for MapView {
    fn text(&self, _detail: Detail) -> String {
        let mut first = String::new();
        for (name, [files, lines]) in &self.languages {
            let comma = if first.is_empty() { "" } else { "; " };
            let _ = write!(first, "{comma}{name} {}, {}", counted(*files, "file"), counted(*lines, "line"));
        }
        let mut text = Text::of(first);
        text.hint(self.hint.as_ref());
        for file in &self.files {
            let symbols = Self::symbols_of(file);
            text.line(&format!("{} ({}){symbols}", file.path, many(file.importers, "importer")));
        }
        for hot in &self.hotspots {
            let (changes, branches) = (u64::from(hot.changes), u64::from(hot.decisions));
            text.line(&format!(
                "hot: {} {}, {}",
                hot.path,
                counted(changes, "change"),
                counted(branches, "decision")
            ));
        }
        self.cycles.iter().for_each(|cycle| text.line(&format!("cycle: {}", cycle.join(", "))));
        text.end(&self.about, None)
    }
}

impl MapView {
    fn symbols_of(file: &super::MappedView) -> String {
        if file.symbols.is_empty() { String::new() } else { format!(": {}", file.symbols.join(", ")) }
    }
}
