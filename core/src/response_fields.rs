use std::sync::Arc;

use http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, VARY};

use crate::upstream::UpstreamRules;

/// What a session leaves on the answer to a request that it touched, so that no cache keeps the answer or its cookie for
/// somebody else (RFC 9111 §3).
#[derive(Debug, Clone, Default)]
pub struct ResponseFields {
    touched: bool,
    cookie: Option<Box<HeaderValue>>,
    /// Beside it, and only when somebody signs out.
    farewell: Option<Box<HeaderValue>>,
    /// What another server behind the gate must not set.
    guarded: Option<Arc<UpstreamRules>>,
}

impl ResponseFields {
    /// None yet, for the answer of a server behind the gate.
    pub(crate) fn guarding(upstream: Option<&Arc<UpstreamRules>>) -> Self {
        Self { guarded: upstream.cloned(), ..Self::default() }
    }

    /// What a session leaves, as `others` have it; guarded as before.
    pub(crate) fn adopt(&mut self, others: Self) {
        *self = Self { guarded: self.guarded.take(), ..others };
    }

    /// The session's cookie has been looked for.
    pub(crate) fn touch(&mut self) {
        self.touched = true;
    }

    /// The session's cookie is written anew. The last one counts: an answer has at most one.
    pub(crate) fn set_cookie(&mut self, field: Option<HeaderValue>) {
        self.touched = true;
        self.cookie = field.map(Box::new);
    }

    /// A cookie of another name.
    pub(crate) fn add_cookie(&mut self, field: Option<HeaderValue>) {
        self.farewell = field.map(Box::new);
    }

    /// For an answer that does not depend on the session: touched only if a cookie is written all the same.
    pub(crate) fn cookie_only(self) -> Self {
        Self { touched: self.cookie.is_some(), ..self }
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        !self.touched
    }

    /// The fields to append to the answer's: `Vary`, and up to two `Set-Cookie`.
    pub fn appended(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> + use<> {
        let vary = self.touched.then(|| (VARY, HeaderValue::from_static("Cookie")));
        let cookies = self.cookie.clone().into_iter().chain(self.farewell.clone());
        vary.into_iter().chain(cookies.map(|cookie| (SET_COOKIE, *cookie)))
    }

    /// Writes them into an answer. Its `Cache-Control` gives way to `no-store`, and a server behind the gate cannot set the
    /// session's cookie.
    pub fn apply(&self, headers: &mut HeaderMap) {
        if let Some(upstream) = &self.guarded {
            upstream.cookies.guard(headers);
        }
        if self.touched {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        for (name, value) in self.appended() {
            headers.append(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gate, PasswordBackend, Upstream};

    #[test]
    fn t27_what_a_session_touched_is_kept_by_no_cache() {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
        headers.insert(VARY, HeaderValue::from_static("Accept"));
        ResponseFields::default().apply(&mut headers);
        assert_eq!((headers[CACHE_CONTROL].as_bytes(), headers.len()), (&b"public, max-age=3600"[..], 2));
        let mut fields = ResponseFields::default();
        fields.set_cookie(Some(HeaderValue::from_static("a=1")));
        fields.set_cookie(Some(HeaderValue::from_static("a=2")));
        fields.apply(&mut headers);
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        assert_eq!(headers.get_all(VARY).iter().collect::<Vec<_>>(), ["Accept", "Cookie"]);
        assert_eq!(headers.get_all(SET_COOKIE).iter().collect::<Vec<_>>(), ["a=2"]);
    }

    #[test]
    fn what_a_session_leaves_does_not_take_the_guard_off_an_upstreams_answer() {
        let gate = Gate::builder(PasswordBackend::new()).upstream(Upstream::new()).build().unwrap();
        let mut fields = ResponseFields::guarding(gate.settings().upstream.as_ref());
        let mut others = ResponseFields::default();
        others.touch();
        fields.adopt(others);
        assert!(fields.guarded.is_some() && !fields.is_empty());
    }

    #[test]
    fn there_is_something_to_write_once_a_session_was_looked_for() {
        let mut fields = ResponseFields::default();
        assert!(fields.is_empty() && fields.appended().next().is_none());
        fields.touch();
        assert!(!fields.is_empty() && fields.appended().count() == 1);
    }
}
