//! Requests and answers as bytes, and what is made of them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};

use crate::dialogue::{Outcome, Told};

/// Sends one request and reads until the server closes.
pub(super) fn exchange(address: SocketAddr, raw: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(raw);
    // The connection's own field, so that the end of the answer is its end.
    let closing = if text.to_ascii_lowercase().contains("\r\nconnection:") {
        raw.to_vec()
    } else {
        text.replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1).into_bytes()
    };
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(&closing).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// An answer as it was read.
pub(super) fn read_bytes(raw: &[u8], told: Vec<Told>) -> Result<Outcome, String> {
    let mut slots = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut slots);
    let Ok(httparse::Status::Complete(length)) = response.parse(raw) else {
        return Err(format!("no answer: {:?}", String::from_utf8_lossy(raw)));
    };
    Ok(Outcome {
        status: response.code.unwrap(),
        headers: fields(response.headers.iter().map(|field| (field.name, field.value))),
        body: String::from_utf8_lossy(&raw[length..]).into_owned(),
        told: only(told)?,
        asked: None,
    })
}

/// The one line of the audit trail that each request leaves.
pub(super) fn only(mut told: Vec<Told>) -> Result<Told, String> {
    if told.len() == 1 {
        Ok(told.remove(0))
    } else {
        Err(format!("not one line in the audit trail: {told:?}"))
    }
}

/// The head of a request.
pub(super) fn request_of(raw: &[u8]) -> Request<()> {
    let mut slots = [httparse::EMPTY_HEADER; 100];
    let mut parsed = httparse::Request::new(&mut slots);
    parsed.parse(raw).unwrap();
    let mut request = Request::builder().method(parsed.method.unwrap()).uri(parsed.path.unwrap());
    for field in parsed.headers.iter() {
        request = request.header(field.name, field.value);
    }
    request.body(()).unwrap()
}

/// What follows the head.
pub(super) fn body_of(raw: &[u8]) -> &[u8] {
    let head = raw.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    &raw[head + 4..]
}

/// A response without what is known beside it.
pub(super) fn read_http(response: Response<Bytes>) -> Outcome {
    let (parts, body) = response.into_parts();
    Outcome {
        status: parts.status.as_u16(),
        headers: fields(parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))),
        body: String::from_utf8_lossy(&body).into_owned(),
        told: Told::default(),
        asked: None,
    }
}

fn fields<'a>(all: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<(String, String)> {
    all.map(|(name, value)| (name.to_ascii_lowercase(), String::from_utf8_lossy(value).into_owned()))
        .collect()
}

/// The body of a request, which breaks off where there is less of it than its head says.
pub(super) struct Arriving {
    bytes: Option<Bytes>,
    missing: bool,
}

impl Arriving {
    pub(super) fn new(raw: &[u8]) -> Self {
        let body = Bytes::copy_from_slice(body_of(raw));
        let length = request_of(raw)
            .headers()
            .get(CONTENT_LENGTH)
            .map_or(0, |length| length.to_str().unwrap().parse().unwrap());
        Self { missing: body.len() < length, bytes: Some(body).filter(|body| !body.is_empty()) }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let next = self.bytes.take().map(|bytes| Ok(Frame::data(bytes)));
        let cut = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        Poll::Ready(next.or_else(|| self.missing.then(|| Err(cut()))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none() && !self.missing
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, Bytes::len) as u64)
    }
}
