//! The values that benchmarks are configured with.

/// How many inputs of a batched benchmark are made ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchSize {
    /// Small inputs: a tenth of a slice's calls at a time.
    SmallInput,
    /// Large inputs: a thousandth of a slice's calls at a time.
    LargeInput,
    /// One input at a time.
    PerIteration,
    /// A slice is divided into so many batches.
    NumBatches(u64),
    /// So many inputs at a time.
    NumIterations(u64),
}

impl BatchSize {
    /// Inputs a batch, at least one, when there are so many calls.
    pub(crate) fn inputs(self, calls: u64) -> u64 {
        let inputs = match self {
            Self::SmallInput => calls.div_ceil(10),
            Self::LargeInput => calls.div_ceil(1_000),
            Self::NumBatches(batches) => calls.div_ceil(batches.max(1)),
            Self::NumIterations(inputs) => inputs,
            Self::PerIteration => 1,
        };
        inputs.max(1)
    }
}

/// How much one call works through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Throughput {
    /// Bits.
    Bits(u64),
    /// Bytes.
    Bytes(u64),
    /// Bytes, which criterion shows in powers of ten.
    BytesDecimal(u64),
    /// Elements.
    Elements(u64),
    /// Both.
    ElementsAndBytes {
        /// Elements.
        elements: u64,
        /// Bytes.
        bytes: u64,
    },
}

impl Throughput {
    pub(crate) fn bytes(&self) -> Option<u64> {
        match *self {
            Self::Bits(bits) => Some(bits / 8),
            Self::Bytes(bytes) | Self::BytesDecimal(bytes) | Self::ElementsAndBytes { bytes, .. } => {
                Some(bytes)
            }
            Self::Elements(_) => None,
        }
    }

    pub(crate) fn elements(&self) -> Option<u64> {
        match *self {
            Self::Elements(elements) | Self::ElementsAndBytes { elements, .. } => Some(elements),
            Self::Bits(_) | Self::Bytes(_) | Self::BytesDecimal(_) => None,
        }
    }
}

/// The scale of an axis; no effect here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AxisScale {
    /// Linear.
    #[default]
    Linear,
    /// Logarithmic.
    Logarithmic,
}

/// How criterion plots a group; no effect here.
#[derive(Clone, Debug, Default)]
pub struct PlotConfiguration {}

impl PlotConfiguration {
    /// Accepted; no effect here.
    pub fn summary_scale(self, _scale: AxisScale) -> Self {
        self
    }
}

/// What criterion plots with; no effect here.
#[derive(Clone, Copy, Debug)]
pub enum PlottingBackend {
    /// gnuplot.
    Gnuplot,
    /// The crate `plotters`.
    Plotters,
    /// Nothing.
    None,
}

/// How criterion samples; no effect here: perflab takes slices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SamplingMode {
    /// criterion chooses.
    #[default]
    Auto,
    /// The calls of a sample grow linearly.
    Linear,
    /// Every sample has as many calls.
    Flat,
}

/// What criterion does with a stored baseline; no effect here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// Compare, and fail where it is missing.
    CompareStrict,
    /// Compare where it is there.
    CompareLenient,
    /// Compare.
    Compare,
    /// Save.
    Save,
    /// Discard.
    Discard,
}

/// Which benchmarks criterion runs; no effect here: the command line and perflab choose.
#[derive(Clone, Debug)]
pub enum BenchmarkFilter {
    /// All.
    AcceptAll,
    /// The one of that name.
    Exact(String),
    /// None.
    RejectAll,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_at_least_one_input() {
        let inputs = |size: BatchSize| [1, 10, 999, 1_001].map(|calls| size.inputs(calls));
        assert_eq!(inputs(BatchSize::SmallInput), [1, 1, 100, 101]);
        assert_eq!(inputs(BatchSize::LargeInput), [1, 1, 1, 2]);
        assert_eq!(inputs(BatchSize::PerIteration), [1, 1, 1, 1]);
        assert_eq!(inputs(BatchSize::NumBatches(3)), [1, 4, 333, 334]);
        assert_eq!(inputs(BatchSize::NumBatches(0)), [1, 10, 999, 1_001]);
        assert_eq!(inputs(BatchSize::NumIterations(7)), [7, 7, 7, 7]);
        assert_eq!(inputs(BatchSize::NumIterations(0)), [1, 1, 1, 1]);
    }

    #[test]
    fn throughput_is_bytes_or_elements_or_both() {
        let both = |throughput: Throughput| (throughput.bytes(), throughput.elements());
        assert_eq!(both(Throughput::Bits(64)), (Some(8), None));
        assert_eq!(both(Throughput::Bytes(7)), (Some(7), None));
        assert_eq!(both(Throughput::BytesDecimal(7)), (Some(7), None));
        assert_eq!(both(Throughput::Elements(7)), (None, Some(7)));
        assert_eq!(both(Throughput::ElementsAndBytes { elements: 1, bytes: 2 }), (Some(2), Some(1)));
    }
}
