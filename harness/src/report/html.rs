//! One HTML file that needs nothing else: tables, inline charts, the raw facts behind a fold.

use crate::report::chart::Chart;
use crate::report::findings::{self, Note};
use crate::report::sheet::{Entry, Sheet, Tone};
use crate::report::view::View;
use crate::report::words::{NBSP, visible_letter};
use crate::report::{Report, details, sheet};

/// The page's look. Charts take their neutral colours from it, so that they follow light and dark.
const STYLE: &str = include_str!("report.css");

/// The whole report as one page. `charts` stand in it as inline SVG.
#[must_use]
pub fn html(report: &Report<'_>, charts: &[Chart]) -> String {
    let view = View::of(report);
    let mut page = Page::default();
    page.head(report);
    page.section("Answers", &claims(report));
    page.section("Results", &results(report, &view));
    if !charts.is_empty() {
        page.section("Charts", &charts.iter().map(figure).collect::<String>());
    }
    page.section(details::artifacts_heading(&view), &artifacts(&view));
    let rows = table(&details::every_row(&view));
    page.section("Every row", &fold("values, intervals, spread and verdict of every row", &rows));
    page.section("Machine and run", &table(&details::machine(report)));
    page.section("Raw facts", &raw(report));
    page.finish()
}

/// A text as HTML shows it.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' | '\t' => out.push(letter),
            // A control character makes a document of XML none, even when it is escaped.
            other => out.push(visible_letter(other)),
        }
    }
    out
}

/// A sentence in which what stands between two backticks is code.
fn prose(text: &str) -> String {
    let parts: Vec<String> = text.split('`').map(escape).collect();
    // An odd backtick comes from another program's words: there is no code then.
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let marked = parts
        .iter()
        .enumerate()
        .map(|(index, part)| if index % 2 == 1 { format!("<code>{part}</code>") } else { part.clone() });
    marked.collect()
}

/// A page while it is written.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn head(&mut self, report: &Report<'_>) {
        let title = format!("perflab: suite {}", report.plan.suite);
        let facts: Vec<String> = findings::head(report).iter().map(|fact| escape(fact)).collect();
        self.text = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<header>\n<h1>{title}</h1>\n\
             <p class=\"facts\">{facts}</p>\n<p>Measured {started}. Made by <code>{command}</code>.</p>\n</header>\n",
            title = escape(&title),
            facts = facts.join(" · "),
            started = escape(&report.meta.started),
            command = escape(&report.meta.command),
        );
    }

    fn section(&mut self, heading: &str, body: &str) {
        if !body.is_empty() {
            self.push(&format!("<section>\n<h2>{heading}</h2>\n{body}</section>\n"));
        }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn finish(mut self) -> String {
        self.push("</main>\n</body>\n</html>\n");
        self.text
    }
}

fn claims(report: &Report<'_>) -> String {
    let mut text = String::new();
    for note in findings::claims(report) {
        text.push_str(&format!("<article class=\"claim\">\n<p>Claim {}</p>\n", prose(&note.text)));
        for (index, line) in note.more.iter().enumerate() {
            let class = if index == 0 { " class=\"answer\"" } else { "" };
            text.push_str(&format!("<p{class}>{}</p>\n", prose(line)));
        }
        text.push_str("</article>\n");
    }
    text
}

fn results(report: &Report<'_>, view: &View<'_>) -> String {
    let mut notes = findings::arms(view);
    notes.extend(findings::failures(view));
    notes.extend(findings::undecided(view));
    notes.extend(findings::warnings(report));
    notes.extend(findings::controls(report));
    notes.push(findings::false_alarms(report));
    let legend = format!("<p class=\"legend\">{}</p>\n", escape(&findings::legend(report)));
    format!("{}{legend}{}", table(&sheet::results(view)), list(&notes))
}

fn artifacts(view: &View<'_>) -> String {
    let mut text = table(&details::artifacts(view, true));
    if let Some(instructions) = details::instructions(view) {
        text.push_str("<h3>Instructions by the widest register that they use</h3>\n");
        text.push_str(&table(&instructions));
    }
    text
}

fn figure(chart: &Chart) -> String {
    // An inline picture has no XML declaration.
    let svg = chart.svg.find("<svg").map_or("", |start| &chart.svg[start..]);
    format!("<figure id=\"{}\">\n{}\n</figure>\n", chart.name, svg.trim_end())
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "",
        Tone::Better => "better",
        Tone::Worse => "worse",
        Tone::Same => "same",
        Tone::Open => "open",
        Tone::Failed => "failed",
    }
}

fn table(sheet: &Sheet) -> String {
    let mut text = String::from("<div class=\"wide\">\n<table>\n<thead>\n<tr>");
    for head in &sheet.heads {
        let kind = if head.words { " class=\"words\"" } else { "" };
        let under =
            if head.under.is_empty() { String::new() } else { format!("<br>{}", escape(&head.under)) };
        text.push_str(&format!("<th scope=\"col\"{kind}>{}{under}</th>", escape(&head.name)));
    }
    text.push_str("</tr>\n</thead>\n<tbody>\n");
    let first = sheet.rows.len() - sheet.summaries.min(sheet.rows.len());
    for (index, row) in sheet.rows.iter().enumerate() {
        text.push_str(if index >= first { "<tr class=\"summary\">" } else { "<tr>" });
        for (column, entry) in row.iter().enumerate() {
            text.push_str(&cell(entry, column == 0, sheet.heads[column].words));
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody>\n</table>\n</div>\n");
    text
}

/// The text of a cell, which may take a second line before what tells how sure its number is.
fn broken(text: &str) -> String {
    escape(text).replace(&format!("{NBSP}±"), " ±").replace(&format!(",{NBSP}"), ", ")
}

fn cell(entry: &Entry, names_row: bool, words: bool) -> String {
    if names_row {
        return format!("<th scope=\"row\">{}</th>", escape(&entry.text));
    }
    let mut classes: Vec<&str> = Vec::new();
    classes.extend(words.then_some("words"));
    classes.extend(Some(class(entry.tone)).filter(|class| !class.is_empty()));
    let attribute =
        if classes.is_empty() { String::new() } else { format!(" class=\"{}\"", classes.join(" ")) };
    format!("<td{attribute}>{}</td>", broken(&entry.text))
}

fn list(notes: &[Note]) -> String {
    if notes.is_empty() {
        return String::new();
    }
    let mut text = String::from("<dl>\n");
    for note in notes {
        let class = class(note.tone);
        let more: String = note.more.iter().map(|line| format!("<br>{}", prose(line))).collect();
        let (label, said) = (note.label, prose(&note.text));
        text.push_str(&format!("<dt class=\"{class}\">{label}</dt><dd>{said}{more}</dd>\n"));
    }
    text.push_str("</dl>\n");
    text
}

fn fold(summary: &str, body: &str) -> String {
    format!("<details>\n<summary>{}</summary>\n{body}</details>\n", escape(summary))
}

/// Plan, environment, analysis and judgement as they are in the record.
fn raw(report: &Report<'_>) -> String {
    let facts = [
        ("plan", serde_json::to_string_pretty(report.plan)),
        ("environment", serde_json::to_string_pretty(report.environment)),
        ("analysis", serde_json::to_string_pretty(report.analysis)),
        ("judgement", serde_json::to_string_pretty(report.judgement)),
    ];
    let mut text = String::new();
    for (name, json) in facts {
        // Text keys and plain data have no way to fail; if one ever does, the page says so in its place.
        let json = json.unwrap_or_else(|error| format!("not shown: {error}"));
        text.push_str(&fold(name, &format!("<pre>{}</pre>\n", escape(&json))));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::pictures;
    use crate::report::fixture::Fixture;

    fn page(fixture: &Fixture) -> String {
        let report = fixture.report();
        html(&report, &pictures(&report))
    }

    /// Opening and closing tags of a page, matched; void elements and self-closing ones left out.
    fn unbalanced(page: &str) -> Option<String> {
        const VOID: [&str; 3] = ["meta", "br", "!DOCTYPE"];
        let mut open: Vec<&str> = Vec::new();
        for part in page.split('<').skip(1) {
            let tag = part.split_once('>').map_or(part, |(tag, _)| tag);
            let name = tag.split([' ', '\n']).next().unwrap_or_default();
            match name.strip_prefix('/') {
                Some(name) if open.pop() == Some(name) => {}
                Some(name) => return Some(format!("</{name}> at {:?}", open)),
                None if tag.ends_with('/') || VOID.contains(&name) => {}
                None => open.push(name),
            }
        }
        (!open.is_empty()).then(|| format!("{open:?} left open"))
    }

    #[test]
    fn tags_are_balanced() {
        for fixture in [Fixture::small(), Fixture::large(), Fixture::failed()] {
            assert_eq!(unbalanced(&page(&fixture)), None);
        }
    }

    #[test]
    fn the_check_sees_a_missing_tag() {
        assert!(unbalanced("<table><tr></table>").is_some());
        assert!(unbalanced("<p>").is_some());
        assert_eq!(unbalanced("<p>a<br>b</p>"), None);
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        let page = page(&Fixture::small());
        let page = page.replace("http://www.w3.org/2000/svg", "");
        for foreign in ["http://", "https://", "<script", "<link", "@import", "url(", "src="] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    /// By how many pixels a page is wider than a window of this width, and then each of its tables than its place: as a
    /// browser lays them out. `None` where there is no browser.
    fn beyond(page: &str, width: u32) -> Option<Vec<i64>> {
        const SCRIPT: &str = "<script>document.title = JSON.stringify([document.documentElement.scrollWidth - innerWidth,\
            ...[...document.querySelectorAll('.wide')].map(wide => wide.scrollWidth - wide.clientWidth)])</script></body>";
        let path = std::env::var_os("PATH")?;
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let programs = std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
        let browser = programs.into_iter().find(|program| program.is_file())?;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.html");
        std::fs::write(&file, page.replace("</body>", SCRIPT)).unwrap();
        let output = std::process::Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
            .arg(format!("--window-size={width},900"))
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(format!("file://{}", file.display()))
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&output.stdout);
        let title = shown.split_once("<title>")?.1.split_once("</title>")?.0;
        serde_json::from_str(title).ok()
    }

    #[test]
    fn tables_take_more_lines_in_a_narrow_window_and_are_scrolled_within_the_page() {
        let (small, large) = (page(&Fixture::small()), page(&Fixture::large()));
        let (Some(few), Some(many)) = (beyond(&small, 800), beyond(&large, 1400)) else {
            println!("skipped: no browser lays the page out here");
            return;
        };
        assert!(few[0] <= 0 && few[1] <= 0, "the results fit: {few:?}");
        assert!(many[0] <= 0, "tables are scrolled, and never the page: {many:?}");
    }

    #[test]
    fn names_are_escaped() {
        let page = page(&Fixture::small());
        assert!(page.contains("hash/sip &lt;13&gt;"));
        assert!(!page.contains("<13>"));
        assert_eq!(escape("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&apos;");
    }

    #[test]
    fn backticks_become_code_in_pairs_only() {
        assert_eq!(prose("run `a <b>` now"), "run <code>a &lt;b&gt;</code> now");
        assert_eq!(prose("cannot find `x"), "cannot find `x");
        assert_eq!(prose("plain"), "plain");
    }

    #[test]
    fn charts_take_their_neutral_colours_from_the_page() {
        use crate::report::chart::palette::{CLAIM, Color, GRID, INK, MUTED, PAPER, QUIET, STRIPE};
        for Color(red, green, blue) in [INK, MUTED, GRID, PAPER, STRIPE, QUIET, CLAIM] {
            let selector = format!("\"#{red:02X}{green:02X}{blue:02X}\"");
            assert!(STYLE.contains(&selector), "{selector}");
        }
    }

    #[test]
    fn the_main_parts_of_the_page() {
        let fixture = Fixture::small();
        let page = html(&fixture.report(), &[]);
        let body = page.split_once("</style>").expect("a style").1;
        let shown = body.split_once("<h2>Raw facts").expect("raw facts").0;
        insta::assert_snapshot!(shown);
    }
}
