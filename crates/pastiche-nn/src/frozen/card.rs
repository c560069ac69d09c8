//! A frozen network's segments as operations of candle's graph on a CUDA card.

use std::{
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
};

use candle_core::{
    CpuStorage, CudaDevice, CudaStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor, bail,
    cuda_backend::cudarc::driver::CudaSlice,
};

use super::{
    FrozenNetwork,
    pass::{Given, Machine, Pass, Values},
};
use crate::{
    cuda::training::{
        card::Card,
        convolutions,
        jobs::{
            Job, Span, SpanMut,
            convolution::{Direction, Padded},
        },
    },
    ops::{card as arguments, cpu::dense},
};

type Kept = Arc<Mutex<Vec<Values<CudaSlice<f32>>>>>;

/// Convolutions from one tap to the next: input -> activations of the last.
pub(super) struct Segment {
    network: FrozenNetwork,
    convs: RangeInclusive<usize>,
    /// Whether a backward pass may come.
    tracked: bool,
    /// Activations of all convolutions but the last, for that.
    kept: Kept,
}

impl Segment {
    pub(super) fn new(network: FrozenNetwork, convs: RangeInclusive<usize>, tracked: bool) -> Self {
        Self { network, convs, tracked, kept: Kept::default() }
    }
}

impl CustomOp1 for Segment {
    fn name(&self) -> &'static str {
        "frozen_network"
    }

    fn cpu_fwd(&self, _input: &CpuStorage, _layout: &Layout) -> Result<(CpuStorage, Shape)> {
        bail!("{}: on cards only", self.name())
    }

    fn cuda_fwd(&self, input: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let machine = OnCard::new(&input.device)?;
        let mut all = pass(&self.network, &self.convs, &machine)
            .forward(machine.given(input, layout)?, self.tracked)?;
        let Some(Values { memory, dims }) = all.pop() else { bail!("{}: no layers", self.name()) };
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = all;
        Ok(arguments::result(memory, input, dims.to_vec()))
    }

    fn bwd(&self, input: &Tensor, output: &Tensor, grad_output: &Tensor) -> Result<Option<Tensor>> {
        let (network, convs, kept) = (self.network.clone(), self.convs.clone(), Arc::clone(&self.kept));
        let backward = Backward { network, convs, kept };
        input.apply_op3_no_bwd(output, &dense(self.name(), grad_output)?, &backward).map(Some)
    }
}

/// input, output, gradient of the output -> gradient of the input.
struct Backward {
    network: FrozenNetwork,
    convs: RangeInclusive<usize>,
    kept: Kept,
}

impl CustomOp3 for Backward {
    fn name(&self) -> &'static str {
        "frozen_network_backward"
    }

    fn cpu_fwd(
        &self,
        _input: &CpuStorage,
        _input_layout: &Layout,
        _output: &CpuStorage,
        _output_layout: &Layout,
        _grad_output: &CpuStorage,
        _grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        bail!("{}: on cards only", self.name())
    }

    fn cuda_fwd(
        &self,
        input: &CudaStorage,
        input_layout: &Layout,
        output: &CudaStorage,
        output_layout: &Layout,
        grad_output: &CudaStorage,
        grad_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let machine = OnCard::new(&input.device)?;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = pass(&self.network, &self.convs, &machine).backward(
            machine.given(input, input_layout)?,
            &kept,
            machine.given(output, output_layout)?,
            machine.given(grad_output, grad_layout)?.span,
        )?;
        Ok(arguments::result(memory, input, input_layout.shape()))
    }
}

fn pass<'a>(
    network: &'a FrozenNetwork,
    convs: &RangeInclusive<usize>,
    machine: &'a OnCard<'a>,
) -> Pass<'a, OnCard<'a>> {
    Pass { network: &network.network, prepared: &network.prepared, convs: convs.clone(), machine }
}

/// A card that runs jobs.
struct OnCard<'a> {
    device: &'a CudaDevice,
    card: Arc<Card>,
}

impl<'a> OnCard<'a> {
    fn new(device: &'a CudaDevice) -> Result<Self> {
        Ok(Self { device, card: Card::of(device)? })
    }

    /// An argument of an operation.
    fn given<'b>(&self, storage: &'b CudaStorage, layout: &Layout) -> Result<Given<'b>> {
        let view = arguments::view("frozen_network", storage, layout)?;
        Ok(Given { span: self.card.span(&view), dims: layout.shape().dims4()?.into() })
    }
}

impl Machine for OnCard<'_> {
    type Memory = CudaSlice<f32>;

    fn span<'a>(&self, memory: &CudaSlice<f32>) -> Span<'a> {
        self.card.span(memory)
    }

    fn span_mut<'a>(&self, memory: &mut CudaSlice<f32>) -> SpanMut<'a> {
        self.card.span_mut(memory)
    }

    fn parameter<'a>(&self, tensor: &Tensor) -> Result<Span<'a>> {
        self.card.span_of(tensor)
    }

    fn run<A: Copy>(&self, job: Job<'_, A>) -> Result<()> {
        self.card.run(job)
    }

    fn made<'a, A: Copy>(
        &self,
        len: usize,
        job: impl FnOnce(SpanMut<'a>) -> Result<Job<'a, A>>,
    ) -> Result<CudaSlice<f32>> {
        self.card.made(len, job)
    }

    fn convolved(
        &self,
        convolution: Padded,
        direction: Direction,
        a: Span<'_>,
        b: Span<'_>,
    ) -> Result<CudaSlice<f32>> {
        convolutions::run(self.device, convolution, direction, a, b)
    }
}
