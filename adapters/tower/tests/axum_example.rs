//! The axum example, run as people run it.

#[path = "../../../core/tests/example/mod.rs"]
mod example;

use example::Example;

#[test]
fn an_axum_router_stands_behind_the_gate() {
    let example = Example::start("axum");
    example.admits_only_who_has_the_token();
    // The gate sees what no route takes.
    assert_eq!(example.get("/nowhere", "accept: application/json").0, 401);
}
