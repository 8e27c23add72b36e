//! Links, origins and hosts against the `url` crate, which reads them as browsers do (WHATWG URL).

use authgate_core::{LocalPath, Mount, Scheme, Step};
use authgate_tests::case::{Backend, Config, Request};
use authgate_tests::strategies::{cases, one_of};
use authgate_tests::world::NOW;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use url::Url;

use crate::list::Reason::{Has, Without};
use crate::list::{Both, Reason, check, is_listed};

/// A question to both.
#[derive(Debug, Clone)]
enum Asked {
    /// Whether a link leads from one page of the mount to another.
    Link(String),
    /// Whether a request to a host, with this `Origin`, comes from the same origin.
    Origin { scheme: Scheme, host: String, origin: String },
}

impl Asked {
    fn ask(&self) -> Both {
        match self {
            Self::Link(link) => Both {
                ours: LocalPath::parse(link, &Mount::parse("/ops").unwrap()).is_some(),
                theirs: stays(link),
            },
            Self::Origin { scheme, host, origin } => {
                Both { ours: is_ours(*scheme, host, origin), theirs: is_theirs(*scheme, host, origin) }
            }
        }
    }
}

/// Whether a browser stays on the host and below the mount.
fn stays(link: &str) -> bool {
    let page = Url::parse("https://dash.example/ops/queues").unwrap();
    let there = page.join(link);
    there.is_ok_and(|there| {
        there.origin() == page.origin()
            && (there.path() == "/ops" || there.path().starts_with("/ops/"))
            && there.username().is_empty()
    })
}

/// Whether the gate takes a post for one of its own site's.
fn is_ours(scheme: Scheme, host: &str, origin: &str) -> bool {
    let config = Config { backends: vec![Backend::People], ..Config::default() };
    let fields = [("host", host), ("origin", origin), ("content-type", "application/x-www-form-urlencoded")];
    let request = Request {
        method: "POST".to_owned(),
        target: "/ops/login".to_owned(),
        scheme,
        fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..Request::default()
    };
    matches!(request.lend(|head| config.build(NOW).gate.begin(head, NOW)), Step::ReadBody(..))
}

fn is_theirs(scheme: Scheme, host: &str, origin: &str) -> bool {
    let ours = Url::parse(&format!("{}://{host}", scheme.as_str()));
    let theirs = Url::parse(origin);
    let is_bare = |url: &Url| url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            ours.origin() == theirs.origin() && is_bare(&ours) && is_bare(&theirs) && ours.host().is_some()
        }
        _ => false,
    }
}

fn link(asked: &Asked) -> Option<&str> {
    if let Asked::Link(link) = asked { Some(link) } else { None }
}

fn path(asked: &Asked) -> Option<&str> {
    link(asked)?.split(['?', '#']).next()
}

/// All readings of a path, decoded once, twice and so on.
fn any_round(asked: &Asked, holds: impl Fn(&[u8]) -> bool) -> bool {
    let Some(path) = path(asked) else { return false };
    let mut now = path.as_bytes().to_vec();
    for _ in 0..path.len() {
        if holds(&now) {
            return true;
        }
        now = percent_encoding::percent_decode(&now).collect();
    }
    holds(&now)
}

/// What a name is to a browser, if it is one at all.
type Name = Result<url::Host, url::ParseError>;

/// The host's name and the origin's, without their ports.
fn names(asked: &Asked) -> Option<[&str; 2]> {
    let Asked::Origin { host, origin, .. } = asked else { return None };
    let authority = origin.split_once(':').map_or("", |(_, rest)| rest).trim_start_matches(['/', '\\']);
    Some([host.as_str(), authority].map(|text| {
        let end = text.rfind(']').map_or(0, |at| at + 1);
        let end = text[end..].find([':', '/', '\\', '?', '#']).map_or(text.len(), |at| end + at);
        &text[..end]
    }))
}

fn any_name(asked: &Asked, holds: impl Fn(&str, Name) -> bool) -> bool {
    names(asked).is_some_and(|names| names.into_iter().any(|name| holds(name, url::Host::parse(name))))
}

fn any_text(asked: &Asked, holds: impl Fn(&str) -> bool) -> bool {
    let Asked::Origin { host, origin, .. } = asked else { return false };
    holds(host) || holds(origin)
}

/// The same with another name, if host and origin have one and the same that browsers refuse for this: all else must be
/// as it should be.
fn renamed(asked: &Asked, refused: url::ParseError) -> Option<Asked> {
    let Asked::Origin { scheme, host, origin } = asked else { return None };
    let [ours, theirs] = names(asked)?;
    let is_one = ours.eq_ignore_ascii_case(theirs) && url::Host::parse(ours) == Err(refused);
    is_one.then(|| Asked::Origin {
        scheme: *scheme,
        host: host.replacen(ours, "dash.example", 1),
        origin: origin.replacen(theirs, "dash.example", 1),
    })
}

const REASONS: &[Reason<Asked>] = &[
    Has("a link that does not begin with one slash", |asked| {
        link(asked).is_some_and(|link| !link.starts_with('/') || link.starts_with("//"))
    }),
    Has("a link with a backslash, a space, a control character or beyond ASCII", |asked| {
        link(asked).is_some_and(|link| link.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'\\'))
    }),
    Has("a link with a segment of dots, even escaped, before a semicolon or before spaces", |asked| {
        any_round(asked, |path| {
            path.split(|byte| b"/\\".contains(byte)).any(|segment| {
                let name = segment.split(|byte| *byte == b';').next().unwrap();
                [".", ".."].contains(&String::from_utf8_lossy(name).trim_end_matches(' '))
            })
        })
    }),
    Has("a link with an empty segment behind the mount, encoded or not", |asked| {
        any_round(asked, |path| {
            path.strip_prefix(b"/ops/").is_some_and(|rest| rest.starts_with(b"/") || rest.starts_with(b"\\"))
        })
    }),
    Has("a link that hides a control character", |asked| {
        any_round(asked, |path| path.iter().any(u8::is_ascii_control))
            && path(asked).is_some_and(|path| !path.bytes().any(|byte| byte.is_ascii_control()))
    }),
    Has("a link with `%u`, as IIS reads it", |asked| {
        any_round(asked, |path| path.windows(2).any(|two| two == b"%u" || two == b"%U"))
    }),
    Has("a link whose escapes are not UTF-8", |asked| {
        any_round(asked, |path| std::str::from_utf8(path).is_err())
    }),
    Has("an origin with a slash, a user, an escape, or no two slashes", |asked| {
        let Asked::Origin { origin, .. } = asked else { return false };
        origin.split_once("://").is_none_or(|(_, rest)| rest.contains(['/', '\\', '@', '%']))
    }),
    Has(
        "a host with a user, a slash, a backslash or an escape",
        |asked| matches!(asked, Asked::Origin { host, .. } if host.contains(['/', '\\', '@', '%'])),
    ),
    Has("a host or an origin with white space, or beyond ASCII", |asked| {
        any_text(asked, |text| text.contains(|c: char| c.is_ascii_whitespace() || !c.is_ascii()))
    }),
    Has("a host that is an IPv4 address in another spelling", |asked| {
        any_name(asked, |name, read| matches!(read, Ok(url::Host::Ipv4(one)) if one.to_string() != name))
    }),
    Without("a host that ends in a number and is no IPv4 address", |asked| {
        renamed(asked, url::ParseError::InvalidIpv4Address)
    }),
    Without("a host that IDNA refuses", |asked| renamed(asked, url::ParseError::IdnaError)),
    Has("a host with a sign that names may not have", |asked| {
        any_name(asked, |name, read| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c) || !c.is_ascii();
            matches!(read, Ok(url::Host::Domain(_))) && !name.contains('%') && !name.chars().all(is_plain)
        })
    }),
];

fn links() -> impl Strategy<Value = Asked> {
    let pieces = [
        "/",
        "/",
        "ops",
        "ops",
        "/ops",
        "/ops/",
        "queues",
        "a;b",
        "..",
        ".",
        "%2e",
        "%2E",
        "%252e",
        "%2f",
        "%5c",
        "%5C",
        "\\",
        "//",
        "?",
        "#",
        "@",
        ":",
        "evil.example",
        "https:",
        "javascript:",
        "\t",
        "\n",
        " ",
        "é",
        "%00",
        "%0d",
        "%ff",
        "%C3%A9",
        "%u002e",
        "%",
        "%25",
        ";",
        "..;",
        "%20",
        "a",
    ];
    prop_oneof![
        2 => vec(one_of(&pieces), 0..6).prop_map(|pieces| pieces.concat()),
        3 => vec(one_of(&pieces), 0..6).prop_map(|pieces| "/ops/".to_owned() + &pieces.concat()),
    ]
    .prop_map(Asked::Link)
}

fn origins() -> impl Strategy<Value = Asked> {
    let names = [
        "dash.example",
        "Dash.Example",
        "dash.example.",
        "ops.example",
        "a_b",
        "localhost",
        "127.0.0.1",
        "127.1",
        "0x7f.0.0.1",
        "127.0.0.1.",
        "256.1.1.1",
        "1.2.3.4.5",
        "a.1",
        "[::1]",
        "[0:0::1]",
        "[::FFFF:127.0.0.1]",
        "[::ffff:7f00:1]",
        "xn--a",
        "xn--bcher-kva.example",
        "bücher.example",
        "%64ash.example",
        "a..b",
        "-a-",
        "da*sh",
        "a b",
        "",
        ".",
        "..",
        "u@dash.example",
        "dash.example/",
        "dash.example\\",
        "dash.example?x",
        "dash.example#x",
        "da\tsh.example",
        "[::1",
        "[x]",
    ];
    let ports = ["", "", "", ":80", ":443", ":8080", ":", ":0080", ":99999", ":+80", ":x", ": 80"];
    let authority = || (one_of(&names), one_of(&ports)).prop_map(|(name, port)| name + &port);
    let schemes = [
        "http://",
        "http://",
        "https://",
        "HTTP://",
        "http:/",
        "http:",
        "http:\\\\",
        "ws://",
        "ftp://",
        "file://",
        "",
        "://",
        "null",
    ];
    let alike = prop_oneof![2 => Just(true), 1 => Just(false)];
    (
        select(vec![Scheme::Http, Scheme::Https]),
        authority(),
        authority(),
        one_of(&schemes),
        one_of(&["", "", "", "", "/", "?", "#", "/x"]),
        alike,
    )
        .prop_map(|(scheme, host, other, written, tail, alike)| {
            let name = if alike { host.clone() } else { other };
            Asked::Origin { scheme, host, origin: format!("{written}{name}{tail}") }
        })
}

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn t01_links_are_read_as_browsers_read_them_but_for_the_list(asked in links()) {
        let both = asked.ask();
        // In this direction there is no difference.
        prop_assert!(!both.ours || both.theirs, "a browser leaves the mount");
        prop_assert!(both.ours == both.theirs || is_listed(REASONS, &asked, both, Asked::ask), "{:?}", both);
    }

    #[test]
    fn t18_origins_are_read_as_browsers_read_them_but_for_the_list(asked in origins()) {
        let both = asked.ask();
        prop_assert!(both.ours == both.theirs || is_listed(REASONS, &asked, both, Asked::ask), "{:?}", both);
    }
}

#[test]
fn every_listed_difference_with_url_is_there() {
    let read = |witness: &toml::Table| match witness.get("link") {
        Some(link) => Asked::Link(link.as_str().unwrap().to_owned()),
        None => Asked::Origin {
            scheme: Scheme::Http,
            host: witness["host"].as_str().unwrap().to_owned(),
            origin: witness["origin"].as_str().unwrap().to_owned(),
        },
    };
    check("url", REASONS, read, Asked::ask);
}
