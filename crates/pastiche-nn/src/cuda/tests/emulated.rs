//! Programs run by the processor: the kernels' own source, compiled as C++.
#![allow(unsafe_code)] // a library that the tests have compiled

use std::{
    collections::BTreeMap,
    ffi::{CString, c_char, c_int, c_uint, c_void},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use libloading::Library;

use super::super::{
    address::Bases,
    arguments::{Arguments, Convolve, Kernel, Output, THREADS},
    program::{Launch, Program},
};

/// Starts a kernel: its name, its blocks along both axes, the threads of a block, its argument.
pub(crate) type LaunchFunction =
    unsafe extern "C" fn(*const c_char, c_uint, c_uint, c_uint, *const c_void) -> c_int;

/// The compiled kernels, once for all tests.
pub(super) fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| compiled("src/cuda/kernels/plan.cu"))
}

/// A file of kernels as a library, whose function `launch` runs them.
pub(crate) fn compiled(source: &str) -> Library {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let target: PathBuf = folder.path().join("libkernels.so");
    let output = Command::new("c++")
        .args(["-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas"])
        .args(["-U_FORTIFY_SOURCE", "-ffp-contract=off", "-shared", "-fPIC", "-x", "c++", "-I"])
        .arg(crate_folder.join("src/cuda/kernels"))
        .arg("-o")
        .args([&target, &crate_folder.join(source)])
        .output()
        .expect("the kernels' tests need a C++ compiler named c++ (on Debian: build-essential)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // SAFETY: what it does when it is loaded is to note the names of its kernels.
    unsafe { Library::new(&target) }.unwrap()
}

/// Runs one kernel.
pub(super) fn launch(kernel: &Kernel, arguments: &Arguments<u64>) {
    let name = CString::new(kernel.name).unwrap();
    let (x, y) = kernel.blocks;
    // SAFETY: the function has this type; the callers' pointers are into memory that is large enough, which is what is tested.
    let status = unsafe {
        let function = library().get::<LaunchFunction>(b"launch").unwrap();
        function(name.as_ptr(), x, y, THREADS, arguments.as_ptr())
    };
    assert_eq!(status, 0, "there is no kernel {}", kernel.name);
}

/// Memory with a guard behind it, all full of NaNs: aligned as the card's.
pub(super) struct Memory {
    words: Vec<u128>,
    bytes: usize,
}

const GUARD_WORDS: usize = 64;

impl Memory {
    pub(super) fn new(bytes: usize) -> Self {
        Self { words: vec![u128::MAX; bytes.div_ceil(16) + GUARD_WORDS], bytes }
    }

    pub(super) fn of<T: Copy>(values: &[T]) -> Self {
        let mut memory = Self::new(size_of_val(values));
        // SAFETY: there is room for the values, and numbers are plain bytes.
        unsafe {
            let to = memory.words.as_mut_ptr().cast::<T>();
            to.copy_from_nonoverlapping(values.as_ptr(), values.len());
        }
        memory
    }

    pub(super) fn pointer(&mut self) -> u64 {
        self.words.as_mut_ptr() as u64
    }

    /// What is in it, as numbers.
    pub(super) fn values<T: Copy>(&self) -> Vec<T> {
        assert!(
            self.words[self.bytes.div_ceil(16)..].iter().all(|word| *word == u128::MAX),
            "written past the end"
        );
        // SAFETY: the numbers lie inside, and any bits are one.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast::<T>(), self.bytes / size_of::<T>()) }
            .to_vec()
    }
}

/// One of the kernels that can do a convolution, and whether it leaves moments.
pub(super) type Choice = (Kernel, bool);

/// Runs a program on a picture. `choose` says which of the kernels does a convolution that several can do.
pub(super) fn paint<T: Copy>(
    program: &Program,
    weights: &BTreeMap<String, Vec<f32>>,
    picture: &[u8],
    output: Output,
    choose: impl Fn(&Convolve<u64>) -> Choice,
) -> Vec<T> {
    let mut arena = Memory::new(program.arena_bytes());
    let mut tables = Memory::of(&program.tables);
    let mut parameters = Memory::of(&program.parameters(weights));
    let mut picture = Memory::of(picture);
    let mut painting = Memory::new(program.painting_len() * output.bytes());
    let bases = Bases {
        arena: arena.pointer(),
        tables: tables.pointer(),
        parameters: parameters.pointer(),
        picture: picture.pointer(),
        painting: painting.pointer(),
    };
    for step in program.launches(&bases, output) {
        match step {
            Launch::Convolution(convolution) => {
                let (kernel, leaves_moments) = choose(&convolution.convolve);
                launch(&kernel, &Arguments::Convolve(convolution.convolve));
                for (kernel, arguments) in convolution.rest(leaves_moments.then_some(&kernel)) {
                    launch(&kernel, &arguments);
                }
            }
            Launch::Kernel((kernel, arguments)) => launch(&kernel, &arguments),
        }
    }
    arena.values::<u8>();
    painting.values()
}
