//! What is tokio's alone: runtimes end.

use tokio::runtime::{Builder, Runtime};

use crate::harness::Redis;

tests![a_store_outlives_the_runtime_it_was_first_asked_on, a_runtime_that_ends_while_connecting];

fn a_store_outlives_the_runtime_it_was_first_asked_on() {
    let redis = Redis::start();
    let store = redis.store();
    for _ in 0..3 {
        Runtime::new().unwrap().block_on(store.ping()).unwrap();
    }
    // Without a runtime, it is smol's turn.
    smol::block_on(store.ping()).unwrap();
    Builder::new_current_thread().enable_all().build().unwrap().block_on(store.ping()).unwrap();
}

fn a_runtime_that_ends_while_connecting() {
    let redis = Redis::start();
    let store = redis.store();
    redis.pause();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let asked = runtime.block_on(async {
        let ping = store.ping();
        tokio::time::timeout(std::time::Duration::from_millis(50), ping).await
    });
    assert!(asked.is_err());
    drop(runtime);
    redis.go_on();
    Runtime::new().unwrap().block_on(store.ping()).unwrap();
}
