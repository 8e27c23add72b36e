use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Stands between a store and its Redis, as a network does that can lose a connection without telling anybody.
pub(crate) struct Relay {
    port: u16,
    /// Connections up to this one are lost.
    lost: Arc<AtomicUsize>,
    count: Arc<AtomicUsize>,
}

impl Relay {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay =
            Self { port: listener.local_addr().unwrap().port(), lost: Arc::default(), count: Arc::default() };
        let (lost, count) = (Arc::clone(&relay.lost), Arc::clone(&relay.count));
        // It ends with the process; nobody asks it any longer than its test.
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let near = near.unwrap();
                let far = TcpStream::connect(("127.0.0.1", port)).unwrap();
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to, lost) =
                        (from.try_clone().unwrap(), to.try_clone().unwrap(), Arc::clone(&lost));
                    std::thread::spawn(move || carry(from, to, || lost.load(Ordering::SeqCst) >= number));
                }
            }
        });
        relay
    }

    /// Whatever is sent over the connections that there are by now goes nowhere, and none of them is closed.
    pub(crate) fn lose(&self) {
        self.lost.store(self.connections(), Ordering::SeqCst);
    }

    pub(crate) fn connections(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, lost: impl Fn() -> bool) {
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if !lost() && to.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}
