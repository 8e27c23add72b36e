use std::fmt;

use crate::field_names::{ACCEPT, CONNECTION, HX_REQUEST, SEC_FETCH_MODE, SEC_WEBSOCKET_KEY, UPGRADE};
use crate::headers::RequestFields;

/// What asked, and so what kind of answer it can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A person's navigation: answered with pages and redirects.
    Page,
    /// HTMX (`HX-Request: true`): answered with texts and `HX-Redirect`.
    Htmx,
    /// A program (an API call, SSE, XHR, a probe): answered with a status it can read.
    Api,
    /// A websocket's handshake: refused before it is accepted.
    WebSocket,
}

impl Kind {
    /// Tells from the header fields alone. The path, the user agent and the host have no say.
    pub(crate) fn of(headers: RequestFields<'_>) -> Self {
        if is_websocket(headers) {
            Self::WebSocket
        } else if headers.all(&HX_REQUEST).any(|value| value == b"true") {
            Self::Htmx
        } else if is_program(headers) {
            Self::Api
        } else {
            Self::Page
        }
    }

    /// The name that the log uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Htmx => "htmx",
            Self::Api => "api",
            Self::WebSocket => "websocket",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Its handshake (RFC 6455 §4.1). A proxy that asks about it may have dropped `Upgrade` and `Connection`, which were for its own
/// connection.
fn is_websocket(headers: RequestFields<'_>) -> bool {
    headers.lists(&UPGRADE, "websocket") && headers.lists(&CONNECTION, "upgrade")
        || headers.has(&SEC_WEBSOCKET_KEY)
        || headers.all(&SEC_FETCH_MODE).any(|mode| mode == b"websocket")
}

/// A browser says so itself (Fetch Metadata: any mode but `navigate`), or `Accept` names JSON or an event stream and
/// neither HTML nor everything.
fn is_program(headers: RequestFields<'_>) -> bool {
    if headers.all(&SEC_FETCH_MODE).any(|mode| mode != b"navigate") {
        return true;
    }
    let mut data = false;
    for media in headers.all(&ACCEPT).flat_map(|value| value.split(|&byte| byte == b',')) {
        let media = media.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
        let is = |name: &[u8]| media.eq_ignore_ascii_case(name);
        let suffix = media.len().checked_sub(5).and_then(|start| media.get(start..)).unwrap_or_default();
        if is(b"text/html") || is(b"application/xhtml+xml") || is(b"*/*") {
            return false;
        }
        data |= is(b"application/json") || is(b"text/event-stream") || suffix.eq_ignore_ascii_case(b"+json");
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HeaderView;

    fn kind(fields: &[(&'static str, &'static str)]) -> Kind {
        let pairs: Vec<_> = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        Kind::of(RequestFields::of(HeaderView::Pairs(&pairs)))
    }

    #[test]
    fn t12_whoever_cannot_read_html_is_not_sent_any() {
        assert_eq!(kind(&[]), Kind::Page);
        assert_eq!(kind(&[("accept", "*/*")]), Kind::Page);
        assert_eq!(kind(&[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")]), Kind::Page);
        assert_eq!(kind(&[("accept", "text/html, application/json")]), Kind::Page);
        assert_eq!(kind(&[("accept", "application/json")]), Kind::Api);
        assert_eq!(kind(&[("accept", "Application/Problem+JSON; q=1")]), Kind::Api);
        assert_eq!(kind(&[("accept", "text/event-stream")]), Kind::Api);
        assert_eq!(kind(&[("accept", "text/plain"), ("accept", "application/json")]), Kind::Api);
        assert_eq!(kind(&[("accept", "*/*"), ("sec-fetch-mode", "cors")]), Kind::Api);
        assert_eq!(kind(&[("accept", "application/json"), ("sec-fetch-mode", "navigate")]), Kind::Api);
        assert_eq!(kind(&[("accept", "text/html"), ("sec-fetch-mode", "navigate")]), Kind::Page);
    }

    #[test]
    fn htmx_and_websockets_are_known_by_their_fields() {
        assert_eq!(kind(&[("hx-request", "true"), ("sec-fetch-mode", "cors")]), Kind::Htmx);
        assert_eq!(kind(&[("hx-request", "1")]), Kind::Page);
        assert_eq!(kind(&[("upgrade", "WebSocket"), ("connection", "keep-alive, Upgrade")]), Kind::WebSocket);
        assert_eq!(kind(&[("upgrade", "websocket")]), Kind::Page);
        assert_eq!(kind(&[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")]), Kind::WebSocket);
        assert_eq!(kind(&[("sec-fetch-mode", "websocket")]), Kind::WebSocket);
    }

    #[test]
    fn whoever_takes_one_kind_of_page_is_sent_one() {
        for page in ["text/html", "application/xhtml+xml", "*/*"] {
            assert_eq!(kind(&[("accept", "application/json"), ("accept", page)]), Kind::Page);
        }
    }

    #[test]
    fn a_kind_prints_as_the_log_calls_it() {
        let kinds = [Kind::Page, Kind::Htmx, Kind::Api, Kind::WebSocket].map(|kind| kind.to_string());
        assert_eq!(kinds, ["page", "htmx", "api", "websocket"]);
    }
}
