//! A network with batch norms in double precision, of candle's own operations: finite differences through many norms drown
//! in the rounding of single precision.

use std::collections::BTreeMap;

use candle_core::{DType, Result, Tensor};

use crate::{Layer, PadMode};

/// What `layers` make of `input` in training, both `f64`.
pub(crate) fn run(layers: &[Layer], parameters: &BTreeMap<String, Tensor>, input: &Tensor) -> Result<Tensor> {
    let mut flow = input.to_dtype(DType::F64)?;
    for layer in layers {
        let (_, _, height, width) = flow.dims4()?;
        flow = match layer {
            Layer::Pad(padding) => {
                let (mode, margins) = padding.margins(height, width);
                let rows = pad(&flow, 2, (margins.top, margins.bottom), mode)?;
                pad(&rows, 3, (margins.left, margins.right), mode)?
            }
            Layer::Conv(conv) => {
                let output = flow.conv2d(&parameters[&conv.weight], 0, conv.stride, 1, 1)?;
                match &conv.bias {
                    Some(bias) => output.broadcast_add(&by_channel(&parameters[bias])?)?,
                    None => output,
                }
            }
            Layer::ConvTranspose(conv) => flow
                .conv_transpose2d(&parameters[&conv.weight], 0, 0, conv.stride, 1)?
                .narrow(2, 0, height * conv.stride)?
                .narrow(3, 0, width * conv.stride)?,
            Layer::BatchNorm(norm) => {
                let mean = |values: &Tensor| values.mean_keepdim((0, 2, 3));
                let centred = flow.broadcast_sub(&mean(&flow)?)?;
                let deviation = (mean(&centred.sqr()?)? + norm.norm.eps)?.sqrt()?;
                let [scale, shift] =
                    [&norm.norm.scale, &norm.norm.shift].map(|name| by_channel(&parameters[name]));
                centred.broadcast_div(&deviation)?.broadcast_mul(&scale?)?.broadcast_add(&shift?)?
            }
            Layer::Relu => flow.relu()?,
            Layer::ScaledTanh { gain, offset } => flow.tanh()?.affine(*gain, *offset)?,
            Layer::Residual(layers) => {
                let sum = run(layers, parameters, &flow)?;
                let (_, _, inner_height, inner_width) = sum.dims4()?;
                let rows = flow.narrow(2, (height - inner_height) / 2, inner_height)?;
                (rows.narrow(3, (width - inner_width) / 2, inner_width)? + sum)?
            }
            other => unreachable!("no layer of such a network: {other:?}"),
        };
    }
    Ok(flow)
}

fn by_channel(values: &Tensor) -> Result<Tensor> {
    values.reshape((1, (), 1, 1))
}

fn pad(input: &Tensor, axis: usize, (before, after): (usize, usize), mode: PadMode) -> Result<Tensor> {
    match mode {
        PadMode::Zero => input.pad_with_zeros(axis, before, after),
        PadMode::Reflect => {
            let side = input.dim(axis)?;
            let left = (1..=before).rev();
            let right = (1..=after).map(|distance| side - 1 - distance);
            let places: Vec<u32> = left.chain(0..side).chain(right).map(|place| place as u32).collect();
            input.index_select(&Tensor::new(places, input.device())?, axis)
        }
    }
}
