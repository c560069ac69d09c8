//! A frozen network by the kernels for cards, which the processor plays, beside the network that was frozen.

use std::cell::RefCell;

use candle_core::{Device, Result, Storage, Tensor};

use super::{
    FrozenNetwork,
    pass::{Given, Machine, Pass},
    tests::{assert_alike, gradient, pictures, small},
};
use crate::{
    Layer, PadMode,
    cuda::training::{
        jobs::{
            Job, Span, SpanMut,
            convolution::{Direction, Padded},
        },
        tests::emulator,
    },
    kernels::conv,
    ops::tests::{noise, scalar, values},
};

/// The kernels on the processor, and its own convolutions.
#[derive(Default)]
struct Emulated {
    /// Parameters that jobs read.
    parameters: RefCell<Vec<Tensor>>,
}

impl Machine for Emulated {
    type Memory = Vec<f32>;

    fn span<'a>(&self, memory: &Vec<f32>) -> Span<'a> {
        Span::new(memory.as_ptr() as u64, memory.len())
    }

    fn span_mut<'a>(&self, memory: &mut Vec<f32>) -> SpanMut<'a> {
        SpanMut::new(memory.as_mut_ptr() as u64, memory.len())
    }

    fn parameter<'a>(&self, tensor: &Tensor) -> Result<Span<'a>> {
        self.parameters.borrow_mut().push(tensor.clone());
        let (storage, layout) = tensor.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else { panic!("a parameter on {:?}", tensor.device()) };
        let numbers = crate::ops::cpu::elements("parameter", storage, layout)?;
        Ok(Span::new(numbers.as_ptr() as u64, numbers.len()))
    }

    fn run<A: Copy>(&self, job: Job<'_, A>) -> Result<()> {
        emulator::run(job);
        Ok(())
    }

    fn made<'a, A: Copy>(
        &self,
        len: usize,
        job: impl FnOnce(SpanMut<'a>) -> Result<Job<'a, A>>,
    ) -> Result<Vec<f32>> {
        Ok(emulator::made(len, job))
    }

    fn convolved(
        &self,
        convolution: Padded,
        direction: Direction,
        a: Span<'_>,
        b: Span<'_>,
    ) -> Result<Vec<f32>> {
        let (shape, padding) = (convolution.shape, convolution.padding);
        let tensor =
            |span, dims: [usize; 4]| Tensor::from_slice(emulator::numbers(span), &dims, &Device::Cpu);
        let margins = crate::Margins::uniform(padding);
        match direction {
            Direction::Forward => {
                let input = scalar::pad(&tensor(a, convolution.input_dims())?, margins, PadMode::Zero);
                let weight = tensor(b, convolution.weight_dims())?;
                let bias = Tensor::zeros(shape.out_channels, candle_core::DType::F32, &Device::Cpu)?;
                Ok(values(&scalar::conv2d(&input, &weight, &bias, shape.stride)))
            }
            Direction::Data => {
                let mut padded = vec![0.0; shape.in_len()];
                conv::backward_data(&shape, emulator::numbers(a), emulator::numbers(b), &mut padded);
                let [_, _, height, width] = convolution.input_dims();
                let padded = tensor(
                    Span::new(padded.as_ptr() as u64, padded.len()),
                    [shape.batch, shape.in_channels, shape.in_height, shape.in_width],
                )?;
                Ok(values(&padded.narrow(2, padding, height)?.narrow(3, padding, width)?))
            }
            Direction::Weight => panic!("a frozen network's weights have no gradient"),
        }
    }
}

/// The features of some convolutions, and the gradient of the pictures for the weighting of [`gradient`].
fn run(frozen: &FrozenNetwork, pictures: &Tensor, taps: &[usize]) -> (Vec<Tensor>, Tensor) {
    let machine = Emulated::default();
    let pass = |first: usize, last: usize| Pass {
        network: &frozen.network,
        prepared: &frozen.prepared,
        convs: first..=last,
        machine: &machine,
    };
    let firsts = || std::iter::once(0).chain(taps.iter().map(|tap| tap + 1)).zip(taps.iter().copied());
    let picture_values = values(pictures);
    let given = |numbers: &Vec<f32>, dims| Given { span: machine.span(numbers), dims };
    let mut inputs = vec![(picture_values, <[usize; 4]>::from(pictures.dims4().unwrap()))];
    let mut kept = Vec::new();
    for (first, last) in firsts() {
        let (numbers, dims) = inputs.last().unwrap();
        let mut all = pass(first, last).forward(given(numbers, *dims), true).unwrap();
        let output = all.pop().unwrap();
        inputs.push((output.memory, output.dims));
        kept.push(all);
    }
    let features =
        inputs[1..].iter().map(|(numbers, dims)| Tensor::from_slice(numbers, dims, &Device::Cpu).unwrap());
    let mut gradient: Vec<f32> = Vec::new();
    for (segment, (first, last)) in firsts().enumerate().collect::<Vec<_>>().into_iter().rev() {
        let (output, dims) = &inputs[segment + 1];
        let of_tap = values(&noise(dims, 20 + segment as u32));
        gradient = match gradient.len() {
            0 => of_tap,
            _ => gradient.iter().zip(of_tap).map(|(a, b)| a + b).collect(),
        };
        let (input, input_dims) = &inputs[segment];
        let pass = pass(first, last);
        gradient = pass
            .backward(
                given(input, *input_dims),
                &kept[segment],
                given(output, *dims),
                machine.span(&gradient),
            )
            .unwrap();
    }
    (features.collect(), Tensor::from_vec(gradient, pictures.dims(), &Device::Cpu).unwrap())
}

#[test]
fn features_and_their_gradient_are_those_of_the_network() {
    let caffe = || Layer::BgrMinusMean([103.939, 116.779, 123.68]);
    let torchvision =
        || Layer::StandardizeRgb { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };
    for (input, mode) in
        [(None, PadMode::Reflect), (Some(caffe()), PadMode::Zero), (Some(torchvision()), PadMode::Reflect)]
    {
        let network = small(input, mode);
        let frozen = FrozenNetwork::new(&network).unwrap();
        let pictures = pictures(2, 19, 16);
        // Pooling at the beginning of a segment and within one.
        for taps in [vec![0, 1, 2, 3, 4], vec![1, 3], vec![4]] {
            let names: Vec<String> = taps.iter().map(usize::to_string).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let (features, actual) = run(&frozen, &pictures, &taps);
            let expected = network.features(&pictures).unwrap();
            for (feature, name) in features.iter().zip(&names) {
                assert_alike(feature, &expected[*name]);
            }
            let expected = gradient(&pictures, &names, |pictures| network.features(pictures).unwrap());
            assert_alike(&actual, &expected);
        }
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let frozen = FrozenNetwork::new(&small(None, PadMode::Reflect)).unwrap();
    let machine = Emulated::default();
    let pass = Pass { network: &frozen.network, prepared: &frozen.prepared, convs: 0..=4, machine: &machine };
    for (dims, reason) in [([1, 3, 7, 16], "too few"), ([1, 4, 16, 16], "3 channels")] {
        let pictures = values(&noise(&dims, 1));
        let error =
            pass.forward(Given { span: machine.span(&pictures), dims }, false).err().unwrap().to_string();
        assert!(error.contains(reason), "{error}");
    }
}
