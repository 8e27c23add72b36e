//! The websocket: it says back what it hears, until the admission ends.

use std::time::Duration;

use futures_lite::{StreamExt, future};
use futures_util::SinkExt;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Timer;
use super::lifetime::{End, Lifetime};
use super::reply::{self, DemoBody};

/// The longest message that is echoed.
const MESSAGE: usize = 64 * 1024;

/// How long a peer has to take notice of a goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// Accepts a websocket and echoes on it, or says what the request lacks.
pub(super) fn answer<T: Timer>(request: &mut Request<()>, life: Lifetime<T>) -> Response<DemoBody> {
    if request.version() != Version::HTTP_11 || !asks_for_websocket(request.headers()) {
        return upgrade_required(request.version(), "This address speaks websocket over HTTP/1.1\n");
    }
    if request.headers().get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return upgrade_required(request.version(), "Only websocket version 13 is spoken here\n");
    }
    let Some(accept) = accept_key(request.headers()) else {
        return reply::text(StatusCode::BAD_REQUEST, "The websocket key is missing or malformed\n");
    };
    let upgrade = hyper::upgrade::on(request);
    life.timer.clone().spawn(async move {
        match upgrade.await {
            Ok(upgraded) => echo(TokioIo::new(upgraded), &life).await,
            Err(error) => tracing::debug!(%error, "a websocket was not opened"),
        }
    });
    let mut response = Response::new(reply::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    response.headers_mut().insert(SEC_WEBSOCKET_ACCEPT, accept);
    response
}

fn upgrade_required(version: Version, text: &'static str) -> Response<DemoBody> {
    let mut response = reply::text(StatusCode::UPGRADE_REQUIRED, text);
    // Headers about the connection do not exist from HTTP/2 on.
    if version < Version::HTTP_2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    response
}

fn asks_for_websocket(headers: &HeaderMap) -> bool {
    lists(headers, &CONNECTION, "upgrade") && lists(headers, &UPGRADE, "websocket")
}

fn lists(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(token))
}

/// A key is sixteen bytes in base64: 22 digits, of which the last has four bits to spare, and two `=`.
fn accept_key(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else { return None };
    let digits = key.as_bytes().strip_suffix(b"==")?;
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    if digits.len() != 22 || !digits.iter().all(base64) {
        return None;
    }
    HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok()
}

async fn echo<S, T>(stream: S, life: &Lifetime<T>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: Timer,
{
    let limits = WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * MESSAGE)
        .max_message_size(Some(MESSAGE))
        .max_frame_size(Some(MESSAGE));
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(limits)).await;
    let over = async { Some(farewell(life.over().await)) };
    let Some(farewell) = future::or(over, say_back(&mut socket)).await else { return };
    future::or(say_goodbye(socket, farewell), life.timer.sleep(GOODBYE)).await;
}

/// Echoes until the peer leaves, or until it sends what cannot be echoed: then the reason to close.
async fn say_back<S>(socket: &mut WebSocketStream<S>) -> Option<CloseFrame>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let heard = match socket.next().await? {
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => socket.send(message).await,
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        match heard {
            Ok(()) => {}
            Err(Error::Capacity(_)) => return Some(frame(CloseCode::Size, "message too long")),
            Err(Error::Utf8(_)) => return Some(frame(CloseCode::Invalid, "not UTF-8")),
            Err(Error::Protocol(_)) => return Some(frame(CloseCode::Protocol, "protocol error")),
            Err(_) => return None,
        }
        // A peer that never pauses must not keep this stream from noticing its end.
        future::yield_now().await;
    }
}

/// Closes, then waits for the peer to hang up: a socket dropped with unread bytes would take the reason with it.
async fn say_goodbye<S>(mut socket: WebSocketStream<S>, farewell: CloseFrame)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if socket.close(Some(farewell)).await.is_err() {
        return;
    }
    let mut stream = socket.into_inner();
    let mut rest = [0; 4096];
    if stream.shutdown().await.is_ok() {
        while matches!(stream.read(&mut rest).await, Ok(1..)) {
            future::yield_now().await;
        }
    }
}

fn farewell(end: End) -> CloseFrame {
    match end {
        End::Admission => frame(CloseCode::Policy, "admission ended"),
        End::Program => frame(CloseCode::Away, "shutting down"),
    }
}

fn frame(code: CloseCode, reason: &'static str) -> CloseFrame {
    CloseFrame { code, reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use futures_lite::future::block_on;
    use tokio::io::{DuplexStream, duplex};

    use super::super::testing::Clock;
    use super::*;

    type Peer = WebSocketStream<DuplexStream>;

    /// Runs the echo and a peer against each other; `until` is the end of the admission, at 100 it has ended.
    fn meet<F: Future<Output = ()>>(until: Option<i64>, script: impl FnOnce(Peer) -> F) {
        let life = Clock::at(100).lifetime(until);
        let (ours, theirs) = duplex(256 * 1024);
        block_on(async {
            let peer = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
            future::zip(echo(ours, &life), script(peer)).await;
        });
    }

    async fn close_code(peer: &mut Peer) -> Option<CloseCode> {
        loop {
            match peer.next().await? {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    fn request(headers: &[(&'static str, &'static str)]) -> Request<()> {
        let mut request = Request::new(());
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_static(value));
        }
        request
    }

    const GOOD: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    fn answer_to(mut request: Request<()>) -> Response<DemoBody> {
        answer(&mut request, Clock::at(0).lifetime(None))
    }

    #[test]
    fn a_websocket_request_is_accepted_with_the_key_of_rfc_6455() {
        let response = answer_to(request(&GOOD));
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(response.headers()[SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_plain_request_is_told_to_upgrade() {
        for missing in ["connection", "upgrade"] {
            let mut request = request(&GOOD);
            request.headers_mut().remove(missing);
            let response = answer_to(request);
            assert_eq!(response.status(), StatusCode::UPGRADE_REQUIRED, "{missing}");
            assert_eq!(response.headers()[UPGRADE], "websocket");
        }
    }

    #[test]
    fn http_1_0_and_2_cannot_be_upgraded() {
        for version in [Version::HTTP_10, Version::HTTP_2] {
            let mut request = request(&GOOD);
            *request.version_mut() = version;
            assert_eq!(answer_to(request).status(), StatusCode::UPGRADE_REQUIRED);
        }
    }

    #[test]
    fn another_websocket_version_is_told_which_one_is_spoken() {
        let mut request = request(&GOOD);
        request.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("8"));
        let response = answer_to(request);
        assert_eq!(response.status(), StatusCode::UPGRADE_REQUIRED);
        assert_eq!(response.headers()[SEC_WEBSOCKET_VERSION], "13");
    }

    #[test]
    fn a_missing_doubled_or_malformed_key_is_refused() {
        for keys in [&[][..], &["short=="], &["dGhlIHNhbXBsZSBub25jZQ=="; 2], &["dGhlIHNhbXBsZSBub25j;Q=="]] {
            let mut request = request(&GOOD);
            request.headers_mut().remove(SEC_WEBSOCKET_KEY);
            for key in keys {
                request.headers_mut().append(SEC_WEBSOCKET_KEY, HeaderValue::from_static(key));
            }
            assert_eq!(answer_to(request).status(), StatusCode::BAD_REQUEST, "{keys:?}");
        }
    }

    #[test]
    fn what_is_said_comes_back() {
        meet(None, |mut peer| async move {
            for message in [Message::text("héllo"), Message::binary(vec![0; MESSAGE])] {
                peer.send(message.clone()).await.unwrap();
                assert_eq!(peer.next().await.unwrap().unwrap(), message);
            }
            peer.close(None).await.unwrap();
            assert!(matches!(peer.next().await, Some(Ok(Message::Close(_)))));
        });
    }

    #[test]
    fn a_message_that_is_too_long_closes_with_1009() {
        meet(None, |mut peer| async move {
            peer.send(Message::binary(vec![0; MESSAGE + 1])).await.unwrap();
            assert_eq!(close_code(&mut peer).await, Some(CloseCode::Size));
        });
    }

    #[test]
    fn the_end_of_the_admission_closes_with_1008() {
        meet(Some(103), |mut peer| async move {
            assert_eq!(close_code(&mut peer).await, Some(CloseCode::Policy));
        });
    }

    #[test]
    fn a_peer_that_never_listens_is_left_behind() {
        let life = Clock::at(100).lifetime(Some(103));
        let (ours, _theirs) = duplex(1);
        block_on(echo(ours, &life));
    }
}
