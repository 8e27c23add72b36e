//! One runner a driver: each takes a dialogue through to the answer that its client would read.

use std::convert::Infallible;
use std::future::ready;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use authgate_core::{Decision, Head, HeadLimits, Lookup, Mount, Peer, Step, Unavailable};
use authgate_smol::Smol;
use authgate_tokio::{Limits, Tokio};
use authgate_tower::{GateLayer, Host};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::dialogue::{Dialogue, Outcome, Told};
use crate::world::{NOW, Settings, StillHost, own_page, verdict, who};

/// A way to take a dialogue through the gate.
pub type Driver = fn(&Settings, &Dialogue) -> Outcome;

/// All of them, by name.
pub const DRIVERS: [(&str, Driver); 4] =
    [("core", core), ("tower", tower), ("tokio", on_tokio), ("smol", on_smol)];

/// The core alone: bytes in, decision out.
fn core(settings: &Settings, dialogue: &Dialogue) -> Outcome {
    let raw = dialogue.raw();
    let mut slots = [httparse::EMPTY_HEADER; 100];
    let (head, _) = Head::parse(&raw, &mut slots, &HeadLimits::default()).unwrap().unwrap();
    let head = head.from_peer(Peer::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST))).below(&settings.below);
    let mut step = settings.gate().begin(&head, NOW);
    let decision = loop {
        step = match step {
            Step::Done(decision) => break decision,
            Step::AskBackend(_, then) => {
                let cookie = head.headers().one(&http::header::COOKIE).unwrap();
                then.resume(who(cookie.and_then(|cookie| std::str::from_utf8(cookie).ok())), NOW)
            }
            Step::ReadBody(limit, then) => then.resume(limit.body(body_of(&raw).to_vec()), NOW),
            Step::CheckPassword(who, then) => then.resume(verdict(&who.username, who.password.expose()), NOW),
            Step::LookUpUser(_, then) => then.resume(Ok(Lookup::Unknowable), NOW),
            Step::DrawBytes(then) => then.resume(Ok([9; 32]), NOW),
            record => record.unavailable(Unavailable::new("sessions are sealed here"), NOW),
        };
    };
    let told = Told::of(&decision.event());
    match decision {
        Decision::Respond(reply) => Outcome { told, ..read_http(Response::from(reply)) },
        Decision::Delegate(page) => Outcome { told, ..read_http(Response::new(own_page(&page).into())) },
        Decision::Forward(admission) => {
            let mut headers = HeaderMap::new();
            for field in raw_fields(&raw) {
                headers.append(field, http::HeaderValue::from_static(""));
            }
            let kept =
                headers.keys().filter(|name| !admission.strips(name)).map(|name| name.as_str().to_owned());
            let user = admission.user.as_ref().map(|user| user.name.as_str());
            let request = Request::builder().method(head.method()).body(()).unwrap();
            let mut response = dashboard(user, kept.collect(), &request).map(collect);
            admission.response_fields().apply(response.headers_mut());
            Outcome { told, ..read_http(response) }
        }
    }
}

/// The tower layer, called in process.
fn tower(settings: &Settings, dialogue: &Dialogue) -> Outcome {
    let host = StillHost::new(Smol);
    let mut request = request_of(&dialogue.raw());
    request.extensions_mut().insert(Peer::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST)));
    let response = smol::block_on(async {
        let response = stack(settings, host.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    });
    let told = host.take();
    assert_eq!(told.len(), 1, "one record a request: {told:?}");
    Outcome { told: told[0].clone(), ..read_http(response) }
}

/// The server on tokio, over a real socket.
fn on_tokio(settings: &Settings, dialogue: &Dialogue) -> Outcome {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().unwrap());
    let host = StillHost::new(Tokio);
    let service = stack(settings, host.clone());
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server =
            tokio::spawn(authgate_tokio::serve(listener, service, Limits::default(), std::future::pending()));
        let raw = dialogue.raw();
        let answer = tokio::task::spawn_blocking(move || exchange(address, &raw)).await.unwrap();
        server.abort();
        answer_of(&answer, &host)
    })
}

/// The server on smol, over a real socket.
fn on_smol(settings: &Settings, dialogue: &Dialogue) -> Outcome {
    let host = StillHost::new(Smol);
    let service = stack(settings, host.clone());
    smol::block_on(async {
        let listener = smol::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server =
            smol::spawn(authgate_smol::serve(listener, service, Limits::default(), std::future::pending()));
        let raw = dialogue.raw();
        let answer = smol::unblock(move || exchange(address, &raw)).await;
        server.cancel().await;
        answer_of(&answer, &host)
    })
}

/// The gate before a dashboard that says who came and with which header fields.
fn stack<B, H: Host>(
    settings: &Settings,
    host: H,
) -> impl tower::Service<
    Request<B>,
    Response = Response<authgate_tower::GateBody<Full<Bytes>>>,
    Error = Infallible,
    Future: Send,
> + Clone
+ Send
+ 'static
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<authgate_tower::BodyError>,
{
    let inner = service_fn(|request: Request<B>| {
        let user = request.extensions().get::<authgate_core::User>().map(|user| user.name.clone());
        let names = request.headers().keys().map(|name| name.as_str().to_owned()).collect();
        ready(Ok::<_, Infallible>(dashboard(user.as_deref(), names, &request)))
    });
    let layer = GateLayer::new(settings.gate(), host).verify_blocking(verdict);
    layer.below(Mount::parse(&settings.below).unwrap()).layer(inner)
}

/// What every driver's dashboard answers.
fn dashboard<B>(user: Option<&str>, mut names: Vec<String>, request: &Request<B>) -> Response<Full<Bytes>> {
    names.retain(|name| !matches!(name.as_str(), "host" | "connection" | "authorization" | "content-length"));
    names.sort();
    names.dedup();
    let body =
        if request.method() == "HEAD" { String::new() } else { format!("passed: {}", names.join(" ")) };
    let mut response = Response::new(Full::from(body));
    response.headers_mut().insert("x-seen-user", user.unwrap_or("-").parse().unwrap());
    response
}

fn answer_of<R>(raw: &[u8], host: &StillHost<R>) -> Outcome {
    let told = host.take();
    assert_eq!(told.len(), 1, "one record a request: {told:?}, {:?}", String::from_utf8_lossy(raw));
    let mut slots = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut slots);
    let length = match response.parse(raw).unwrap() {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => panic!("half an answer: {:?}", String::from_utf8_lossy(raw)),
    };
    Outcome {
        status: response.code.unwrap(),
        headers: fields(response.headers.iter().map(|field| (field.name, field.value))),
        body: String::from_utf8_lossy(&raw[length..]).into_owned(),
        told: told[0].clone(),
    }
}

/// Sends one request and reads until the server closes.
fn exchange(address: SocketAddr, raw: &[u8]) -> Vec<u8> {
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

fn request_of(raw: &[u8]) -> Request<Full<Bytes>> {
    let mut slots = [httparse::EMPTY_HEADER; 100];
    let mut parsed = httparse::Request::new(&mut slots);
    parsed.parse(raw).unwrap();
    let mut request = Request::builder().method(parsed.method.unwrap()).uri(parsed.path.unwrap());
    for field in parsed.headers.iter() {
        request = request.header(field.name, field.value);
    }
    request.body(Full::from(body_of(raw).to_vec())).unwrap()
}

/// What follows the head.
fn body_of(raw: &[u8]) -> &[u8] {
    let head = raw.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    &raw[head + 4..]
}

fn raw_fields(raw: &[u8]) -> Vec<http::HeaderName> {
    request_of(raw).headers().keys().cloned().collect()
}

fn collect(body: Full<Bytes>) -> Bytes {
    smol::block_on(body.collect()).unwrap().to_bytes()
}

fn read_http(response: Response<Bytes>) -> Outcome {
    let (parts, body) = response.into_parts();
    Outcome {
        status: parts.status.as_u16(),
        headers: fields(parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))),
        body: String::from_utf8_lossy(&body).into_owned(),
        told: Told { outcome: String::new(), reason: String::new(), user: None, client: String::new() },
    }
}

fn fields<'a>(all: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<(String, String)> {
    all.map(|(name, value)| (name.to_ascii_lowercase(), String::from_utf8_lossy(value).into_owned()))
        .collect()
}
