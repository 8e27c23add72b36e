use std::time::Duration;

use authgate_hyper::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::harness::{SHORT, Server};

fn cpu_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}

#[test]
fn a_server_without_file_descriptors_waits_for_some() {
    let server = Server::start(Limits { connections: 1, ..Limits::default() });
    let mut first = server.connect();
    first.get("/");
    assert_eq!(first.answer().status, 200);
    let mut second = server.connect();
    second.get("/");

    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(0), ..limit }).unwrap();
    drop(first);
    let before = cpu_time();
    assert!(second.is_silent(SHORT));
    assert!(cpu_time().saturating_sub(before) < SHORT / 2, "the server spins");

    setrlimit(Resource::Nofile, limit).unwrap();
    assert_eq!(second.answer().status, 200);
}
