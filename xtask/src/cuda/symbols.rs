//! What a program or library leaves to others.

use std::{collections::HashSet, path::Path};

use anyhow::{Context, Result, bail};

use crate::shell::{command, output};

/// Libraries of the system and of CUDA, by the beginnings of their names.
const MAY_NEED: [&str; 14] = [
    "ld-linux",
    "libc.so",
    "libcublas.so",
    "libcublasLt.so",
    "libcuda.so",
    "libcudart.so",
    "libcudnn.so",
    "libcurand.so",
    "libdl.so",
    "libgcc_s.so",
    "libm.so",
    "libnvrtc.so",
    "libpthread.so",
    "libstdc++.so",
];

/// Fails where `file` needs a function that neither the system nor CUDA has, or a library of somebody else's.
pub(super) fn check(file: &Path, known: &HashSet<String>) -> Result<()> {
    let shown = file.display();
    let tell = |program, arguments: &[&str]| {
        output(command(program, arguments).arg(file)).with_context(|| format!("cannot look into {shown}"))
    };
    let symbols = tell("nm", &["--dynamic", "--undefined-only"])?;
    let unknown = unknown(&symbols, known);
    if !unknown.is_empty() {
        bail!("nothing defines {}: {shown}", unknown.join(", "));
    }
    let dynamic = tell("readelf", &["--dynamic", "--wide"])?;
    let foreign: Vec<&str> =
        needed(&dynamic).filter(|name| !MAY_NEED.iter().any(|allowed| name.starts_with(allowed))).collect();
    if !foreign.is_empty() {
        bail!("it may not need {}: {shown}", foreign.join(", "));
    }
    let needed: Vec<&str> = needed(&dynamic).collect();
    if !needed.iter().any(|name| name.starts_with("libcuda.so")) {
        bail!("it does not ask for the driver's library, and would not start: {shown}");
    }
    eprintln!("{shown}\n    needs {}", needed.join(", "));
    Ok(())
}

/// What a library gives to others.
pub(super) fn defined(library: &Path) -> Result<Vec<String>> {
    let printed = output(command("nm", &["--dynamic", "--defined-only"]).arg(library))?;
    let name = |line: &str| line.split_whitespace().last().map(|name| without_version(name).to_owned());
    Ok(printed.lines().filter_map(name).collect())
}

/// The undefined symbols that nobody is known to have, in what `nm` prints. Those of the system have a version, such as
/// `malloc@GLIBC_2.2.5`, and weak ones (`w`, `v`) may be missing.
fn unknown<'a>(printed: &'a str, known: &HashSet<String>) -> Vec<&'a str> {
    let undefined = printed.lines().filter_map(|line| line.trim().split_once(' '));
    let strong = undefined.filter(|(kind, _)| *kind == "U").map(|(_, name)| name);
    let of_system = |name: &str| ["@GLIBC", "@GCC", "@CXXABI"].iter().any(|version| name.contains(version));
    strong.filter(|name| !of_system(name) && !known.contains(without_version(name))).collect()
}

fn without_version(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

/// The libraries in what `readelf` prints: `... (NEEDED) Shared library: [libc.so.6]`.
fn needed(printed: &str) -> impl Iterator<Item = &str> {
    let lines = printed.lines().filter(|line| line.contains("(NEEDED)"));
    lines.filter_map(|line| line.split_once('[')?.1.split_once(']')).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_has_is_found_among_what_cuda_and_the_system_have() {
        let printed = "                 U cuInit\n                 U cublasCreate_v2@libcublas.so.13\n                 U \
                       malloc@GLIBC_2.2.5\n                 w __gmon_start__\n                 U cuNonsense\n                 \
                       U pastiche_forgot\n                 U _Unwind_Resume@GCC_3.0\n";
        let known = ["cuInit", "cublasCreate_v2"].map(str::to_owned).into();
        assert_eq!(unknown(printed, &known), ["cuNonsense", "pastiche_forgot"]);
    }

    #[test]
    fn needed_libraries_are_read() {
        let printed = " 0x0000000000000001 (NEEDED)             Shared library: [libcuda.so.1]\n \
                       0x000000000000000e (SONAME)             Library soname: [libx.so]\n \
                       0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]\n";
        assert_eq!(needed(printed).collect::<Vec<_>>(), ["libcuda.so.1", "libc.so.6"]);
    }
}
