use std::future::poll_fn;
use std::sync::Arc;

use authgate_core::Peer;
use http::header::{CONNECTION, HOST, HeaderValue, TRANSFER_ENCODING};
use http::{Request, Response, StatusCode, Version};
use http_body::Body;
use http_body_util::{Either, Empty};
use hyper::body::{Buf, Incoming};
use hyper::service::{Service as HyperService, service_fn};
use tower_service::Service;

use crate::BoxError;
use crate::activity::{Activity, Open};
use crate::body::CountedBody;

/// `service` as hyper calls it on one connection: every request carries `peer` in its extensions, and counts as open in
/// `activity` until its response body is dropped, as do the parts of that body until they are sent. A request with more than
/// `headers` header fields is answered 431, one over HTTP/1.1 without a host 400 (RFC 9112 §3.2), and one whose body is coded in
/// another way than by chunks 501 (§6.1).
///
/// # Errors
/// Those of `service`, from its readiness and from its call.
pub fn counted<S, B>(
    service: S,
    peer: Peer,
    activity: &Arc<Activity>,
    headers: usize,
) -> impl HyperService<
    Request<Incoming>,
    Response = Response<impl Body<Data = impl Buf + Send + 'static, Error = BoxError> + Send + 'static>,
    Error = S::Error,
    Future: Send + 'static,
> + Send
+ 'static
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let activity = Arc::clone(activity);
    service_fn(move |mut request: Request<Incoming>| {
        let (mut service, open) = (service.clone(), Open::new(&activity));
        request.extensions_mut().insert(peer);
        let (refused, is_http1) = (refused(&request, headers), request.version() <= Version::HTTP_11);
        async move {
            if let Some(status) = refused {
                let mut refusal = Response::new(Either::Right(Empty::new()));
                *refusal.status_mut() = status;
                if is_http1 {
                    // What it was meant to be, nobody knows; so neither where the next one begins.
                    refusal.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                return Ok(refusal);
            }
            poll_fn(|cx| service.poll_ready(cx)).await?;
            let response = service.call(request).await?;
            Ok(response.map(|body| Either::Left(CountedBody::new(body, open))))
        }
    })
}

/// What hyper lets pass, and no server should.
fn refused(request: &Request<Incoming>, headers: usize) -> Option<StatusCode> {
    // Over HTTP/1.1 hyper has seen to this already; over HTTP/2 it counts bytes only.
    if request.headers().len() > headers {
        return Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    let mut codings = request.headers().get_all(TRANSFER_ENCODING).into_iter();
    if codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        // RFC 9112 §6.1: hyper undoes the chunks, and would pass on what is coded otherwise as if it were not.
        return Some(StatusCode::NOT_IMPLEMENTED);
    }
    let names_host = request.uri().authority().is_some() || request.headers().contains_key(HOST);
    (request.version() == Version::HTTP_11 && !names_host).then_some(StatusCode::BAD_REQUEST)
}
