//! The entry to everything: `Criterion`.

use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;

use crate::earlier::{BenchmarkDefinition, Fun, ParameterizedBenchmark};
use crate::group::{BenchmarkGroup, bench};
use crate::measurement::{Measurement, WallTime};
use crate::profiler::Profiler;
use crate::{Bencher, BenchmarkFilter, BenchmarkId, PlottingBackend};

/// Meets the benchmarks of a target. What configures criterion's own sampling, analysis and plots has no effect.
#[derive(Debug)]
pub struct Criterion<M: Measurement = WallTime> {
    measurement: M,
}

impl Default for Criterion {
    fn default() -> Self {
        Self { measurement: WallTime }
    }
}

/// Builder calls that are accepted.
macro_rules! accepted {
    ($( $name:ident ( $( $argument:ident : $type:ty ),* ) ; )+) => {
        $(
            /// Accepted; no effect here.
            pub fn $name(self, $( $argument: $type ),*) -> Self {
                self
            }
        )+
    };
}

impl<M: Measurement> Criterion<M> {
    /// Names another measurement; time is measured all the same.
    pub fn with_measurement<M2: Measurement>(self, m: M2) -> Criterion<M2> {
        if std::any::type_name::<M2>() != std::any::type_name::<WallTime>() {
            crate::session::remark(&format_args!(
                "perflab measures time, and not what {} measures",
                std::any::type_name::<M2>()
            ));
        }
        Criterion { measurement: m }
    }

    /// Accepted; never started.
    pub fn with_profiler<P: Profiler + 'static>(self, _p: P) -> Self {
        self
    }

    accepted! {
        plotting_backend(_backend: PlottingBackend);
        sample_size(_n: usize);
        warm_up_time(_dur: Duration);
        measurement_time(_dur: Duration);
        nresamples(_n: usize);
        noise_threshold(_threshold: f64);
        confidence_level(_cl: f64);
        significance_level(_sl: f64);
        with_plots();
        without_plots();
        save_baseline(_baseline: String);
        retain_baseline(_baseline: String, _strict: bool);
        with_benchmark_filter(_filter: BenchmarkFilter);
        with_output_color(_enabled: bool);
        output_directory(_path: &Path);
        profile_time(_profile_time: Option<Duration>);
        configure_from_args();
    }

    /// Accepted; no effect here: the command line and perflab choose.
    pub fn with_filter<S: Into<String>>(self, _filter: S) -> Self {
        self
    }

    /// Whether plots can be made: perflab makes its own.
    pub fn can_plot(&self) -> bool {
        false
    }

    /// Accepted; there is no summary.
    pub fn final_summary(&self) {}

    /// Begins a group of benchmarks.
    pub fn benchmark_group<S: Into<String>>(&mut self, group_name: S) -> BenchmarkGroup<'_, M> {
        BenchmarkGroup::new(&self.measurement, group_name.into())
    }

    pub(crate) fn measurement(&self) -> &M {
        &self.measurement
    }
}

impl<M: Measurement + 'static> Criterion<M> {
    /// A benchmark.
    pub fn bench_function<F>(&mut self, id: &str, mut f: F) -> &mut Self
    where
        F: FnMut(&mut Bencher<'_, M>),
    {
        bench(&self.measurement, &BenchmarkId::of_group().full(id), None, &mut f);
        self
    }

    /// A benchmark with an input.
    pub fn bench_with_input<F, I>(&mut self, id: BenchmarkId, input: &I, mut f: F) -> &mut Self
    where
        I: ?Sized,
        F: FnMut(&mut Bencher<'_, M>, &I),
    {
        let BenchmarkId { function, parameter } = id;
        let parts = [function, parameter];
        let name = parts.into_iter().flatten().collect::<Vec<_>>().join("/");
        bench(&self.measurement, &name, None, &mut |bencher| f(bencher, input));
        self
    }

    /// A function with several inputs, as criterion 0.3 had it.
    pub fn bench_function_over_inputs<I, F>(&mut self, id: &str, f: F, inputs: I) -> &mut Self
    where
        I: IntoIterator,
        I::Item: Debug + 'static,
        F: FnMut(&mut Bencher<'_, M>, &I::Item) + 'static,
    {
        self.bench(id, ParameterizedBenchmark::new(id, f, inputs))
    }

    /// Several functions of one input, as criterion 0.3 had them.
    pub fn bench_functions<I>(&mut self, id: &str, funs: Vec<Fun<I, M>>, input: I) -> &mut Self
    where
        I: Debug + 'static,
    {
        self.bench(id, ParameterizedBenchmark::of_functions(funs, input))
    }

    /// A group that was put together before, as criterion 0.3 had it.
    pub fn bench<B: BenchmarkDefinition<M>>(&mut self, group_id: &str, benchmark: B) -> &mut Self {
        benchmark.run(group_id, self);
        self
    }
}

/// Runs each of these.
#[doc(hidden)]
pub fn runner(benches: &[&dyn Fn()]) {
    for bench in benches {
        bench();
    }
}
