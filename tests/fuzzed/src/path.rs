//! Paths, and who may see what they name.

use std::sync::LazyLock;

use authgate_core::{Decision, Gate, Head, HeaderView, Rule};
use url::Url;

use crate::readings::{below, climbs, has_percent_u, rounds};
use crate::replies::BASE;
use crate::world::{NOW, end, jwt, token};

static GATE: LazyLock<Gate> = LazyLock::new(|| {
    let gate = Gate::builder(jwt()).mount("/ops").login_path("/login");
    gate.public_path("/healthz").public_prefix("/static").build().unwrap()
});

static RULED: LazyLock<Gate> = LazyLock::new(|| {
    let everywhere = Rule::parse("/", &[], &["signed-in"]).unwrap();
    let secret = Rule::parse("/secret", &[], &["admins"]).unwrap();
    Gate::builder(jwt()).mount("/ops").rules([everywhere, secret]).build().unwrap()
});

static ADA: LazyLock<String> = LazyLock::new(|| format!("Bearer {}", token(r#"{"sub":"ada"}"#)));

/// A path is public exactly when everybody reads it as one below a public one: in each round of decoding, nothing climbs,
/// nothing was hidden, no segment is empty. The query has no say. And no spelling of a path leads past its rule.
pub fn path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let text = text.split('?').next().unwrap_or_default();
    let path = if text.starts_with('/') { text.to_owned() } else { format!("/ops/static/{text}") };
    check_public(&path);
    check_ruled(&path);
    if !path.starts_with("/ops/") {
        check_public(&format!("/ops{path}"));
        check_ruled(&format!("/ops{path}"));
    }
}

fn check_public(path: &str) {
    let is_public = |query| {
        let head = Head::of("GET", path, query, HeaderView::Pairs(&[]));
        matches!(end(GATE.begin(&head, NOW)), Decision::Forward(admission) if admission.user.is_none())
    };
    let is_sound = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    let listed =
        below(path, "/ops").is_some_and(|path| path == "/healthz" || below(path, "/static").is_some());
    let public = is_public(None);
    assert_eq!(public, is_sound && listed && reads_alike(path), "{path:?}");
    assert_eq!(public, is_public(Some("/static/../healthz")), "{path:?}");
    if public {
        for round in rounds(path) {
            let there = Url::parse(BASE).unwrap().join(&String::from_utf8_lossy(&round)).unwrap();
            assert_eq!(there.host_str(), Some("dash.example"), "{path:?}");
            let there = there.path();
            assert!(
                there == "/ops/healthz" || below(there, "/ops/static").is_some(),
                "{path:?} is {there:?}"
            );
        }
    }
}

/// Whether every round of decoding leaves the same segments, none of which climbs or is empty.
fn reads_alike(path: &str) -> bool {
    let rounds = rounds(path);
    let marks = |text: &[u8]| {
        text.iter()
            .filter(|byte| matches!(byte, b'/' | b'\\' | b'?' | b'#') || byte.is_ascii_control())
            .count()
    };
    let last = &rounds[rounds.len() - 1];
    let inner = path.strip_suffix('/').unwrap_or(path);
    marks(last) == marks(path.as_bytes())
        && !path.contains('\\')
        && std::str::from_utf8(last).is_ok()
        && rounds.iter().all(|round| !has_percent_u(round) && !round.split(|&byte| byte == b'/').any(climbs))
        && inner.split('/').skip(1).all(|segment| !segment.is_empty())
}

fn check_ruled(path: &str) {
    let fields: [(&[u8], &[u8]); 1] = [(b"authorization", ADA.as_bytes())];
    let head = Head::of("GET", path, None, HeaderView::Pairs(&fields));
    let Decision::Forward(admission) = end(RULED.begin(&head, NOW)) else { return };
    assert!(admission.user.is_some_and(|user| user.id == "ada"));
    for round in rounds(path) {
        let text = String::from_utf8_lossy(&round);
        for name in [text.to_ascii_lowercase(), cut(&text.to_ascii_lowercase())] {
            assert!(below(&name, "/ops/secret").is_none(), "{path:?} may be read as {name:?}");
        }
    }
}

/// As a server reads it that drops parameters, dots and spaces at the end of a segment, and what is then empty.
fn cut(path: &str) -> String {
    let names = path.split('/').map(|segment| segment.split(';').next().unwrap_or_default());
    let names = names.map(|name| name.trim_end_matches(['.', ' '])).filter(|name| !name.is_empty());
    names.fold(String::new(), |path, name| path + "/" + name)
}
