//! Compiles the kernels for CUDA cards to PTX, which is embedded. Without the feature `cuda` it does nothing.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Where the kernels are: every `.cu` file there is a module of that name.
const FOLDERS: [&str; 2] = ["src/cuda/kernels", "src/cuda/training/kernels"];
/// The oldest cards that can run them, and those from which on tensor cores are fed without a detour. The driver makes the
/// card's own code of the newest that it can take.
const ARCHITECTURES: [u32; 2] = [75, 80];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for variable in ["CARGO_FEATURE_CUDA", "NVCC", "CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={folder}");
    }
    if env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return;
    }
    if let Err(message) = compile_all() {
        println!("cargo::error={message}");
    }
}

fn compile_all() -> Result<(), String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let nvcc = nvcc();
    for folder in FOLDERS {
        // The folder of the training's kernels may have none.
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries {
            let source = entry.map_err(|error| format!("{folder}: {error}"))?.path();
            if source.extension().is_some_and(|extension| extension == "cu") {
                for architecture in ARCHITECTURES {
                    compile(&nvcc, &source, &out, architecture)?;
                }
            }
        }
    }
    Ok(())
}

/// `kernels/NAME.cu` to `OUT_DIR/NAME.ARCHITECTURE.ptx`.
fn compile(nvcc: &Path, source: &Path, out: &Path, architecture: u32) -> Result<(), String> {
    let stem = source.file_stem().unwrap_or_default().to_string_lossy();
    let target = out.join(format!("{stem}.{architecture}.ptx"));
    let output = Command::new(nvcc)
        .args(["-ptx", "-O3", "-std=c++17", "-Isrc/cuda/kernels"])
        .arg(format!("-arch=compute_{architecture}"))
        .arg("-o")
        .args([&target, source])
        .output()
        .map_err(|error| {
            format!(
                "the feature `cuda` needs NVIDIA's compiler, and {} cannot be run ({error}): install the CUDA toolkit, and set \
                 CUDA_HOME to its folder or NVCC to the compiler",
                nvcc.display()
            )
        })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    // An error of cargo's is one line.
    let said: Vec<&str> = said.lines().take(20).collect();
    Err(format!("{} does not compile for compute_{architecture}: {}", source.display(), said.join(" | ")))
}

/// The compiler: `NVCC`, or that of the toolkit that the environment names, or the one on the path.
fn nvcc() -> PathBuf {
    if let Some(path) = env::var_os("NVCC") {
        return path.into();
    }
    let homes = ["CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"].map(env::var_os).into_iter().flatten();
    let homes = homes.map(PathBuf::from).chain([PathBuf::from("/usr/local/cuda")]);
    let found = homes.map(|home| home.join("bin/nvcc")).find(|path| path.is_file());
    found.unwrap_or_else(|| "nvcc".into())
}
