//! The admin listener: whether the program lives, and what it has counted. It shows no dashboard, and the other listener
//! shows none of this.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tower::{Service, service_fn};

use super::metrics::Metrics;

type Answer = Response<Full<Bytes>>;

/// The service behind that listener.
pub(super) fn service(
    metrics: Arc<Metrics>,
) -> impl Service<
    Request<Incoming>,
    Response = Answer,
    Error = Infallible,
    Future = Ready<Result<Answer, Infallible>>,
> + Clone
+ Send
+ 'static {
    service_fn(move |request: Request<Incoming>| {
        ready(Ok(answer(request.method(), request.uri().path(), &metrics)))
    })
}

fn answer(method: &Method, path: &str, metrics: &Metrics) -> Answer {
    const TEXT: &str = "text/plain; charset=utf-8";
    let (media, body) = match path {
        "/-/healthz" => (TEXT, Bytes::from_static(b"ok\n")),
        "/-/metrics" => (prometheus::TEXT_FORMAT, metrics.text().into()),
        _ => return told(StatusCode::NOT_FOUND, TEXT, Bytes::from_static(b"Not found\n")),
    };
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut refusal =
            told(StatusCode::METHOD_NOT_ALLOWED, TEXT, Bytes::from_static(b"Method not allowed\n"));
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    told(StatusCode::OK, media, body)
}

fn told(status: StatusCode, media: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_and_metrics_are_read_and_nothing_else_is_there() {
        let metrics = Metrics::new().unwrap();
        for (method, path, status) in [
            (Method::GET, "/-/healthz", 200),
            (Method::HEAD, "/-/metrics", 200),
            (Method::POST, "/-/healthz", 405),
            (Method::GET, "/", 404),
            (Method::GET, "/-/healthz/", 404),
        ] {
            assert_eq!(answer(&method, path, &metrics).status(), status, "{method} {path}");
        }
    }
}
