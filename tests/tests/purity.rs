//! The core does nothing but decide; its dependencies show it.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::process::Command;

fn tree(package: &str, features: &str) -> Vec<String> {
    let cargo = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "-p",
            package,
            "--features",
            features,
            "-e",
            "normal",
            "--prefix",
            "none",
            "-f",
            "{p}",
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let text = String::from_utf8(cargo.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn assert_without(package: &str, banned: &[&str]) {
    assert_without_even_with(package, "", banned);
}

fn assert_without_even_with(package: &str, features: &str, banned: &[&str]) {
    let found = tree(package, features);
    assert!(found.iter().any(|name| name == "http"), "the tree of {package} was read: {found:?}");
    for name in banned {
        assert!(!found.iter().any(|found| found == name), "{package} depends on {name}");
    }
}

const RUNTIMES: [&str; 10] = [
    "tokio",
    "smol",
    "async-std",
    "async-io",
    "async-executor",
    "mio",
    "hyper",
    "futures-executor",
    "socket2",
    "polling",
];

#[test]
fn the_core_depends_on_no_runtime_and_no_source_of_time_or_chance() {
    assert_without("authgate-core", &RUNTIMES);
    assert_without("authgate-core", &["getrandom", "rand", "chrono", "tracing"]);
}

#[test]
fn the_layer_names_no_runtime() {
    assert_without("authgate-tower", &RUNTIMES);
}

#[test]
fn what_the_hyper_servers_share_names_no_runtime() {
    // Not "tokio": hyper itself uses that crate, for its channels alone.
    assert_without("authgate-hyper", &["mio", "smol", "async-io", "socket2", "hyper-util"]);
}

#[test]
fn the_proxy_names_no_runtime_unless_it_is_asked_to() {
    assert_without("authgate-proxy", &["mio", "smol", "async-io", "socket2", "hyper-util"]);
}

#[test]
fn the_smol_adapter_can_start_no_tokio_runtime() {
    assert_without("authgate-smol", &["hyper-util", "mio", "tokio-util"]);
}

#[test]
fn the_fetcher_of_keys_names_no_runtime_unless_it_is_asked_to() {
    assert_without("authgate-jwks", &["mio", "smol", "async-io", "socket2", "hyper-util"]);
}

#[test]
fn the_fetcher_of_keys_on_smol_can_start_no_tokio_runtime() {
    assert_without_even_with("authgate-jwks", "smol", &["hyper-util", "mio", "tokio-util", "tokio-rustls"]);
}

#[test]
fn one_provider_of_cryptography_is_enough() {
    assert_without_even_with("authgate-jwks", "tokio,smol", &["ring", "openssl"]);
}
