use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

/// Stands between a store and its Redis, as a network does that can lose a connection without telling anybody.
pub(crate) struct Relay {
    port: u16,
    state: Arc<State>,
}

struct State {
    /// Where the next connection goes.
    to: AtomicU16,
    /// How many connections there have been.
    count: AtomicUsize,
    /// Connections up to this one are lost.
    lost: AtomicUsize,
}

impl Relay {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let state = State { to: port.into(), count: 0.into(), lost: 0.into() };
        let relay = Self { port: listener.local_addr().unwrap().port(), state: Arc::new(state) };
        let state = Arc::clone(&relay.state);
        // It ends with the process; nobody asks it any longer than its test.
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let number = state.count.fetch_add(1, Ordering::SeqCst) + 1;
                let near = near.unwrap();
                let far = TcpStream::connect(("127.0.0.1", state.to.load(Ordering::SeqCst))).unwrap();
                for (from, into) in [(&near, &far), (&far, &near)] {
                    let (from, into) = (from.try_clone().unwrap(), into.try_clone().unwrap());
                    let state = Arc::clone(&state);
                    std::thread::spawn(move || {
                        carry(from, into, || state.lost.load(Ordering::SeqCst) >= number);
                    });
                }
            }
        });
        relay
    }

    /// Whatever is sent over the connections that there are by now goes nowhere, and none of them is closed.
    pub(crate) fn lose(&self) {
        self.state.lost.store(self.connections(), Ordering::SeqCst);
    }

    /// From now on, who connects gets to another server. Whoever is connected stays.
    pub(crate) fn turn_to(&self, port: u16) {
        self.state.to.store(port, Ordering::SeqCst);
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.count.load(Ordering::SeqCst)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

fn carry(mut from: TcpStream, mut into: TcpStream, lost: impl Fn() -> bool) {
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if !lost() && into.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}
