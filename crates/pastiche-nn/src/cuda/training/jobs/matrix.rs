//! Products of matrices as cuBLAS takes them: column by column. What lies row by row is the transposed matrix to it.

use candle_core::Result;

use super::count;
use crate::kernels::gram::GramShape;

/// `c = alpha * op(a) * b` for every picture, where c has `rows` rows and `columns` columns, and op(a) `terms` columns. All
/// lie column by column; op is the transposition where `transposed`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Product {
    pub(crate) transposed: bool,
    pub(crate) rows: i32,
    pub(crate) columns: i32,
    pub(crate) terms: i32,
    pub(crate) alpha: f32,
    /// Numbers from a column to the next, of a, b and c.
    pub(crate) leading: [i32; 3],
    /// Numbers from a picture's matrix to the next picture's.
    pub(crate) strides: [i64; 3],
    pub(crate) pictures: i32,
}

impl Product {
    /// Gram matrices, divided by channels and pixels: both factors are the features.
    pub(crate) fn gram(shape: GramShape, pictures: usize) -> Result<Self> {
        let GramShape { channels, pixels } = shape;
        let features = i64::from(count(channels * pixels)?);
        let (channels, pixels) = (channels as i32, pixels as i32);
        Ok(Self {
            transposed: true,
            rows: channels,
            columns: channels,
            terms: pixels,
            alpha: shape.factor(),
            leading: [pixels, pixels, channels],
            strides: [features, features, i64::from(channels) * i64::from(channels)],
            pictures: pictures as i32,
        })
    }

    /// Gradient of the features: the features times a symmetric matrix for every picture.
    pub(crate) fn gram_backward(shape: GramShape, pictures: usize) -> Result<Self> {
        let GramShape { channels, pixels } = shape;
        let features = i64::from(count(channels * pixels)?);
        let (channels, pixels) = (channels as i32, pixels as i32);
        Ok(Self {
            transposed: false,
            rows: pixels,
            columns: channels,
            terms: channels,
            alpha: 1.0,
            leading: [pixels, channels, pixels],
            strides: [features, i64::from(channels) * i64::from(channels), features],
            pictures: pictures as i32,
        })
    }
}
