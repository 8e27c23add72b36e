//! What must hold for everything that a gate answers.

use authgate_core::{LocalPath, Mount, Reply};
use url::Url;

/// The address that people reach every gate by.
pub(crate) const BASE: &str = "https://dash.example";

/// Whether a link, read as a browser reads it (WHATWG), stays on the dashboard's site and below its mount.
pub(crate) fn stays(link: &str, mount: &str) -> bool {
    let base = Url::parse(&format!("{BASE}{mount}/login")).unwrap();
    base.join(link).is_ok_and(|there| {
        let path = there.path();
        let below = path.strip_prefix(mount).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        there.origin() == base.origin() && there.username().is_empty() && there.password().is_none() && below
    })
}

/// Fields that nothing can be smuggled into, redirects that stay below `mount`, and nothing that a cache could keep.
pub(crate) fn check(reply: &Reply, mount: &Mount) {
    let status = reply.status().as_u16();
    assert!(matches!(status, 200 | 204 | 303 | 400..=599), "an answer with status {status}");
    let mut kept_from_caches = false;
    for (name, value) in reply.headers() {
        let text = value.to_str().expect("only visible ASCII");
        assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name}: {text:?}");
        match name.as_str() {
            "location" | "hx-redirect" => {
                assert!(LocalPath::parse(text, mount).is_some(), "{name}: {text:?}");
                assert!(stays(text, mount.as_str()), "{name}: {text:?}");
                check_next(text, mount.as_str());
            }
            "set-cookie" => assert!(text.contains("; HttpOnly") && text.contains("; SameSite="), "{text}"),
            "cache-control" => kept_from_caches |= text == "no-store",
            _ => {}
        }
        assert!(name != "hx-redirect" || status / 100 != 3, "a browser would follow the status");
    }
    assert!(kept_from_caches, "{reply:?}");
    assert!(reply.body().is_empty() || !(reply.is_bodiless() || matches!(status, 204 | 303)), "{reply:?}");
}

/// A way back is one parameter, and stays, too.
fn check_next(link: &str, mount: &str) {
    let there = Url::parse(BASE).unwrap().join(link).unwrap();
    if !matches!(there.path().strip_prefix(mount), Some("/login" | "/authgate/login")) {
        return;
    }
    for (name, value) in there.query_pairs() {
        assert_eq!(name, "next", "{link}");
        assert!(stays(&value, mount), "{link}");
    }
}
