use authgate_core::strip_hop_by_hop;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderName, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body::{Body, SizeHint};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;

use crate::Target;

/// Whether a request asks to become a websocket (RFC 6455 §4.1), and this connection could.
pub(crate) fn asks_for_websocket(parts: &Parts, has_body: bool) -> bool {
    parts.method == Method::GET
        && parts.version == Version::HTTP_11
        && !has_body
        && is_websocket(&parts.headers)
        && parts.extensions.get::<OnUpgrade>().is_some()
}

/// Whether a head, a request's or that of a 101, upgrades to a websocket and to nothing else.
pub(crate) fn is_websocket(headers: &HeaderMap) -> bool {
    let mut protocols = tokens(headers, &UPGRADE);
    let is_alone = protocols.next().is_some_and(|name| name.eq_ignore_ascii_case(b"websocket"))
        && protocols.next().is_none();
    is_alone && tokens(headers, &CONNECTION).any(|name| name.eq_ignore_ascii_case(b"upgrade"))
}

fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(name)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}

/// The path and query that a request names; `CONNECT` names none.
pub(crate) fn path_of(parts: &Parts) -> Option<PathAndQuery> {
    parts.uri.path_and_query().filter(|_| parts.method != Method::CONNECT).cloned()
}

/// The request as the upstream gets it, but for its body, of which `body` is known; `None` is no body.
pub(crate) fn towards_upstream(
    parts: Parts,
    path: PathAndQuery,
    body: Option<&SizeHint>,
    is_websocket: bool,
    target: &Target,
    keeps_host: bool,
) -> Request<()> {
    let Parts { method, uri, mut headers, .. } = parts;
    // The gate has done this and more already, if it has an `Upstream`; it may have none.
    strip_hop_by_hop(&mut headers);
    if !is_websocket {
        remove_upgrade(&mut headers);
    }
    headers.remove(EXPECT);
    // Never the client's words about framing: hyper must write what hyper has read.
    headers.remove(TRANSFER_ENCODING);
    headers.remove(CONTENT_LENGTH);
    let framing = match body.map(SizeHint::exact) {
        Some(Some(length)) => Some((CONTENT_LENGTH, length.into())),
        // Said outright: hyper would take it that a GET has no body.
        Some(None) => Some((TRANSFER_ENCODING, HeaderValue::from_static("chunked"))),
        // RFC 9110 §8.6; some servers insist.
        None if matches!(method, Method::POST | Method::PUT | Method::PATCH) => {
            Some((CONTENT_LENGTH, 0.into()))
        }
        None => None,
    };
    headers.extend(framing);
    if body.is_some() {
        // A server that leaves a body unread would take it for the next request, which nobody has judged. So there is none.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    // Over HTTP/2, and in a request target that is a whole address, this is what counts (RFC 9112 §3.2.2).
    let authority = uri.authority().and_then(|it| HeaderValue::from_str(it.as_str()).ok());
    let own = || target.authority().clone();
    if !keeps_host {
        headers.insert(HOST, own());
    } else if let Some(authority) = authority {
        headers.insert(HOST, authority);
    } else if !headers.contains_key(HOST) {
        headers.insert(HOST, own());
    }
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = Uri::from(path);
    *request.headers_mut() = headers;
    request
}

/// Makes the head of the upstream's answer ready for the client.
pub(crate) fn towards_client(response: &mut Response<Incoming>, is_head: bool) {
    let length = response.body().size_hint().exact();
    let status = response.status();
    *response.version_mut() = Version::HTTP_11;
    let headers = response.headers_mut();
    let was_coded = headers.contains_key(TRANSFER_ENCODING);
    strip_hop_by_hop(headers);
    remove_upgrade(headers);
    if was_coded || status == StatusCode::NO_CONTENT {
        // RFC 9112 §6.3: what was said about the length beside it is not to be believed.
        headers.remove(CONTENT_LENGTH);
    } else if is_head || status == StatusCode::NOT_MODIFIED {
        // Of a body that does not come: passed on if it can be only one number.
        let mut lengths = headers.get_all(CONTENT_LENGTH).into_iter();
        let is_clear = lengths.next().is_none_or(|value| value.as_bytes().iter().all(u8::is_ascii_digit));
        if !is_clear || lengths.next().is_some() {
            headers.remove(CONTENT_LENGTH);
        }
    } else if let Some(length) = length {
        // hyper has read it, however often it was said.
        headers.insert(CONTENT_LENGTH, length.into());
    }
}

/// As [`towards_client`], for the 101 that begins a websocket.
pub(crate) fn websocket_towards_client(response: &mut Response<Incoming>) {
    *response.version_mut() = Version::HTTP_11;
    let headers = response.headers_mut();
    strip_hop_by_hop(headers);
    headers.remove(CONTENT_LENGTH);
}

/// Whether this answer may pause for as long as it likes.
pub(crate) fn is_event_stream(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let media = media.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    media.eq_ignore_ascii_case(b"text/event-stream")
}

/// An upgrade that is none, or none any more, speaks of this connection only.
fn remove_upgrade(headers: &mut HeaderMap) {
    headers.remove(CONNECTION);
    headers.remove(UPGRADE);
}
