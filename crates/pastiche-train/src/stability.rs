//! The term that keeps still scenes from boiling: a picture and a noisy, shifted, re-lit version of it are to be answered
//! alike.

use candle_core::{Result, Tensor};
use pastiche_nn::{Network, ops};

/// Deviation of the noise that steadiness is measured with, on 0-255.
pub(crate) const NOISE_UNIT: f64 = 3.0;

/// A batch and its varied version, as pictures (N, 3, H, W): pixel (x, y) of `varied` shows what `plain` shows at
/// (x + dx, y + dy).
#[derive(Debug, Clone, Copy)]
struct Pair<'a> {
    plain: &'a Tensor,
    varied: &'a Tensor,
}

/// What a network that learns makes of photos (N, 3, H, W); and the stability term, where there is a varied version of them,
/// moved by so much.
pub(crate) fn painted(
    network: &Network,
    photos: &Tensor,
    varied: Option<(&Tensor, [i32; 2])>,
) -> Result<(Tensor, Option<Tensor>)> {
    let Some((varied, shift)) = varied else { return Ok((network.forward_in_training(photos)?, None)) };
    let number = photos.dim(0)?;
    let outputs = network.forward_in_training(&Tensor::cat(&[photos, varied], 0)?)?;
    let (of_plain, of_varied) = (outputs.narrow(0, 0, number)?, outputs.narrow(0, number, number)?);
    let outputs = Pair { plain: &of_plain, varied: &of_varied };
    let gain = stability_loss(outputs, Pair { plain: photos, varied }, shift)?;
    Ok((of_plain, Some(gain)))
}

/// Mean squared difference of the outputs where both show the same place, over that of the photos as they lie: the square
/// of the gain by which a network passes on noise, and by which it changes what has only moved or been re-lit.
fn stability_loss(outputs: Pair<'_>, photos: Pair<'_>, [dx, dy]: [i32; 2]) -> Result<Tensor> {
    let (_, _, height, width) = outputs.plain.dims4()?;
    let overlap = |picture: &Tensor, [dx, dy]: [i32; 2]| {
        let start = |d: i32| d.max(0) as usize;
        let length = |side: usize, d: i32| side.saturating_sub(d.unsigned_abs() as usize);
        picture.narrow(3, start(dx), length(width, dx))?.narrow(2, start(dy), length(height, dy))
    };
    let difference =
        ops::mean_squared_error(&overlap(outputs.plain, [dx, dy])?, &overlap(outputs.varied, [-dx, -dy])?)?;
    let cause = ops::mean_squared_error(photos.plain, photos.varied)?;
    // What hardly differs shall not count beyond measure.
    difference / cause.maximum(NOISE_UNIT * NOISE_UNIT)?
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn shifted_pictures_are_compared_where_both_show_the_same() {
        let side = 8;
        let scene = |left: i32, top: i32| {
            let values = (0..side * side).map(|i| {
                let (x, y) = (i % side + left, i / side + top);
                (x * 7 + y * y * 3) as f32
            });
            Tensor::from_iter(values, &Device::Cpu).unwrap().reshape((1, 1, 8, 8)).unwrap()
        };
        for [dx, dy] in [[0, 0], [2, -3], [-1, 2], [3, 3]] {
            let (plain, varied) = (scene(0, 0), scene(dx, dy));
            let pair = Pair { plain: &plain, varied: &varied };
            let loss = |shift| stability_loss(pair, pair, shift).unwrap();
            assert_eq!(loss([dx, dy]).to_scalar::<f32>().unwrap(), 0.0);
            if [dx, dy] != [0, 0] {
                assert!(loss([-dx, -dy]).to_scalar::<f32>().unwrap() > 0.1);
            }
        }
    }

    #[test]
    fn it_is_the_square_of_the_gain() {
        let zeros = Tensor::zeros((1, 3, 4, 4), candle_core::DType::F32, &Device::Cpu).unwrap();
        let [unit, twice, tiny] = [NOISE_UNIT, 2.0 * NOISE_UNIT, 0.1].map(|by| (&zeros + by).unwrap());
        let loss = |outputs, photos| {
            let pair = |varied| Pair { plain: &zeros, varied };
            stability_loss(pair(outputs), pair(photos), [1, 0]).unwrap().to_scalar::<f32>().unwrap()
        };
        for (outputs, photos, expected) in [(&unit, &unit, 1.0), (&twice, &unit, 4.0), (&unit, &twice, 0.25)]
        {
            assert!((loss(outputs, photos) - expected).abs() < 1e-6);
        }
        assert!(loss(&tiny, &tiny) < 0.01, "what hardly differs hardly counts");
    }
}
