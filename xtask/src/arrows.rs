//! Which crate may name which: the arrows of the architecture, checked against the manifests.

use anyhow::{Result, bail};

use crate::shell::{cargo, output};

/// The crates of the workspace, and those of their fellows that each may name.
const ARROWS: [(&str, &[&str]); 13] = [
    ("pastiche-frame", &[]),
    ("pastiche-nn", &["pastiche-frame"]),
    ("pastiche-media", &["pastiche-frame"]),
    ("pastiche-inference", &["pastiche-fake-card", "pastiche-frame", "pastiche-nn"]),
    ("pastiche-cuda", &["pastiche-inference"]),
    ("pastiche-train", &["pastiche-frame", "pastiche-nn"]),
    (
        "pastiche-pipeline",
        &["pastiche-fake-card", "pastiche-frame", "pastiche-inference", "pastiche-media", "pastiche-nn"],
    ),
    (
        "pastiche",
        &["pastiche-frame", "pastiche-inference", "pastiche-media", "pastiche-nn", "pastiche-pipeline"],
    ),
    ("pastiche-harbour", &["pastiche-frame", "pastiche-media"]),
    ("pastiche-stained-glass", &[]),
    ("pastiche-e2e", &["pastiche-frame", "pastiche-media"]),
    ("pastiche-fake-card", &["pastiche-inference", "pastiche-nn"]),
    ("xtask", &[]),
];

/// Outside crates, by the beginning of their names, that only some of ours may name.
const RESERVED: [(&str, &[&str]); 7] = [
    ("ffmpeg", &["pastiche-media"]),
    ("nokhwa", &["pastiche-media"]),
    ("cpal", &["pastiche-media"]),
    ("alsa", &["pastiche-media"]),
    ("egui", &["pastiche"]),
    ("eframe", &["pastiche"]),
    ("candle", &["pastiche-nn", "pastiche-inference", "pastiche-pipeline", "pastiche-train", "pastiche"]),
];

/// Fails where a manifest names a crate that it may not.
pub(crate) fn check() -> Result<()> {
    let tree = output(&mut cargo(&[
        "tree",
        "--workspace",
        "--all-features",
        "--depth=1",
        "--edges=normal,build,dev",
        "--format={p}",
        "--no-dedupe",
        "--prefix=depth",
        "--target=all",
    ]))?;
    let violations = violations(&tree);
    if !violations.is_empty() {
        bail!("{}", violations.join("; "));
    }
    Ok(())
}

/// What is wrong with a tree of depth 1, in which `0` stands before a crate and `1` before each that it names.
fn violations(tree: &str) -> Vec<String> {
    let mut violations = Vec::new();
    let mut namer = "";
    for line in tree.lines() {
        let name = line.split(' ').next().unwrap_or_default();
        if let Some(name) = name.strip_prefix('0') {
            namer = name;
            if allowed_by(namer).is_none() {
                violations.push(format!("{namer} is not in the table of arrows (xtask/src/arrows.rs)"));
            }
        } else if let Some(named) = name.strip_prefix('1')
            && !may_name(namer, named)
        {
            violations.push(format!("{namer} may not depend on {named}"));
        }
    }
    violations
}

fn may_name(namer: &str, named: &str) -> bool {
    if allowed_by(named).is_some() {
        return allowed_by(namer).is_some_and(|allowed| allowed.contains(&named));
    }
    let reserved = RESERVED.iter().find(|(prefix, _)| named.starts_with(prefix));
    reserved.is_none_or(|(_, namers)| namers.contains(&namer))
}

fn allowed_by(namer: &str) -> Option<&'static [&'static str]> {
    ARROWS.iter().find(|(name, _)| *name == namer).map(|&(_, allowed)| allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_keeps_its_arrows() {
        check().unwrap();
    }

    #[test]
    fn a_crate_that_names_what_it_may_not_is_found() {
        let tree = "0pastiche-media v0.1.0 (/p)\n1ffmpeg-next v9.0.0\n1pastiche-frame v0.1.0 (/p)\n1candle-core v1.0.0\n\
                    1pastiche-nn v0.1.0 (/p)\n\n0pastiche-frame v0.1.0 (/p)\n1thiserror v2.0.0\n\n\
                    0pastiche v0.1.0 (/p)\n1nokhwa v1.0.0\n1egui v1.0.0\n\n0pastiche-new v0.1.0 (/p)\n";
        assert_eq!(
            violations(tree),
            [
                "pastiche-media may not depend on candle-core",
                "pastiche-media may not depend on pastiche-nn",
                "pastiche may not depend on nokhwa",
                "pastiche-new is not in the table of arrows (xtask/src/arrows.rs)",
            ]
        );
    }
}
