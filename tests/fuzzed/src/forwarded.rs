//! What proxies say about a request.

use std::net::IpAddr;
use std::sync::LazyLock;

use authgate_core::{Decision, ForwardedFields, Gate, Head, HeaderView, Peer, Scheme, Upstream};
use http::{HeaderName, HeaderValue, Request, header};
use url::Url;

use crate::world::{NOW, end, jwt};

const OURS: &str = "10.0.0.1";
const STRANGER: &str = "198.51.100.7";

static GATES: LazyLock<[Gate; 3]> = LazyLock::new(|| {
    [ForwardedFields::XForwarded, ForwardedFields::XForwardedHost, ForwardedFields::Rfc7239].map(|fields| {
        let gate = Gate::builder(jwt()).public_prefix("/static").upstream(Upstream::new());
        gate.trusted_proxies(["10.0.0.0/8", "fd00::/8"]).forwarded_fields(fields).build().unwrap()
    })
});

/// A digit (which fields the proxy writes), and header fields, one a line. A stranger's word changes nothing. A proxy's does
/// as a slow walk from the right has it; what stands further left than a client that is nobody's proxy changes nothing;
/// and what a server behind is told is a scheme, a host and an address.
pub fn forwarded(data: &[u8]) {
    let [digit @ b'0'..=b'2', rest @ ..] = data else { return };
    let kind = usize::from(digit - b'0');
    // Some are added below; a head of too many fields is refused before anybody reads them.
    let Some(fields) = fields(rest).filter(|fields| fields.len() <= 90) else { return };
    let plain: Vec<_> = fields.iter().filter(|(name, _)| !is_told(name)).cloned().collect();
    for scheme in [Scheme::Http, Scheme::Https] {
        assert_eq!(
            ask(kind, STRANGER, scheme, &fields),
            ask(kind, STRANGER, scheme, &plain),
            "a stranger is believed"
        );
        let Some(told) = ask(kind, OURS, scheme, &fields) else { continue };
        check_told(&told);
        if kind < 2 {
            assert_eq!(told.client, client(&list(&fields, "x-forwarded-for")));
            let said = list(&fields, "x-forwarded-proto").pop().and_then(|text| proto(&text));
            assert_eq!(told.scheme, said.unwrap_or(scheme));
        }
        if is_somebody(told.client) {
            check_earlier(kind, scheme, &fields, &told);
        }
    }
}

type Field = (HeaderName, HeaderValue);

/// What the server behind the gate learns.
#[derive(Debug, PartialEq)]
struct Told {
    client: Peer,
    scheme: Scheme,
    host: Option<String>,
    fields: Vec<Field>,
}

fn fields(text: &[u8]) -> Option<Vec<Field>> {
    let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            let name = HeaderName::from_bytes(&line[..colon]).ok()?;
            Some((name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?))
        })
        .collect()
}

fn is_told(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-forwarded-") || *name == header::FORWARDED
}

/// Asks the gate, and passes the request on; nothing if the request is refused.
fn ask(kind: usize, peer: &str, scheme: Scheme, fields: &[Field]) -> Option<Told> {
    let mut request = Request::get("/static/x");
    for (name, value) in fields {
        request = request.header(name, value);
    }
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let peer: IpAddr = peer.parse().unwrap();
    parts.extensions.insert(Peer::from(peer));
    parts.extensions.insert(scheme);
    let (admission, client) = match end(GATES[kind].begin(&Head::from(&parts), NOW)) {
        Decision::Forward(admission) => {
            let client = admission.event().client;
            (admission, client)
        }
        Decision::Respond(reply) => {
            assert_eq!(reply.status(), 400, "a public path");
            return None;
        }
        Decision::Delegate(page) => panic!("no backend has pages: {page:?}"),
    };
    let pairs: Vec<_> =
        fields.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes())).collect();
    let head = Head::new("GET", "/static/x", HeaderView::Pairs(&pairs)).over(scheme).from_peer(peer.into());
    assert_eq!(end(GATES[kind].begin(&head, NOW)).event().client, client, "pairs are read alike");
    admission.pass_on(&mut parts);
    let mut told: Vec<Field> =
        parts.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    told.retain(|(name, _)| is_told(name));
    let text = |name: &str| {
        let mut values =
            told.iter().filter(|(known, _)| *known == name).map(|(_, value)| value.to_str().unwrap());
        let one = values.next().map(str::to_owned);
        assert!(values.next().is_none(), "{name} stands once");
        one
    };
    let scheme = proto(text("x-forwarded-proto").unwrap()).expect("http or https");
    let host = text("x-forwarded-host");
    assert_eq!(
        text("x-forwarded-for").and_then(|text| text.parse::<IpAddr>().ok()).map(Peer::from),
        match client {
            Peer::Ip(_) => Some(client),
            _ => None,
        }
    );
    Some(Told { client, scheme, host, fields: told })
}

/// Nothing that the server behind could read as more than it is.
fn check_told(told: &Told) {
    for (name, value) in &told.fields {
        let text = value.to_str().expect("only visible ASCII");
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{name}: {text:?}");
    }
    if let Some(host) = &told.host {
        let odd = |c: char| !(c.is_ascii_alphanumeric() || "-._:[]".contains(c));
        assert!(!host.is_empty() && !host.contains(odd), "{host:?}");
        // A browser refuses some hosts, such as `1.2.3.4.5`; those that it takes are hosts and nothing else.
        if let Ok(there) = Url::parse(&format!("http://{host}")) {
            assert!(
                there.path() == "/" && there.username().is_empty() && there.query().is_none(),
                "{host:?}"
            );
        }
    }
    let forwarded = told.fields.iter().find(|(name, _)| *name == header::FORWARDED).expect("always told");
    let parts = forwarded.1.to_str().unwrap().split(';').count();
    assert_eq!(parts, 2 + usize::from(told.host.is_some()), "{forwarded:?}");
}

/// The items of a list, all fields of the name together.
fn list(fields: &[Field], name: &str) -> Vec<Vec<u8>> {
    let values = fields.iter().filter(|(known, _)| *known == name).map(|(_, value)| value.as_bytes());
    values.flat_map(|value| value.split(|&byte| byte == b',')).map(<[u8]>::to_vec).collect()
}

fn proto(text: impl AsRef<[u8]>) -> Option<Scheme> {
    let text = text.as_ref();
    text.is_ascii().then_some(())?;
    match std::str::from_utf8(text).ok()?.trim().to_ascii_lowercase().as_str() {
        "http" => Some(Scheme::Http),
        "https" => Some(Scheme::Https),
        _ => None,
    }
}

/// Who asks, walking from the right: past our proxies, up to the first address that is none.
fn client(list: &[Vec<u8>]) -> Peer {
    let mut client = Peer::from(OURS.parse::<IpAddr>().unwrap());
    for item in list.iter().rev().take(32) {
        let Some(address) = address(item) else { break };
        client = address.into();
        if is_somebody(client) {
            break;
        }
    }
    client
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`; what follows the address is not
/// looked at.
fn address(item: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(item).ok().filter(|text| text.is_ascii())?.trim();
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None if text.matches(':').count() == 1 => text.split(':').next()?,
        None => text,
    };
    bare.parse().ok()
}

/// Whether an address is none of our proxies'.
fn is_somebody(client: Peer) -> bool {
    match client {
        Peer::Ip(IpAddr::V4(address)) => address.octets()[0] != 10,
        Peer::Ip(IpAddr::V6(address)) => address.octets()[0] != 0xfd,
        Peer::Unix | Peer::Unknown => false,
    }
}

/// What a client has written before our proxy added its own.
fn check_earlier(kind: usize, scheme: Scheme, fields: &[Field], told: &Told) {
    let name = HeaderName::from_static;
    let value = HeaderValue::from_static;
    let mut longer = match kind {
        2 => vec![(header::FORWARDED, value("for=203.0.113.9;host=evil.example;proto=https"))],
        _ => vec![(name("x-forwarded-for"), value("203.0.113.9"))],
    };
    if list(fields, "x-forwarded-proto").pop().is_some() {
        longer.push((name("x-forwarded-proto"), value("https")));
    }
    if list(fields, "x-forwarded-host").pop().is_some() {
        longer.push((name("x-forwarded-host"), value("evil.example")));
    }
    longer.extend(fields.iter().cloned());
    assert_eq!(ask(kind, OURS, scheme, &longer).as_ref(), Some(told), "{fields:?}");
}
