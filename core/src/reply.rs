use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Response, StatusCode};

use crate::event::{Event, Note, Outcome};
use crate::local_path::LocalPath;
use crate::page::LoginForm;
use crate::response_fields::ResponseFields;

static HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// An answer of the gate's own, ready to be sent: `http::Response::from(reply)`.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    bodiless: bool,
    form: Option<Box<LoginForm>>,
    pub(crate) note: Note,
}

impl Reply {
    /// An empty answer. Nothing that the gate says may be kept by a cache.
    pub(crate) fn empty(status: StatusCode, note: Note) -> Self {
        // With room for what most answers have besides.
        let mut headers = Vec::with_capacity(4);
        headers.push((CACHE_CONTROL, HeaderValue::from_static("no-store")));
        headers.push((X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")));
        Self { status, headers, body: Bytes::new(), bodiless: false, form: None, note }
    }

    /// A redirect that is followed with GET (RFC 9110 §15.4.4).
    pub(crate) fn see_other(to: LocalPath, note: Note) -> Self {
        Self::empty(StatusCode::SEE_OTHER, note).with(LOCATION, to.into_header_value())
    }

    /// A short text for programs.
    pub(crate) fn text(status: StatusCode, text: &'static str, note: Note) -> Self {
        let mut reply = Self::empty(status, note)
            .with(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        reply.body = Bytes::from_static(text.as_bytes());
        reply
    }

    /// A page for people, which may load nothing but its own style.
    pub(crate) fn page(status: StatusCode, html: String, policy: &HeaderValue, note: Note) -> Self {
        let mut reply = Self::empty(status, note)
            .with(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))
            .with(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"))
            // Not `no-referrer`: forms would then send `Origin: null`, which is nobody's origin.
            .with(REFERRER_POLICY, HeaderValue::from_static("same-origin"))
            .with(CONTENT_SECURITY_POLICY, policy.clone());
        reply.body = html.into();
        reply
    }

    /// A page with a form to sign in with, which the host may render instead.
    pub(crate) fn with_form(mut self, form: LoginForm) -> Self {
        self.form = Some(Box::new(form));
        self
    }

    /// The form that this page shows, if it shows one: for a host that renders its own.
    pub fn login_form(&self) -> Option<&LoginForm> {
        self.form.as_deref()
    }

    /// The same answer with another page: the host's own HTML, under the host's own policy (CSP level 3).
    #[must_use]
    pub fn with_own_page(mut self, html: impl Into<Bytes>, policy: HeaderValue) -> Self {
        self.headers.retain(|(name, _)| *name != CONTENT_SECURITY_POLICY);
        self.body = if self.bodiless { Bytes::new() } else { html.into() };
        self.with(CONTENT_SECURITY_POLICY, policy)
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Tells HTMX to load a page instead. Never on a 3xx, which the browser would follow by itself.
    pub(crate) fn with_hx_redirect(self, to: LocalPath) -> Self {
        self.with(HX_REDIRECT.clone(), to.into_header_value())
    }

    pub(crate) fn with_challenges(mut self, challenges: &[HeaderValue]) -> Self {
        self.headers.extend(challenges.iter().map(|challenge| (WWW_AUTHENTICATE, challenge.clone())));
        self
    }

    /// For HEAD: what GET would answer, without the body.
    pub(crate) fn without_body(mut self) -> Self {
        self.body = Bytes::new();
        self.bodiless = true;
        self
    }

    pub(crate) fn with_fields(mut self, fields: &ResponseFields) -> Self {
        self.headers.extend(fields.appended());
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The header fields, in order. The body's length is the server's to say.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// What the log says about it.
    pub fn event(&self) -> Event<'_> {
        self.note.event(Outcome::Respond, Some(self.status.as_u16()), None)
    }

    /// Whether it has no body because HEAD asked for it: then nothing is known of its length either.
    pub fn is_bodiless(&self) -> bool {
        self.bodiless
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

impl From<Reply> for Response<Bytes> {
    fn from(reply: Reply) -> Self {
        let mut response = Self::new(reply.body);
        *response.status_mut() = reply.status;
        response.headers_mut().reserve(reply.headers.len());
        for (name, value) in reply.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}
