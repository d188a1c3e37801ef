//! `detect_anomalies`, `change_points`, `forecast`.

use mcp_server::budget::Detail;
use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use serde_json::{Value, json};

use crate::answers::{AnomaliesView, ChangesView, ForecastView, Said, number, time};
use crate::changes::changes as find_changes;
use crate::chart::{Drawing, short, sparkline, svg, told};
use crate::detect::views::View;
use crate::detect::{Detection, RATES, USUAL_RATE, detect as find_anomalies};
use crate::forecast::full::{Reached, reached};
use crate::forecast::{Request, forecast as make_forecast};
use crate::params::{Changes, Detect, Forecast};
use crate::sampler::now_ms;
use crate::season::{DAY_MS, HOUR_MS};
use crate::series::Series;
use crate::sources::Window;
use crate::state::State;
use crate::tools::metrics::outline;
use crate::tools::{bad, failed};

/// The anomalies or changes of the text where it is short.
const FEW: usize = 8;
/// The points of a forecast's text.
const SPOKEN_POINTS: usize = 6;
/// A series that ended so many steps ago, and so long, is not that of now.
const STALE_STEPS: i64 = 10;
/// So many points are asked of a source.
const ASKED: usize = 10_000;
/// The most anomalies or changes of an answer: the largest.
const MOST: usize = 30;
/// The most points of a forecast.
const POINTS: usize = 60;

fn read(
    state: &State,
    source: &str,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(Series, Vec<String>), ToolError> {
    let window = Window::new(from, to).map_err(bad)?;
    let (series, mut notes) = state.sources.one(source, window, ASKED).map_err(failed)?;
    if let (None, Some(last)) = (window.to, series.times().last()) {
        let age = now_ms().saturating_sub(*last);
        if age > (STALE_STEPS * series.step_ms()).max(HOUR_MS) {
            notes.push(format!("the series ends {} ago, at {}", hours_of(age), time(*last)));
        }
    }
    Ok((series, notes))
}

fn hours_of(ms: i64) -> String {
    hours(ms as f64 / HOUR_MS as f64)
}

/// A count of something, in the singular or the plural.
fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What a list leaves out.
fn rest(says: &mut String, all: usize, shown: usize, sorted: &str) {
    if all > shown {
        says.push_str(&format!("\n… and {} more: these are the {shown} {sorted}", all - shown));
    }
}

pub(crate) fn detect(state: &State, params: &Detect, context: &Context) -> Result<AnomaliesView, ToolError> {
    let (series, mut notes) = read(state, &params.source, params.from.as_deref(), params.to.as_deref())?;
    let found =
        find_anomalies(&series, params.false_alarms_per_day).map_err(|error| failed(error.to_string()))?;
    let fleet = params.fleet.unwrap_or(1.0);
    if !(1.0..=1e9).contains(&fleet) {
        return Err(bad(format!("fleet {fleet} is not a number of series: give one from 1 on")));
    }
    limits(&found, params.false_alarms_per_day.is_none(), &mut notes);
    if fleet > 1.0 {
        notes.push(for_fleet(found.rate, fleet));
    }
    let mut order: Vec<&crate::detect::Anomaly> = found.anomalies.iter().collect();
    if order.len() > MOST {
        order.sort_by(|a, b| b.score.total_cmp(&a.score));
        order.truncate(MOST);
        order.sort_by_key(|anomaly| anomaly.start_ms);
        notes.push(format!("{} anomalies: here are the {MOST} largest", found.anomalies.len()));
    }
    let view = |anomaly: &&crate::detect::Anomaly| {
        json!({
            "start": time(anomaly.start_ms),
            "end": time(anomaly.end_ms),
            "value": number(anomaly.value),
            "usual_limit": number(anomaly.limit),
            "direction": if anomaly.is_high { "high" } else { "low" },
            "score": number(anomaly.score),
            "against": anomaly.view,
            "alarms": anomaly.alarms,
        })
    };
    let expected = found.expected_false_alarms();
    let mut says = format!(
        "{} ({}) in {} from {} to {}\nstated: at most {} false alarms a day, so up to {} of these may be chance\n{}",
        counted(found.anomalies.len(), "anomaly", "anomalies"),
        counted(found.alarms.len(), "alarm", "alarms"),
        span(&series),
        time(found.grid.start_ms),
        time(found.grid.time(found.grid.values.len().saturating_sub(1))),
        short(found.rate),
        short(expected),
        sparkline(&series.grid(60).values, 60),
    );
    let few = if context.detail() == Detail::Detailed { MOST } else { FEW };
    let mut spoken = order.clone();
    spoken.sort_by(|a, b| b.score.total_cmp(&a.score));
    spoken.truncate(few);
    spoken.sort_by_key(|anomaly| anomaly.start_ms);
    for anomaly in &spoken {
        says.push('\n');
        says.push_str(&described(anomaly));
    }
    rest(&mut says, found.anomalies.len(), spoken.len(), "largest");
    let marks: Vec<i64> = found.alarms.iter().map(|at| found.grid.time(*at)).collect();
    let drawing = (params.svg == Some(true))
        .then(|| svg(&Drawing { title: series.name(), line: &outline(&series), band: &[], marks: &marks }));
    Ok(AnomaliesView {
        anomalies: order.iter().map(view).collect(),
        false_alarms_per_day: found.rate,
        expected_false_alarms: expected,
        said: Said { says, notes, svg: drawing },
    })
}

/// An anomaly in one line.
fn described(anomaly: &crate::detect::Anomaly) -> String {
    // A limit that is a rounding error of zero is zero.
    let limit = if anomaly.limit.abs() < 1e-9 * anomaly.value.abs() { 0.0 } else { anomaly.limit };
    let [value, limit] = told([anomaly.value, limit]);
    let against = match anomaly.view {
        View::Level => "of all values before",
        View::Season => "for this time of the day or week",
        View::Jump => "after the hour before",
    };
    let lasting = anomaly.end_ms - anomaly.start_ms;
    let lasting = if lasting > 0 { format!(", within {}", hours_of(lasting)) } else { String::new() };
    let direction = if anomaly.is_high { "above" } else { "below" };
    format!(
        "{} {value}, {direction} {limit}, the usual limit {against} (score {}{lasting})",
        time(anomaly.start_ms),
        short(anomaly.score)
    )
}

/// What a number of series does to the rate.
fn for_fleet(rate: f64, fleet: f64) -> String {
    let together = format!("{fleet} such series together: up to {} false alarms a day", short(rate * fleet));
    let each = rate / fleet;
    if each >= *RATES.start() {
        format!("{together}; ask for {} a day and series to have {} in all", short(each), short(rate))
    } else {
        let least = short(RATES.start() * fleet);
        format!(
            "{together}; even the lowest rate that was found to hold has {least}: watch sums instead of each"
        )
    }
}

/// What limits the statement.
fn limits(found: &Detection, is_usual: bool, notes: &mut Vec<String>) {
    let learned = found.learned as i64 * found.grid.step_ms;
    notes.push(format!("the first {} were only learned from", hours_of(learned)));
    if is_usual && found.rate > USUAL_RATE {
        notes.push(format!(
            "the series is short: {} false alarms a day are stated instead of {USUAL_RATE}",
            short(found.rate)
        ));
    }
    if found.is_extrapolated {
        notes.push(format!(
            "each threshold is to be passed once in {} blocks of the past and {} are known: it is the fitted tail's, \
             beyond the largest that was seen",
            short(1.0 / found.share),
            found.blocks
        ));
    }
    if let Some(steps) = found.season {
        let period = steps as f64 * found.grid.step_ms as f64 / HOUR_MS as f64;
        notes.push(format!("it repeats itself each {}", hours(period)));
    }
    if found.grid.missing() > 0.05 {
        notes.push(format!("{:.0} % of the steps have no value", 100.0 * found.grid.missing()));
    }
    if found.grid.joined > 1 {
        notes.push(format!("{} steps are joined to one by their mean", found.grid.joined));
    }
}

/// A time in words, in the largest unit of which there are at least two.
fn hours(hours: f64) -> String {
    let (count, unit) = match hours {
        hours if hours >= 48.0 => (hours / 24.0, "day"),
        hours if hours >= 2.0 => (hours, "hour"),
        hours if hours * 60.0 >= 2.0 => (hours * 60.0, "minute"),
        hours => (hours * 3600.0, "second"),
    };
    let count = short(count);
    let plural = if count == "1" { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

fn span(series: &Series) -> String {
    hours(series.span_ms() as f64 / HOUR_MS as f64)
}

pub(crate) fn changes(state: &State, params: &Changes, context: &Context) -> Result<ChangesView, ToolError> {
    let (series, mut notes) = read(state, &params.source, params.from.as_deref(), params.to.as_deref())?;
    let found = find_changes(&series).map_err(|error| failed(error.to_string()))?;
    if found.step_ms > series.step_ms() {
        notes.push(format!("neighbours are joined: a place is known to {}", hours_of(found.step_ms)));
    }
    if found.found.is_empty() && series.trend().is_clear {
        notes.push("it rises or falls all the time, which is a trend and not a change of level".to_owned());
    }
    if let Some(season) = found.season {
        notes.push(format!("what repeats itself each {season} was taken off before"));
    }
    let view = |change: &crate::changes::Change| {
        json!({
            "at": time(change.time_ms),
            "give_or_take_s": change.give_or_take_ms as f64 / 1000.0,
            "before": number(change.before),
            "after": number(change.after),
            "size": number(change.size),
        })
    };
    let mut says = format!(
        "{} of level in {} from {} to {}\n{}",
        counted(found.found.len(), "change", "changes"),
        span(&series),
        time(series.times().first().copied().unwrap_or_default()),
        time(series.times().last().copied().unwrap_or_default()),
        sparkline(&series.grid(60).values, 60),
    );
    let few = if context.detail() == Detail::Detailed { MOST } else { FEW };
    let mut spoken: Vec<&crate::changes::Change> = found.found.iter().collect();
    spoken.sort_by(|a, b| b.size.abs().total_cmp(&a.size.abs()));
    spoken.truncate(few);
    spoken.sort_by_key(|change| change.time_ms);
    for change in &spoken {
        let [before, after] = told([change.before, change.after]);
        says.push_str(&format!(
            "\n{} (± {}) {before} → {after}, {} times the usual deviation",
            time(change.time_ms),
            hours_of(change.give_or_take_ms),
            short(change.size.abs())
        ));
    }
    rest(&mut says, found.found.len(), spoken.len(), "largest");
    let marks: Vec<i64> = found.found.iter().map(|change| change.time_ms).collect();
    let drawing = (params.svg == Some(true))
        .then(|| svg(&Drawing { title: series.name(), line: &outline(&series), band: &[], marks: &marks }));
    Ok(ChangesView {
        changes: found.found.iter().take(MOST).map(view).collect(),
        said: Said { says, notes, svg: drawing },
    })
}

pub(crate) fn forecast(
    state: &State,
    params: &Forecast,
    _context: &Context,
) -> Result<ForecastView, ToolError> {
    let (series, mut notes) = read(state, &params.source, params.from.as_deref(), params.to.as_deref())?;
    if params.limit.is_some_and(|limit| !limit.is_finite()) {
        return Err(bad("limit is not a number: give the value that is full".to_owned()));
    }
    let request = Request { hours: params.hours, level: params.level };
    let found = make_forecast(&series, request).map_err(|error| failed(error.to_string()))?;
    if found.grid.joined > 1 {
        notes.push(format!(
            "{} steps were joined to one by their mean: models see {} values",
            found.grid.joined,
            found.grid.values.len()
        ));
    }
    if found.is_cut {
        notes.push("it reaches half as far as the past: further nothing could be tried".to_owned());
    }
    if let Some(covered) = found.covered {
        notes.push(format!(
            "intervals of {:.0} % held {:.0} % of past values that they were not made from",
            100.0 * found.level,
            100.0 * covered
        ));
    } else {
        notes.push("the past is too short to try intervals on it".to_owned());
    }
    let judged = judged(&found);
    let full = params.limit.map(|limit| full(&series, &found, limit));
    let stride = found.points.len().div_ceil(POINTS).max(1);
    let last_point = found.points.len().saturating_sub(1);
    let points =
        found.points.iter().enumerate().filter(|(at, _)| (at + 1) % stride == 0 || *at == last_point);
    let mut says = format!(
        "{judged}\n{}",
        sparkline(&found.points.iter().map(|point| point.value).collect::<Vec<_>>(), 40)
    );
    let last_value = series.values().last().copied().unwrap_or(f64::NAN);
    says.push_str(&format!(
        "\nlast {} at {}; intervals of {:.0} %:",
        short(last_value),
        time(series.times().last().copied().unwrap_or_default()),
        100.0 * found.level
    ));
    let spoken = found.points.len().div_ceil(SPOKEN_POINTS).max(1);
    for point in found.points.iter().rev().step_by(spoken).collect::<Vec<_>>().into_iter().rev() {
        let [value, low, high] = told([point.value, point.low, point.high]);
        says.push_str(&format!("\n{} {value} [{low}, {high}]", time(point.time_ms)));
    }
    if let Some(full) = &full {
        says.push('\n');
        says.push_str(full["says"].as_str().unwrap_or_default());
    }
    let band: Vec<(i64, f64, f64)> =
        found.points.iter().map(|point| (point.time_ms, point.low, point.high)).collect();
    let mut line = outline(&series);
    line.extend(found.points.iter().map(|point| (point.time_ms, point.value)));
    let drawing = (params.svg == Some(true))
        .then(|| svg(&Drawing { title: series.name(), line: &line, band: &band, marks: &[] }));
    let finite = |value: f64| if value.is_finite() { number(value) } else { Value::Null };
    Ok(ForecastView {
        points: points
            .map(|(_, point)| {
                json!({"at": time(point.time_ms), "value": number(point.value), "low": finite(point.low), "high": finite(point.high)})
            })
            .collect(),
        model: found.model.name(),
        backtest: found
            .trials
            .iter()
            .map(|trial| {
                json!({"model": trial.model.name(), "mae": number(trial.mae), "mase": trial.mase.map(number), "origins": trial.origins})
            })
            .collect(),
        full,
        level: found.level,
        said: Said { says, notes, svg: drawing },
    })
}

/// Which model was chosen, and how it compares with repeating.
fn judged(found: &crate::forecast::Forecast) -> String {
    let name = found.model.name();
    let naive = found.trials.iter().find(|trial| trial.model.is_naive()).map(|trial| trial.model.name());
    match (found.relative_to_naive(), naive) {
        (Some(_), _) if found.model.is_naive() => {
            let next = found.trials.iter().find(|trial| !trial.model.is_naive());
            let lost =
                next.zip(found.trials.first()).filter(|(_, best)| best.mae > 0.0).map(|(next, best)| {
                    format!(": {} has {:.0} % of its error", next.model.name(), 100.0 * next.mae / best.mae)
                });
            format!("{name} wins: no model is clearly better than repeating{}", lost.unwrap_or_default())
        }
        (Some(share), Some(naive)) => {
            format!("{name} has {:.0} % of the error of {naive} on the past", 100.0 * share)
        }
        _ => format!("{name}: the past is too short, or too even, to compare models"),
    }
}

/// When a limit is reached.
fn full(series: &Series, found: &crate::forecast::Forecast, limit: f64) -> Value {
    let reached = reached(series, found, limit);
    let says = spoken_limit(series, &reached, limit);
    json!({
        "limit": limit,
        "from": if reached.is_rising { "below" } else { "above" },
        "share_within": number(reached.share),
        "within_hours": number(reached.within_hours),
        "hours_p10": reached.hours[0].map(number),
        "hours_p50": reached.hours[1].map(number),
        "hours_p90": reached.hours[2].map(number),
        "last_beyond": reached.last_beyond_ms.map(time),
        "paths": reached.paths,
        "says": says,
        "days_of_past": number(series.span_ms() as f64 / DAY_MS as f64),
    })
}

fn spoken_limit(series: &Series, reached: &Reached, limit: f64) -> String {
    let within = hours(reached.within_hours);
    let [level, shown] = told([reached.level, limit]);
    let (side, way) = if reached.is_rising { ("below", "reaches") } else { ("above", "falls to") };
    let stands = match reached.since_ms {
        _ if reached.level == limit => format!("the level is {shown} now"),
        Some(since) => format!("the level is {level} now, {side} {shown} since {}", time(since)),
        None => format!("the level is {level} now, and was {side} {shown} all the time"),
    };
    let comes = match reached.hours {
        [earliest, Some(median), latest] => {
            let latest = latest.map_or_else(|| format!("later than {within}"), hours);
            let earliest = earliest.map_or_else(|| latest.clone(), hours);
            format!(
                "it {way} {shown} in {} (one in ten paths before {earliest}, nine in ten before {latest})",
                hours(median)
            )
        }
        _ => format!("it {way} {shown} within {within} on {:.0} % of the paths", 100.0 * reached.share),
    };
    let is_first = reached.last_beyond_ms == series.times().first().copied();
    let passed = reached
        .last_beyond_ms
        .filter(|_| !is_first)
        .map_or_else(String::new, |last| format!("; single values were beyond it, last at {}", time(last)));
    format!("{stands}; {comes}{passed}")
}
