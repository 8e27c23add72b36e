//! The gate on no runtime at all: a blocking loop over the standard library's sockets, one thread a connection.
//!
//! `cargo run -p authgate-core --example blocking [PORT]`, and then the command that it prints.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, reason = "a driver may")]

use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant, SystemTime};
use std::{env, thread};

use authgate_core::{Decision, Gate, Head, HeadLimits, JwtBackend, Key, Step, Timestamp, Unavailable};
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use jsonwebtoken::{EncodingKey, Header, crypto::aws_lc, encode};

/// How long a head may take to arrive, and an answer to be taken.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    let port = env::args().nth(1).map_or(Ok(8080), |port| port.parse())?;
    // A new secret at every start. A real program reads its own from a file.
    let mut secret = [0; 32];
    aws_lc_rs::rand::fill(&mut secret)?;
    let backend = JwtBackend::builder().key(Key::secret(secret)?).build()?;
    let gate = Gate::builder(backend).public_path("/healthz").build()?;

    // Tokens are issued elsewhere; here, so that there is one to try.
    let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    let claims = serde_json::json!({ "sub": "ada", "name": "Ada Lovelace", "exp": now().as_secs() + 3600 });
    let token = encode(&Header::default(), &claims, &EncodingKey::from_secret(&secret))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let url = format!("http://{}/", listener.local_addr()?);
    println!("{url}\ncurl -H 'Authorization: Bearer {token}' {url}");

    for stream in listener.incoming().flatten() {
        let gate = gate.clone();
        drop(thread::Builder::new().spawn(move || serve(&gate, &stream)));
    }
    Ok(())
}

/// One request, one answer. Whatever goes wrong with the connection ends this connection.
fn serve(gate: &Gate, mut stream: &TcpStream) -> io::Result<()> {
    let (deadline, mut bytes) = (Instant::now() + PATIENCE, Vec::new());
    let answer = loop {
        // Once no time is left, this is an error and the end.
        stream.set_read_timeout(Some(deadline.saturating_duration_since(Instant::now())))?;
        let mut chunk = [0; 4096];
        let length = stream.read(&mut chunk)?;
        bytes.extend(chunk.iter().take(length));
        let mut fields = [httparse::EMPTY_HEADER; 100];
        match Head::parse(&bytes, &mut fields, &HeadLimits::default()) {
            Ok(Some((head, _))) => break answer(gate, &head.from_peer(stream.peer_addr()?.into())),
            Ok(None) if length == 0 => return Ok(()),
            Ok(None) => {}
            Err(error) => break say(error.status(), format!("{}\n", error.status())),
        }
    };
    // The end of the connection ends the body.
    let mut reply = format!("HTTP/1.1 {}\r\nconnection: close\r\n", answer.status()).into_bytes();
    for (name, value) in answer.headers() {
        reply.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&[&reply, b"\r\n".as_slice(), answer.body()].concat())?;
    // A socket closed over unread bytes would take the answer back, so listen once more: a form may be on its way.
    stream.shutdown(Shutdown::Write)?;
    stream.read(&mut [0; 16 * 1024]).map(drop)
}

/// The whole driver: answers questions until there are none, and then does as decided.
fn answer(gate: &Gate, head: &Head<'_>) -> Response<bytes::Bytes> {
    // A backend that must wait (a directory, a database) would be asked here. This gate has none.
    let nobody = Unavailable::new("there is nobody to ask");
    let mut step = gate.begin(head, now());
    let admission = loop {
        step = match step {
            Step::Done(Decision::Delegate(page)) => return page.unavailable(&nobody).into(),
            Step::Done(Decision::Respond(reply)) => return reply.into(),
            Step::Done(Decision::Forward(admission)) => break admission,
            question => question.unavailable(nobody.clone(), now()),
        }
    };
    let name = admission.user.map_or_else(|| "whoever you are".into(), |user| user.name.clone());
    say(StatusCode::OK, if head.method() == "HEAD" { String::new() } else { format!("Hello, {name}!\n") })
}

fn say(status: StatusCode, text: String) -> Response<bytes::Bytes> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn now() -> Timestamp {
    SystemTime::now().into()
}
