//! What criterion had until 0.3: benchmarks that are put together first and run later.

use std::fmt::Debug;
use std::time::Duration;

use crate::group::bench;
use crate::measurement::{Measurement, WallTime};
use crate::{Bencher, BenchmarkId, Criterion, PlotConfiguration, SamplingMode, Throughput};

/// What `Criterion::bench` runs.
pub trait BenchmarkDefinition<M: Measurement = WallTime>: Sized {
    /// Runs it as a group of that name.
    #[doc(hidden)]
    fn run(self, group_id: &str, c: &mut Criterion<M>);
}

/// A function of a [`Bencher`] and an input.
type Routine<T, M> = Box<dyn FnMut(&mut Bencher<'_, M>, &T)>;

/// How much a call with an input works through.
type Amount<T> = Box<dyn Fn(&T) -> Throughput>;

/// A named function of an input.
pub struct Fun<I: Debug, M: Measurement + 'static = WallTime> {
    name: String,
    routine: Routine<I, M>,
}

impl<I: Debug, M: Measurement> Fun<I, M> {
    /// Names a function.
    pub fn new<F>(name: &str, f: F) -> Self
    where
        F: FnMut(&mut Bencher<'_, M>, &I) + 'static,
    {
        Self { name: name.to_owned(), routine: Box::new(f) }
    }
}

/// Builder calls that are accepted.
macro_rules! accepted {
    ($( $name:ident ( $argument:ident : $type:ty ) ; )+) => {
        $(
            /// Accepted; no effect here.
            pub fn $name(self, $argument: $type) -> Self {
                self
            }
        )+
    };
}

/// Functions without inputs.
pub struct Benchmark<M: Measurement = WallTime> {
    routines: Vec<(String, Routine<(), M>)>,
    throughput: Option<Throughput>,
}

impl<M: Measurement + 'static> Benchmark<M> {
    /// One function.
    pub fn new<S, F>(id: S, f: F) -> Self
    where
        S: Into<String>,
        F: FnMut(&mut Bencher<'_, M>) + 'static,
    {
        Self { routines: Vec::new(), throughput: None }.with_function(id, f)
    }

    /// Another function.
    pub fn with_function<S, F>(mut self, id: S, mut f: F) -> Self
    where
        S: Into<String>,
        F: FnMut(&mut Bencher<'_, M>) + 'static,
    {
        self.routines.push((id.into(), Box::new(move |bencher, ()| f(bencher))));
        self
    }

    /// How much one call works through.
    pub fn throughput(mut self, throughput: Throughput) -> Self {
        self.throughput = Some(throughput);
        self
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
}

impl<M: Measurement> BenchmarkDefinition<M> for Benchmark<M> {
    fn run(self, group_id: &str, c: &mut Criterion<M>) {
        let only = self.routines.len() == 1;
        for (routine, mut function) in self.routines {
            let name = BenchmarkId::of_routine(group_id, &routine, only, None).full(group_id);
            bench(c.measurement(), &name, self.throughput.as_ref(), &mut |bencher| function(bencher, &()));
        }
    }
}

/// Functions of several inputs.
pub struct ParameterizedBenchmark<T: Debug, M: Measurement = WallTime> {
    values: Vec<T>,
    routines: Vec<(String, Routine<T, M>)>,
    throughput: Option<Amount<T>>,
}

impl<T: Debug + 'static, M: Measurement + 'static> ParameterizedBenchmark<T, M> {
    /// One function, and the inputs.
    pub fn new<S, F, I>(id: S, f: F, parameters: I) -> Self
    where
        S: Into<String>,
        F: FnMut(&mut Bencher<'_, M>, &T) + 'static,
        I: IntoIterator<Item = T>,
    {
        let values = parameters.into_iter().collect();
        Self { values, routines: Vec::new(), throughput: None }.with_function(id, f)
    }

    pub(crate) fn of_functions(functions: Vec<Fun<T, M>>, input: T) -> Self {
        let routines = functions.into_iter().map(|Fun { name, routine }| (name, routine)).collect();
        Self { values: vec![input], routines, throughput: None }
    }

    /// Another function.
    pub fn with_function<S, F>(mut self, id: S, f: F) -> Self
    where
        S: Into<String>,
        F: FnMut(&mut Bencher<'_, M>, &T) + 'static,
    {
        self.routines.push((id.into(), Box::new(f)));
        self
    }

    /// How much one call works through, by its input.
    pub fn throughput<F>(mut self, throughput: F) -> Self
    where
        F: Fn(&T) -> Throughput + 'static,
    {
        self.throughput = Some(Box::new(throughput));
        self
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
}

impl<T: Debug + 'static, M: Measurement + 'static> BenchmarkDefinition<M> for ParameterizedBenchmark<T, M> {
    fn run(self, group_id: &str, c: &mut Criterion<M>) {
        let (only, one_value) = (self.routines.len() == 1, self.values.len() == 1);
        for (routine, mut function) in self.routines {
            for value in &self.values {
                let parameter = (!one_value).then(|| format!("{value:?}"));
                let name = BenchmarkId::of_routine(group_id, &routine, only, parameter).full(group_id);
                let throughput = self.throughput.as_ref().map(|of| of(value));
                bench(c.measurement(), &name, throughput.as_ref(), &mut |bencher| function(bencher, value));
            }
        }
    }
}
