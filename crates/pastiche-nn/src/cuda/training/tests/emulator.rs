//! The kernels on the processor: the same source, compiled as C++ when the tests run.

use std::{ffi::CString, sync::LazyLock};

use libloading::Library;

use crate::cuda::{
    tests::emulated::{LaunchFunction, compiled},
    training::jobs::{BLOCK_THREADS, Job, Span, SpanMut},
};

static KERNELS: LazyLock<Library> = LazyLock::new(|| compiled("src/cuda/training/kernels/training.cu"));

/// Runs a kernel to its end.
pub(crate) fn run<A>(job: Job<'_, A>) {
    let name = CString::new(job.kernel).unwrap();
    let arguments = (&raw const job.arguments).cast();
    #[allow(unsafe_code)]
    // SAFETY: the function is declared so in `emulated.hpp`, and a job's argument is that of its kernel, over memory that
    // the job borrows.
    let code = unsafe {
        let launch = KERNELS.get::<LaunchFunction>(b"launch").unwrap();
        launch(name.as_ptr(), job.blocks, 1, BLOCK_THREADS, arguments)
    };
    assert_eq!(code, 0, "no kernel {}", job.kernel);
}

impl<'a> From<&'a [f32]> for Span<'a> {
    fn from(numbers: &'a [f32]) -> Self {
        Self::new(numbers.as_ptr() as u64, numbers.len())
    }
}

impl<'a> From<&'a mut [f32]> for SpanMut<'a> {
    fn from(numbers: &'a mut [f32]) -> Self {
        Self::new(numbers.as_mut_ptr() as u64, numbers.len())
    }
}

/// What a kernel makes of a buffer of `len` numbers.
pub(crate) fn made<'a, A>(
    len: usize,
    job: impl FnOnce(SpanMut<'a>) -> candle_core::Result<Job<'a, A>>,
) -> Vec<f32> {
    // What is not written shows.
    let mut made = vec![f32::NAN; len];
    run(job(SpanMut::new(made.as_mut_ptr() as u64, len)).unwrap());
    made
}

/// The numbers of a span that lies in the processor's memory.
pub(crate) fn numbers(span: Span<'_>) -> &[f32] {
    #[allow(unsafe_code)]
    // SAFETY: tests make spans of slices, or of vectors that they keep for as long.
    unsafe {
        std::slice::from_raw_parts(span.address() as *const f32, span.len())
    }
}
