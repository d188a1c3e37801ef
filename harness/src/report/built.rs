//! What `build` shows: the artifacts alone.

use crate::report::grid::grid;
use crate::report::view::View;
use crate::report::{Report, Style, details, findings};

/// The artifacts of a report, and what they need, without any measurement.
#[must_use]
pub fn artifacts(report: &Report<'_>, style: &Style) -> String {
    let view = View::of(report);
    let mut text = grid(&details::artifacts(&view, false), style);
    for note in findings::needs(&view).iter().chain(&findings::failures(&view)) {
        text.push_str(&format!("{}  {}\n", note.label, style.signs(&note.text)));
    }
    text
}
