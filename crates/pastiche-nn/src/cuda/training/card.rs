//! A card as training uses it: its kernels, and what its libraries keep from step to step.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use candle_core::{
    CudaDevice, Error, Result, Storage, Tensor, bail,
    cuda_backend::{
        DeviceId,
        cudarc::driver::{
            CudaFunction, CudaSlice, CudaStream, DevicePtr, DevicePtrMut, DeviceRepr, LaunchConfig,
            PushKernelArg, result, sys,
        },
    },
};

use super::jobs::{BLOCK_THREADS, Job, Span, SpanMut};
use crate::{
    cuda::card::modules::{Loaded, Source, source},
    ops::card::view,
};

static KERNELS: Source = source!("training");

/// The cards that were used. They stay for as long as the program runs: giving their memory and handles back while it ends
/// would race with the driver, which gives back everything anyway.
static CARDS: Mutex<Vec<(DeviceId, Arc<Card>)>> = Mutex::new(Vec::new());

/// One device of candle's. All that is done on it is done in the order of its one stream.
pub(crate) struct Card {
    stream: Arc<CudaStream>,
    module: Loaded,
    functions: Mutex<HashMap<&'static str, CudaFunction>>,
    /// Whether products of matrices and convolutions may round their factors to 10 binary digits (TF32).
    rounds_factors: AtomicBool,
    #[cfg(feature = "cudnn")]
    pub(super) convolutions: Mutex<super::convolutions::Convolutions>,
}

/// The one argument of a kernel.
#[repr(transparent)]
struct Argument<A>(A);

#[allow(unsafe_code)]
// SAFETY: the arguments of jobs are plain numbers in C's order, the same as in the kernels' headers, which the tests that run
// these kernels on the processor would show.
unsafe impl<A: Copy> DeviceRepr for Argument<A> {}

impl Card {
    /// The card of a device; its kernels are loaded when it is first asked for.
    pub(crate) fn of(device: &CudaDevice) -> Result<Arc<Self>> {
        let mut cards = CARDS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, card)) = cards.iter().find(|(id, _)| *id == device.id()) {
            return Ok(Arc::clone(card));
        }
        let stream = device.cuda_stream();
        let card = Arc::new(Self {
            module: KERNELS.load(device).map_err(Error::wrap)?,
            functions: Mutex::default(),
            rounds_factors: AtomicBool::new(true),
            #[cfg(feature = "cudnn")]
            convolutions: Mutex::new(super::convolutions::Convolutions::new(&stream)?),
            stream,
        });
        cards.push((device.id(), Arc::clone(&card)));
        Ok(card)
    }

    /// Makes the device ready for steps that allocate and free thousands of tensors, before the first of them is made.
    pub(crate) fn prepare(device: &CudaDevice, rounds_factors: bool) -> Result<()> {
        let card = Self::of(device)?;
        card.rounds_factors.store(rounds_factors, Ordering::Relaxed);
        let context = card.stream.context();
        context.bind_to_thread().map_err(Error::wrap)?;
        #[allow(unsafe_code)]
        // SAFETY: without events tensors are safe as long as all work is on one stream, which it is here: candle has but
        // the device's, cuBLAS and cuDNN are given that, and copies from and to pinned memory have events of their own. The
        // pool is that of an opened device, and the value of the type that its attribute has.
        unsafe {
            device.disable_event_tracking();
            let pool = result::device::get_default_mem_pool(context.cu_device()).map_err(Error::wrap)?;
            // Memory that is freed is kept for the next step; else every wait for the card would give it back to the system.
            let mut kept_bytes = u64::MAX;
            let threshold = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
            result::mem_pool::set_attribute(pool, threshold, (&raw mut kept_bytes).cast())
                .map_err(Error::wrap)
        }
    }

    /// Whether factors may be rounded to TF32.
    pub(crate) fn rounds_factors(&self) -> bool {
        self.rounds_factors.load(Ordering::Relaxed)
    }

    /// The stream of everything.
    pub(crate) fn stream(&self) -> &Arc<CudaStream> {
        &self.stream
    }

    /// Memory for `len` numbers, which all must be written before they are read.
    pub(crate) fn empty(&self, len: usize) -> Result<CudaSlice<f32>> {
        #[allow(unsafe_code)]
        // SAFETY: kernels of ours write all of what they are given before anything reads it.
        unsafe { self.stream.alloc::<f32>(len) }.map_err(Error::wrap)
    }

    /// Memory for a job to read. The lifetime is that of the memory, not that of a view of it, and so left open: freeing follows
    /// in the stream's order in any case.
    pub(crate) fn span<'a>(&self, memory: &impl DevicePtr<f32>) -> Span<'a> {
        let (address, _on_this_stream_all_along) = memory.device_ptr(&self.stream);
        Span::new(address, memory.len())
    }

    /// A dense tensor's numbers for a job to read.
    pub(crate) fn span_of<'a>(&self, tensor: &Tensor) -> Result<Span<'a>> {
        let (storage, layout) = tensor.storage_and_layout();
        let Storage::Cuda(storage) = &*storage else {
            bail!("a tensor of shape {:?} is not on the card", tensor.dims())
        };
        Ok(self.span(&view("training", storage, layout)?))
    }

    /// Memory for a job to write.
    pub(crate) fn span_mut<'a>(&self, memory: &mut impl DevicePtrMut<f32>) -> SpanMut<'a> {
        let len = memory.len();
        let (address, _on_this_stream_all_along) = memory.device_ptr_mut(&self.stream);
        SpanMut::new(address, len)
    }

    /// New memory that a job writes.
    pub(crate) fn made<'a, A: Copy>(
        &self,
        len: usize,
        job: impl FnOnce(SpanMut<'a>) -> Result<Job<'a, A>>,
    ) -> Result<CudaSlice<f32>> {
        let mut memory = self.empty(len)?;
        self.run(job(self.span_mut(&mut memory))?)?;
        Ok(memory)
    }

    /// Starts a kernel behind what was started before.
    pub(crate) fn run<A: Copy>(&self, job: Job<'_, A>) -> Result<()> {
        if job.blocks == 0 {
            return Ok(());
        }
        let function = self.function(job.kernel)?;
        let argument = Argument(job.arguments);
        let config = LaunchConfig {
            grid_dim: (job.blocks, 1, 1),
            block_dim: (BLOCK_THREADS, 1, 1),
            shared_mem_bytes: 0,
        };
        let mut launch = self.stream.launch_builder(&function);
        launch.arg(&argument);
        #[allow(unsafe_code)]
        // SAFETY: the argument is that of the kernel of this name, made from memory that is as long as the kernel takes it for;
        // memory is freed in the stream's order, behind the kernel.
        unsafe { launch.launch(config) }.map_err(Error::wrap)?;
        Ok(())
    }

    fn function(&self, name: &'static str) -> Result<CudaFunction> {
        let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(function) = functions.get(name) {
            return Ok(function.clone());
        }
        let function = self.module.kernel(name).map_err(Error::wrap)?;
        functions.insert(name, function.clone());
        Ok(function)
    }
}
