//! System packages that building and testing need: installs them where it may, names them where it may not.

use std::{env, fs, path::Path, process::Stdio};

use anyhow::{Context, Result, bail};

use crate::shell::{self, command, output, succeeds};

/// Something that building or testing needs, and how to see that it is there.
struct Requirement {
    /// The Debian package that has it.
    package: &'static str,
    sign: Sign,
}

/// What tells that a requirement is met, also where no package manager knows of it.
enum Sign {
    /// pkg-config knows this module.
    Module(&'static str),
    /// This program tells its version.
    Program(&'static str),
    /// FFmpeg's program, which makes the tests' clips and spells options its own way.
    Ffmpeg,
    /// libclang, which has no pkg-config module: a variable that says where it is, the library in Debian's place for
    /// it, or, elsewhere, clang beside it.
    LibClang,
    /// The dynamic linker knows this library.
    Library(&'static str),
    /// Something lies here.
    Place(&'static str),
}

const REQUIREMENTS: [Requirement; 23] = [
    Requirement { package: "build-essential", sign: Sign::Program("cc") },
    Requirement { package: "g++", sign: Sign::Program("c++") },
    Requirement { package: "pkg-config", sign: Sign::Program("pkg-config") },
    Requirement { package: "libclang-dev", sign: Sign::LibClang },
    Requirement { package: "ffmpeg", sign: Sign::Ffmpeg },
    Requirement { package: "libavcodec-dev", sign: Sign::Module("libavcodec") },
    Requirement { package: "libavdevice-dev", sign: Sign::Module("libavdevice") },
    Requirement { package: "libavfilter-dev", sign: Sign::Module("libavfilter") },
    Requirement { package: "libavformat-dev", sign: Sign::Module("libavformat") },
    Requirement { package: "libavutil-dev", sign: Sign::Module("libavutil") },
    Requirement { package: "libswresample-dev", sign: Sign::Module("libswresample") },
    Requirement { package: "libswscale-dev", sign: Sign::Module("libswscale") },
    Requirement { package: "libwayland-dev", sign: Sign::Module("wayland-client") },
    Requirement { package: "libxkbcommon-dev", sign: Sign::Module("xkbcommon") },
    // What the window loads when it opens.
    Requirement { package: "libegl1", sign: Sign::Library("libEGL.so.1") },
    Requirement { package: "libgl1-mesa-dri", sign: Sign::Library("libGL.so.1") },
    Requirement { package: "libxcursor1", sign: Sign::Library("libXcursor.so.1") },
    Requirement { package: "libxi6", sign: Sign::Library("libXi.so.6") },
    Requirement { package: "libxkbcommon-x11-0", sign: Sign::Library("libxkbcommon-x11.so.0") },
    // What the tests open and drive it with, and draw with where there is no graphics card.
    Requirement { package: "xvfb", sign: Sign::Place("/usr/bin/Xvfb") },
    Requirement { package: "xdotool", sign: Sign::Program("xdotool") },
    Requirement { package: "libgl1", sign: Sign::Library("libGL.so.1") },
    Requirement { package: "mesa-vulkan-drivers", sign: Sign::Place("/usr/share/vulkan/icd.d") },
];

/// Makes sure that everything which building needs is there.
pub(crate) fn run() -> Result<()> {
    let debian = Path::new("/etc/debian_version").exists();
    let missing: Vec<&str> =
        REQUIREMENTS.iter().filter(|r| !r.is_met(debian)).map(|requirement| requirement.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    if !debian {
        bail!("missing (by their Debian names; use your system's packages): {packages}");
    }
    let Some(prefix) = root_prefix() else {
        bail!("missing packages, to be installed as root: apt-get install {packages}");
    };
    eprintln!("installing {packages}");
    install(prefix, &missing)
        .with_context(|| format!("missing packages, apt-get could not install them: {packages}"))
}

fn install(root_prefix: &[&str], packages: &[&str]) -> Result<()> {
    shell::run(&mut command("env", &[root_prefix, &["apt-get", "update", "-q"]].concat()))?;
    let install =
        ["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-q", "-y", "--no-install-recommends"];
    shell::run(command("env", &[root_prefix, &["env"], &install[..]].concat()).args(packages))
}

/// What to write before a command to run it as root without being asked for a password; `None` where that cannot be.
fn root_prefix() -> Option<&'static [&'static str]> {
    let user = output(&mut command("id", &["-u"])).unwrap_or_default();
    if user.trim() == "0" {
        return Some(&[]);
    }
    succeeds(&mut command("sudo", &["-n", "true"])).then_some(&["sudo", "-n"])
}

impl Requirement {
    fn is_met(&self, debian: bool) -> bool {
        let here = match self.sign {
            Sign::Module(module) => succeeds(&mut command("pkg-config", &["--exists", module])),
            Sign::Program(program) => succeeds(&mut command(program, &["--version"])),
            Sign::Ffmpeg => succeeds(&mut command("ffmpeg", &["-version"])),
            Sign::Library(name) => {
                output(&mut command("/sbin/ldconfig", &["-p"])).is_ok_and(|known| known.contains(name))
            }
            Sign::Place(path) => Path::new(path).exists(),
            Sign::LibClang if env::var_os("LIBCLANG_PATH").is_some() => true,
            Sign::LibClang if debian => has_libclang(Path::new("/usr/lib")),
            Sign::LibClang => succeeds(&mut command("clang", &["--version"])),
        };
        here || (debian && is_installed(self.package))
    }
}

fn is_installed(package: &str) -> bool {
    let query = ["-W", "-f", "${db:Status-Status}", package];
    output(command("dpkg-query", &query).stderr(Stdio::null())).is_ok_and(|status| status == "installed")
}

/// Whether an LLVM under `folder` has libclang, and the headers that it cannot read C without.
fn has_libclang(folder: &Path) -> bool {
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect::<Vec<_>>()
    };
    // libclang-cpp is another library, with an interface of its own.
    let is_libclang = |name: &String| {
        name.starts_with("libclang") && name.contains(".so") && !name.starts_with("libclang-cpp")
    };
    names(folder).iter().filter(|name| name.starts_with("llvm-")).any(|llvm| {
        let libraries = folder.join(llvm).join("lib");
        libraries.join("clang").is_dir() && names(&libraries).iter().any(is_libclang)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libclang_counts_with_its_headers_only_and_libclang_cpp_does_not() {
        let folder = env::temp_dir().join(format!("pastiche-xtask-{}", std::process::id()));
        let libraries = folder.join("llvm-14/lib");
        fs::create_dir_all(&libraries).unwrap();
        let mut seen = vec![has_libclang(&folder)];
        for name in ["libclang-cpp.so.14", "libclangAST.a", "libclang-14.so.1", "clang"] {
            fs::create_dir(libraries.join(name)).unwrap();
            seen.push(has_libclang(&folder));
        }
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(seen, [false, false, false, false, true]);
    }
}
