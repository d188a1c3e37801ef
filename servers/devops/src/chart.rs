//! Small pictures of a series: a line of blocks for terminals, and an SVG drawing.

use std::fmt::Write as _;

/// The heights of a block.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The size of a drawing.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 240.0;
/// The room around it, for the scale.
const MARGIN: f64 = 44.0;

/// Values as blocks of eight heights, in at most `width` of them; a blank where nothing was measured.
#[must_use]
pub fn sparkline(values: &[f64], width: usize) -> String {
    let joined = values.len().div_ceil(width.max(1)).max(1);
    let means: Vec<f64> = values
        .chunks(joined)
        .map(|chunk| {
            let known: Vec<f64> = chunk.iter().copied().filter(|value| !value.is_nan()).collect();
            if known.is_empty() { f64::NAN } else { crate::stats::mean(&known) }
        })
        .collect();
    let (low, high) = range(means.iter().copied());
    let block = |value: &f64| {
        if value.is_nan() {
            return ' ';
        }
        let share = if high > low { (value - low) / (high - low) } else { 0.0 };
        BLOCKS[((share * 7.0).round() as usize).min(7)]
    };
    means.iter().map(block).collect()
}

/// What a drawing shows.
#[derive(Clone, Debug, Default)]
pub struct Drawing<'a> {
    /// What stands above it; of other hands.
    pub title: &'a str,
    /// Times and values; a break where a value is not a number.
    pub line: &'a [(i64, f64)],
    /// Times, lower and upper ends of an interval.
    pub band: &'a [(i64, f64, f64)],
    /// Times that are marked.
    pub marks: &'a [i64],
}

/// The drawing as SVG.
#[must_use]
pub fn svg(drawing: &Drawing<'_>) -> String {
    let values = drawing.line.iter().map(|(_, value)| *value);
    let ends = drawing.band.iter().flat_map(|(_, low, high)| [*low, *high]);
    let (low, high) = range(values.chain(ends).filter(|value| value.is_finite()));
    let times =
        drawing.line.iter().map(|(time, _)| *time).chain(drawing.band.iter().map(|(time, _, _)| *time));
    let (first, last) = (times.clone().min().unwrap_or(0), times.max().unwrap_or(1));
    let x =
        |time: i64| MARGIN + (time - first) as f64 / (last - first).max(1) as f64 * (WIDTH - 2.0 * MARGIN);
    let y = |value: f64| {
        let share = if high > low { (value.clamp(low, high) - low) / (high - low) } else { 0.5 };
        HEIGHT - MARGIN / 2.0 - share * (HEIGHT - MARGIN)
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"11\"><rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/><text x=\"{MARGIN}\" y=\"14\">{}</text>",
        escaped(drawing.title)
    );
    if !drawing.band.is_empty() {
        let upper = drawing.band.iter().map(|(time, _, high)| (x(*time), y(*high)));
        let lower = drawing.band.iter().rev().map(|(time, low, _)| (x(*time), y(*low)));
        let points: Vec<String> = upper.chain(lower).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        // Writing to a string does not fail.
        let _ = write!(out, "<polygon fill=\"#9cf\" fill-opacity=\"0.5\" points=\"{}\"/>", points.join(" "));
    }
    for part in drawing.line.split(|(_, value)| value.is_nan()).filter(|part| !part.is_empty()) {
        let points: Vec<String> =
            part.iter().map(|(time, value)| format!("{:.1},{:.1}", x(*time), y(*value))).collect();
        let _ = write!(out, "<polyline fill=\"none\" stroke=\"#246\" points=\"{}\"/>", points.join(" "));
    }
    for mark in drawing.marks {
        let x = x(*mark);
        let (top, bottom) = (MARGIN / 2.0, HEIGHT - MARGIN / 2.0);
        let _ = write!(
            out,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{bottom}\" stroke=\"#c22\" stroke-dasharray=\"3 2\"/>"
        );
    }
    for (value, place) in [(low, HEIGHT - MARGIN / 2.0), (high, MARGIN / 2.0 + 8.0)] {
        let _ = write!(out, "<text x=\"2\" y=\"{place:.0}\">{}</text>", short(value));
    }
    out.push_str("</svg>");
    out
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values
        .filter(|value| !value.is_nan())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// A number in few characters.
#[must_use]
pub fn short(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "–".to_owned();
    }
    if size != 0.0 && !(1e-3..1e6).contains(&size) { format!("{value:.2e}") } else { trimmed(value, size) }
}

/// Numbers that stand beside each other, with as many digits as tell different ones apart.
#[must_use]
pub fn told<const N: usize>(values: [f64; N]) -> [String; N] {
    let texts = values.map(short);
    let mut least = f64::INFINITY;
    for (at, (value, text)) in values.iter().zip(&texts).enumerate() {
        for (other, same) in values.iter().zip(&texts).skip(at + 1) {
            let distance = (value - other).abs();
            // What differs in the last digits of a float is the same.
            if text == same && distance > 1e-12 * value.abs() {
                least = least.min(distance);
            }
        }
    }
    if !least.is_finite() || least < 1e-12 {
        return texts;
    }
    let digits = (1.0 - least.log10().floor()).clamp(0.0, 14.0) as usize;
    values.map(
        |value| if value.is_finite() { without_zeros(format!("{value:.digits$}")) } else { short(value) },
    )
}

fn trimmed(value: f64, size: f64) -> String {
    let digits = if size >= 100.0 {
        0
    } else if size >= 1.0 {
        2
    } else {
        4
    };
    without_zeros(format!("{value:.digits$}"))
}

fn without_zeros(text: String) -> String {
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    if text == "-0" { "0".to_owned() } else { text }
}

/// A text of other hands as the text of an XML element.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().take(120) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_as_high_as_values() {
        assert_eq!(sparkline(&[0.0, 3.5, 7.0, f64::NAN, 1.0], 10), "▁▅█ ▂");
        assert_eq!(sparkline(&[0.0, 0.0, 7.0, 7.0], 2), "▁█");
        assert_eq!(sparkline(&[4.0; 3], 9), "▁▁▁");
        assert_eq!(sparkline(&[], 9), "");
    }

    #[test]
    fn a_drawing_holds_line_band_and_marks_and_nothing_of_a_hostile_name() {
        let drawing = Drawing {
            title: "</text><script>alert(1)</script>",
            line: &[(0, 1.0), (10, 2.0), (20, f64::NAN), (30, 3.0), (40, 1.0)],
            band: &[(50, 0.0, 2.0), (60, -1.0, 3.0)],
            marks: &[30],
        };
        let svg = svg(&drawing);
        assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;"));
        assert_eq!((svg.matches("<polyline").count(), svg.matches("<polygon").count()), (2, 1));
        assert_eq!(svg.matches("<line ").count(), 1);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let empty = super::svg(&Drawing::default());
        assert!(empty.ends_with("</svg>") && !empty.contains("NaN") && !empty.contains("inf"), "{empty}");
    }

    #[test]
    fn numbers_are_short() {
        let found = [0.0, 1.5, 1234.567, 1e12, 0.00001, -3.0, f64::INFINITY, 0.25].map(short);
        assert_eq!(found, ["0", "1.5", "1235", "1.00e12", "1.00e-5", "-3", "–", "0.25"]);
        assert_eq!(short(-0.0), "0");
    }

    #[test]
    fn numbers_beside_each_other_are_told_apart() {
        assert_eq!(told([1e12, 1e12 + 9.0, 1e12]), ["1000000000000", "1000000000009", "1000000000000"]);
        assert_eq!(told([124.94, 124.91, 130.0]), ["124.94", "124.91", "130"]);
        assert_eq!(told([5.0, 5.0, 5.0 + 1e-15]), ["5", "5", "5"]);
        assert_eq!(told([1.0, 2.0]), ["1", "2"]);
        assert_eq!(told([0.8727, 0.872_74, f64::NAN]), ["0.8727", "0.87274", "–"]);
    }
}
