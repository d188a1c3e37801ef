//! Series whose anomalies, changes and future are known, because they were put there.

use devops::changes::search;
use devops::detect::detect;
use devops::forecast::models::Model;
use devops::series::Series;
use perflab_subject::answer::mix;
use perflab_subject::{Benchmark, Input};

/// Steps of five minutes: a day has 288.
const STEP_MS: i64 = 300_000;
const DAY: usize = 288;

/// How many values a series has.
fn length(input: Input) -> usize {
    if input == Input::Count { 2 * DAY } else { 14 * DAY }
}

/// A number from −1 to 1 that follows from its place alone: as even as chance, and the same everywhere.
fn noise(at: usize) -> f64 {
    let mixed = (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 40) as f64 / f64::from(1_u32 << 23) - 1.0
}

/// A triangle with the height 1 over a day: a season that takes no library of mathematics.
fn day(at: usize) -> f64 {
    let place = at % DAY;
    place.min(DAY - place) as f64 / (DAY / 2) as f64
}

/// The places of values that are far out of the rest.
fn spikes(length: usize) -> [usize; 2] {
    [length / 2, length * 7 / 8]
}

fn unusual(input: Input) -> Series {
    let length = length(input);
    let value = |at: usize| 10.0 + noise(at) + if spikes(length).contains(&at) { 40.0 } else { 0.0 };
    Series::new("x", (0..length).map(|at| (at as i64 * STEP_MS, value(at))).collect(), None)
}

/// The number of alarms and their places.
fn alarms(places: &[usize]) -> u64 {
    places.iter().fold(places.len() as u64, |answer, place| mix(answer, *place as u64))
}

/// A level that changes twice.
fn changed(input: Input) -> Vec<f64> {
    let length = length(input).min(1_000);
    (0..length)
        .map(|at| noise(at) + if (length / 4..length * 3 / 4).contains(&at) { 8.0 } else { 0.0 })
        .collect()
}

/// Where it changes.
fn places(input: Input) -> [usize; 2] {
    let length = length(input).min(1_000);
    [length / 4, length * 3 / 4]
}

/// Days that repeat themselves, and what follows them, in whole numbers.
fn days(input: Input) -> Vec<f64> {
    (0..length(input)).map(|at| 100.0 * day(at)).collect()
}

/// A forecast in whole numbers.
fn rounded(values: &[f64]) -> u64 {
    values.iter().fold(0, |answer, value| mix(answer, value.round() as i64 as u64))
}

/// What the days go on with.
fn next_day(input: Input) -> u64 {
    let length = length(input);
    rounded(&(length..length + DAY).map(|at| 100.0 * day(at)).collect::<Vec<_>>())
}

/// One benchmark for each question.
pub fn all() -> Vec<Benchmark> {
    let both = |answer: fn(Input) -> u64| (answer(Input::Measure), answer(Input::Count));
    let (measure, count) = both(|input| alarms(&spikes(length(input))));
    let anomalies = Benchmark::new("detect/spikes", measure, count, |input| {
        let series = unusual(input);
        move || detect(&series, Some(0.05)).map_or(0, |found| alarms(&found.alarms))
    });
    let (measure, count) = both(|input| alarms(&places(input)));
    let changes = Benchmark::new("changes/levels", measure, count, |input| {
        let values = changed(input);
        move || alarms(&search(&values))
    });
    let (measure, count) = both(next_day);
    let naive = Benchmark::new("forecast/naive", measure, count, |input| {
        let values = days(input);
        let model = Model::Naive { steps: DAY, name: "day" };
        move || rounded(&model.predict(&values, DAY))
    });
    let seasons = Benchmark::new("forecast/seasons", measure, count, |input| {
        let values = days(input);
        let model = Model::Decomposed { periods: vec![DAY], is_line: false };
        move || rounded(&model.predict(&values, DAY))
    });
    vec![
        anomalies.code(&["devops::detect", "devops::season"]),
        changes.code(&["devops::changes"]),
        naive.code(&["devops::forecast"]),
        seasons.code(&["devops::forecast"]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_there_is_found() {
        for input in [Input::Measure, Input::Count] {
            assert_eq!(detect(&unusual(input), Some(0.05)).unwrap().alarms, spikes(length(input)));
            assert_eq!(search(&changed(input)), places(input));
            for model in [
                Model::Naive { steps: DAY, name: "day" },
                Model::Decomposed { periods: vec![DAY], is_line: false },
            ] {
                assert_eq!(rounded(&model.predict(&days(input), DAY)), next_day(input), "{model:?}");
            }
        }
    }
}
