//! What a test has gathered so far, and the record that it becomes.

use std::time::Duration;

use crate::called::program;
use crate::latency::{
    Failed, LATENCY_SCHEMA, LatencyFile, LatencyState, LaunchOf, Load, Member, Mode, Placement, QUANTILES,
    Series, Times, Versus, compare, hlog,
};
use crate::load::{Taken, Usage};
use crate::load_test::setup::Setup;
use crate::load_test::{Error, Record};
use crate::mcp::Fault;
use crate::stats::median;

/// The client's own lateness that is never held against it, in ns.
const RESOLUTION: u64 = 100_000;
/// The share of what was measured that the client's own lateness may reach.
const LATE: f64 = 0.1;

/// What identifies a series.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub member: Member,
    pub placement: Placement,
    pub load: Load,
    pub label: String,
}

/// How a process started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Start {
    pub ready_ns: Option<u64>,
    pub first_call_ns: Option<u64>,
}

/// Everything that was measured.
pub(crate) struct Collected {
    series: Vec<(Key, Vec<(LaunchOf, Taken)>)>,
    pub file: LatencyFile,
}

impl Collected {
    pub(crate) fn new(setup: &Setup) -> Self {
        let options = &setup.options;
        let file = LatencyFile {
            schema: LATENCY_SCHEMA,
            perflab: env!("CARGO_PKG_VERSION").to_owned(),
            name: options.name.clone(),
            started: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            seconds: 0.0,
            command: options.command.clone(),
            state: LatencyState::Finished,
            mode: setup.mode,
            seed: options.seed,
            field: options.field().map(|field| field.name.clone()),
            instructions: Vec::new(),
            noise_threshold: options.noise_threshold,
            environment: options.environment.clone(),
            servers: Vec::new(),
            series: Vec::new(),
            versus: Vec::new(),
            capacities: Vec::new(),
            memories: Vec::new(),
            cancellations: Vec::new(),
            faults: Vec::new(),
            notes: Vec::new(),
            void: None,
        };
        Self { series: Vec::new(), file }
    }

    /// Adds a launch, if anything was answered in it.
    pub(crate) fn add(&mut self, key: Key, taken: Taken, start: Start, cpu_ns: Option<u64>, usage: Usage) {
        if taken.calls == 0 && taken.given_up == 0 {
            return;
        }
        let calls = taken.calls.max(1) as f64;
        let launch = LaunchOf {
            began: taken.began.as_secs_f64(),
            seconds: taken.length.as_secs_f64(),
            calls: taken.calls,
            quantiles_ns: QUANTILES.iter().filter_map(|&q| taken.response.quantile(q)).collect(),
            max_ns: taken.response.max(),
            ready_ns: start.ready_ns,
            first_call_ns: start.first_call_ns,
            cpu_ns: cpu_ns.filter(|_| taken.calls > 0).map(|ns| ns as f64 / calls),
            own_cpu_ns: taken.own_cpu_ns as f64 / calls,
            peak_rss: (usage.peak_rss > 0).then_some(usage.peak_rss),
        };
        match self.series.iter_mut().find(|(known, _)| *known == key) {
            Some((_, launches)) => launches.push((launch, taken)),
            None => self.series.push((key, vec![(launch, taken)])),
        }
    }

    /// The percentiles of a member's launches.
    pub(crate) fn quantiles(&self, member: Member) -> Vec<Vec<u64>> {
        let launches =
            self.series.iter().filter(|(key, _)| key.member == member).flat_map(|(_, launches)| launches);
        launches.map(|(launch, _)| launch.quantiles_ns.clone()).collect()
    }

    /// CPU time of the lab's client a call to a member, in ns: the median over launches.
    pub(crate) fn own_cpu(&self, member: Member) -> Option<f64> {
        let launches =
            self.series.iter().filter(|(key, _)| key.member == member).flat_map(|(_, launches)| launches);
        median(&launches.map(|(launch, _)| launch.own_cpu_ns).collect::<Vec<_>>())
    }

    /// Whether nothing was measured.
    pub(crate) fn is_empty(&self) -> bool {
        self.series.is_empty() && self.file.faults.is_empty()
    }

    /// Adds a fault.
    pub(crate) fn fail(&mut self, member: Member, launch: u32, fault: Fault) {
        let says = fault.to_string();
        self.file.faults.push(Failed { member, launch, fault, says });
    }

    /// Adds a sentence, once.
    pub(crate) fn note(&mut self, note: String) {
        if !self.file.notes.contains(&note) {
            self.file.notes.push(note);
        }
    }

    /// Compares servers launch by launch.
    fn compare(&mut self) {
        let baselines = self.series.iter().filter(|(key, _)| key.member == Member::Server);
        let mut versus = Vec::new();
        for (base, launches) in baselines {
            for (key, others) in &self.series {
                let compared = matches!(key.member, Member::Against | Member::Control | Member::Peer(_));
                if !compared
                    || key.placement != base.placement
                    || key.load != base.load
                    || key.label != base.label
                {
                    continue;
                }
                let at = |index: usize| {
                    let pair = |(one, two): (&(LaunchOf, Taken), &(LaunchOf, Taken))| {
                        Some((*one.0.quantiles_ns.get(index)?, *two.0.quantiles_ns.get(index)?))
                    };
                    launches.iter().zip(others).filter_map(pair).collect::<Vec<_>>()
                };
                let rows = QUANTILES.iter().enumerate();
                let rows = rows.filter_map(|(index, &q)| compare(q, &at(index), self.file.noise_threshold));
                let (member, placement, label) = (key.member, key.placement, key.label.clone());
                versus.push(Versus { member, placement, label, rows: rows.collect() });
            }
        }
        self.file.versus = versus;
    }

    /// Whether the client was too late for its own numbers, or calls are missing in them.
    fn look_for_lateness(&mut self) {
        // A search for the capacity goes where client and server are late, and says so itself.
        if self.file.mode != Mode::Capacity {
            self.file.void = self.file.series.iter().find_map(lateness);
        }
    }

    /// The record of what was measured in so many seconds.
    pub(crate) fn record(mut self, seconds: f64, stopped: bool) -> Result<Record, Error> {
        self.file.seconds = seconds;
        self.file.state = match (stopped, self.file.faults.is_empty()) {
            (true, _) => LatencyState::Stopped,
            (false, false) => LatencyState::Failed,
            (false, true) => LatencyState::Finished,
        };
        self.compare();
        let mut logs = Vec::new();
        for (key, launches) in &self.series {
            let (series, of) = series(key, launches)?;
            self.file.series.push(series);
            logs.extend(of);
        }
        self.look_for_lateness();
        Ok(Record { file: self.file, logs })
    }
}

/// Why the numbers of an open loop do not count; `None` when they do.
fn lateness(series: &Series) -> Option<String> {
    let Load::Open { rate, .. } = series.load else { return None };
    if series.given_up > 0 {
        return Some(format!(
            "{rate} calls/s are beyond what server and client can do here: {:.0} calls/s were answered, and {} calls \
             had to be given up: take a lower --rate, or `{} mcp capacity` to find the highest",
            series.per_second,
            series.given_up,
            program()
        ));
    }
    let lag = series.lag.as_ref()?.at(0.99)?.ns;
    let response = series.response.at(0.99).map_or(0, |percentile| percentile.ns);
    let allowed = RESOLUTION.max((response as f64 * LATE) as u64);
    (lag > allowed).then(|| {
        format!(
            "the client itself was late: p99 of its own lag is {:.0} µs at {rate} calls/s, and {:.0} µs is the most \
             that these numbers bear: take a lower --rate, --placement split, or a quieter machine",
            lag as f64 / 1e3,
            allowed as f64 / 1e3
        )
    })
}

/// One of the distributions of a launch.
type TimesOf = fn(&Taken) -> &Times;

/// A histogram log of a record: its path below the record, and its text.
type Log = (String, String);

/// One series, with its histogram logs.
fn series(key: &Key, launches: &[(LaunchOf, Taken)]) -> Result<(Series, Vec<Log>), Error> {
    let mut all = Taken::default();
    launches.iter().for_each(|(_, taken)| all.add(taken));
    let is_open = matches!(key.load, Load::Open { .. });
    let mut logs = Vec::new();
    let kinds: [(&str, TimesOf); 3] = [
        ("response", |taken| &taken.response),
        ("service", |taken| &taken.service),
        ("lag", |taken| &taken.lag),
    ];
    for (kind, of) in kinds.iter().take(if is_open { 3 } else { 1 }) {
        let intervals: Vec<(Duration, Duration, &Times)> =
            launches.iter().map(|(_, taken)| (taken.began, taken.length, of(taken))).collect();
        let name = format!("latency/{}-{kind}.hlog", stem(key));
        let what = format!("{kind} times of {}", stem(key));
        let text = hlog(&what, &intervals).map_err(Error::Histogram)?;
        logs.push((name, text));
    }
    let series = Series {
        member: key.member,
        placement: key.placement,
        load: key.load,
        label: key.label.clone(),
        launches: launches.iter().map(|(launch, _)| launch.clone()).collect(),
        per_second: all.calls as f64 / all.length.as_secs_f64().max(1e-9),
        response: all.response.distribution(),
        service: is_open.then(|| all.service.distribution()),
        lag: is_open.then(|| all.lag.distribution()),
        out_of_order: all.out_of_order,
        given_up: all.given_up,
        hlog: logs.iter().map(|(name, _)| name.clone()).collect(),
    };
    Ok((series, logs))
}

/// The name of a series as a file.
fn stem(key: &Key) -> String {
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().replace('_', "-");
    let mut name = word(serde_json::json!(key.member)) + "-" + &word(serde_json::json!(key.placement));
    if !key.label.is_empty() {
        let label: String =
            key.label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        name = format!("{name}-{label}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_loop(response: u64, lag: u64, given_up: u64) -> Series {
        let all = |ns: u64| {
            let mut times = Times::default();
            (0..1000).for_each(|_| times.record(ns));
            times.distribution()
        };
        Series {
            member: Member::Server,
            placement: Placement::Same,
            load: Load::Open { rate: 100.0, poisson: false },
            label: String::new(),
            launches: Vec::new(),
            per_second: 100.0,
            response: all(response),
            service: None,
            lag: Some(all(lag)),
            out_of_order: 0,
            given_up,
            hlog: Vec::new(),
        }
    }

    #[test]
    fn a_late_client_voids_and_a_small_lag_does_not() {
        assert_eq!(lateness(&open_loop(20_000, 90_000, 0)), None, "below the resolution");
        assert_eq!(lateness(&open_loop(50_000_000, 3_000_000, 0)), None, "a small share");
        assert!(
            lateness(&open_loop(50_000_000, 6_000_000, 0)).unwrap().starts_with("the client itself was late")
        );
        assert!(lateness(&open_loop(20_000, 10, 5)).unwrap().contains("5 calls had to be given up"));
        let closed = Series { load: Load::Closed { in_flight: 1 }, ..open_loop(1, 1_000_000, 0) };
        assert_eq!(lateness(&closed), None);
    }

    #[test]
    fn series_have_file_names() {
        let key = Key {
            member: Member::NullServer,
            placement: Placement::Split,
            load: Load::Closed { in_flight: 1 },
            label: "4 MiB".to_owned(),
        };
        assert_eq!(stem(&key), "null-server-split-4-MiB");
    }
}
