use super::settings::OVERRIDES;
use crate::Head;
use crate::field_names::{FieldName, X_ORIGINAL_METHOD, X_ORIGINAL_URI, X_ORIGINAL_URL};
use crate::identity::{IdentityHeaders, fold};
use crate::origin::Origin;

/// What a proxy may repeat about the request that it asks about: its target.
static ORIGINALS: [&FieldName; 2] = [&X_ORIGINAL_URL, &X_ORIGINAL_URI];

/// The first field, folded, by which a client would have the server behind believe another user, target or method than the gate
/// has judged.
///
/// Where the gate passes a request on it leaves such fields out. A proxy that only asks passes on whatever it was not told to
/// replace.
pub(crate) fn pretence(head: &Head<'_>, identity: &IdentityHeaders) -> Option<String> {
    let headers = head.headers;
    let found = headers.view().find_name(|name| {
        let Ok(name) = std::str::from_utf8(name) else { return true };
        let folded = fold(name);
        let is_alias = folded.starts_with("x-forwarded") && !name.eq_ignore_ascii_case(&folded);
        is_alias || identity.has(name) || OVERRIDES.contains(&folded.as_ref())
    });
    if let Some(name) = found {
        return Some(fold(&String::from_utf8_lossy(name)).into_owned());
    }
    let same_target = |value: &str| {
        let page = Origin::split_url(value).map_or(value, |(_, page)| page);
        page.split_once('?').map_or((page, None), |(path, query)| (path, Some(query)))
            == (head.path, head.query)
    };
    let differs = |name: &FieldName, is_same: &dyn Fn(&str) -> bool| {
        headers.has(name) && !headers.text(name).is_some_and(is_same)
    };
    let original = ORIGINALS.into_iter().find(|name| differs(name, &same_target));
    let method = Some(&X_ORIGINAL_METHOD).filter(|name| differs(name, &|value| value == head.method));
    original.or(method).map(|name| name.header().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HeaderView;

    fn found(fields: &[(&str, &str)]) -> Option<String> {
        let pairs: Vec<_> = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let identity = IdentityHeaders::new(&[]).unwrap();
        pretence(&Head::new("GET", "/queues?page=2", HeaderView::Pairs(&pairs)), &identity)
    }

    #[test]
    fn t22_a_field_that_would_make_another_request_of_it_is_found_under_every_spelling() {
        for name in [
            "X-Auth-User",
            "x_auth_user",
            "Remote.User",
            "X-Forwarded-User",
            "X-HTTP-Method-Override",
            "x_http_method",
            "X-Method-Override",
            "X-Rewrite-URL",
            "x_forwarded_for",
            "X.Forwarded-Proto",
            "X-Original-URL",
            "X-Original-URI",
            "X-Original-Method",
        ] {
            assert_eq!(found(&[(name, "/audit")]).as_deref(), Some(fold(name).as_ref()), "{name}");
        }
        let twice = [("x-original-url", "/queues?page=2"), ("x-original-url", "/audit")];
        assert_eq!(found(&twice).as_deref(), Some("x-original-url"));
    }

    #[test]
    fn what_proxies_say_themselves_is_no_pretence() {
        let honest = [
            ("X-Forwarded-For", "192.0.2.1"),
            ("X-Forwarded-Method", "GET"),
            ("X-Forwarded-Uri", "/queues?page=2"),
            ("X-Original-URL", "https://dash.example/queues?page=2"),
            ("X-Original-URI", "/queues?page=2"),
            ("X-Original-Method", "GET"),
            ("X-Real-IP", "192.0.2.1"),
            ("CF-Connecting-IP", "192.0.2.1"),
            ("Cookie", "a=1"),
        ];
        assert_eq!(found(&honest), None);
    }
}
