//! The kernels on the processor: the same source, compiled as C++ when the tests run.

use std::{
    ffi::{CString, c_char, c_int, c_uint, c_void},
    path::Path,
    process::Command,
    sync::LazyLock,
};

use libloading::Library;

use crate::cuda::training::jobs::{BLOCK_THREADS, Job, Span, SpanMut};

/// Starts a kernel: its name, blocks along both axes, threads of a block, its argument.
type Launch = unsafe extern "C" fn(*const c_char, c_uint, c_uint, c_uint, *const c_void) -> c_int;

static KERNELS: LazyLock<Library> = LazyLock::new(|| {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = tempfile::tempdir().unwrap();
    let library = target.path().join("training.so");
    let output = Command::new("c++")
        .args(["-x", "c++", "-std=c++17", "-O2", "-shared", "-fPIC", "-Wno-unknown-pragmas"])
        .arg("-I")
        .arg(crate_folder.join("src/cuda/kernels"))
        .arg(crate_folder.join("src/cuda/training/kernels/training.cu"))
        .arg("-o")
        .arg(&library)
        .output()
        .expect("a C++ compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    #[allow(unsafe_code)]
    // SAFETY: loading it registers the kernels and does nothing else.
    let library = unsafe { Library::new(&library) };
    library.unwrap()
});

/// Runs a kernel to its end.
pub(crate) fn run<A>(job: Job<'_, A>) {
    let name = CString::new(job.kernel).unwrap();
    let arguments = (&raw const job.arguments).cast();
    #[allow(unsafe_code)]
    // SAFETY: the function is declared so in `emulated.hpp`, and a job's argument is that of its kernel, over memory that
    // the job borrows.
    let code = unsafe {
        let launch = KERNELS.get::<Launch>(b"launch").unwrap();
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
