//! How much memory the login throttle takes, as its documentation says. The one test of this program: others would be
//! counted, too.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::alloc::System;
use std::net::Ipv4Addr;

use authgate_core::{Peer, Throttle, ThrottleLimits, Timestamp};
use cap::Cap;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

const CLIENTS: u32 = 100_000;

/// What the memory has grown by since `before`, for every client.
fn bytes_a_client(before: usize) -> usize {
    ALLOCATOR.allocated().saturating_sub(before) / usize::try_from(CLIENTS).unwrap()
}

fn name(number: u32) -> String {
    format!("somebody with a name of some length, number {number}")
}

fn client(number: u32) -> Peer {
    // Spread over all of IPv4, one each.
    Peer::Ip(Ipv4Addr::from_bits(number.wrapping_mul(0x9e37_79b1)).into())
}

#[test]
fn t28_memory_for_100_000_clients_is_as_documented() {
    let mut now = 1_800_000_000_000;
    let mut next = || {
        now += 1;
        Timestamp::from_millis(now)
    };

    let before = ALLOCATOR.allocated();
    let mut throttle = Throttle::new(ThrottleLimits::default()).unwrap();
    for number in 0..CLIENTS {
        drop(throttle.charge(client(number), &name(number), next()).unwrap());
    }
    let failed = bytes_a_client(before);

    // The worst: all of them signed in before, and failed since.
    let before = ALLOCATOR.allocated();
    let mut everything = Throttle::new(ThrottleLimits::default()).unwrap();
    for round in 0..2 {
        for number in 0..CLIENTS {
            let charge = everything.charge(client(number), &name(number), next()).unwrap();
            if round == 0 {
                everything.refund(charge, next());
            }
        }
    }
    for number in CLIENTS..2 * CLIENTS {
        drop(everything.charge(client(number), &name(number), next()).unwrap());
    }
    let full = bytes_a_client(before);

    // A flood of others changes nothing.
    for number in 2 * CLIENTS..3 * CLIENTS {
        let _ = everything.charge(client(number), &name(number), next());
    }
    let flooded = bytes_a_client(before);

    #[expect(clippy::print_stdout, reason = "the figures that the documentation gives")]
    {
        println!(
            "bytes for each of {CLIENTS} clients: {failed} failed, {full} everything, {flooded} flooded"
        );
    }
    assert!(failed <= 210, "{failed} bytes");
    assert!(full.max(flooded) <= 410, "{full} bytes, {flooded} after a flood");
}
