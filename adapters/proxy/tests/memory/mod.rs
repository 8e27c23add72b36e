use std::alloc::System;
use std::thread;

use cap::Cap;

use crate::harness::{Peer, proxied};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

const MIB: usize = 1 << 20;
const LARGE: usize = 1024 * MIB;
/// What may be held of a body: hyper's buffers on both sides, and ours in this test.
const HELD: usize = 2 * MIB;

/// Sends `LARGE` bytes from one peer to the other, and returns the most memory that was in use meanwhile.
fn pass(mut from: Peer, mut to: Peer) -> (usize, Peer, Peer) {
    let sender = thread::spawn(move || {
        let piece = vec![b'x'; MIB];
        for _ in 0..LARGE / MIB {
            from.send(&piece);
        }
        from
    });
    let mut most = 0;
    let mut piece = vec![0; MIB];
    for _ in 0..LARGE / MIB {
        to.receive_into(&mut piece);
        assert!(piece.iter().all(|&byte| byte == b'x'));
        most = most.max(ALLOCATOR.allocated());
    }
    (most, sender.join().unwrap(), to)
}

/// One test, because nothing else may run meanwhile.
#[test]
fn a_gigabyte_passes_each_way_in_flat_memory_and_none_is_drained_for_a_client_that_does_not_read() {
    let (front, upstream) = proxied();
    let client = front.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {LARGE}\r\n\r\n"));
    let mut server = upstream.accept();
    assert_eq!(server.head().field("content-length"), Some(LARGE.to_string().as_str()));
    let before = ALLOCATOR.allocated();
    let (most, mut client, mut server) = pass(client, server);
    assert!(most < before + 2 * MIB + HELD, "up: {} KiB", (most - before) / 1024);

    server.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n"));
    assert_eq!(client.head().status(), 200);
    let (most, server, mut client) = pass(server, client);
    assert!(most < before + 2 * MIB + HELD, "down: {} KiB", (most - before) / 1024);
    drop(server);

    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut server = upstream.accept();
    server.head();
    server.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n"));
    let sent = server.room(LARGE);
    // The buffers of four sockets, as the kernel likes them, and ours.
    assert!(sent < 64 * MIB, "{sent}");
    assert!(ALLOCATOR.allocated() < before + HELD);
}
