//! Which places of a division are changes of level, and which only divide what moves all the time.

use crate::changes::Sums;
use crate::stats::{mean, median};

/// Of the difference of two parts at least this share has to lie at the place between them.
const LEAST_JUMP: f64 = 0.5;
/// The fewest values that a line is laid through, where a part has as many.
const FEWEST_OF_LINE: usize = 10;
/// A jump has to be so many of its standard errors: parts are chosen where they differ most.
const ERRORS: f64 = 4.0;

/// Of the places of a division those at which the level itself changed: what rises or falls all the time is divided into
/// steps by whoever looks for levels. A line is laid through each part (least squares); where the lines of both sides
/// meet, nothing changed at this place but the direction. What is left has to gain what a part has to without the others.
pub(super) fn settled(values: &[f64], mut places: Vec<usize>, penalty: f64) -> Vec<usize> {
    let sums = Sums::new(values);
    let around = |places: &[usize], number: usize| {
        let start = if number == 0 { 0 } else { places[number - 1] };
        (start, places[number], places.get(number + 1).copied().unwrap_or(values.len()))
    };
    let deviation = around_lines(values, &places);
    let is_jump = |number: usize| {
        let (start, place, end) = around(&places, number);
        let (before, after) = (&values[start..place], &values[place..end]);
        let middle = |part: &[f64]| median(&mut part.to_vec()).unwrap_or(0.0);
        if middle(before) == middle(after) {
            // Single values differ, and most do not.
            return false;
        }
        let step = mean(after) - mean(before);
        // The nearest third of each part: what is bent is straight from near.
        let near = |part: &[f64]| (part.len() / 3).max(part.len().min(FEWEST_OF_LINE));
        let (before, after) = (&before[before.len() - near(before)..], &after[..near(after)]);
        let jump = line_at(after, -0.5) - line_at(before, before.len() as f64 - 0.5);
        // A line of n values is known to 2σ/√n at its end.
        let error = 2.0 * deviation * (1.0 / before.len() as f64 + 1.0 / after.len() as f64).sqrt();
        step != 0.0 && jump / step >= LEAST_JUMP && jump.abs() > ERRORS * error
    };
    let jumps: Vec<usize> =
        (0..places.len()).filter(|number| is_jump(*number)).map(|at| places[at]).collect();
    places = jumps;
    loop {
        let gain = |number: usize| {
            let (start, place, end) = around(&places, number);
            let lines = |start: usize, end: usize| squares_around_line(&values[start..end]);
            let won = |squares: &dyn Fn(usize, usize) -> f64| {
                squares(start, end) - squares(start, place) - squares(place, end)
            };
            // A step between levels, or between lines that go the same way.
            won(&|start, end| sums.cost(start, end)).max(won(&lines))
        };
        let least = (0..places.len()).map(|at| (gain(at), at)).min_by(|a, b| a.0.total_cmp(&b.0));
        match least {
            Some((gain, number)) if gain < penalty => places.remove(number),
            _ => return places,
        };
    }
}

/// The standard deviation of values around the lines of their parts.
fn around_lines(values: &[f64], places: &[usize]) -> f64 {
    let (mut squares, mut start) = (0.0, 0);
    for end in places.iter().copied().chain([values.len()]) {
        squares += squares_around_line(&values[start..end]);
        start = end;
    }
    let free = values.len().saturating_sub(2 * (places.len() + 1)).max(1);
    (squares / free as f64).sqrt()
}

/// The sum of the squares of what the line of least squares leaves.
fn squares_around_line(part: &[f64]) -> f64 {
    let (first, last) = (line_at(part, 0.0), line_at(part, part.len() as f64 - 1.0));
    let slope = if part.len() > 1 { (last - first) / (part.len() - 1) as f64 } else { 0.0 };
    part.iter().enumerate().map(|(at, value)| (value - first - slope * at as f64).powi(2)).sum()
}

/// The value of the line of least squares through values at the places 0, 1, 2, …
fn line_at(values: &[f64], place: f64) -> f64 {
    let centre = (values.len() as f64 - 1.0) / 2.0;
    let mean = mean(values);
    let (mut products, mut squares) = (0.0, 0.0);
    for (at, value) in values.iter().enumerate() {
        let distance = at as f64 - centre;
        products += distance * (value - mean);
        squares += distance * distance;
    }
    if squares > 0.0 { mean + products / squares * (place - centre) } else { mean }
}
