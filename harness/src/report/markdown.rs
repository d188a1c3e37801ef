//! Markdown: a record's report, and the parts of it that other documents show.

use crate::report::findings::{self, Note};
use crate::report::sheet::{Entry, Head, Sheet};
use crate::report::view::View;
use crate::report::words::visible_letter;
use crate::report::{Report, chart, details, sheet};

/// The whole report of a record. Charts are linked as `charts/NAME.svg`, beside it.
#[must_use]
pub fn markdown(report: &Report<'_>) -> String {
    let view = View::of(report);
    let mut parts = vec![format!("# perflab: suite {}", escape(&report.plan.suite)), made_by(report)];
    section(&mut parts, "Answers", claims(report));
    let mut results = vec![sheet_text(&sheet::results(&view)), prose(&findings::legend(report))];
    let mut notes = findings::arms(&view);
    notes.extend(findings::failures(&view));
    notes.extend(findings::undecided(&view));
    notes.extend(findings::warnings(report));
    notes.extend(findings::controls(report));
    notes.push(findings::false_alarms(report));
    results.push(list(&notes));
    section(&mut parts, "Results", results);
    let links = chart::titles(report)
        .into_iter()
        .map(|(name, title)| format!("![{}](charts/{name}.svg)", escape(&title)))
        .collect();
    section(&mut parts, "Charts", links);
    section(&mut parts, "Every row", vec![sheet_text(&details::every_row(&view))]);
    section(
        &mut parts,
        details::artifacts_heading(&view),
        vec![sheet_text(&details::artifacts(&view, true))],
    );
    if let Some(instructions) = details::instructions(&view) {
        let heading = "Instructions by the widest register that they use";
        section(&mut parts, heading, vec![sheet_text(&instructions)]);
    }
    section(&mut parts, "Machine and run", vec![sheet_text(&details::machine(report))]);
    let mut text = parts.join("\n\n");
    text.push('\n');
    text
}

/// Where it was made, answers, table and notes: what stands by itself in another document.
pub(crate) fn results_block(report: &Report<'_>, view: &View<'_>) -> Vec<String> {
    let mut parts = vec![made_by(report)];
    parts.extend(claims(report));
    parts.push(sheet_text(&sheet::results(view)));
    parts.push(prose(&findings::legend(report)));
    let mut notes = findings::arms(view);
    notes.extend(findings::failures(view));
    notes.extend(findings::controls(report));
    notes.push(findings::false_alarms(report));
    parts.push(list(&notes));
    parts
}

fn section(parts: &mut Vec<String>, heading: &str, texts: Vec<String>) {
    if texts.iter().any(|text| !text.is_empty()) {
        parts.push(format!("## {heading}"));
        parts.extend(texts.into_iter().filter(|text| !text.is_empty()));
    }
}

/// The command and the machine that made the numbers.
pub(crate) fn made_by(report: &Report<'_>) -> String {
    let facts: Vec<String> = findings::head(report).iter().map(|fact| escape(fact)).collect();
    let (started, command) = (escape(&report.meta.started), code_span(&report.meta.command));
    format!("{} · {started}\n\nMade by {command}.", facts.join(" · "))
}

fn claims(report: &Report<'_>) -> Vec<String> {
    findings::claims(report)
        .into_iter()
        .map(|note| {
            let more: Vec<String> = note.more.iter().map(|line| format!("  {}", prose(line))).collect();
            let (headline, rest) =
                more.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
            let mut text = format!("- Claim {}<br>\n  **{}**", prose(&note.text), headline.trim());
            for line in rest {
                text.push_str("<br>\n");
                text.push_str(line);
            }
            text
        })
        .collect()
}

pub(crate) fn list(notes: &[Note]) -> String {
    let mut lines = Vec::new();
    for note in notes {
        lines.push(format!("- {}: {}", note.label, prose(&note.text)));
        lines.extend(note.more.iter().map(|more| format!("  - {}", prose(more))));
    }
    lines.join("\n")
}

/// A sheet as a pipe table.
pub(crate) fn sheet_text(sheet: &Sheet) -> String {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let rule = |head: &Head| if head.words { "---" } else { "---:" }.to_owned();
    let mut lines = vec![
        line(sheet.heads.iter().map(|head| escape(&head.line())).collect()),
        line(sheet.heads.iter().map(rule).collect()),
    ];
    let first = sheet.rows.len() - sheet.summaries.min(sheet.rows.len());
    for (index, row) in sheet.rows.iter().enumerate() {
        let cell = |entry: &Entry| {
            let text = escape(&entry.text);
            if index >= first && !text.is_empty() { format!("*{text}*") } else { text }
        };
        lines.push(line(row.iter().map(cell).collect()));
    }
    lines.join("\n")
}

/// A text that Markdown shows as it is, on one line: the name of something, or another program's words.
pub(crate) fn escape(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (at, &letter) in letters.iter().enumerate() {
        match letter {
            '|' | '*' | '\\' | '[' | ']' | '`' | '~' | '$' => out.extend(['\\', letter]),
            '_' if emphasises(&letters, at) => out.push_str("\\_"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\r' => out.push(' '),
            other => out.push(visible_letter(other)),
        }
    }
    out
}

/// Whether an underscore is one of a run that may begin or end an emphasis: those between two letters cannot.
fn emphasises(letters: &[char], at: usize) -> bool {
    let is_letter = |letter: Option<&&char>| letter.is_some_and(|letter| letter.is_alphanumeric());
    let before = letters[..at].iter().rev().find(|&&letter| letter != '_');
    let after = letters[at..].iter().find(|&&letter| letter != '_');
    let begins = letters[..at].iter().all(|&letter| letter == '_');
    begins || !is_letter(before.as_ref()) || !is_letter(after.as_ref())
}

/// A sentence, in which what stands between two backticks is code.
pub(crate) fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let code = || parts.iter().skip(1).step_by(2);
    // An odd backtick, or two with nothing between them, come from a name or from another program's words.
    if parts.len().is_multiple_of(2) || code().any(|code| code.trim().is_empty()) {
        return escape(text);
    }
    let marked = parts.iter().enumerate();
    marked.map(|(at, part)| if at % 2 == 1 { code_span(part) } else { escape(part) }).collect()
}

/// A text as code: between more backticks than it holds beside each other.
pub(crate) fn code_span(text: &str) -> String {
    let shown = |letter| if matches!(letter, '\n' | '\r') { ' ' } else { visible_letter(letter) };
    let text: String = text.chars().map(shown).collect();
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let (fence, space) = ("`".repeat(longest + 1), if longest > 0 { " " } else { "" });
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn the_whole_report() {
        insta::assert_snapshot!(markdown(&Fixture::small().report()));
    }

    #[test]
    fn every_table_row_has_as_many_cells_as_its_head() {
        let text = markdown(&Fixture::small().report());
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let mut columns = None;
        for line in text.lines() {
            columns = line.starts_with('|').then(|| columns.unwrap_or_else(|| cells(line)));
            if let Some(columns) = columns {
                assert_eq!(cells(line), columns, "{line}");
            }
        }
    }

    #[test]
    fn marks_in_names_do_not_change_the_form() {
        assert_eq!(escape("a|b <c> *d* [e]\nf"), "a\\|b &lt;c&gt; \\*d\\* \\[e\\] f");
        assert_eq!(escape("__x__ a_b std::__c _"), "\\_\\_x\\_\\_ a_b std::\\_\\_c \\_");
        assert_eq!(escape("json_rpc/parse a__b"), "json_rpc/parse a__b", "no emphasis between letters");
        assert_eq!(escape("`x` ~~y~~ $z$ \u{1b}[0m"), "\\`x\\` \\~\\~y\\~\\~ \\$z\\$ ␛\\[0m");
    }

    #[test]
    fn code_stays_code_whatever_it_holds() {
        assert_eq!(prose("mark it `long`, *now*"), "mark it `long`, \\*now\\*");
        assert_eq!(prose("an odd ` one"), "an odd \\` one");
        assert_eq!(prose("``__x__``"), "\\`\\`\\_\\_x\\_\\_\\`\\`");
        assert_eq!(code_span("sh -c 'a | b'"), "`sh -c 'a | b'`");
        assert_eq!(code_span("echo `date`\n``x"), "``` echo `date` ``x ```");
    }
}
