//! Convolutions and their gradients by cuDNN. What it has to know of each is made when that is first computed, and kept; all
//! share one workspace. Algorithms are those that cuDNN's heuristics put first, unless they want too much memory.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, PoisonError},
};

use candle_core::{
    CudaDevice, Error, Result,
    cuda_backend::cudarc::{
        cudnn::{
            ConvBackwardData, ConvBackwardFilter, ConvDescriptor, ConvForward, Cudnn, CudnnError,
            FilterDescriptor, TensorDescriptor,
            sys::{
                cudnnConvolutionBwdDataAlgo_t as DataAlgorithm,
                cudnnConvolutionBwdFilterAlgo_t as WeightAlgorithm,
                cudnnConvolutionFwdAlgo_t as ForwardAlgorithm, cudnnConvolutionMode_t, cudnnMathType_t,
                cudnnTensorFormat_t,
            },
        },
        driver::{CudaSlice, CudaStream, DevicePtr, DeviceSlice, SyncOnDrop, sys::CUdeviceptr},
    },
};

use super::{
    card::Card,
    jobs::{
        Span,
        convolution::{Direction, Key, Padded, workspace_growth},
    },
};
use crate::cuda::CudaError;

/// What cuDNN knows of convolutions, on one card.
pub(super) struct Convolutions {
    cudnn: Arc<Cudnn>,
    plans: HashMap<Key, Plan>,
    workspace: Option<CudaSlice<u8>>,
}

#[allow(unsafe_code)]
// SAFETY: cuDNN lets any thread use a handle and what was made with it, as long as only one does at a time. The card keeps
// this behind a lock, and nothing of it leaves.
unsafe impl Send for Convolutions {}

/// One convolution in one direction.
struct Plan {
    convolution: ConvDescriptor<f32>,
    input: TensorDescriptor<f32>,
    weight: FilterDescriptor<f32>,
    output: TensorDescriptor<f32>,
    algorithm: Algorithm,
    workspace_bytes: usize,
}

#[derive(Debug, Clone, Copy)]
enum Algorithm {
    Forward(ForwardAlgorithm),
    Data(DataAlgorithm),
    Weight(WeightAlgorithm),
}

fn failed(doing: &'static str) -> impl Fn(CudnnError) -> Error {
    move |error| Error::wrap(CudaError::Cudnn { doing, message: error.to_string() })
}

impl Convolutions {
    pub(super) fn new(stream: &Arc<CudaStream>) -> Result<Self> {
        let cudnn = Cudnn::new(Arc::clone(stream)).map_err(failed("starting it"))?;
        Ok(Self { cudnn, plans: HashMap::new(), workspace: None })
    }

    /// The plan of a convolution, and a workspace that suffices for it.
    fn plan(&mut self, key: Key, stream: &Arc<CudaStream>) -> Result<(&Plan, Option<&mut CudaSlice<u8>>)> {
        let plan = match self.plans.entry(key) {
            Entry::Occupied(entry) => &*entry.into_mut(),
            Entry::Vacant(entry) => {
                let plan = Plan::new(&self.cudnn, key).map_err(failed("choosing an algorithm"))?;
                &*entry.insert(plan)
            }
        };
        let have = self.workspace.as_ref().map_or(0, CudaSlice::len);
        if let Some(bytes) = workspace_growth(have, plan.workspace_bytes) {
            // What still uses the old one is before its end in the stream.
            self.workspace = None;
            #[allow(unsafe_code)]
            // SAFETY: cuDNN writes a workspace before it reads it.
            let workspace = unsafe { stream.alloc::<u8>(bytes) }.map_err(Error::wrap)?;
            self.workspace = Some(workspace);
        }
        let workspace = if plan.workspace_bytes > 0 { self.workspace.as_mut() } else { None };
        Ok((plan, workspace))
    }
}

impl Plan {
    fn new(cudnn: &Arc<Cudnn>, key: Key) -> std::result::Result<Self, CudnnError> {
        let Key { convolution: Padded { shape, padding }, direction, rounds_factors } = key;
        let tensor = |dims: [usize; 4]| {
            cudnn.create_4d_tensor(cudnnTensorFormat_t::CUDNN_TENSOR_NCHW, dims.map(|side| side as i32))
        };
        let input = tensor(key.convolution.input_dims())?;
        let output = tensor(key.convolution.output_dims())?;
        let weight_dims = key.convolution.weight_dims().map(|side| side as i32);
        let weight = cudnn.create_4d_filter(cudnnTensorFormat_t::CUDNN_TENSOR_NCHW, weight_dims)?;
        let mut convolution = cudnn.create_conv2d(
            [padding as i32; 2],
            [shape.stride as i32; 2],
            [1; 2],
            cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION,
        )?;
        // The default lets cards round factors to TF32.
        let math = if rounds_factors {
            cudnnMathType_t::CUDNN_DEFAULT_MATH
        } else {
            cudnnMathType_t::CUDNN_FMA_MATH
        };
        convolution.set_math_type(math)?;
        let usual = match direction {
            Direction::Forward => {
                Algorithm::Forward(ForwardAlgorithm::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM)
            }
            Direction::Data => Algorithm::Data(DataAlgorithm::CUDNN_CONVOLUTION_BWD_DATA_ALGO_1),
            Direction::Weight => Algorithm::Weight(WeightAlgorithm::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1),
        };
        let mut plan = Self { convolution, input, weight, output, algorithm: usual, workspace_bytes: 0 };
        if let Ok(first) = plan.first_choice() {
            plan.algorithm = first;
        }
        plan.workspace_bytes = match plan.needed_bytes() {
            Ok(bytes) if bytes <= WORKSPACE_LIMIT_BYTES => bytes,
            _too_much_or_not_to_be_had => {
                plan.algorithm = usual;
                plan.needed_bytes()?
            }
        };
        Ok(plan)
    }

    fn forward(&self) -> ConvForward<'_, f32, f32, f32> {
        let Self { convolution: conv, input: x, weight: w, output: y, .. } = self;
        ConvForward { conv, x, w, y }
    }

    fn backward_data(&self) -> ConvBackwardData<'_, f32, f32, f32> {
        let Self { convolution: conv, input: dx, weight: w, output: dy, .. } = self;
        ConvBackwardData { conv, dx, w, dy }
    }

    fn backward_weight(&self) -> ConvBackwardFilter<'_, f32, f32, f32> {
        let Self { convolution: conv, input: x, weight: dw, output: dy, .. } = self;
        ConvBackwardFilter { conv, x, dw, dy }
    }

    fn first_choice(&self) -> std::result::Result<Algorithm, CudnnError> {
        Ok(match self.algorithm {
            Algorithm::Forward(_) => Algorithm::Forward(self.forward().pick_algorithm()?),
            Algorithm::Data(_) => Algorithm::Data(self.backward_data().pick_algorithm()?),
            Algorithm::Weight(_) => Algorithm::Weight(self.backward_weight().pick_algorithm()?),
        })
    }

    fn needed_bytes(&self) -> std::result::Result<usize, CudnnError> {
        match self.algorithm {
            Algorithm::Forward(algorithm) => self.forward().get_workspace_size(algorithm),
            Algorithm::Data(algorithm) => self.backward_data().get_workspace_size(algorithm),
            Algorithm::Weight(algorithm) => self.backward_weight().get_workspace_size(algorithm),
        }
    }
}

/// A span as cuDNN's functions take it.
struct Argument<'a> {
    span: Span<'a>,
    stream: &'a Arc<CudaStream>,
}

impl DeviceSlice<f32> for Argument<'_> {
    fn len(&self) -> usize {
        self.span.len()
    }

    fn stream(&self) -> &Arc<CudaStream> {
        self.stream
    }
}

impl DevicePtr<f32> for Argument<'_> {
    fn device_ptr<'a>(&'a self, _stream: &'a CudaStream) -> (CUdeviceptr, SyncOnDrop<'a>) {
        (self.span.address(), SyncOnDrop::Sync(None))
    }
}

/// An algorithm that wants more is passed over.
const WORKSPACE_LIMIT_BYTES: usize = 1 << 30;

/// Convolves `a` with `b` and gives what comes out: forwards input and weights, for the gradient of the input weights and the
/// output's gradient, for that of the weights the input and the output's gradient.
pub(crate) fn run(
    device: &CudaDevice,
    convolution: Padded,
    direction: Direction,
    a: Span<'_>,
    b: Span<'_>,
) -> Result<CudaSlice<f32>> {
    let card = Card::of(device)?;
    let [input, weight, output] =
        [convolution.input_dims(), convolution.weight_dims(), convolution.output_dims()]
            .map(|dims| dims.into_iter().product::<usize>());
    let (expected, len) = match direction {
        Direction::Forward => ([input, weight], output),
        Direction::Data => ([weight, output], input),
        Direction::Weight => ([input, output], weight),
    };
    assert_eq!([a.len(), b.len()], expected, "tensors of other sizes than their convolution");
    let mut made = card.empty(len)?;
    let [a, b] = [a, b].map(|span| Argument { span, stream: card.stream() });
    let key = Key { convolution, direction, rounds_factors: card.rounds_factors() };
    card.stream().context().bind_to_thread().map_err(Error::wrap)?;
    let mut convolutions = card.convolutions.lock().unwrap_or_else(PoisonError::into_inner);
    let (plan, workspace) = convolutions.plan(key, card.stream())?;
    const OVERWRITE: (f32, f32) = (1.0, 0.0);
    #[allow(unsafe_code)]
    // SAFETY: the tensors are as long as the descriptors say, and the workspace at least as long as the algorithm wants; all are
    // freed in the stream's order.
    unsafe {
        match plan.algorithm {
            Algorithm::Forward(algorithm) => {
                plan.forward().launch(algorithm, workspace, OVERWRITE, &a, &b, &mut made)
            }
            Algorithm::Data(algorithm) => {
                plan.backward_data().launch(algorithm, workspace, OVERWRITE, &mut made, &a, &b)
            }
            Algorithm::Weight(algorithm) => {
                plan.backward_weight().launch(algorithm, workspace, OVERWRITE, &a, &mut made, &b)
            }
        }
    }
    .map_err(failed("convolving"))?;
    Ok(made)
}
