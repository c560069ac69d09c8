//! Gram matrices and their gradient, by cuBLAS.

use candle_core::{
    CudaDevice, Error, Result,
    cuda_backend::cudarc::{
        cublas::{result, sys},
        driver::{CudaSlice, DevicePtrMut},
    },
};

use super::{
    card::Card,
    jobs::{Span, matrix::Product, pointwise},
};
use crate::kernels::gram::GramShape;

/// For every picture the products of all pairs of channels, over (channels * pixels).
pub(crate) fn forward(device: &CudaDevice, shape: GramShape, features: Span<'_>) -> Result<CudaSlice<f32>> {
    let GramShape { channels, pixels } = shape;
    let pictures = features.len() / (channels * pixels);
    multiply(device, Product::gram(shape, pictures)?, features, features, pictures * channels * channels)
}

/// Gradient of the features: `(g + g^T) * features / (channels * pixels)` for every picture.
pub(crate) fn backward(
    device: &CudaDevice,
    shape: GramShape,
    features: Span<'_>,
    grad_grams: Span<'_>,
) -> Result<CudaSlice<f32>> {
    let GramShape { channels, pixels } = shape;
    let pictures = features.len() / (channels * pixels);
    let card = Card::of(device)?;
    let both =
        card.made(grad_grams.len(), |to| pointwise::symmetric(channels, shape.factor(), grad_grams, to))?;
    multiply(device, Product::gram_backward(shape, pictures)?, features, card.span(&both), features.len())
}

/// A product whose result has `len` numbers.
fn multiply(
    device: &CudaDevice,
    product: Product,
    a: Span<'_>,
    b: Span<'_>,
    len: usize,
) -> Result<CudaSlice<f32>> {
    let card = Card::of(device)?;
    let mut output = card.empty(len)?;
    let Product { transposed, rows, columns, terms, alpha, leading, strides, pictures } = product;
    let lengths = strides.map(|stride| (i64::from(pictures) * stride) as usize);
    assert_eq!(lengths, [a.len(), b.len(), len], "matrices of other sizes than their product");
    let kind = sys::cudaDataType_t::CUDA_R_32F;
    let compute = if card.rounds_factors() {
        sys::cublasComputeType_t::CUBLAS_COMPUTE_32F_FAST_TF32
    } else {
        sys::cublasComputeType_t::CUBLAS_COMPUTE_32F
    };
    let plain = sys::cublasOperation_t::CUBLAS_OP_N;
    let operation_of_a = if transposed { sys::cublasOperation_t::CUBLAS_OP_T } else { plain };
    let (blas, beta) = (device.cublas_handle(), 0.0f32);
    let (c, on_this_stream) = output.device_ptr_mut(card.stream());
    #[allow(unsafe_code)]
    // SAFETY: the matrices are as long as the product takes them for, and live until they are freed in the stream's order.
    let multiplied = unsafe {
        result::gemm_strided_batched_ex(
            *blas.handle(),
            operation_of_a,
            plain,
            rows,
            columns,
            terms,
            (&raw const alpha).cast(),
            a.address() as *const _,
            kind,
            leading[0],
            strides[0],
            b.address() as *const _,
            kind,
            leading[1],
            strides[1],
            (&raw const beta).cast(),
            c as *mut _,
            kind,
            leading[2],
            strides[2],
            pictures,
            compute,
            sys::cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT,
        )
    };
    drop(on_this_stream);
    multiplied.map_err(Error::wrap)?;
    Ok(output)
}
