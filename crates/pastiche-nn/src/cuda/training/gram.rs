//! Gram matrices and their gradient, by cuBLAS.

use candle_core::{
    CudaDevice, Error, Result,
    cuda_backend::cudarc::{
        cublas::{result, sys},
        driver::{CudaSlice, CudaView, DevicePtr, DevicePtrMut},
    },
};

use super::{
    card::Card,
    jobs::{matrix::Product, pointwise},
};
use crate::kernels::gram::GramShape;

/// For every picture the products of all pairs of channels, over (channels * pixels).
pub(crate) fn forward(
    device: &CudaDevice,
    shape: GramShape,
    features: &CudaView<'_, f32>,
) -> Result<CudaSlice<f32>> {
    let GramShape { channels, pixels } = shape;
    let pictures = features.len() / (channels * pixels);
    multiply(device, Product::gram(shape, pictures)?, features, features, pictures * channels * channels)
}

/// Gradient of the features: `(g + g^T) * features / (channels * pixels)` for every picture.
pub(crate) fn backward(
    device: &CudaDevice,
    shape: GramShape,
    features: &CudaView<'_, f32>,
    grad_grams: &CudaView<'_, f32>,
) -> Result<CudaSlice<f32>> {
    let GramShape { channels, pixels } = shape;
    let pictures = features.len() / (channels * pixels);
    let card = Card::of(device)?;
    let both = card.made(grad_grams.len(), |to| {
        pointwise::symmetric(channels, shape.factor(), card.span(grad_grams), to)
    })?;
    multiply(device, Product::gram_backward(shape, pictures)?, features, &both, features.len())
}

/// A product whose result has `len` numbers.
fn multiply(
    device: &CudaDevice,
    product: Product,
    a: &impl DevicePtr<f32>,
    b: &impl DevicePtr<f32>,
    len: usize,
) -> Result<CudaSlice<f32>> {
    let card = Card::of(device)?;
    let mut output = card.empty(len)?;
    let Product { transposed, rows, columns, terms, alpha, leading, strides, pictures } = product;
    assert!(
        pictures as i64 * strides[0] == a.len() as i64
            && pictures as i64 * strides[1] == b.len() as i64
            && pictures as i64 * strides[2] == len as i64,
        "matrices of other sizes than their product"
    );
    let kind = sys::cudaDataType_t::CUDA_R_32F;
    let compute = if card.rounds_factors() {
        sys::cublasComputeType_t::CUBLAS_COMPUTE_32F_FAST_TF32
    } else {
        sys::cublasComputeType_t::CUBLAS_COMPUTE_32F
    };
    let transposition =
        if transposed { sys::cublasOperation_t::CUBLAS_OP_T } else { sys::cublasOperation_t::CUBLAS_OP_N };
    let blas = device.cublas_handle();
    let beta = 0.0f32;
    {
        let stream = card.stream();
        let ((a, _a), (b, _b), (c, _c)) =
            (a.device_ptr(stream), b.device_ptr(stream), output.device_ptr_mut(stream));
        #[allow(unsafe_code)]
        // SAFETY: the matrices are as long as the product takes them for, and live until they are freed in the stream's order.
        unsafe {
            result::gemm_strided_batched_ex(
                *blas.handle(),
                transposition,
                sys::cublasOperation_t::CUBLAS_OP_N,
                rows,
                columns,
                terms,
                (&raw const alpha).cast(),
                a as *const _,
                kind,
                leading[0],
                strides[0],
                b as *const _,
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
        }
        .map_err(Error::wrap)?;
    }
    Ok(output)
}
