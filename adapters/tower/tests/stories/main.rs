//! The layer as its users see it: requests in, answers out, in a world whose clock and backends the tests move.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod behind_routers_and_proxies;
mod forms_that_are_none;
mod inner_service_is_ready;
mod refusals;
mod sessions_elsewhere;
mod several_gates;
mod signing_in;
mod t13_streams_end;
mod t15_pages_of_a_backend;
mod t18_ambient_proofs;
mod t22_identity;
mod t32_backends_that_wait;
mod t33_audit;
mod world;
