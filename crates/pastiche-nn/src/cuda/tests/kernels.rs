//! Single kernels, at shapes that networks seldom have.

use half::f16;

use super::{
    super::{
        CudaPrecision,
        arguments::{Affine, Arguments, Convolve, Moments, Output, Source},
    },
    emulated::{Memory, launch, library},
    noise,
};

#[test]
fn halves_are_rounded_as_ieee_754_has_it() {
    // SAFETY: the functions have these types.
    #[allow(unsafe_code)]
    let (to_half, to_float) = unsafe {
        (
            library().get::<extern "C" fn(f32) -> u16>(b"half_from_float").unwrap(),
            library().get::<extern "C" fn(u16) -> f32>(b"half_to_float").unwrap(),
        )
    };
    for bits in 0..=u16::MAX {
        let half = f16::from_bits(bits);
        let float = to_float(bits);
        assert!(float == half.to_f32() || (float.is_nan() && half.is_nan()), "{bits}");
        if !half.is_nan() {
            assert_eq!(to_half(float), bits);
        }
    }
    let mut values = noise(100_000, 3);
    let halfway = (0..1000u32).map(|i| f32::from_bits(0x3f80_1000 + (i << 13)));
    values.extend(halfway.chain([65519.9, 65520.0, 1e9, -1e9, 5.9e-8, 2.9e-8, 3e-8, -6e-5]));
    for value in values.into_iter().flat_map(|value| [value, value * 1000.0, value / 1e5]) {
        assert_eq!(to_half(value), f16::from_f32(value).to_bits(), "{value}");
    }
}

struct Shape {
    height: usize,
    width: usize,
    channels: usize,
    kernel: (usize, usize),
    stride: usize,
    outputs: usize,
}

/// Every kernel that can do the convolution, against plain loops over the same numbers.
fn check_convolution(precision: CudaPrecision, shape: &Shape) {
    let Shape { height, width, channels, kernel: (kernel_height, kernel_width), stride, outputs } = *shape;
    let rounded = |value: f32| match precision {
        CudaPrecision::F32 => value,
        CudaPrecision::F16 => f16::from_f32(value).to_f32(),
    };
    let memory = |values: &[f32]| match precision {
        CudaPrecision::F32 => Memory::of(values),
        CudaPrecision::F16 => {
            Memory::of(&values.iter().map(|value| f16::from_f32(*value)).collect::<Vec<_>>())
        }
    };
    let terms = kernel_height * kernel_width * channels;
    let input: Vec<f32> = noise(height * width * channels, 1).into_iter().map(rounded).collect();
    let weights: Vec<f32> = noise(outputs * terms, 2).into_iter().map(rounded).collect();
    let (out_height, out_width) =
        ((height - kernel_height) / stride + 1, (width - kernel_width) / stride + 1);
    let (mut input_memory, mut weights_memory) = (memory(&input), memory(&weights));
    let mut expected = Vec::new();
    for at in 0..out_height * out_width * outputs {
        let (y, x, output) = (at / outputs / out_width, at / outputs % out_width, at % outputs);
        let mut sum = 0.0;
        for term in 0..terms {
            let (row, column, channel) =
                (term / channels / kernel_width, term / channels % kernel_width, term % channels);
            let from = ((y * stride + row) * width + x * stride + column) * channels + channel;
            sum += f64::from(input[from]) * f64::from(weights[output * terms + term]);
        }
        expected.push(sum);
    }
    let mut arguments = Convolve {
        input: input_memory.pointer(),
        weights: weights_memory.pointer(),
        output: 0,
        partials: 0,
        input_row: (width * channels) as i32,
        channels: channels as i32,
        kernel_height: kernel_height as i32,
        kernel_width: kernel_width as i32,
        stride: stride as i32,
        output_height: out_height as i32,
        output_width: out_width as i32,
        output_channels: outputs as i32,
        norm_channels: 0,
        norm_width: 0,
        phases: 0,
    };
    for kernel in arguments.kernels(precision, false) {
        let mut output = Memory::new(expected.len() * precision.bytes());
        arguments.output = output.pointer();
        launch(&kernel, &Arguments::Convolve(arguments));
        let actual: Vec<f32> = match precision {
            CudaPrecision::F32 => output.values(),
            CudaPrecision::F16 => output.values::<f16>().into_iter().map(f16::to_f32).collect(),
        };
        let places = if precision == CudaPrecision::F16 { 1e-3 } else { 1e-6 };
        for (at, (actual, expected)) in actual.iter().zip(&expected).enumerate() {
            let difference = (f64::from(*actual) - expected).abs();
            let allowed = places * (expected.abs() + (terms as f64).sqrt());
            assert!(difference <= allowed, "{}, {at}: {actual} {expected}", kernel.name);
        }
    }
}

#[test]
fn convolutions_are_those_of_plain_loops() {
    let shape = |height, width, channels, kernel, stride, outputs| Shape {
        height,
        width,
        channels,
        kernel,
        stride,
        outputs,
    };
    for precision in [CudaPrecision::F32, CudaPrecision::F16] {
        for shape in [
            shape(5, 6, 8, (3, 3), 1, 8),
            shape(12, 15, 8, (9, 5), 1, 64),
            shape(9, 14, 24, (2, 2), 1, 40),
            shape(14, 13, 16, (3, 3), 2, 72),
            shape(3, 140, 40, (1, 1), 1, 136),
            shape(8, 9, 128, (3, 2), 1, 256),
            shape(1, 1, 8, (1, 1), 1, 8),
        ] {
            check_convolution(precision, &shape);
        }
    }
}

/// What the two kernels of a norm make of some pixels.
fn normed(
    values: &[f32],
    (height, width): (usize, usize),
    channels: usize,
    parts: (usize, usize),
) -> [Vec<f32>; 2] {
    let gain = noise(channels, 11);
    let offset = noise(channels, 12);
    let mut input = Memory::of(values);
    let count = height.div_ceil(parts.0) * width.div_ceil(parts.1);
    let mut partials = Memory::new(3 * channels * count * 4);
    let (mut gain, mut offset) = (Memory::of(&gain), Memory::of(&offset));
    let (mut scale, mut shift) = (Memory::new(channels * 4), Memory::new(channels * 4));
    let moments = Arguments::Moments(Moments {
        source: Source {
            data: input.pointer(),
            row: (width * channels) as i32,
            pixel: channels as i32,
            channels: channels as i32,
            phases: 0,
        },
        partials: partials.pointer(),
        height: height as i32,
        width: width as i32,
        rows_per_part: parts.0 as i32,
        columns_per_part: parts.1 as i32,
    });
    let affine = Arguments::Affine(Affine {
        partials: partials.pointer(),
        gain: gain.pointer(),
        offset: offset.pointer(),
        scale: scale.pointer(),
        shift: shift.pointer(),
        parts: count as i32,
        channels: channels as i32,
        eps: 1e-5,
    });
    for (arguments, rows) in [(moments, height.div_ceil(parts.0)), (affine, 1)] {
        let kernel = arguments.kernel(CudaPrecision::F32, Output::F32, rows);
        launch(&kernel, &arguments);
    }
    partials.values::<f32>();
    [scale.values(), shift.values()]
}

#[test]
fn norms_are_those_of_plain_sums_even_where_the_mean_is_large() {
    for (height, width, channels, parts) in [
        (7, 9, 8, (1, 9)),
        (5, 300, 48, (2, 64)),
        (33, 17, 128, (3, 5)),
        (2, 3, 2048, (1, 2)),
        (1, 1, 8, (1, 1)),
    ] {
        for mean in [0.0, 1000.0] {
            let values: Vec<f32> =
                noise(height * width * channels, 6).iter().map(|value| value * 3.0 + mean).collect();
            let [scale, shift] = normed(&values, (height, width), channels, parts);
            let (gain, offset) = (noise(channels, 11), noise(channels, 12));
            for channel in 0..channels {
                let of_channel = || values[channel..].iter().step_by(channels).map(|value| f64::from(*value));
                let count = (height * width) as f64;
                let average = of_channel().sum::<f64>() / count;
                let variance = of_channel().map(|value| (value - average).powi(2)).sum::<f64>() / count;
                let expected = f64::from(gain[channel]) / (variance + 1e-5).sqrt();
                // Half a last place of the mean is as good as single precision has it.
                let places = 2e-6 + 1.2e-7 * f64::from(mean) / (variance + 1e-5).sqrt();
                assert!(
                    (f64::from(scale[channel]) - expected).abs() <= places * expected.abs(),
                    "{} {expected}, {height}x{width}, channel {channel}",
                    scale[channel]
                );
                let at_mean = average * f64::from(scale[channel]) + f64::from(shift[channel]);
                let allowed = 1e-5 * (1.0 + f64::from(mean)) * expected.abs().max(1.0);
                assert!((at_mean - f64::from(offset[channel])).abs() <= allowed, "channel {channel}");
            }
        }
    }
}
