//! Sheets and prose in lines of a given width.
//!
//! A table that is too wide folds into two lines a row; where two are not enough it is split into panels,
//! one below the other, which repeat the rows' names. Numbers are never cut.

use crate::report::Style;
use crate::report::sheet::{Entry, Head, Sheet, Tone};
use crate::report::words::NBSP;

/// Spaces between columns.
const GAP: usize = 2;
/// Room for the longest label of a paragraph.
const LABEL: usize = 14;
/// The narrowest column of names that a table is given before its names wrap.
const LEAST_NAME: usize = 14;

impl Style {
    /// A text in the colour of a tone; as it is, without colours.
    pub(crate) fn paint(&self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Plain => "",
            Tone::Better => "32",
            Tone::Worse => "31",
            Tone::Same => "2",
            Tone::Open => "33",
            Tone::Failed => "35",
        };
        if !self.color || code.is_empty() || text.trim().is_empty() {
            return text.to_owned();
        }
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// A text that is cut to a width, with a mark.
fn clipped(text: &str, width: usize, style: &Style) -> String {
    if length(text) <= width {
        return text.to_owned();
    }
    let mark = style.signs("…");
    let kept = width.saturating_sub(length(&mark));
    text.chars().take(kept).chain(mark.chars()).collect()
}

/// Characters of a text.
fn length(text: &str) -> usize {
    text.chars().count()
}

/// A text in lines of at most `width` characters. A single word that is longer is broken where it must be.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && length(&line) + 1 + length(word) > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        while length(&line) > width {
            let rest: String = line.chars().skip(width).collect();
            lines.push(line.chars().take(width).collect());
            line = rest;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// A name in lines, broken after `/`, `-` or a space where that is possible.
fn wrap_name(name: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in name.split_inclusive(['/', '-', ' ', '_']) {
        let last = lines.last_mut().expect("there is always a line");
        if last.is_empty() || length(last) + length(part.trim_end()) <= width {
            last.push_str(part);
        } else {
            lines.push(part.to_owned());
        }
    }
    lines.iter().flat_map(|line| wrap(line.trim_end(), width)).collect()
}

/// A paragraph with a label in front and its lines hanging under each other.
pub(crate) fn hanging(label: &str, text: &str, tone: Tone, style: &Style) -> String {
    let indent = LABEL.max(length(label) + GAP).min(style.width / 2);
    let first = format!("{label:<indent$}");
    let mut out = String::new();
    for (index, line) in wrap(&style.signs(text), style.width.saturating_sub(indent)).iter().enumerate() {
        let start = if index == 0 { style.paint(&first, tone) } else { " ".repeat(indent) };
        out.push_str(format!("{start}{line}").trim_end());
        out.push('\n');
    }
    out.replace(NBSP, " ")
}

/// Where the columns behind the names go.
struct Folding {
    /// Width of the names' column.
    name: usize,
    /// The columns of each line or panel, by index.
    groups: Vec<Vec<usize>>,
    /// Width of each column, by index.
    widths: Vec<usize>,
    /// Whether the groups are lines of one row; panels otherwise.
    lines: bool,
}

/// A sheet as text.
pub(crate) fn grid(sheet: &Sheet, style: &Style) -> String {
    let sheet = in_signs(sheet, style);
    let folding = fold(&sheet, style.width);
    let panels: Vec<Vec<Vec<usize>>> = if folding.lines {
        vec![folding.groups.clone()]
    } else {
        folding.groups.iter().map(|group| vec![group.clone()]).collect()
    };
    let mut out = String::new();
    for (index, panel) in panels.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        draw_heads(&sheet, panel, &folding, &mut out);
        for row in &sheet.rows {
            draw_row(row, &sheet.heads, panel, &folding, style, &mut out);
        }
    }
    out.replace(NBSP, " ")
}

/// A sheet in the signs of a style. Words behind the names are cut where a line has no room for them: the report has
/// them whole.
fn in_signs(sheet: &Sheet, style: &Style) -> Sheet {
    let room = style.width.saturating_sub(LEAST_NAME + GAP).max(LEAST_NAME);
    let cut = |text: &str| clipped(&style.signs(text), room, style);
    let entry = |(column, entry): (usize, &Entry)| {
        let words = column > 0 && sheet.heads[column].words;
        let text = if words { cut(&entry.text) } else { style.signs(&entry.text) };
        Entry { text, tone: entry.tone }
    };
    let head = |head: &Head| Head { name: cut(&head.name), under: cut(&head.under), words: head.words };
    Sheet {
        heads: sheet.heads.iter().map(head).collect(),
        rows: sheet.rows.iter().map(|row| row.iter().enumerate().map(entry).collect()).collect(),
        summaries: sheet.summaries,
    }
}

fn fold(sheet: &Sheet, width: usize) -> Folding {
    let mut widths: Vec<usize> =
        sheet.heads.iter().map(|head| length(&head.name).max(length(&head.under))).collect();
    for row in &sheet.rows {
        for (column, entry) in row.iter().enumerate() {
            widths[column] = widths[column].max(length(&entry.text));
        }
    }
    let widest = widths.iter().skip(1).copied().max().unwrap_or(0);
    let name = widths[0].min(width.saturating_sub(widest + GAP).max(LEAST_NAME));
    let room = width.saturating_sub(name);
    let columns: Vec<usize> = (1..widths.len()).collect();
    let needed = |columns: &[usize]| columns.iter().map(|column| widths[*column] + GAP).sum::<usize>();
    if needed(&columns) <= room {
        return Folding { name, groups: vec![columns], widths, lines: true };
    }
    if let Some((groups, widths)) = two_lines(&columns, &widths, room) {
        return Folding { name, groups, widths, lines: true };
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for column in columns {
        match groups.last_mut() {
            Some(group) if needed(group) + widths[column] + GAP <= room => group.push(column),
            _ => groups.push(vec![column]),
        }
    }
    Folding { name, groups, widths, lines: false }
}

/// Columns in two lines, the second's below the first's: the groups and the widths that align them.
fn two_lines(columns: &[usize], widths: &[usize], room: usize) -> Option<(Vec<Vec<usize>>, Vec<usize>)> {
    let (upper, lower) = columns.split_at(columns.len().div_ceil(2));
    let mut aligned = widths.to_vec();
    for (above, below) in upper.iter().zip(lower) {
        let width = widths[*above].max(widths[*below]);
        aligned[*above] = width;
        aligned[*below] = width;
    }
    let needed: usize = upper.iter().map(|column| aligned[*column] + GAP).sum();
    (needed <= room).then(|| (vec![upper.to_vec(), lower.to_vec()], aligned))
}

/// One text in its column: words to the left, numbers to the right.
fn placed(text: &str, column: usize, head: &Head, folding: &Folding) -> String {
    let width = folding.widths[column];
    let gap = " ".repeat(GAP);
    if head.words { format!("{gap}{text:<width$}") } else { format!("{gap}{text:>width$}") }
}

fn draw_heads(sheet: &Sheet, lines: &[Vec<usize>], folding: &Folding, out: &mut String) {
    let blank = " ".repeat(folding.name);
    for (index, columns) in lines.iter().enumerate() {
        let name =
            if index == 0 { format!("{:<1$}", sheet.heads[0].name, folding.name) } else { blank.clone() };
        let cells = |text: &dyn Fn(&Head) -> String| -> String {
            columns
                .iter()
                .map(|column| placed(&text(&sheet.heads[*column]), *column, &sheet.heads[*column], folding))
                .collect()
        };
        push_line(out, &format!("{name}{}", cells(&|head| head.name.clone())));
        if columns.iter().any(|column| !sheet.heads[*column].under.is_empty()) {
            push_line(out, &format!("{blank}{}", cells(&|head| head.under.clone())));
        }
    }
}

fn draw_row(
    row: &[Entry],
    heads: &[Head],
    lines: &[Vec<usize>],
    folding: &Folding,
    style: &Style,
    out: &mut String,
) {
    let mut names = wrap_name(&row[0].text, folding.name).into_iter();
    let mut name = move || names.next();
    for columns in lines {
        let cells: String = columns
            .iter()
            .map(|column| {
                let entry = &row[*column];
                style.paint(&placed(&entry.text, *column, &heads[*column], folding), entry.tone)
            })
            .collect();
        let start = name().unwrap_or_default();
        if !cells.trim().is_empty() || !start.is_empty() {
            push_line(out, &format!("{start:<0$}{cells}", folding.name));
        }
    }
    while let Some(rest) = name() {
        push_line(out, &rest);
    }
}

fn push_line(out: &mut String, line: &str) {
    out.push_str(line.trim_end());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sheet(columns: usize) -> Sheet {
        let mut heads = vec![Head::words("name")];
        heads.extend((0..columns).map(|column| Head::of(format!("arm{column}"), "vs base")));
        let row = |name: &str| {
            let mut row = vec![Entry::plain(name)];
            row.extend((0..columns).map(|column| Entry::plain(format!("−1{column}.3 % ± 0.4 ▼"))));
            row
        };
        Sheet { heads, rows: vec![row("short"), row("a/much-longer/name_of/something")], summaries: 0 }
    }

    #[test]
    fn a_wide_line_holds_everything() {
        insta::assert_snapshot!(grid(&sheet(3), &Style::default()));
    }

    #[test]
    fn a_narrow_one_folds_each_row_in_two() {
        insta::assert_snapshot!(grid(&sheet(3), &Style { width: 72, ..Style::default() }));
    }

    #[test]
    fn a_very_narrow_one_splits_into_panels() {
        insta::assert_snapshot!(grid(&sheet(5), &Style { width: 50, ..Style::default() }));
    }

    #[test]
    fn without_unicode_every_sign_is_ascii() {
        let text = grid(&sheet(2), &Style { unicode: false, ..Style::default() });
        assert!(text.is_ascii(), "{text}");
        assert!(text.contains("-10.3 % +/- 0.4 v"), "{text}");
    }

    #[test]
    fn words_are_cut_where_a_line_has_no_room_for_them() {
        let heads = vec![Head::words("arm"), Head::words("command")];
        let row = vec![Entry::plain("A"), Entry::plain("é".repeat(70_000))];
        for style in [Style::default(), Style { width: 40, unicode: false, ..Style::default() }] {
            let text = grid(&Sheet { heads: heads.clone(), rows: vec![row.clone()], summaries: 0 }, &style);
            let line = text.lines().nth(1).unwrap();
            assert!(line.chars().count() <= style.width, "{line}");
            assert!(line.ends_with(if style.unicode { "éé…" } else { "éé..." }), "{line}");
        }
        let mut long = sheet(1);
        long.heads[1].name = "arm".repeat(30_000);
        assert!(grid(&long, &Style::default()).contains("armarm"), "no panic");
    }

    #[test]
    fn control_characters_do_nothing_in_a_table() {
        let mut odd = sheet(1);
        odd.rows[0][0] = Entry::plain("a\u{1b}[2J\r\nb\u{7f}\u{9b}c\u{202e}");
        let text = grid(&odd, &Style::default());
        assert!(text.contains("a␛[2J␍␊b␡\u{fffd}c\u{fffd}"), "{text}");
        let ascii = grid(&odd, &Style { unicode: false, ..Style::default() });
        assert!(ascii.contains("a^[[2J^M^Jb^?") && ascii.is_ascii(), "{ascii}");
    }

    #[test]
    fn colours_change_no_width() {
        let mut coloured = sheet(2);
        coloured.rows[0][1].tone = Tone::Better;
        let plain = grid(&coloured, &Style::default());
        let text = grid(&coloured, &Style { color: true, ..Style::default() });
        assert!(text.contains("\u{1b}[32m"), "{text}");
        assert_eq!(text.replace("\u{1b}[32m", "").replace("\u{1b}[0m", ""), plain);
    }

    #[test]
    fn labels_hang() {
        let style = Style { width: 40, ..Style::default() };
        insta::assert_snapshot!(hanging(
            "claim",
            "one two three four five six seven eight",
            Tone::Plain,
            &style
        ));
    }

    proptest! {
        #[test]
        fn wrapped_text_keeps_its_letters_and_its_width(text in "[a-z /]{0,80}", width in 1usize..30) {
            let lines = wrap(&text, width);
            prop_assert!(lines.iter().all(|line| line.chars().count() <= width));
            let letters = |text: &str| text.replace(' ', "");
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }

        #[test]
        fn no_line_of_a_grid_is_too_long(columns in 1usize..12, width in 40usize..200) {
            let text = grid(&sheet(columns), &Style { width, ..Style::default() });
            prop_assert!(text.lines().all(|line| line.chars().count() <= width), "{}", text);
            for column in 0..columns {
                let number = format!("−1{column}.3 % ± 0.4 ▼");
                prop_assert_eq!(text.matches(&number).count(), 2);
            }
        }
    }
}
