//! The hyper example, run as people run it.

#[path = "../../../core/tests/example/mod.rs"]
mod example;

use example::Example;

#[test]
fn a_hyper_service_on_smol_stands_behind_the_gate() {
    Example::start("hyper").admits_only_who_has_the_token();
}
