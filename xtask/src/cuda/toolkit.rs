//! CUDA's compiler, headers and libraries from NVIDIA's wheels on PyPI: enough to build and link on a machine without a card.

use std::{
    collections::{BTreeSet, HashSet},
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::symbols;
use crate::shell::{command, run};

/// The compiler and what belongs to it, of one version; the libraries, of versions that go with it.
const WHEELS: [&str; 9] = [
    "nvidia-cuda-nvcc==13.0.88",
    "nvidia-cuda-runtime==13.0.*",
    "nvidia-cuda-cccl==13.0.*",
    "nvidia-cuda-crt==13.0.*",
    "nvidia-nvvm==13.0.*",
    "nvidia-cuda-nvrtc==13.0.*",
    "nvidia-cublas==13.0.*",
    "nvidia-curand==10.4.*",
    "nvidia-cudnn-cu13==9.*",
];
/// The libraries that programs are linked to, by the beginnings of their files' names.
const LIBRARIES: [&str; 6] =
    ["libcudart.so.", "libcublas.so.", "libcublasLt.so.", "libcurand.so.", "libnvrtc.so.", "libcudnn.so."];

/// An installed toolkit.
pub(super) struct Toolkit {
    /// The compiler, headers and libraries.
    home: PathBuf,
    /// The libraries under the names that linkers look for.
    link: PathBuf,
}

impl Toolkit {
    /// The toolkit in `folder`, installed there first unless it is.
    pub(super) fn install(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        let toolkit = Self { home: folder.join("toolkit"), link: folder.join("link") };
        let complete = folder.join(".complete");
        if !complete.exists() {
            toolkit.fill(&folder)?;
            fs::write(complete, "")?;
        }
        toolkit.stand_in_for_the_driver(&folder)?;
        Ok(toolkit)
    }

    fn fill(&self, folder: &Path) -> Result<()> {
        eprintln!("installing CUDA's compiler and libraries, about 2 GB: {}", folder.display());
        let environment = folder.join("venv");
        run(command("python3", &["-m", "venv"]).arg(&environment))
            .context("Python and its venv are needed (on Debian, as root: apt-get install python3-venv)")?;
        let pip = environment.join("bin/pip");
        run(command(&pip.to_string_lossy(), &["install", "--quiet"]).args(WHEELS))?;
        let packages = nvidia_packages(&environment)?;
        fs::create_dir_all(&self.link)?;
        for folder in [packages.join("cu13/lib"), packages.join("cudnn/lib")] {
            for entry in fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))? {
                let path = entry?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if let Some(library) = LIBRARIES.iter().find(|library| name.starts_with(*library)) {
                    replace_link(&path, &self.link.join(library.trim_end_matches('.')))?;
                }
            }
        }
        replace_link(&packages.join("cu13"), &self.home)
    }

    /// The driver's library comes with a driver only. One with functions of the same names stands in for it while linking, so
    /// that what calls them is noted to need it.
    fn stand_in_for_the_driver(&self, folder: &Path) -> Result<()> {
        let functions = self.driver_functions()?;
        let text: String = functions.iter().map(|name| format!("void {name}(void) {{}}\n")).collect();
        let source = folder.join("driver.c");
        fs::write(&source, text)?;
        run(command("cc", &["-shared", "-Wl,-soname,libcuda.so.1", "-o"])
            .args([&self.link.join("libcuda.so"), &source]))
    }

    /// The variables that a build for cards needs.
    pub(super) fn environment(&self) -> Vec<(&'static str, OsString)> {
        let before = |variable: &str, folder: PathBuf| {
            let others = env::var_os(variable).unwrap_or_default();
            let folders = std::iter::once(folder).chain(env::split_paths(&others).collect::<Vec<_>>());
            // A folder whose name holds the separator cannot be among several.
            env::join_paths(folders).unwrap_or(others)
        };
        let flags = env::var("RUSTFLAGS").unwrap_or_default();
        // The driver's functions are nowhere to be found while linking; what is undefined is looked at afterwards.
        let flags = format!(
            "{flags} -L {} -C link-arg=-Wl,--unresolved-symbols=ignore-all -C link-arg=-Wl,--allow-shlib-undefined",
            self.link.display()
        );
        vec![
            ("CUDA_HOME", self.home.clone().into()),
            ("CUDA_PATH", self.home.clone().into()),
            ("CUDA_ROOT", self.home.clone().into()),
            ("PATH", before("PATH", self.home.join("bin"))),
            ("LIBRARY_PATH", before("LIBRARY_PATH", self.link.clone())),
            ("RUSTFLAGS", flags.trim_start().into()),
        ]
    }

    /// What CUDA defines: the functions of its libraries, and those of the driver by its header.
    pub(super) fn symbols(&self) -> Result<HashSet<String>> {
        let mut known = HashSet::new();
        for library in LIBRARIES {
            known.extend(symbols::defined(&self.link.join(library.trim_end_matches('.')))?);
        }
        known.extend(self.driver_functions()?);
        Ok(known)
    }

    fn driver_functions(&self) -> Result<BTreeSet<String>> {
        let header = self.home.join("include/cuda.h");
        let text =
            fs::read_to_string(&header).with_context(|| format!("cannot read {}", header.display()))?;
        Ok(driver_functions(&text).collect())
    }
}

/// Every name in the driver's header that may be one of its functions.
fn driver_functions(header: &str) -> impl Iterator<Item = String> {
    let words = header.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("cu")).map(str::to_owned)
}

fn nvidia_packages(environment: &Path) -> Result<PathBuf> {
    let library = environment.join("lib");
    let entries = fs::read_dir(&library).with_context(|| format!("no {}", library.display()))?;
    let mut folders = entries.flatten().map(|entry| entry.path().join("site-packages/nvidia"));
    folders.find(|folder| folder.is_dir()).with_context(|| format!("no packages in {}", library.display()))
}

fn replace_link(from: &Path, to: &Path) -> Result<()> {
    run(command("ln", &["--symbolic", "--force", "--no-dereference"]).args([from, to]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_s_functions_are_found_in_its_header_also_under_their_new_names() {
        let header = "#define cuMemAlloc cuMemAlloc_v2\nCUresult CUDAAPI cuInit(unsigned int Flags);\n";
        let found: Vec<String> = driver_functions(header).collect();
        assert_eq!(found, ["cuMemAlloc", "cuMemAlloc_v2", "cuInit"]);
    }
}
