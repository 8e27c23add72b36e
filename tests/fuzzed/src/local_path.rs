//! Links below a mount: the only ones that a redirect can be built from.

use authgate_core::{LocalPath, Mount};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::readings::{below, climbs, has_percent_u, rounds};
use crate::replies::{BASE, stays};

/// The first line is a mount, the rest a link. What is accepted is kept byte for byte and stays below the mount, for a
/// browser and for whoever decodes first; what a slow reading finds sound is accepted; and as `next` of a login it adds one
/// parameter, which is itself.
pub fn local_path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (mount, raw) = text.split_once('\n').unwrap_or(("/ops", text));
    check_mount(mount);
    let mount = Mount::parse(mount).unwrap_or_else(|_| Mount::parse("/ops").unwrap());
    check_home(&mount);
    let link = LocalPath::parse(raw, &mount);
    assert_eq!(link.is_some(), is_sound(raw, mount.as_str()), "{raw:?} below {mount}");
    let Some(link) = link else { return };
    assert_eq!(link.as_str(), raw);
    assert_eq!(link.to_string(), raw);
    assert_eq!(link.to_header_value().as_bytes(), raw.as_bytes());
    assert!(stays(raw, mount.as_str()), "{raw:?} below {mount}");
    let path = raw.split(['?', '#']).next().unwrap();
    for round in rounds(below(path, mount.as_str()).unwrap()) {
        let read = String::from_utf8_lossy(&round);
        assert!(stays(&format!("{mount}{read}"), mount.as_str()), "{raw:?} read as {read:?}");
        // An application that is told the path without its mount.
        assert!(stays(&read, ""), "{raw:?} read as {read:?}");
    }
    check_next(&link, &mount);
}

/// A mount is a prefix that any link can start with.
fn check_mount(text: &str) {
    let Ok(mount) = Mount::parse(text) else { return };
    let folded = mount.as_str();
    assert_eq!(Mount::parse(folded).unwrap(), mount);
    assert!(!folded.ends_with('/') && !folded.starts_with("//"), "{text:?}");
    assert_eq!(text.strip_suffix('/').unwrap_or(text), folded);
    let there = Url::parse(BASE).unwrap().join(&format!("{folded}/x")).unwrap();
    assert_eq!(there.host_str(), Some("dash.example"), "{text:?}");
    assert_eq!(there.path(), format!("{folded}/x"), "{text:?}");
}

fn check_home(mount: &Mount) {
    assert_eq!(LocalPath::home(mount).as_str(), format!("{mount}/"));
}

/// The same judgement, round by round.
fn is_sound(raw: &str, mount: &str) -> bool {
    let path = raw.split(['?', '#']).next().unwrap_or_default();
    let Some(rest) = below(path, mount).filter(|_| path.starts_with('/')) else { return false };
    let is_separator = |byte: &u8| matches!(byte, b'/' | b'\\');
    raw.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && rounds(rest).iter().all(|round| {
            let begins_twice = round.len() > 1 && is_separator(&round[1]);
            !begins_twice
                && !has_percent_u(round)
                && !round.iter().any(u8::is_ascii_control)
                && !round.split(is_separator).any(climbs)
        })
        && rounds(rest).last().is_some_and(|last| std::str::from_utf8(last).is_ok())
}

fn check_next(link: &LocalPath, mount: &Mount) {
    let login = LocalPath::parse(&format!("{mount}/login"), mount).unwrap();
    let there = login.with_next(Some(link));
    assert!(LocalPath::parse(there.as_str(), mount).is_some());
    let read = Url::parse(BASE).unwrap().join(there.as_str()).unwrap();
    assert_eq!(read.path(), login.as_str());
    assert_eq!(read.fragment(), None);
    let pairs: Vec<_> = read.query_pairs().collect();
    assert_eq!(pairs, [("next".into(), link.as_str().into())]);
    let (_, value) = there.as_str().split_once("?next=").unwrap();
    assert_eq!(percent_decode_str(value).decode_utf8().unwrap(), link.as_str());
}
