use http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};

use crate::headers::HeaderView;

/// The names of the session's cookie, over TLS and without.
#[derive(Debug, Default)]
pub(crate) struct SessionCookieNames(pub(crate) Vec<String>);

impl SessionCookieNames {
    /// A request's cookies without the session's, in one field (RFC 6265 §5.4); nothing if none is left.
    pub(crate) fn without_session(&self, headers: HeaderView<'_>) -> Option<HeaderValue> {
        let mut kept = Vec::new();
        for pair in headers.all(&COOKIE).flat_map(|field| field.split(|&byte| byte == b';')) {
            let pair = pair.trim_ascii();
            if pair.is_empty() || self.is_ours(pair) {
                continue;
            }
            if !kept.is_empty() {
                kept.extend_from_slice(b"; ");
            }
            kept.extend_from_slice(pair);
        }
        let mut field = HeaderValue::from_bytes(&kept).ok().filter(|field| !field.is_empty())?;
        field.set_sensitive(true);
        Some(field)
    }

    /// Removes from an answer whatever would set the session.
    pub(crate) fn guard(&self, headers: &mut HeaderMap) {
        if !headers.get_all(SET_COOKIE).iter().any(|field| self.is_ours(field.as_bytes())) {
            return;
        }
        let fields: Vec<_> = headers.get_all(SET_COOKIE).iter().cloned().collect();
        headers.remove(SET_COOKIE);
        for field in fields.into_iter().filter(|field| !self.is_ours(field.as_bytes())) {
            headers.append(SET_COOKIE, field);
        }
    }

    /// Whether a cookie, or the field that sets one, is the session's.
    ///
    /// Browsers send a cookie that was set without a name back as its bare value, which then reads like one with a name.
    pub(crate) fn is_ours(&self, pair: &[u8]) -> bool {
        let pair = pair.trim_ascii_start();
        let pair = pair.strip_prefix(b"=").unwrap_or(pair);
        let name = pair.split(|&byte| matches!(byte, b'=' | b';')).next().unwrap_or_default().trim_ascii();
        self.0.iter().any(|ours| ours.as_bytes() == name) || is_of_a_gate(name)
    }
}

/// Whether it is a session of another gate: one on the same host, or one whose place this one has taken, and which made sessions
/// where this one makes none.
fn is_of_a_gate(name: &[u8]) -> bool {
    let bare = [&b"__Host-"[..], b"__Secure-"]
        .into_iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
    bare == b"authgate" || bare.starts_with(b"authgate-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> SessionCookieNames {
        SessionCookieNames(vec!["authgate".to_owned(), "__Host-authgate".to_owned()])
    }

    #[test]
    fn t22_the_session_is_taken_out_and_everything_else_stays() {
        let left = |fields: &[&str]| {
            let pairs: Vec<_> = fields.iter().map(|field| (&b"cookie"[..], field.as_bytes())).collect();
            let kept = names().without_session(HeaderView::Pairs(&pairs))?;
            assert!(kept.is_sensitive());
            Some(kept.to_str().unwrap().to_owned())
        };
        assert_eq!(left(&[]), None);
        assert_eq!(left(&["authgate=x"]), None);
        assert_eq!(left(&["authgate=x; authgate=y;", " __Host-authgate=z"]), None);
        assert_eq!(left(&["a=1;authgate=x;b=2"]).unwrap(), "a=1; b=2");
        assert_eq!(left(&["__Host-authgate-other=x; __Secure-authgate=y", "authgate-ops=z"]), None);
        assert_eq!(left(&["a=1", "authgate =x", "b=\"2\""]).unwrap(), "a=1; b=\"2\"");
        assert_eq!(
            left(&["Authgate=1; authgates=2; xauthgate=3"]).unwrap(),
            "Authgate=1; authgates=2; xauthgate=3"
        );
    }

    #[test]
    fn a_field_that_sets_the_session_is_known_by_its_name() {
        for ours in [
            "authgate=x",
            "authgate=; Path=/",
            " __Host-authgate = x; Secure",
            "authgate",
            "=authgate=x",
            " = authgate=x",
        ] {
            assert!(names().is_ours(ours.as_bytes()), "{ours}");
        }
        for other in ["x=authgate", "==authgate=x", "authgate2=x", "a=1; authgate=2"] {
            assert!(!names().is_ours(other.as_bytes()), "{other}");
        }
    }
}
