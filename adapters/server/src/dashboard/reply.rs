//! Answers, and the headers that every one of them carries.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use maud::Markup;

/// What the dashboard answers with: bytes at once, or a stream of them.
pub(crate) type DemoBody = UnsyncBoxBody<Bytes, Infallible>;

/// Nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(super) fn html(status: StatusCode, page: Markup) -> Response<DemoBody> {
    with(status, "text/html; charset=utf-8", Bytes::from(page.into_string()))
}

pub(super) fn text(status: StatusCode, text: &'static str) -> Response<DemoBody> {
    with(status, "text/plain; charset=utf-8", Bytes::from_static(text.as_bytes()))
}

/// A file that was compiled into the program.
pub(super) fn asset(content_type: &'static str, bytes: &'static [u8]) -> Response<DemoBody> {
    let mut response = with(StatusCode::OK, content_type, Bytes::from_static(bytes));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}

pub(super) fn events(body: DemoBody) -> Response<DemoBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // A proxy in front must not save events up.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

pub(super) fn see_other(location: &str) -> Response<DemoBody> {
    let Ok(location) = HeaderValue::from_str(location) else {
        return text(StatusCode::INTERNAL_SERVER_ERROR, "This mount cannot be linked to\n");
    };
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, location);
    response
}

pub(super) fn method_not_allowed(allow: &'static str) -> Response<DemoBody> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed\n");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

/// The last touch on every answer: nothing is sniffed, framed, leaked in a referrer or, unless it says so, stored.
pub(super) fn harden(mut response: Response<DemoBody>) -> Response<DemoBody> {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The same answer without its content, for HEAD.
pub(super) fn head_only(response: Response<DemoBody>) -> Response<DemoBody> {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(parts, empty())
}

pub(super) fn empty() -> DemoBody {
    Full::default().boxed_unsync()
}

fn with(status: StatusCode, content_type: &'static str, bytes: Bytes) -> Response<DemoBody> {
    let mut response = Response::new(Full::new(bytes).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
