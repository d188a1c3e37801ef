//! Known answers of the rule.

use proptest::prelude::*;

use crate::judge::gate::{
    Allowed, Confirming, Fold, GateRow, GateRule, GateVerdict, LOOKS, Launches, Paired, Standing, Unmatched,
    gate_report, launches_to_pass, replay,
};
use crate::plan::{Bounds, Measure};

const BOUNDS: Bounds = Bounds { noise_threshold: 0.01, tolerance: 0.05 };

/// Log ratios around a slow-down, evenly spread.
fn spread(n: usize, slow_down: f64, sd: f64) -> Vec<f64> {
    let place = |i: usize| ((i * 37) % n) as f64 / (n - 1) as f64 - 0.5;
    // An even spread from −1/2 to 1/2 has a standard deviation of about 1/√12.
    (0..n).map(|i| slow_down.ln_1p() + place(i) * sd * 12f64.sqrt()).collect()
}

fn row(verdict: GateVerdict) -> GateRow {
    GateRow {
        benchmark: "b".into(),
        arm: "a".into(),
        measure: Measure::Time,
        reference: Some(100.0),
        value: Some(101.0),
        bounds: BOUNDS,
        screening: None,
        confirmation: None,
        verdict,
        why: String::new(),
    }
}

#[test]
fn a_quiet_row_passes_at_the_first_look_and_a_loud_one_is_measured_on() {
    let rule = GateRule::new(0);
    assert_eq!(rule.screen(&spread(16, 0.0, 0.005), BOUNDS, false), Standing::Passed);
    assert_eq!(rule.screen(&spread(16, 0.0, 0.03), BOUNDS, false), Standing::Open);
    assert_eq!(rule.screen(&spread(16, 0.0, 0.03), BOUNDS, true), Standing::Passed, "below its tolerance");
    assert_eq!(rule.screen(&spread(16, 0.0, 0.1), BOUNDS, true), Standing::Undecided);
    assert_eq!(rule.screen(&spread(16, 0.03, 0.005), BOUNDS, false), Standing::Regressed);
    // Slower by less than the tolerance is not let pass while there are launches left to find out.
    assert_eq!(rule.screen(&spread(16, 0.02, 0.02), BOUNDS, false), Standing::Open);
    assert_eq!(rule.screen(&spread(17, 0.0, 0.005), BOUNDS, false), Standing::Open, "no look at 17");
}

#[test]
fn a_row_is_judged_by_its_own_bounds() {
    let rule = GateRule::new(0);
    let wide = Bounds { noise_threshold: 0.05, tolerance: 0.2 };
    assert_eq!(rule.screen(&spread(16, 0.03, 0.005), wide, false), Standing::Passed);
    let narrow = Bounds { noise_threshold: 0.0025, tolerance: 0.05 };
    assert_eq!(rule.screen(&spread(16, 0.009, 0.004), narrow, false), Standing::Regressed);
}

#[test]
fn confirming_many_rows_needs_more_than_confirming_one() {
    let values = spread(64, 0.02, 0.0125);
    let confirm = |rows: usize| {
        let open = Confirming { values: &values, bounds: BOUNDS, standing: Standing::Open };
        let mut all = vec![open; 1];
        let quiet = spread(64, 0.0, 0.005);
        all.extend((1..rows).map(|_| Confirming { values: &quiet, ..open }));
        GateRule::new(0).confirm(&mut all, false);
        all[0].standing
    };
    assert_eq!(confirm(1), Standing::Regressed);
    assert_eq!(confirm(40), Standing::Open);
}

#[test]
fn each_rejection_makes_the_next_one_cheaper() {
    // The second row's p value holds against one hypothesis left, and not against two.
    let (clear, close) = (spread(64, 0.10, 0.01), spread(64, 0.02, 0.016));
    let open = |values| Confirming { values, bounds: BOUNDS, standing: Standing::Open };
    let mut alone = vec![open(&close), open(&close)];
    let mut helped = vec![open(&close), open(&clear)];
    GateRule::new(0).confirm(&mut alone, false);
    GateRule::new(0).confirm(&mut helped, false);
    assert_eq!(helped[1].standing, Standing::Regressed);
    let (alone, helped) = (alone[0].standing, helped[0].standing);
    assert_eq!((alone, helped), (Standing::Open, Standing::Regressed));
}

#[test]
fn only_the_confirmation_counts() {
    let screening = spread(256, 0.03, 0.005);
    let launches = |confirmation| Launches { screening: screening.clone(), confirmation, bounds: BOUNDS };
    let rows = [launches(spread(256, 0.0, 0.005)), launches(spread(256, 0.03, 0.005)), launches(Vec::new())];
    let said = replay(&mut GateRule::new(0), &rows);
    assert!(said.iter().all(|row| row.screening == Standing::Regressed && row.screened_at == 16));
    let confirmed: Vec<_> = said.iter().map(|row| row.confirmation).collect();
    assert_eq!(confirmed, [Some(Standing::Passed), Some(Standing::Regressed), None]);
    assert!(!said[2].fails() && !said[2].passes(), "suspected and never confirmed is neither");
}

#[test]
fn a_control_voids_when_it_is_far_from_itself_for_certain() {
    let rule = GateRule::new(20);
    assert!(!rule.voids(&spread(16, 0.0, 0.02), BOUNDS));
    assert!(!rule.voids(&spread(16, 0.005, 0.001), BOUNDS), "certain, and within the noise threshold");
    assert!(!rule.voids(&spread(16, 0.02, 0.03), BOUNDS), "large, and uncertain");
    assert!(rule.voids(&spread(16, 0.05, 0.005), BOUNDS) && rule.voids(&spread(16, -0.05, 0.005), BOUNDS));
}

#[test]
fn the_worst_row_is_the_answer() {
    let fold = |verdicts: &[GateVerdict], allow| {
        gate_report(verdicts.iter().cloned().map(row).collect(), Vec::new(), allow).fold
    };
    let new = GateVerdict::Unmatched { how: Unmatched::New };
    use GateVerdict::{Failed, Identical, Inconclusive, Passed, Regressed};
    assert_eq!(fold(&[Passed, Identical], Allowed::Nothing), Fold::Passes);
    assert_eq!(fold(&[Passed, Inconclusive], Allowed::Nothing), Fold::Inconclusive);
    assert_eq!(fold(&[Inconclusive, new.clone()], Allowed::Nothing), Fold::Broken);
    assert_eq!(fold(&[Passed, new.clone()], Allowed::All), Fold::Passes);
    assert_eq!(fold(&[Passed, new.clone()], Allowed::New), Fold::Passes);
    let gone = GateVerdict::Unmatched { how: Unmatched::Gone };
    assert_eq!(fold(&[Passed, gone.clone()], Allowed::New), Fold::Broken, "what is gone may have been slow");
    assert_eq!(fold(&[Passed, gone], Allowed::All), Fold::Passes);
    assert_eq!(fold(std::slice::from_ref(&new), Allowed::All), Fold::Inconclusive, "nothing was compared");
    assert_eq!(fold(&[], Allowed::All), Fold::Inconclusive);
    assert_eq!(fold(&[Inconclusive, new, Regressed], Allowed::Nothing), Fold::Regressed);
    assert_eq!(fold(&[Passed, Failed], Allowed::Nothing), Fold::Regressed);
}

#[test]
fn what_may_pass_is_written_as_it_always_was() {
    for (allowed, text) in [(Allowed::Nothing, "false"), (Allowed::New, "\"new\""), (Allowed::All, "true")] {
        assert_eq!(serde_json::to_string(&allowed).unwrap(), text);
        assert_eq!(serde_json::from_str::<Allowed>(text).unwrap(), allowed);
    }
}

#[test]
fn a_void_control_leaves_nothing_decided_by_time() {
    let size = GateRow { measure: Measure::FileSize, ..row(GateVerdict::Passed) };
    let rows = vec![row(GateVerdict::Regressed), row(GateVerdict::Passed), size];
    let report = gate_report(rows, vec!["b".into()], Allowed::Nothing);
    assert_eq!(report.fold, Fold::Inconclusive);
    let verdicts: Vec<_> = report.rows.iter().map(|row| row.verdict.clone()).collect();
    assert_eq!(
        verdicts,
        [GateVerdict::Inconclusive, GateVerdict::Inconclusive, GateVerdict::Passed],
        "sizes are not times"
    );
}

#[test]
fn a_row_says_why_and_what_would_decide() {
    let rule = GateRule::new(0);
    let values = spread(16, 0.0, 0.1);
    let paired = |values, standing| Paired { values, standing, rows: 1, launch_seconds: 0.02 };
    let said = row(GateVerdict::Passed).paired(&rule, &paired(&values, Standing::Undecided), None);
    assert_eq!(said.verdict, GateVerdict::Inconclusive);
    assert!(said.why.contains("may be slower than the tolerance of 5.0 %"), "{}", said.why);
    assert!(said.why.contains("launches (") && said.why.contains(" s) would decide"), "{}", said.why);
    let slow = spread(16, 0.3, 0.1);
    let said = row(GateVerdict::Passed).paired(&rule, &paired(&slow, Standing::Undecided), None);
    assert!(said.why.contains("no number of launches would let it pass"), "{}", said.why);
    let suspect = spread(16, 0.03, 0.002);
    let said = row(GateVerdict::Passed).paired(&rule, &paired(&suspect, Standing::Regressed), None);
    assert!(said.verdict == GateVerdict::Inconclusive && said.why.contains("--budget"), "{}", said.why);
}

#[test]
fn the_launches_that_would_let_a_row_pass() {
    assert_eq!(launches_to_pass(&spread(16, 0.06, 0.01), BOUNDS), None);
    let few = launches_to_pass(&spread(16, 0.0, 0.02), BOUNDS).unwrap();
    let many = launches_to_pass(&spread(16, 0.0, 0.2), BOUNDS).unwrap();
    assert!(few < 16 && many > 50, "{few} {many}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A slower program is never better off: where a row passes, the same row made faster passes too.
    #[test]
    fn a_faster_row_stands_no_worse(
        slow_down in -0.05f64..0.1, gain in 0.0f64..0.05, sd in 0.001f64..0.1, at in 0usize..5, last: bool,
    ) {
        let rule = GateRule::new(0);
        let n = LOOKS[at];
        let rank = |standing| match standing {
            Standing::Passed => 0,
            Standing::Open => 1,
            Standing::Undecided => 2,
            Standing::Regressed => 3,
        };
        let slower = rule.screen(&spread(n, slow_down, sd), BOUNDS, last);
        let faster = rule.screen(&spread(n, slow_down - gain, sd), BOUNDS, last);
        prop_assert!(rank(faster) <= rank(slower), "{faster:?} {slower:?}");
    }
}
