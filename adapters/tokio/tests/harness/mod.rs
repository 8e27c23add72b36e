//! A server on a real socket, and a client that writes raw bytes. What they need of a runtime is in `runtime` beside
//! this module.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use authgate_core::Peer;
use authgate_tower::Limits;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBuf, Write};
use hyper::upgrade::Upgraded;
use tower_service::Service;

use crate::runtime;

/// Longer than anything here takes, shorter than a test may hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
pub(crate) const SHORT: Duration = Duration::from_millis(300);

/// More than the buffers of a connection hold.
pub(crate) const LARGE: usize = 16 << 20;

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What the tests call.
#[derive(Clone)]
pub(crate) struct Example {
    arrived: Sender<String>,
    chunks: Receiver<Result<Frame<Bytes>, Infallible>>,
}

impl Service<Request<Incoming>> for Example {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let Self { arrived, chunks } = self.clone();
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            arrived.send(path.clone()).await.unwrap();
            Ok(Response::new(match path.as_str() {
                "/peer" => full(request.extensions().get::<Peer>().unwrap().to_string()),
                "/echo" => full(request.into_body().collect().await.map_or_else(
                    |error| format!("broken body: {error}").into(),
                    http_body_util::Collected::to_bytes,
                )),
                // Answers once the test has sent a chunk.
                "/wait" => full(chunks.recv().await.unwrap().unwrap().into_data().unwrap()),
                // Answers at once, and streams what the test sends until it stops.
                "/stream" => StreamBody::new(Box::pin(chunks)).boxed_unsync(),
                "/large" => full(vec![b'x'; LARGE]),
                "/panic" => panic!("asked to"),
                "/upgrade" => return Ok(upgrade(request)),
                _ => full("hello"),
            }))
        })
    }
}

fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

fn upgrade(request: Request<Incoming>) -> Response<Body> {
    runtime::spawn(async move {
        let mut upgraded = hyper::upgrade::on(request).await.unwrap();
        while let Ok(bytes @ [_, ..]) = read(&mut upgraded).await.as_deref() {
            write(&mut upgraded, bytes).await.unwrap();
        }
    });
    let mut response = Response::new(Empty::new().boxed_unsync());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert("connection", "upgrade".parse().unwrap());
    response.headers_mut().insert("upgrade", "echo".parse().unwrap());
    response
}

async fn read(upgraded: &mut Upgraded) -> io::Result<Vec<u8>> {
    let mut bytes = [0; 64];
    let mut buffer = ReadBuf::new(&mut bytes);
    poll_fn(|cx| Pin::new(&mut *upgraded).poll_read(cx, buffer.unfilled())).await?;
    Ok(buffer.filled().to_vec())
}

async fn write(upgraded: &mut Upgraded, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = poll_fn(|cx| Pin::new(&mut *upgraded).poll_write(cx, bytes)).await?;
        bytes = &bytes[written..];
    }
    poll_fn(|cx| Pin::new(&mut *upgraded).poll_flush(cx)).await
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    arrived: Receiver<String>,
    chunks: Option<Sender<Result<Frame<Bytes>, Infallible>>>,
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

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Client {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream, unread: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    pub(crate) fn get(&mut self, path: &str) {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    }

    pub(crate) fn finish_sending(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 16 * 1024];
        let read = self.stream.read(&mut bytes)?;
        self.unread.extend_from_slice(&bytes[..read]);
        Ok(read)
    }

    pub(crate) fn receive(&mut self, length: usize) -> String {
        while self.unread.len() < length {
            assert_ne!(self.fill().unwrap(), 0, "closed after {:?}", self.unread);
        }
        String::from_utf8(self.unread.drain(..length).collect()).unwrap()
    }

    pub(crate) fn head(&mut self) -> Answer {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            assert_ne!(self.fill().unwrap(), 0, "closed after {:?}", self.unread);
        };
        let head = self.receive(end).to_lowercase();
        Answer { status: head[9..12].parse().unwrap(), head, body: String::new() }
    }

    /// A response whose length is known.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        let length = answer.head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        answer.body = self.receive(length.parse().unwrap());
        answer
    }

    /// Whether the server closes the connection, without a byte more, before patience ends.
    pub(crate) fn is_closed(&mut self) -> bool {
        assert_eq!(self.unread, b"");
        match self.fill() {
            Ok(read) => read == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    /// How many bytes come until the server closes the connection.
    pub(crate) fn closed_after(&mut self) -> usize {
        loop {
            match self.fill() {
                Ok(0) => return self.unread.len(),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return self.unread.len(),
                Err(error) => panic!("not closed: {error}"),
            }
        }
    }

    /// Whether nothing at all comes for a while.
    pub(crate) fn is_silent(&mut self, while_: Duration) -> bool {
        self.stream.set_read_timeout(Some(while_)).unwrap();
        let read = self.fill();
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        read.is_err_and(|error| matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut))
    }
}
