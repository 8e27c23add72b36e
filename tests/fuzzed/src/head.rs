//! Request heads as bytes.

use std::ops::Range;
use std::sync::LazyLock;

use authgate_core::{Decision, Gate, Head, HeadError, HeadLimits, HeaderView, Mount};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use httparse::{EMPTY_HEADER, Status};

use crate::replies;
use crate::world::{NOW, end, jwt, told};

const SLOTS: usize = 100;

static GATE: LazyLock<Gate> = LazyLock::new(|| {
    let gate = Gate::builder(jwt()).mount("/ops").public_path("/healthz").public_prefix("/static");
    gate.trusted_proxies(["10.0.0.0/8"]).build().unwrap()
});

/// A head is read once whole, never from less; all that it tells stands in the bytes; a fault is where it is said to be;
/// smaller limits refuse more and change nothing; and a gate decides the same whether the fields came from httparse, as
/// pairs, or through the types that hyper uses.
pub fn head(data: &[u8]) {
    let limits = HeadLimits::default();
    let mut slots = [EMPTY_HEADER; SLOTS];
    let parsed = Head::parse(data, &mut slots, &limits);
    check_small(data, &parsed);
    match parsed {
        Ok(None) => {
            assert!(data.len() <= limits.bytes && status(data).is_ok_and(|status| status.is_partial()));
        }
        Ok(Some((head, length))) => {
            assert_eq!(status(data), Ok(Status::Complete(length)));
            assert!(data[..length].ends_with(b"\n\n") || data[..length].ends_with(b"\n\r\n"));
            for less in [0, length / 2, length - 1] {
                let mut slots = [EMPTY_HEADER; SLOTS];
                let part = Head::parse(&data[..less], &mut slots, &limits);
                assert!(matches!(part, Ok(None)), "{less} of {length} bytes are no head");
            }
            check_spans(&head, &data[..length]);
            check_decisions(&head, target(&data[..length]));
        }
        Err(error) => check_fault(data, &error),
    }
}

/// httparse's own word.
fn status(bytes: &[u8]) -> Result<Status<usize>, httparse::Error> {
    httparse::Request::new(&mut [EMPTY_HEADER; SLOTS]).parse(bytes)
}

/// The same with narrow limits: what fits is read alike, and what does not fit is over one of them.
fn check_small(data: &[u8], wide: &Result<Option<(Head<'_>, usize)>, HeadError>) {
    let limits = HeadLimits { bytes: 96, headers: 3 };
    let mut slots = [EMPTY_HEADER; SLOTS];
    match (Head::parse(data, &mut slots, &limits), wide) {
        (Ok(Some((narrow, length))), Ok(Some((wide, same)))) => {
            assert!(length == *same && length <= limits.bytes);
            assert!(matches!(narrow.headers(), HeaderView::Parsed(fields) if fields.len() <= limits.headers));
            assert_eq!(
                (narrow.method(), narrow.path(), narrow.query()),
                (wide.method(), wide.path(), wide.query())
            );
        }
        (Ok(None), wide) => assert!(matches!(wide, Ok(None))),
        (Ok(Some(_)), wide) => panic!("narrow limits read what wide ones do not: {wide:?}"),
        (Err(error), Ok(_)) => {
            assert!(
                matches!(error, HeadError::TooLarge { .. } | HeadError::TooManyHeaders { .. }),
                "{error:?}"
            );
            if matches!(error, HeadError::TooLarge { .. }) {
                assert!(data.len() > limits.bytes);
            }
        }
        (Err(_), Err(_)) => {}
    }
}

fn check_spans(head: &Head<'_>, bytes: &[u8]) {
    let Range { start, end } = bytes.as_ptr_range();
    let inside = |span: &[u8]| {
        let Range { start: from, end: to } = span.as_ptr_range();
        span.is_empty() || (start <= from && to <= end)
    };
    assert!(inside(head.method().as_bytes()));
    // The root of an absolute target without a path stands nowhere.
    assert!(inside(head.path().as_bytes()) || head.path() == "/");
    assert!(head.query().is_none_or(|query| inside(query.as_bytes()) && !head.path().contains('?')));
    let HeaderView::Parsed(fields) = head.headers() else { panic!("fields as httparse found them") };
    for field in fields {
        assert!(inside(field.name.as_bytes()) && inside(field.value));
        assert!(!field.value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "{field:?}");
    }
}

/// What is said to be the first bad byte is one.
fn check_fault(data: &[u8], error: &HeadError) {
    match *error {
        HeadError::TooLarge { limit, at } => assert!(data.len() > limit && at == Some(limit)),
        HeadError::TooManyHeaders { limit, at: Some(at) } => {
            assert_eq!(limit, SLOTS);
            assert!(status(&data[..at]).is_ok() && status(&data[..=at]).is_err());
        }
        HeadError::Syntax { at, .. } => {
            assert!(
                status(&data[..at]).is_ok() && status(&data[..=at]).is_err(),
                "{error} of {}",
                data.len()
            );
        }
        ref other => assert!(status(data).is_ok_and(|status| status.is_complete()), "{other:?}"),
    }
}

fn check_decisions(head: &Head<'_>, target: &str) {
    let HeaderView::Parsed(fields) = head.headers() else { return };
    let decision = end(GATE.begin(head, NOW));
    match &decision {
        Decision::Respond(reply) => replies::check(reply, &Mount::parse("/ops").unwrap()),
        Decision::Forward(admission) => assert!(admission.user.is_none(), "nobody has a token here"),
        Decision::Delegate(page) => panic!("no backend has pages: {page:?}"),
    }
    let parsed = told(&decision);
    let pairs: Vec<_> = fields.iter().map(|field| (field.name.as_bytes(), field.value)).collect();
    let as_pairs = Head::new(head.method(), target, HeaderView::Pairs(&pairs));
    assert_eq!(told(&end(GATE.begin(&as_pairs, NOW))), parsed);
    if let Some(parts) = parts(head.method(), target, &pairs) {
        assert_eq!(told(&end(GATE.begin(&Head::from(&parts), NOW))), parsed);
    }
}

/// The target, as it was sent.
fn target(bytes: &[u8]) -> &str {
    let mut slots = [EMPTY_HEADER; SLOTS];
    let mut request = httparse::Request::new(&mut slots);
    assert!(request.parse(bytes).is_ok_and(|status| status.is_complete()));
    request.path.unwrap()
}

/// The request as hyper would hand it over; nothing where its types refuse it, cut off a fragment, or know other schemes.
fn parts(method: &str, target: &str, fields: &[(&[u8], &[u8])]) -> Option<http::request::Parts> {
    let is_ours =
        target.starts_with('/') || ["http://", "https://"].iter().any(|scheme| target.starts_with(scheme));
    let uri = Uri::try_from(target).ok().filter(|_| is_ours && !target.contains('#'))?;
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
    *request.uri_mut() = uri;
    for (name, value) in fields {
        let (name, value) = (HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?);
        request.headers_mut().append(name, value);
    }
    Some(request.into_parts().0)
}
