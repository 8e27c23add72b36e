//! A server on a real socket, and a client that writes raw bytes. What they need of a runtime is in `runtime` beside
//! this module.

mod client;
mod example;

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use authgate_hyper::Limits;
use http_body::Frame;

use crate::runtime;
pub(crate) use client::Client;
use example::Chunk;
pub(crate) use example::Example;

/// Longer than anything here takes, shorter than a test may hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
pub(crate) const SHORT: Duration = Duration::from_millis(300);

/// More than the buffers of a connection hold.
pub(crate) const LARGE: usize = 16 << 20;

/// A buffer that fills soon.
#[cfg(unix)]
const SMALL: usize = 128 * 1024;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    arrived: Receiver<String>,
    chunks: Option<Sender<Chunk>>,
    stop: Option<Sender<()>>,
    abandon: Option<Sender<()>>,
    ended: mpsc::Receiver<io::Result<()>>,
}

impl Server {
    pub(crate) fn start(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        Self::on(listener, address, limits)
    }

    /// A server whose connections send from small buffers.
    #[cfg(unix)]
    pub(crate) fn with_small_buffers(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        rustix::net::sockopt::set_socket_send_buffer_size(&listener, SMALL).unwrap();
        Self::on(listener, address, limits)
    }

    pub(crate) fn on(listener: TcpListener, address: SocketAddr, limits: Limits) -> Self {
        listener.set_nonblocking(true).unwrap();
        let (arrival, arrived) = async_channel::unbounded();
        let (chunks, chunk) = async_channel::unbounded();
        let (stop, stopped) = async_channel::bounded(1);
        let (abandon, abandoned) = async_channel::bounded(1);
        let (end, ended) = mpsc::channel();
        thread::spawn(move || {
            let service = Example { arrived: arrival, chunks: chunk };
            let _ = end.send(runtime::run(listener, service, limits, dropped(stopped), dropped(abandoned)));
        });
        Self { address, arrived, chunks: Some(chunks), stop: Some(stop), abandon: Some(abandon), ended }
    }

    pub(crate) fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address).unwrap())
    }

    /// The path of the next request that reached the service.
    pub(crate) fn arrived(&self) -> String {
        let arrived = self.arrived.clone();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || sender.send(arrived.recv_blocking()));
        receiver.recv_timeout(PATIENCE).expect("a request arrives").unwrap()
    }

    pub(crate) fn nothing_arrived(&self) -> bool {
        self.arrived.is_empty()
    }

    pub(crate) fn chunk(&self, bytes: &'static str) {
        self.chunks.as_ref().unwrap().send_blocking(Ok(Frame::data(bytes.into()))).unwrap();
    }

    pub(crate) fn end_of_chunks(&mut self) {
        self.chunks = None;
    }

    pub(crate) fn stop(&mut self) {
        self.stop = None;
    }

    /// Drops the future that serves.
    pub(crate) fn abandon(&mut self) {
        self.abandon = None;
    }

    pub(crate) fn ended(&self) -> io::Result<()> {
        self.ended.recv_timeout(PATIENCE).expect("the server ends")
    }

    pub(crate) fn is_running(&self) -> bool {
        self.ended.recv_timeout(SHORT / 2).is_err()
    }
}

async fn dropped(sender: Receiver<()>) {
    let _ = sender.recv().await;
}
