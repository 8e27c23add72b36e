//! The blocking example, run as people run it.

mod example;

use example::Example;

#[test]
fn the_gate_embeds_in_a_blocking_loop() {
    let example = Example::start("blocking");
    example.admits_only_who_has_the_token();
    assert_eq!(example.send("GET / HTTP/1.1\r\nhost : x\r\n\r\n").0, 400);
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "a".repeat(70_000));
    assert_eq!(example.send(&large).0, 431);
    let (status, _, body) = example.get("/", "content-length: 3\r\naccept: application/json\r\n\r\nabc");
    assert_eq!((status, body.as_str()), (401, "Authentication required"));
}
