//! A benchmark that is to run now, and for what.

use std::time::Duration;

use perflab_subject::calls::{Calls, Stopwatch, count, prepare, turn};
use perflab_subject::lab::Lab;
use perflab_subject::protocol::Request;

use crate::plain::Short;
use crate::session::{next_request, remark};

/// What the lab asks of a benchmark, and what it has asked next.
pub(crate) struct Asked {
    pub(crate) lab: Lab,
    /// Not answered yet.
    pub(crate) current: Option<Request>,
    /// For another benchmark.
    pub(crate) next: Option<Request>,
    /// Whether the lab has nothing more to ask.
    pub(crate) ended: bool,
}

enum Purpose {
    /// Answer the lab.
    Asked(Box<Asked>),
    /// Call once.
    Once,
    /// Measure shortly.
    Short(Short),
    /// Make so many calls by a clock of the test's own.
    #[cfg(test)]
    Tried(u64, Stopwatch),
}

/// One benchmark's function is running.
pub(crate) struct Visit {
    name: String,
    purpose: Purpose,
    iterated: bool,
    fault: Option<String>,
}

impl Visit {
    pub(crate) fn asked(name: String, asked: Asked) -> Self {
        Self { name, purpose: Purpose::Asked(Box::new(asked)), iterated: false, fault: None }
    }

    pub(crate) fn once(name: String) -> Self {
        Self { name, purpose: Purpose::Once, iterated: false, fault: None }
    }

    pub(crate) fn short(name: String, short: Short) -> Self {
        Self { name, purpose: Purpose::Short(short), iterated: false, fault: None }
    }

    #[cfg(test)]
    pub(crate) fn tried(calls: u64, clock: fn() -> Duration) -> Self {
        let purpose = Purpose::Tried(calls, Stopwatch::reading(clock));
        Self { name: String::new(), purpose, iterated: false, fault: None }
    }

    /// What the timed parts took.
    #[cfg(test)]
    pub(crate) fn spent(&self) -> Option<Duration> {
        match &self.purpose {
            Purpose::Tried(_, watch) => Some(watch.spent()),
            _ => None,
        }
    }

    /// Makes calls as often as is wanted. A benchmark that times several things is about the first of them.
    pub(crate) fn serve(&mut self, calls: &mut dyn Calls) {
        let again = std::mem::replace(&mut self.iterated, true);
        match &mut self.purpose {
            Purpose::Once => calls.run(1, &mut Stopwatch::monotonic()),
            #[cfg(test)]
            Purpose::Tried(times, watch) => calls.run(*times, watch),
            _ if again => remark(&format_args!("{} times several things; the first counts", self.name)),
            Purpose::Short(short) => short.measure(calls),
            Purpose::Asked(asked) => asked.answer(&self.name, calls),
        }
    }

    pub(crate) fn answers_the_lab(&self) -> bool {
        matches!(self.purpose, Purpose::Asked(_))
    }

    /// Says why this benchmark cannot be measured.
    pub(crate) fn cannot(&mut self, why: &str) {
        self.iterated = true;
        self.fault.get_or_insert_with(|| why.to_owned());
        if !self.answers_the_lab() {
            remark(&format_args!("{} cannot be measured: {why}", self.name));
        }
    }

    /// Why its function returned without an answer.
    pub(crate) fn fault(&self) -> Option<String> {
        if self.iterated {
            self.fault.clone()
        } else {
            Some("its function never calls `iter` or one of its kind, so there is nothing to time".to_owned())
        }
    }

    /// Shows what a short measurement found, and gives back what the lab asks.
    pub(crate) fn end(self) -> (String, Option<Asked>) {
        let fault = self.fault();
        match self.purpose {
            Purpose::Asked(asked) => return (self.name, Some(*asked)),
            #[cfg(test)]
            Purpose::Tried(..) => {}
            Purpose::Once => crate::plain::show_called(&self.name, fault.as_deref()),
            Purpose::Short(short) => short.show(&self.name, fault.as_deref()),
        }
        (self.name, None)
    }
}

impl Asked {
    /// Answers requests for the benchmark of that name, until another is asked for.
    fn answer(&mut self, name: &str, calls: &mut dyn Calls) {
        while let Some(request) = &self.current {
            let said = match request {
                Request::Prepare { .. } => {
                    let prepared = prepare(calls);
                    self.lab.say(&prepared)
                }
                Request::Turn { settle_ns, slices, iters, extra, .. } => {
                    let turned = turn(calls, Duration::from_nanos(*settle_ns), *slices, *iters, *extra);
                    self.lab.say(&turned)
                }
                Request::Count { .. } => {
                    let counted = count(calls);
                    self.lab.say(&counted)
                }
                // Answered where it is heard.
                Request::List => Ok(()),
            };
            self.current = None;
            match said.ok().and_then(|()| next_request(&mut self.lab)) {
                None => self.ended = true,
                Some(request) if request.benchmark() == Some(name) => self.current = Some(request),
                other => self.next = other,
            }
        }
    }
}
