//! Convolutions by cuDNN: descriptors made once a shape.
#![allow(unsafe_code)] // cuDNN's functions

use std::{collections::HashMap, ffi::c_void, sync::Arc};

use candle_core::cuda_backend::cudarc::{
    cudnn::{
        result::{self, CudnnError},
        sys::{
            self, cudnnConvolutionFwdAlgo_t, cudnnConvolutionFwdAlgoPerf_t, cudnnConvolutionMode_t,
            cudnnDataType_t, cudnnMathType_t, cudnnStatus_t, cudnnTensorFormat_t,
        },
    },
    driver::CudaStream,
};

use super::{
    CudaError,
    ways::{Shape, Workspace},
};
use crate::cuda::{CudaPrecision, arguments::Convolve};

/// As many algorithms as there are.
const MOST_ALGORITHMS: usize = cudnnConvolutionFwdAlgo_t::CUDNN_CONVOLUTION_FWD_ALGO_COUNT as usize;
/// The product is taken as it is, and replaces what was there.
static ONE: f32 = 1.0;
static ZERO: f32 = 0.0;

fn failed(doing: &'static str) -> impl Fn(CudnnError) -> CudaError {
    move |error| CudaError::Cudnn { doing, message: format!("{:?}", error.0) }
}

/// A handle of cuDNN's, which computes on one stream.
pub(super) struct Cudnn {
    handle: sys::cudnnHandle_t,
    descriptors: HashMap<Shape, Descriptors>,
    /// Outlives the handle.
    stream: Arc<CudaStream>,
}

// SAFETY: a handle may be used by any thread, only not by two at once; whoever has it uses it by reference and is not shared
// between threads.
unsafe impl Send for Cudnn {}

impl Cudnn {
    pub(super) fn new(stream: Arc<CudaStream>) -> Result<Self, CudaError> {
        stream.context().bind_to_thread().map_err(CudaError::driver("starting cuDNN"))?;
        let handle = result::create_handle().map_err(failed("starting"))?;
        let cudnn = Self { handle, descriptors: HashMap::new(), stream };
        // SAFETY: both are alive; the stream is kept beside the handle.
        unsafe { result::set_stream(handle, cudnn.stream.cu_stream().cast()) }.map_err(failed("starting"))?;
        Ok(cudnn)
    }

    /// Makes the descriptors of a shape, where there are none yet.
    pub(super) fn describe(&mut self, shape: &Shape, precision: CudaPrecision) -> Result<(), CudaError> {
        if !self.descriptors.contains_key(shape) {
            let descriptors =
                Descriptors::new(shape, precision).map_err(failed("describing a convolution"))?;
            self.descriptors.insert(*shape, descriptors);
        }
        Ok(())
    }

    fn described(&self, shape: &Shape) -> Result<&Descriptors, CudaError> {
        let what = "a convolution was not described to cuDNN";
        self.descriptors.get(shape).ok_or(CudaError::OutOfTurn { what })
    }

    /// The algorithms that can do a convolution, those first that cuDNN takes to be the fastest; none where it would not have it
    /// described.
    pub(super) fn algorithms(
        &self,
        shape: &Shape,
        workspace_bytes: usize,
    ) -> Result<Vec<cudnnConvolutionFwdAlgo_t>, CudaError> {
        let Some(Descriptors { input, filter, convolution, output }) = self.descriptors.get(shape) else {
            return Ok(Vec::new());
        };
        let mut found: Vec<cudnnConvolutionFwdAlgoPerf_t> = Vec::with_capacity(MOST_ALGORITHMS);
        let mut count = 0;
        // SAFETY: the descriptors are alive, and there is room for as many results; cuDNN has filled in `count` of them.
        unsafe {
            result::get_convolution_forward_algorithm(
                self.handle,
                input.0,
                filter.0,
                convolution.0,
                output.0,
                MOST_ALGORITHMS as i32,
                &mut count,
                found.as_mut_ptr(),
            )
            .map_err(failed("choosing an algorithm"))?;
            found.set_len(count as usize);
        }
        let mut algorithms = Vec::new();
        for one in found {
            let usable = one.status == cudnnStatus_t::CUDNN_STATUS_SUCCESS && one.memory <= workspace_bytes;
            // The list names an algorithm once for each kind of arithmetic, which is set.
            if usable && !algorithms.contains(&one.algo) {
                algorithms.push(one.algo);
            }
        }
        Ok(algorithms)
    }

    /// Does a described convolution.
    pub(super) fn convolve(
        &self,
        algorithm: cudnnConvolutionFwdAlgo_t,
        operands: &Convolve<u64>,
        (workspace, workspace_bytes): Workspace,
    ) -> Result<(), CudaError> {
        let Descriptors { input, filter, convolution, output } = self.described(&operands.map(|_| ()))?;
        // SAFETY: the descriptors are alive and of this convolution, whose operands are in memory of the program's sizes, which
        // lives until the stream has come past.
        unsafe {
            result::convolution_forward(
                self.handle,
                (&raw const ONE).cast(),
                input.0,
                operands.input as *const c_void,
                filter.0,
                operands.weights as *const c_void,
                convolution.0,
                algorithm,
                workspace as *mut c_void,
                workspace_bytes,
                (&raw const ZERO).cast(),
                output.0,
                operands.output as *mut c_void,
            )
        }
        .map_err(failed("convolving"))
    }
}

impl Drop for Cudnn {
    fn drop(&mut self) {
        let _ = self.stream.context().bind_to_thread();
        // SAFETY: it is alive, and nobody uses it any more. What fails with it has been told.
        let _ = unsafe { result::destroy_handle(self.handle) };
    }
}

/// A descriptor, and how it goes.
macro_rules! descriptor {
    ($name:ident, $kind:ty, $create:path, $destroy:path) => {
        #[derive(Debug)]
        struct $name($kind);

        impl $name {
            fn new() -> Result<Self, CudnnError> {
                $create().map(Self)
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: it was made by its `create` and is destroyed once.
                let _ = unsafe { $destroy(self.0) };
            }
        }
    };
}

descriptor!(
    TensorDescriptor,
    sys::cudnnTensorDescriptor_t,
    result::create_tensor_descriptor,
    result::destroy_tensor_descriptor
);
descriptor!(
    FilterDescriptor,
    sys::cudnnFilterDescriptor_t,
    result::create_filter_descriptor,
    result::destroy_filter_descriptor
);
descriptor!(
    ConvolutionDescriptor,
    sys::cudnnConvolutionDescriptor_t,
    result::create_convolution_descriptor,
    result::destroy_convolution_descriptor
);

#[derive(Debug)]
struct Descriptors {
    input: TensorDescriptor,
    filter: FilterDescriptor,
    convolution: ConvolutionDescriptor,
    output: TensorDescriptor,
}

// SAFETY: nothing changes descriptors once they are made, and cuDNN keeps nothing of the thread in them.
unsafe impl Send for Descriptors {}

impl Descriptors {
    fn new(shape: &Shape, precision: CudaPrecision) -> Result<Self, CudnnError> {
        let (number, math) = match precision {
            // Without TensorFloat-32, which has fewer digits than half precision has with sums in single.
            CudaPrecision::F32 => (cudnnDataType_t::CUDNN_DATA_FLOAT, cudnnMathType_t::CUDNN_FMA_MATH),
            CudaPrecision::F16 => (cudnnDataType_t::CUDNN_DATA_HALF, cudnnMathType_t::CUDNN_TENSOR_OP_MATH),
        };
        let Convolve { channels, kernel_height, kernel_width, stride, .. } = *shape;
        let Convolve { output_height, output_width, output_channels, .. } = *shape;
        let height = (output_height - 1) * stride + kernel_height;
        let width = shape.input_row / channels;
        let all = Self {
            input: TensorDescriptor::new()?,
            filter: FilterDescriptor::new()?,
            convolution: ConvolutionDescriptor::new()?,
            output: TensorDescriptor::new()?,
        };
        let nhwc = cudnnTensorFormat_t::CUDNN_TENSOR_NHWC;
        // SAFETY: the descriptors were just made.
        unsafe {
            result::set_tensor4d_descriptor(all.input.0, nhwc, number, [1, channels, height, width])?;
            let filter = [output_channels, channels, kernel_height, kernel_width];
            result::set_filter4d_descriptor(all.filter.0, number, nhwc, filter)?;
            let single = cudnnDataType_t::CUDNN_DATA_FLOAT;
            let mode = cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION;
            result::set_convolution2d_descriptor(
                all.convolution.0,
                0,
                0,
                stride,
                stride,
                1,
                1,
                mode,
                single,
            )?;
            result::set_convolution_math_type(all.convolution.0, math)?;
            let output = [1, output_channels, output_height, output_width];
            result::set_tensor4d_descriptor(all.output.0, nhwc, number, output)?;
        }
        Ok(all)
    }
}
