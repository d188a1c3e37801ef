//! What a document shows of a record between two markers: all of it, some rows chosen by a rule, or the answers.

use crate::judge::ClaimAnswer;
use crate::plan::{Arm, Benchmark};
use crate::report::findings;
use crate::report::markdown::{escape, list, made_by, prose, results_block, sheet_text};
use crate::report::sheet::{self, Entry, Sheet};
use crate::report::splice::Form;
use crate::report::view::{Cell, View};
use crate::report::{Report, words};

/// The block of a record in `form`. `chart_path` is relative to the document. No line break at its end.
#[must_use]
pub fn block(report: &Report<'_>, form: Form, chart_path: &str) -> String {
    let view = View::of(report);
    let chart = || {
        let shows = if report.plan.traits().shows_values {
            "Time of a call, by its shape and the way to call"
        } else {
            "Change against the baseline, by benchmark and arm"
        };
        format!("![{shows}]({chart_path})")
    };
    let mut parts = match form {
        Form::Whole => results_block(report, &view),
        Form::Rows(rows) => rows_block(&view, rows),
        Form::Answers => return answers_block(report).join("\n\n"),
    };
    parts.push(chart());
    parts.join("\n\n")
}

/// Where it was made, and one line a claim.
fn answers_block(report: &Report<'_>) -> Vec<String> {
    let line = |answer: &ClaimAnswer| {
        let headline = prose(&findings::headline(report, answer));
        let mut text = format!("- “{}”: **{headline}**", prose(&answer.claim.text));
        if answer.total() > 0 {
            text.push_str(&format!("; {}", prose(&findings::spread(report, answer))));
        }
        text
    };
    let lines: Vec<String> = report.judgement.claims.iter().map(line).collect();
    [made_by(report), lines.join("\n")].into_iter().filter(|part| !part.is_empty()).collect()
}

fn rows_block(view: &View<'_>, rows: usize) -> Vec<String> {
    let arms = shown_arms(view);
    let mean = mean_row(view, &arms);
    let spanned = spanned(view, arms.first().copied(), mean.is_some());
    let chosen = at_equal_steps(&spanned, rows - usize::from(mean.is_some()));
    let mut parts = answers_block(view.report);
    parts.push(sheet_text(&sheet_of(view, &arms, &chosen, mean)));
    let mut legend = prose(&findings::legend(view.report));
    if let Some(arm) = arms.first().filter(|_| chosen.len() < spanned.len()) {
        legend.push_str(&format!(
            "\\\nShown are {} of {}, ranked by the change under {}: the first, the last, and those at equal steps \
             between.",
            chosen.len(),
            words::counted(spanned.len(), "benchmark"),
            escape(&arm.name),
        ));
    }
    parts.push(legend);
    let mut notes = findings::arms(view);
    notes.extend(findings::controls(view.report));
    notes.push(findings::false_alarms(view.report));
    parts.push(list(&notes));
    parts
}

/// The columns: the arms that claims name, in their order, each as the arm that was measured for it. All columns where
/// no claim names one.
fn shown_arms<'a>(view: &View<'a>) -> Vec<&'a Arm> {
    let mut arms: Vec<&Arm> = Vec::new();
    for answer in &view.report.judgement.claims {
        let candidate = &answer.claim.candidate;
        let twin = view.identical.iter().find(|identical| identical.arm == candidate);
        let measured = twin.map_or(candidate.as_str(), |identical| identical.measured);
        let column = view.columns.iter().find(|column| column.name == measured);
        arms.extend(column.filter(|column| arms.iter().all(|arm| arm.name != column.name)));
    }
    if arms.is_empty() { view.columns.clone() } else { arms }
}

/// The benchmarks that `arm` has numbers for, from the one that takes least of the baseline's time to the one that
/// takes most. Where there is a mean, those that it does not span are left out.
fn spanned<'a>(view: &View<'a>, arm: Option<&Arm>, has_mean: bool) -> Vec<&'a str> {
    let ratio = |benchmark: &Benchmark| match view.cell(&benchmark.name, &arm?.name) {
        Cell::Measured(judged) => judged.row.estimate.map(|estimate| estimate.ratio),
        _ => None,
    };
    let spanned = view.benchmarks().iter().filter(|benchmark| !(has_mean && benchmark.long));
    let mut ratios: Vec<(&str, f64)> =
        spanned.filter_map(|benchmark| Some((benchmark.name.as_str(), ratio(benchmark)?))).collect();
    ratios.sort_by(|left, right| left.1.total_cmp(&right.1));
    ratios.into_iter().map(|(name, _)| name).collect()
}

/// The first, the last, and so many at equal steps between them. A rule rather than the largest effects: those alone
/// would hide how many benchmarks do not change.
fn at_equal_steps<'a>(all: &[&'a str], count: usize) -> Vec<&'a str> {
    if all.len() <= count {
        return all.to_vec();
    }
    let steps = count.saturating_sub(1).max(1);
    (0..count).map(|step| all[(step * (all.len() - 1) + steps / 2) / steps]).collect()
}

fn mean_row(view: &View<'_>, arms: &[&Arm]) -> Option<Vec<Entry>> {
    let mean = |arm: &&Arm| view.summary(&arm.name)?.geometric_mean.as_ref();
    arms.iter().any(|arm| mean(arm).is_some()).then(|| {
        let text = |arm: &&Arm| {
            mean(arm)
                .map(|mean| format!("{} {}", words::change(mean.ratio), words::change_interval(mean.suite)))
        };
        let mut row = vec![Entry::plain("geometric mean, 95 %"), Entry::plain("")];
        row.extend(arms.iter().map(|arm| Entry::or_dash(text(arm))));
        row
    })
}

/// The main table's columns of `arms` and rows of `chosen`, with the mean below.
fn sheet_of(view: &View<'_>, arms: &[&Arm], chosen: &[&str], mean: Option<Vec<Entry>>) -> Sheet {
    let all = sheet::results(view);
    // The benchmark and the baseline's value come first, then a column for every arm of the view.
    let place =
        |arm: &&Arm| view.columns.iter().position(|column| column.name == arm.name).map(|place| place + 2);
    let columns: Vec<usize> = [0, 1].into_iter().chain(arms.iter().filter_map(place)).collect();
    let row = |name: &&str| {
        let row = all.rows.iter().find(|row| row[0].text == *name)?;
        Some(columns.iter().map(|&column| row[column].clone()).collect())
    };
    let mut rows: Vec<Vec<Entry>> = chosen.iter().filter_map(row).collect();
    let summaries = usize::from(mean.is_some());
    rows.extend(mean);
    Sheet { heads: columns.iter().map(|&column| all.heads[column].clone()).collect(), rows, summaries }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;
    use crate::report::{splice, spliced};

    #[test]
    fn every_form_of_a_block() {
        let fixture = Fixture::small();
        let report = fixture.report();
        for (name, form) in [("whole", Form::Whole), ("rows", Form::Rows(3)), ("answers", Form::Answers)] {
            insta::assert_snapshot!(
                format!("block_{name}"),
                block(&report, form, "results/x/charts/heatmap.svg")
            );
        }
    }

    #[test]
    fn rows_are_bounded_and_span_from_the_fastest_to_the_slowest() {
        let fixture = Fixture::large();
        let report = fixture.report();
        let view = View::of(&report);
        let lead = shown_arms(&view)[0];
        let ordered = spanned(&view, Some(lead), true);
        for rows in 2..=20 {
            let text = block(&report, Form::Rows(rows), "x.svg");
            let shown = text.lines().filter(|line| line.starts_with("| ")).count() - 2;
            assert_eq!(shown, rows.min(ordered.len() + 1), "{text}");
        }
        let chosen = at_equal_steps(&ordered, 5);
        assert_eq!((chosen[0], chosen[4]), (ordered[0], ordered[ordered.len() - 1]));
        assert_eq!(chosen, [ordered[0], ordered[4], ordered[8], ordered[12], ordered[16]]);
        let text = block(&report, Form::Rows(6), "x.svg").replace(words::NBSP, " ");
        assert!(text.contains("Shown are 5 of 17 benchmarks, ranked by"), "{text}");
    }

    #[test]
    fn nobody_chooses_where_all_rows_fit() {
        let names = ["a", "b", "c"];
        assert_eq!(at_equal_steps(&names, 3), names);
        assert_eq!(at_equal_steps(&names, 1), ["a"]);
        assert!(!block(&Fixture::small().report(), Form::Rows(9), "x.svg").contains("Shown are"));
    }

    #[test]
    fn columns_are_the_arms_that_claims_name() {
        let mut fixture = Fixture::small();
        let columns = |fixture: &Fixture| {
            let report = fixture.report();
            shown_arms(&View::of(&report)).iter().map(|arm| arm.name.clone()).collect::<Vec<_>>()
        };
        fixture.judgement.claims[0].claim.candidate = "v3".to_owned();
        assert_eq!(columns(&fixture), ["v3"]);
        fixture.judgement.claims.clear();
        assert_eq!(columns(&fixture), ["v3", "znver4-no-sse4a"]);
    }

    #[test]
    fn a_block_survives_its_way_into_a_document_and_back() {
        let block = block(&Fixture::small().report(), Form::Whole, "forest.svg");
        let document = "<!-- perflab:begin quick -->\n<!-- perflab:end quick -->\n";
        let text = splice(document, "quick", &block).expect("markers");
        assert_eq!(spliced(&text, "quick"), Ok(block.as_str()));
    }
}
