use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};

use crate::headers::HeaderView;

/// Fields that speak of one connection, whatever `Connection` says (RFC 9110 §7.6.1).
const ALWAYS: [HeaderName; 10] = [
    CONNECTION,
    UPGRADE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
];

/// Removes what was meant for this connection only, in a request or a response: the fields of RFC 9110 §7.6.1 and whatever
/// `Connection` names.
///
/// The upgrade to a websocket (RFC 6455 §4) is the one that is kept; no other protocol may begin behind a gate that could
/// not read it. To be called before fields are added, or a client could name those in `Connection`.
///
/// ```
/// use authgate_core::strip_hop_by_hop;
/// use http::HeaderMap;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("connection", "close, x-mine".parse()?);
/// headers.insert("x-mine", "1".parse()?);
/// headers.insert("x-other", "2".parse()?);
/// strip_hop_by_hop(&mut headers);
/// assert_eq!(headers.keys().collect::<Vec<_>>(), ["x-other"]);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let view = HeaderView::Map(headers);
    let websocket = view.lists(&UPGRADE, "websocket") && view.lists(&CONNECTION, "upgrade");
    if headers.contains_key(CONNECTION) {
        for name in named(headers) {
            headers.remove(name);
        }
    }
    for name in ALWAYS {
        headers.remove(name);
    }
    if websocket {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
}

/// The fields that `Connection` names.
fn named(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(CONNECTION).into_iter();
    let tokens = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    tokens.filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok()).filter(may_be_named).collect()
}

/// A message without its host, length or cookies would be another message, so these do not go because a client says so.
fn may_be_named(name: &HeaderName) -> bool {
    const KEPT: [HeaderName; 4] =
        [http::header::HOST, http::header::CONTENT_LENGTH, http::header::CONTENT_TYPE, http::header::COOKIE];
    !KEPT.contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(fields: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        strip_hop_by_hop(&mut headers);
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let mut left: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        left.sort();
        left
    }

    #[test]
    fn what_is_meant_for_one_connection_goes_no_further() {
        let fields = [
            ("connection", "keep-alive, X-One"),
            ("connection", "x-two , ,"),
            ("x-one", "1"),
            ("x-two", "2"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authorization", "Basic x"),
            ("te", "trailers"),
            ("trailer", "x"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("http2-settings", "x"),
            ("accept", "*/*"),
        ];
        assert_eq!(left(&fields), [("accept".to_owned(), "*/*".to_owned())]);
    }

    #[test]
    fn only_the_upgrade_to_a_websocket_is_kept() {
        let upgrade = |to, connection| left(&[("upgrade", to), ("connection", connection)]);
        let kept = [("connection", "Upgrade"), ("upgrade", "websocket")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(upgrade("websocket", "Upgrade"), kept);
        assert_eq!(upgrade("h2c, WebSocket", "keep-alive, upgrade"), kept);
        assert!(upgrade("h2c", "upgrade").is_empty());
        assert!(upgrade("websocket", "close").is_empty());
    }

    #[test]
    fn a_client_cannot_take_away_what_makes_the_message() {
        let fields = [("connection", "host, content-length, cookie"), ("content-length", "5"), ("host", "x")];
        assert_eq!(left(&fields).len(), 2);
    }
}
