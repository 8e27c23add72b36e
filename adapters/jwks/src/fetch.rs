use std::error::Error;
use std::fmt::Write as _;
use std::future::pending;
use std::time::Duration;

use authgate_core::Unavailable;
use authgate_tower::Host;
use bytes::Bytes;
use futures_lite::FutureExt as _;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, HOST, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;

use crate::KeySource;
use crate::connect::{Connection, Connector, Endpoint};
use crate::lifetime::lifetime;

/// How long resolving the name, connecting and TLS may take.
const CONNECT: Duration = Duration::from_secs(3);

/// How long all of it may take.
const WHOLE: Duration = Duration::from_secs(5);

const MOST_BYTES: usize = 1024 * 1024;
const MOST_HEAD_BYTES: usize = 64 * 1024;
const MOST_FIELDS: usize = 100;

/// Fetches once: the text of a set, whatever it says, and how long the provider wants it to be used.
pub(crate) async fn fetch<C: Connector, H: Host>(
    endpoint: &Endpoint,
    source: &KeySource,
    connector: &C,
    host: &H,
) -> Result<(String, Option<Duration>), Unavailable> {
    let all = async {
        let connect = async {
            let connection = connector.connect(endpoint).await;
            connection.map_err(|error| failed("it could not be connected to", &error))
        };
        let connection = within(CONNECT, host, "it could not be connected to", connect).await?;
        talk(connection, request(source)?).await
    };
    within(WHOLE, host, "it gave no whole answer", all).await
}

/// What `work` comes to, if it does in time.
async fn within<T>(
    span: Duration,
    host: &impl Host,
    problem: &str,
    work: impl Future<Output = Result<T, Unavailable>> + Send,
) -> Result<T, Unavailable> {
    let timer = host.sleep(span);
    let late = async {
        timer.await;
        Err(Unavailable::new(format!("{problem} within {} s", span.as_secs())))
    };
    work.or(late).await
}

fn request(source: &KeySource) -> Result<Request<Empty<Bytes>>, Unavailable> {
    Request::get(source.path_and_query())
        .header(HOST, source.authority())
        .header(USER_AGENT, concat!("authgate/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/jwk-set+json, application/json")
        .header(ACCEPT_ENCODING, "identity")
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|error| failed("it cannot be asked", &error))
}

async fn talk(
    connection: Box<dyn Connection>,
    request: Request<Empty<Bytes>>,
) -> Result<(String, Option<Duration>), Unavailable> {
    let mut http = http1::Builder::new();
    http.max_buf_size(MOST_HEAD_BYTES).max_headers(MOST_FIELDS);
    let (mut sender, driver) =
        http.handshake(connection).await.map_err(|error| failed("it cannot be asked", &error))?;
    let exchange = async {
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| failed("it gave no answer", &error))?;
        check(&response)?;
        let lifetime = lifetime(response.headers());
        Ok((read(response.into_body()).await?, lifetime))
    };
    // What goes wrong with the connection, the exchange learns.
    let driver = async {
        let _ = driver.await;
        pending().await
    };
    exchange.or(driver).await
}

/// Whether the answer is one to read.
fn check(response: &Response<Incoming>) -> Result<(), Unavailable> {
    let (status, headers) = (response.status(), response.headers());
    if status.is_redirection() {
        return Err(Unavailable::new(format!(
            "it answered {}, a redirect{}, which is not followed; name the address of the keys themselves",
            status.as_u16(),
            place(headers),
        )));
    }
    if status != StatusCode::OK {
        return Err(Unavailable::new(format!("it answered {}, not 200", status.as_u16())));
    }
    let plain =
        |coding: &HeaderValue| coding.is_empty() || coding.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(plain) {
        return Err(Unavailable::new("its answer is in a coding such as gzip, which was not asked for"));
    }
    Ok(())
}

/// Where a redirect leads, for the log: no query, and not much of it.
fn place(headers: &HeaderMap) -> String {
    let Some(Ok(location)) = headers.get(LOCATION).map(HeaderValue::to_str) else { return String::new() };
    let bare: String = location.split(['?', '#']).next().unwrap_or_default().chars().take(200).collect();
    // It may have a user name and a password.
    if bare.contains('@') { String::new() } else { format!(" to {bare}") }
}

/// The body's text. Reading ends with the first byte that is too many.
async fn read(mut body: Incoming) -> Result<String, Unavailable> {
    let too_long = || Err(Unavailable::new(format!("its answer is longer than {} KiB", MOST_BYTES / 1024)));
    if body.size_hint().lower() > MOST_BYTES as u64 {
        return too_long();
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| failed("its answer broke off", &error))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > MOST_BYTES {
            return too_long();
        }
        bytes.extend_from_slice(&data);
    }
    String::from_utf8(bytes).map_err(|_| Unavailable::new("its answer is no UTF-8"))
}

/// What went wrong, and all that is behind it.
fn failed(problem: &str, error: &(dyn Error + 'static)) -> Unavailable {
    let mut text = format!("{problem}: {error}");
    let mut inner = error.source();
    while let Some(error) = inner {
        let _ = write!(text, ": {error}");
        inner = error.source();
    }
    Unavailable::new(text)
}
