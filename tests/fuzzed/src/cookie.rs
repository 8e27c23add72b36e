//! Cookies, and which of them is the session's.

use std::sync::LazyLock;

use authgate_core::{
    Admission, Decision, Gate, Head, HeaderView, PasswordBackend, Scheme, SealingKey, Sessions, Step,
    Upstream, User,
};
use aws_lc_rs::digest;
use base64_simd::URL_SAFE_NO_PAD;
use cookie::Cookie;
use http::{Request, header};

use crate::world::{NOW, SECRET};

/// How many cookies of one name a gate looks at; more are nobody's.
const MOST: usize = 8;

static RECORDS: LazyLock<Gate> =
    LazyLock::new(|| Gate::builder(PasswordBackend::new()).public_path("/healthz").build().unwrap());

static SEALED: LazyLock<Gate> = LazyLock::new(|| {
    let sessions = Sessions::sealed([SealingKey::new(SECRET).unwrap()]);
    let gate = Gate::builder(PasswordBackend::new()).sessions(sessions).public_path("/healthz");
    gate.upstream(Upstream::new()).build().unwrap()
});

/// The sealed session of somebody who signed in over plain HTTP.
static GENUINE: LazyLock<String> = LazyLock::new(genuine);

/// Each line is a `Cookie` field; `{sealed}` stands for a genuine session. The session that is asked about is one that the
/// `cookie` crate reads, too, and the only one; only the genuine one, whole, lets anybody in; and a server behind gets every
/// other cookie and never the session's.
pub fn cookie(data: &[u8]) {
    let lines: Vec<_> = data.split(|&byte| byte == b'\n').map(expand).collect();
    // What is refused before anybody looks for a session.
    if lines.len() > 90 || lines.iter().flatten().any(|byte| matches!(byte, b'\r' | 0)) {
        return;
    }
    let pairs: Vec<_> = lines.iter().map(|line| (&b"cookie"[..], line.as_slice())).collect();
    for (scheme, name) in [(Scheme::Http, "authgate"), (Scheme::Https, "__Host-authgate")] {
        check_record(&pairs, scheme, name);
    }
    check_sealed(&pairs);
    check_passed_on(&lines);
}

fn expand(line: &[u8]) -> Vec<u8> {
    let mark = b"{sealed}";
    let mut text = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.windows(mark.len()).position(|window| window == mark) {
        text.extend_from_slice(&rest[..at]);
        text.extend_from_slice(GENUINE.as_bytes());
        rest = &rest[at + mark.len()..];
    }
    text.extend_from_slice(rest);
    text
}

/// The values under a name, as the `cookie` crate finds them; nothing if it cannot read a field at all.
fn values(pairs: &[(&[u8], &[u8])], name: &str) -> Option<Vec<String>> {
    let mut values = Vec::new();
    for (_, field) in pairs {
        let cookies = Cookie::split_parse(std::str::from_utf8(field).ok()?).filter_map(Result::ok);
        values.extend(cookies.filter(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned()));
    }
    Some(values)
}

fn check_record(pairs: &[(&[u8], &[u8])], scheme: Scheme, name: &str) {
    let head = Head::new("GET", "/queues", HeaderView::Pairs(pairs)).over(scheme);
    let asked = match RECORDS.begin(&head, NOW) {
        Step::LoadSession(id, _) => Some(*id.as_bytes()),
        Step::Done(Decision::Respond(_)) => None,
        other => panic!("a stranger's cookie: {other:?}"),
    };
    let Some(values) = values(pairs, name) else { return };
    let ids: Vec<_> = values.iter().filter_map(|value| id(value)).collect();
    if let Some(asked) = asked {
        assert!(ids.contains(&asked), "nobody else reads this session in {pairs:?}");
    }
    if !has_odd_space(pairs) {
        let only = if let [only] = ids[..] { Some(only).filter(|_| values.len() <= MOST) } else { None };
        assert_eq!(asked, only, "{pairs:?}");
    }
}

/// White space around `=` and values is where readers differ: the gate knows no such cookie.
fn has_odd_space(pairs: &[(&[u8], &[u8])]) -> bool {
    pairs.iter().any(|(_, field)| field.iter().any(|byte| !byte.is_ascii_graphic()))
}

/// The session that a cookie leads to.
fn id(value: &str) -> Option<[u8; 32]> {
    let secret = URL_SAFE_NO_PAD.decode_to_vec(value).ok().filter(|secret| secret.len() == 32)?;
    let hashed = digest::digest(&digest::SHA256, &[&b"authgate session id\0"[..], &secret].concat());
    hashed.as_ref().try_into().ok()
}

fn check_sealed(pairs: &[(&[u8], &[u8])]) {
    let head = Head::new("GET", "/queues", HeaderView::Pairs(pairs));
    let Step::Done(decision) = SEALED.begin(&head, NOW) else {
        panic!("a sealed session is not asked about")
    };
    let genuine =
        values(pairs, "authgate").map(|values| values.iter().filter(|value| **value == *GENUINE).count());
    match decision {
        Decision::Forward(Admission { user: Some(user), .. }) => {
            assert_eq!(user.id, "ada");
            assert!(genuine.is_none_or(|count| count == 1 || has_odd_space(pairs) && count > 1), "{pairs:?}");
            assert!(pairs.iter().any(|(_, field)| String::from_utf8_lossy(field).contains(&*GENUINE)));
        }
        Decision::Respond(_) => {}
        other => panic!("{other:?}"),
    }
}

fn check_passed_on(lines: &[Vec<u8>]) {
    let mut request = Request::get("/healthz");
    for line in lines {
        request = request.header(header::COOKIE, line.as_slice());
    }
    let Ok(request) = request.body(()) else { return };
    let (mut parts, ()) = request.into_parts();
    let Step::Done(Decision::Forward(admission)) = SEALED.begin(&Head::from(&parts), NOW) else {
        panic!("a public path")
    };
    admission.pass_on(&mut parts);
    let kept: Vec<_> =
        parts.headers.get_all(header::COOKIE).iter().map(|field| field.as_bytes().to_vec()).collect();
    let mut before: Vec<_> = lines.iter().flat_map(|line| list(line)).collect();
    let after: Vec<_> = kept.iter().flat_map(|line| list(line)).collect();
    let names = kept.iter().flat_map(|line| line.split(|&byte| byte == b';')).map(name);
    assert!(!names.into_iter().any(|name| is_ours(&name)), "{kept:?}");
    before.retain(|(name, _)| !is_ours(name));
    if kept.iter().chain(lines).all(|line| line.is_ascii()) {
        assert_eq!(before, after, "{lines:?}");
    }
}

/// A cookie's name. The `cookie` crate, but no browser, cuts off other white space than ASCII's, too.
fn name(pair: &[u8]) -> String {
    let name = pair.split(|&byte| byte == b'=').next().unwrap_or_default();
    String::from_utf8_lossy(name.trim_ascii()).into_owned()
}

/// All cookies of a field, as the `cookie` crate finds them.
fn list(field: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(field).into_owned();
    let cookies = Cookie::split_parse(text).filter_map(Result::ok);
    cookies.map(|cookie| (cookie.name().to_owned(), cookie.value().to_owned())).collect()
}

fn is_ours(name: &str) -> bool {
    let bare = name.strip_prefix("__Host-").or_else(|| name.strip_prefix("__Secure-")).unwrap_or(name);
    bare == "authgate" || bare.starts_with("authgate-")
}

fn genuine() -> String {
    let fields: [(&[u8], &[u8]); 2] =
        [(b"content-type", b"application/x-www-form-urlencoded"), (b"sec-fetch-site", b"same-origin")];
    let mut step = SEALED.begin(&Head::new("POST", "/login", HeaderView::Pairs(&fields)), NOW);
    loop {
        step = match step {
            Step::ReadBody(limit, then) => then.resume(limit.body(b"username=ada&password=x".to_vec()), NOW),
            Step::CheckPassword(_, then) => then.resume(Ok(Some(User::new("ada")).into()), NOW),
            Step::DrawBytes(then) => then.resume(Ok([7; 32]), NOW),
            Step::Done(Decision::Respond(reply)) => {
                let cookie =
                    reply.headers().iter().find(|(name, _)| *name == header::SET_COOKIE).unwrap().1.clone();
                let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
                return pair.strip_prefix("authgate=").unwrap().to_owned();
            }
            other => panic!("not a step of a sign-in: {other:?}"),
        };
    }
}
