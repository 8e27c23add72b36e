//! Every seed of every fuzz target, as an ordinary test.
#![allow(missing_docs, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use authgate_fuzzed::{TARGETS, Target};
use libtest_mimic::{Arguments, Failed, Trial, run};

fn main() -> ExitCode {
    let mut trials =
        vec![Trial::test("each_target_has_a_binary_and_each_folder_a_target", each_has_its_other)];
    for target in TARGETS {
        trials.extend(seeds_of(target));
    }
    run(&Arguments::from_args(), trials).exit_code()
}

fn seeds_of((name, target): Target) -> Vec<Trial> {
    let seeds = entries(&fuzz().join("seeds").join(name));
    if seeds.is_empty() {
        return vec![Trial::test(format!("{name}::has_seeds"), || Err(Failed::from("there are none")))];
    }
    let trial = |seed: PathBuf| {
        let title = format!("{name}::{}", file_name(&seed));
        Trial::test(title, move || {
            target(&fs::read(seed)?);
            Ok(())
        })
    };
    seeds.into_iter().map(trial).collect()
}

fn each_has_its_other() -> Result<(), Failed> {
    let names = |folder: &str| -> BTreeSet<_> {
        let names = entries(&fuzz().join(folder)).into_iter().map(|entry| file_name(&entry));
        names.map(|name| name.trim_end_matches(".rs").to_owned()).collect()
    };
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for folder in ["fuzz_targets", "seeds"] {
        if names(folder) != targets {
            return Err(
                format!("fuzz/{folder} has {:?}, and the targets are {targets:?}", names(folder)).into()
            );
        }
    }
    Ok(())
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is in a folder, in order; nothing if there is no such folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let list = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = list.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}
