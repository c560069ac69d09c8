//! A card made ready for a plan: streams, kernels, cuDNN, and starting steps.
#![allow(unsafe_code)] // the driver's functions

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use candle_core::{
    CudaDevice,
    cuda_backend::{
        DeviceId,
        cudarc::driver::{
            CudaSlice, CudaStream, DevicePtr, DeviceRepr, DriverError, result,
            sys::{CUdeviceptr, CUresult},
        },
    },
};

#[cfg(feature = "cudnn")]
use super::cudnn::Cudnn;
use super::{
    CudaError,
    modules::{Loaded, source},
    ways::{self, Shape, Way, Workspace},
};
use crate::cuda::{
    CudaPrecision,
    arguments::{Arguments, Kernel, THREADS},
    program::{Convolution, Launch},
};

/// The kernels, on the cards that were used: the driver compiles them once, however many networks there are. They stay for as
/// long as the program runs.
static KERNELS: Mutex<Vec<(DeviceId, Loaded)>> = Mutex::new(Vec::new());

fn kernels(device: &CudaDevice) -> Result<Loaded, CudaError> {
    let mut kernels = KERNELS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, loaded)) = kernels.iter().find(|(id, _)| *id == device.id()) {
        return Ok(loaded.clone());
    }
    let loaded = source!("plan").load(device)?;
    kernels.push((device.id(), loaded.clone()));
    Ok(loaded)
}

/// A card made ready.
pub(super) struct Session {
    /// Where everything is computed.
    pub(super) compute: Arc<CudaStream>,
    /// Where pictures go to the card.
    pub(super) upload: Arc<CudaStream>,
    /// Where paintings come back.
    pub(super) download: Arc<CudaStream>,
    pub(super) precision: CudaPrecision,
    kernels: Loaded,
    #[cfg(feature = "cudnn")]
    pub(super) cudnn: Cudnn,
    /// How the convolutions are done that were asked for.
    ways: HashMap<Shape, Way>,
}

impl Session {
    pub(super) fn new(device: &CudaDevice, precision: CudaPrecision) -> Result<Self, CudaError> {
        let context = device.cuda_stream().context().clone();
        // Not the device's own, where other threads place other networks meanwhile: while steps are recorded, their stream may
        // be asked for nothing else.
        let stream = || context.new_stream().map_err(CudaError::driver("making a stream"));
        let compute = stream()?;
        Ok(Self {
            upload: stream()?,
            download: stream()?,
            precision,
            kernels: kernels(device)?,
            #[cfg(feature = "cudnn")]
            cudnn: Cudnn::new(compute.clone())?,
            ways: HashMap::new(),
            compute,
        })
    }

    /// Memory for `len` numbers. It is there when this returns.
    pub(super) fn allocate<T: DeviceRepr>(&self, len: usize) -> Result<CudaSlice<T>, CudaError> {
        let bytes = len * size_of::<T>();
        // SAFETY: whatever is read of it is written before, by steps or copies.
        let memory = unsafe { self.compute.alloc(len) };
        memory
            .and_then(|memory| self.compute.synchronize().map(|()| memory))
            .map_err(|error| self.out_of_memory(error, bytes))
    }

    /// The same with these numbers.
    pub(super) fn place<T: DeviceRepr>(&self, values: &[T]) -> Result<CudaSlice<T>, CudaError> {
        let memory = self.compute.clone_htod(values);
        let memory = memory.and_then(|memory| self.compute.synchronize().map(|()| memory));
        memory.map_err(|error| self.out_of_memory(error, size_of_val(values)))
    }

    fn out_of_memory(&self, error: DriverError, bytes: usize) -> CudaError {
        if error.0 != CUresult::CUDA_ERROR_OUT_OF_MEMORY {
            return CudaError::driver("making room on the card")(error);
        }
        let (free, _) = self.compute.context().mem_get_info().unwrap_or_default();
        let megabytes = |bytes: usize| (bytes as u64).div_ceil(1_000_000);
        CudaError::OutOfMemory { needed: megabytes(bytes), free: megabytes(free) }
    }

    /// Where memory lies. Asking makes the stream wait for what wrote it, so it must not be asked while steps are recorded.
    pub(super) fn pointer<T>(&self, memory: &CudaSlice<T>) -> u64 {
        memory.device_ptr(&self.compute).0
    }

    /// Waits until nothing is under way. What failed before has been told, or is told by what comes next.
    pub(super) fn settle(&self) {
        for stream in [&self.upload, &self.compute, &self.download] {
            let _ = stream.synchronize();
        }
    }

    /// Starts a step.
    pub(super) fn start(&self, launch: &Launch, workspace: Workspace) -> Result<(), CudaError> {
        match launch {
            Launch::Kernel((kernel, arguments)) => self.start_kernel(kernel, arguments),
            Launch::Convolution(convolution) => {
                let way = self.ways.get(&convolution.convolve.map(|_| ()));
                let way = way.ok_or(CudaError::OutOfTurn { what: "a convolution was not prepared" })?;
                self.convolve(*way, convolution, workspace)
            }
        }
    }

    fn start_kernel(&self, kernel: &Kernel, arguments: &Arguments<u64>) -> Result<(), CudaError> {
        let function = self.kernels.kernel(kernel.name)?;
        let (x, y) = kernel.blocks;
        let mut parameters = [arguments.as_ptr().cast_mut()];
        // SAFETY: the kernel takes this structure, by value; its pointers are into memory of the program's sizes, which lives
        // until the stream has come past.
        unsafe {
            let (blocks, threads) = ((x, y, 1), (THREADS, 1, 1));
            result::launch_kernel(
                function.cu_function(),
                blocks,
                threads,
                0,
                self.compute.cu_stream(),
                &mut parameters,
            )
        }
        .map_err(CudaError::driver("starting a kernel"))
    }

    /// Starts a convolution and the norm that follows.
    #[cfg_attr(not(feature = "cudnn"), expect(unused_variables, reason = "the workspace is cuDNN's"))]
    pub(super) fn convolve(
        &self,
        way: Way,
        convolution: &Convolution,
        workspace: Workspace,
    ) -> Result<(), CudaError> {
        let arguments = Arguments::Convolve(convolution.convolve);
        let mut leaves_moments = None;
        match &way {
            Way::Own(kernel) => self.start_kernel(kernel, &arguments)?,
            Way::OwnWithMoments(kernel) => {
                self.start_kernel(kernel, &arguments)?;
                leaves_moments = Some(kernel);
            }
            #[cfg(feature = "cudnn")]
            Way::Cudnn(algorithm) => self.cudnn.convolve(*algorithm, &convolution.convolve, workspace)?,
        }
        let mut rest = convolution.rest(leaves_moments);
        rest.try_for_each(|(kernel, arguments)| self.start_kernel(&kernel, &arguments))
    }

    /// Decides for each convolution how it is done. What they write may be lost.
    pub(super) fn choose(&mut self, launches: &[Launch], workspace: Workspace) -> Result<(), CudaError> {
        for launch in launches {
            let Launch::Convolution(convolution) = launch else { continue };
            let shape = convolution.convolve.map(|_| ());
            if !self.ways.contains_key(&shape) {
                #[cfg(feature = "cudnn")]
                match self.cudnn.describe(&shape, self.precision) {
                    // What cuDNN does not take, our own kernels do.
                    Ok(()) | Err(CudaError::Cudnn { .. }) => {}
                    Err(error) => return Err(error),
                }
                let way = ways::fastest(self, convolution, workspace)?;
                self.ways.insert(shape, way);
            }
        }
        Ok(())
    }

    /// Sends bytes to the card, in the background.
    ///
    /// # Safety
    /// Both stay until the upload stream has come past, and the memory on the card is as large.
    pub(super) unsafe fn send(&self, from: &[u8], to: CUdeviceptr) -> Result<(), CudaError> {
        // SAFETY: the caller's promise.
        unsafe { result::memcpy_htod_async(to, from, self.upload.cu_stream()) }
            .map_err(CudaError::driver("sending a picture"))
    }

    /// Reads bytes back, in the background.
    ///
    /// # Safety
    /// Both stay until the download stream has come past, and the memory on the card is as large.
    pub(super) unsafe fn fetch(&self, from: CUdeviceptr, to: &mut [u8]) -> Result<(), CudaError> {
        // SAFETY: the caller's promise.
        unsafe { result::memcpy_dtoh_async(to, from, self.download.cu_stream()) }
            .map_err(CudaError::driver("reading a painting back"))
    }
}
