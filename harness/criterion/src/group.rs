//! Groups of benchmarks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::measurement::Measurement;
use crate::session;
use crate::{Bencher, BenchmarkId, IntoBenchmarkId, PlotConfiguration, SamplingMode, Throughput};

/// Benchmarks whose names begin alike.
pub struct BenchmarkGroup<'a, M: Measurement> {
    measurement: &'a M,
    name: String,
    throughput: Option<Throughput>,
}

/// Calls of a group that are accepted.
macro_rules! accepted {
    ($( $name:ident ( $argument:ident : $type:ty ) ; )+) => {
        $(
            /// Accepted; no effect here.
            pub fn $name(&mut self, $argument: $type) -> &mut Self {
                self
            }
        )+
    };
}

impl<'a, M: Measurement> BenchmarkGroup<'a, M> {
    pub(crate) fn new(measurement: &'a M, name: String) -> Self {
        Self { measurement, name, throughput: None }
    }

    accepted! {
        sample_size(_n: usize);
        warm_up_time(_dur: Duration);
        measurement_time(_dur: Duration);
        nresamples(_n: usize);
        noise_threshold(_threshold: f64);
        confidence_level(_cl: f64);
        significance_level(_sl: f64);
        plot_config(_new_config: PlotConfiguration);
        sampling_mode(_new_mode: SamplingMode);
    }

    /// How much one call of the benchmarks that follow works through.
    pub fn throughput(&mut self, throughput: Throughput) -> &mut Self {
        self.throughput = Some(throughput);
        self
    }

    /// A benchmark.
    pub fn bench_function<ID: IntoBenchmarkId, F>(&mut self, id: ID, mut f: F) -> &mut Self
    where
        F: FnMut(&mut Bencher<'_, M>),
    {
        let name = id.into_benchmark_id().full(&self.name);
        bench(self.measurement, &name, self.throughput.as_ref(), &mut f);
        self
    }

    /// A benchmark with an input.
    pub fn bench_with_input<ID: IntoBenchmarkId, F, I>(&mut self, id: ID, input: &I, mut f: F) -> &mut Self
    where
        F: FnMut(&mut Bencher<'_, M>, &I),
        I: ?Sized,
    {
        let name = id.into_benchmark_id().full(&self.name);
        bench(self.measurement, &name, self.throughput.as_ref(), &mut |bencher| f(bencher, input));
        self
    }

    /// Ends the group.
    pub fn finish(self) {}
}

impl BenchmarkId {
    /// The name of a routine of the group: without the function where the group is called like it and has no other.
    pub(crate) fn of_routine(group: &str, routine: &str, only: bool, parameter: Option<String>) -> Self {
        let function = (!only || group != routine).then(|| routine.to_owned());
        Self { function, parameter }
    }
}

/// Runs a benchmark's function where somebody wants it now.
pub(crate) fn bench<M: Measurement>(
    measurement: &M,
    name: &str,
    throughput: Option<&Throughput>,
    function: &mut dyn FnMut(&mut Bencher<'_, M>),
) {
    if let Some(mut visit) = session::enter(name, throughput) {
        let mut bencher = Bencher::new(&mut visit, measurement);
        let outcome = catch_unwind(AssertUnwindSafe(|| function(&mut bencher)));
        session::leave(visit, outcome);
    }
}
