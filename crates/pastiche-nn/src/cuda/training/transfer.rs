//! Batches on their way to a card, and figures on their way back.

use std::collections::{HashMap, VecDeque};

use candle_core::{
    CudaDevice, CudaStorage, Error, Result, Shape, Storage, Tensor,
    cuda_backend::cudarc::driver::PinnedHostSlice, op::BackpropOp,
};

use super::{
    card::Card,
    jobs::pointwise::{self, SCALARS},
};

/// Buffers that tensors of one size go up through in turn: two a step, and a step ahead.
const BUFFERS: usize = 4;

/// Pinned memory that batches go up through.
#[derive(Default)]
pub(crate) struct Uploads {
    /// By the number of values; whose turn it is stands first.
    buffers: HashMap<usize, VecDeque<PinnedHostSlice<f32>>>,
}

impl Uploads {
    /// A tensor of these values, which the caller may change when this returns. It waits only where a buffer is still on its
    /// way from the last time.
    pub(crate) fn tensor(&mut self, values: &[f32], shape: Shape, device: &CudaDevice) -> Result<Tensor> {
        let card = Card::of(device)?;
        let buffers = self.buffers.entry(values.len()).or_default();
        let mut buffer = match buffers.pop_front() {
            Some(buffer) if buffers.len() + 1 == BUFFERS => buffer,
            too_few => {
                buffers.extend(too_few);
                #[allow(unsafe_code)]
                // SAFETY: all of it is written before it is read.
                let pinned = unsafe { card.stream().context().alloc_pinned::<f32>(values.len()) };
                pinned.map_err(Error::wrap)?
            }
        };
        buffer.as_mut_slice().map_err(Error::wrap)?.copy_from_slice(values);
        let mut memory = card.empty(values.len())?;
        card.stream().memcpy_htod(&buffer, &mut memory).map_err(Error::wrap)?;
        buffers.push_back(buffer);
        let storage = CudaStorage::wrap_cuda_slice(memory, device.clone());
        Ok(Tensor::from_storage(Storage::Cuda(storage), shape, BackpropOp::none(), false))
    }
}

/// Figures that are on their way back, the oldest first.
#[derive(Default)]
pub(crate) struct Figures {
    sent: VecDeque<(PinnedHostSlice<f32>, usize)>,
    free: Vec<PinnedHostSlice<f32>>,
}

impl Figures {
    /// Sends numbers off, once what they hang on is computed.
    pub(crate) fn send(&mut self, scalars: &[&Tensor], device: &CudaDevice) -> Result<()> {
        let card = Card::of(device)?;
        let spans = scalars.iter().map(|scalar| card.span_of(scalar));
        let spans = spans.collect::<Result<Vec<_>>>()?;
        let collected = card.made(spans.len(), |to| pointwise::collect(&spans, to))?;
        let mut buffer = match self.free.pop() {
            Some(buffer) => buffer,
            None => {
                // Cached on the processor, which is to read it.
                const FLAGS: u32 = 0;
                #[allow(unsafe_code)]
                // SAFETY: what is read of it was written by the copy before.
                let pinned =
                    unsafe { card.stream().context().alloc_pinned_with_flags::<f32>(SCALARS, FLAGS) };
                pinned.map_err(Error::wrap)?
            }
        };
        card.stream().memcpy_dtoh(&collected, &mut buffer).map_err(Error::wrap)?;
        self.sent.push_back((buffer, spans.len()));
        Ok(())
    }

    /// Waits for the oldest; none where none are under way.
    pub(crate) fn receive(&mut self) -> Result<Option<Vec<f32>>> {
        let Some((buffer, count)) = self.sent.pop_front() else { return Ok(None) };
        let figures = buffer.as_slice().map_err(Error::wrap)?[..count].to_vec();
        self.free.push(buffer);
        Ok(Some(figures))
    }
}
