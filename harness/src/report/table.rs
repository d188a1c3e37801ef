//! The terminal's output.

use crate::report::findings::{self, Note};
use crate::report::grid::{grid, hanging, wrap};
use crate::report::sheet::Tone;
use crate::report::view::View;
use crate::report::words::NBSP;
use crate::report::{Report, Style, details, sheet};

/// A report for a terminal: head, results, artifacts, controls, claims, legend, in lines of `style.width`.
#[must_use]
pub fn table(report: &Report<'_>, style: &Style) -> String {
    let view = View::of(report);
    let mut sections = vec![head(report, style), grid(&sheet::results(&view), style)];
    sections.push(paragraphs(&findings::controls(report), style));
    let mut notes = findings::arms(&view);
    notes.extend(findings::failures(&view));
    notes.extend(findings::undecided(&view));
    notes.extend(findings::warnings(report));
    sections.push(paragraphs(&notes, style));
    sections.push(grid(&details::artifacts(&view, false), style));
    sections.push(paragraphs(&findings::needs(&view), style));
    sections.push(paragraphs(&findings::claims(report), style));
    let mut legend = hanging("legend", &findings::legend(report), Tone::Plain, style);
    legend.push_str(&paragraphs(&[findings::false_alarms(report)], style));
    sections.push(legend);
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

/// The run's facts, joined by dots, broken between facts where that is possible.
fn head(report: &Report<'_>, style: &Style) -> String {
    let facts: Vec<String> =
        findings::head(report).iter().map(|fact| fact.replace(' ', &NBSP.to_string())).collect();
    let mut text = String::new();
    for line in wrap(&style.signs(&facts.join(" · ")), style.width) {
        let line = line.replace(NBSP, " ");
        text.push_str(line.trim_start_matches(['·', '|', ' ']));
        text.push('\n');
    }
    text
}

fn paragraphs(notes: &[Note], style: &Style) -> String {
    let mut text = String::new();
    let mut previous = "";
    for note in notes {
        let label = if note.label == previous && note.more.is_empty() { "" } else { note.label };
        text.push_str(&hanging(label, &note.text, note.tone, style));
        for more in &note.more {
            text.push_str(&hanging("", more, Tone::Plain, style));
        }
        previous = note.label;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn the_whole_output_at_100_characters() {
        let fixture = Fixture::small();
        insta::assert_snapshot!(table(&fixture.report(), &Style::default()));
    }

    #[test]
    fn the_whole_output_at_60_characters_in_ascii() {
        let fixture = Fixture::small();
        let style = Style { width: 60, color: false, unicode: false };
        let text = table(&fixture.report(), &style);
        assert!(text.is_ascii(), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn no_line_is_longer_than_asked() {
        for fixture in [Fixture::small(), Fixture::large()] {
            for width in [60, 80, 100, 160] {
                for unicode in [true, false] {
                    let text = table(&fixture.report(), &Style { width, color: false, unicode });
                    for line in text.lines() {
                        assert!(line.chars().count() <= width, "{width}: {line}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_change_is_whole_at_every_width() {
        let fixture = Fixture::large();
        let report = fixture.report();
        let view = View::of(&report);
        for width in [60, 80, 100, 160] {
            let text = table(&report, &Style { width, ..Style::default() });
            for judged in view.judged().filter(|judged| judged.row.role == crate::plan::Role::Candidate) {
                let entry = sheet::judged(judged).text.replace(NBSP, " ");
                assert!(text.contains(&entry), "{width}: {entry}");
            }
        }
    }

    #[test]
    fn an_empty_run_still_says_why() {
        let fixture = Fixture::failed();
        let text = table(&fixture.report(), &Style::default());
        assert!(text.contains("not built"), "{text}");
        let words: Vec<&str> = text.split_whitespace().collect();
        assert!(words.join(" ").contains("on this CPU: CANNOT TELL (nothing was measured)"), "{text}");
    }
}
