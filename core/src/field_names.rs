//! The fields of a request that a gate asks for, each with its mark: see [`RequestFields`](crate::headers::RequestFields).

use http::header::HeaderName;

/// A field's name, and its mark.
#[derive(Debug)]
pub(crate) struct FieldName {
    name: HeaderName,
    mark: u64,
}

pub(crate) static ACCEPT: FieldName = FieldName::new("accept");
pub(crate) static CONNECTION: FieldName = FieldName::new("connection");
pub(crate) static CONTENT_LENGTH: FieldName = FieldName::new("content-length");
pub(crate) static CONTENT_TYPE: FieldName = FieldName::new("content-type");
pub(crate) static COOKIE: FieldName = FieldName::new("cookie");
pub(crate) static FORWARDED: FieldName = FieldName::new("forwarded");
pub(crate) static HOST: FieldName = FieldName::new("host");
pub(crate) static HX_CURRENT_URL: FieldName = FieldName::new("hx-current-url");
pub(crate) static HX_REQUEST: FieldName = FieldName::new("hx-request");
pub(crate) static ORIGIN: FieldName = FieldName::new("origin");
pub(crate) static REFERER: FieldName = FieldName::new("referer");
pub(crate) static SEC_FETCH_MODE: FieldName = FieldName::new("sec-fetch-mode");
pub(crate) static SEC_FETCH_SITE: FieldName = FieldName::new("sec-fetch-site");
pub(crate) static SEC_WEBSOCKET_KEY: FieldName = FieldName::new("sec-websocket-key");
pub(crate) static TRANSFER_ENCODING: FieldName = FieldName::new("transfer-encoding");
pub(crate) static UPGRADE: FieldName = FieldName::new("upgrade");
pub(crate) static VIA: FieldName = FieldName::new("via");
pub(crate) static X_FORWARDED_FOR: FieldName = FieldName::new("x-forwarded-for");
pub(crate) static X_FORWARDED_HOST: FieldName = FieldName::new("x-forwarded-host");
pub(crate) static X_FORWARDED_METHOD: FieldName = FieldName::new("x-forwarded-method");
pub(crate) static X_FORWARDED_PORT: FieldName = FieldName::new("x-forwarded-port");
pub(crate) static X_FORWARDED_PROTO: FieldName = FieldName::new("x-forwarded-proto");
pub(crate) static X_FORWARDED_URI: FieldName = FieldName::new("x-forwarded-uri");
pub(crate) static X_ORIGINAL_METHOD: FieldName = FieldName::new("x-original-method");
pub(crate) static X_ORIGINAL_URI: FieldName = FieldName::new("x-original-uri");
pub(crate) static X_ORIGINAL_URL: FieldName = FieldName::new("x-original-url");

impl FieldName {
    const fn new(name: &'static str) -> Self {
        Self { name: HeaderName::from_static(name), mark: mark(name.as_bytes()) }
    }

    #[cfg(test)]
    pub(crate) fn of(name: HeaderName) -> Self {
        let mark = mark(name.as_str().as_bytes());
        Self { name, mark }
    }

    pub(crate) fn header(&self) -> &HeaderName {
        &self.name
    }

    pub(crate) fn mark(&self) -> u64 {
        self.mark
    }
}

/// One of 64 bits, by a name's length and its ends, whatever their case. The factors were searched for: see the test.
pub(crate) const fn mark(name: &[u8]) -> u64 {
    let (first, last) = match name {
        [] => (0, 0),
        [only] => (*only, *only),
        [first, .., last] => (*first, *last),
    };
    1 << ((name.len() + 21 * (first | 0x20) as usize + 62 * (last | 0x20) as usize) % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_every_request_shares_no_mark_with_what_browsers_send() {
        let asked = [
            &CONNECTION,
            &CONTENT_LENGTH,
            &COOKIE,
            &FORWARDED,
            &HX_REQUEST,
            &ORIGIN,
            &SEC_WEBSOCKET_KEY,
            &TRANSFER_ENCODING,
            &UPGRADE,
            &VIA,
            &X_FORWARDED_FOR,
        ];
        let sent = [
            "host",
            "user-agent",
            "accept",
            "accept-encoding",
            "accept-language",
            "authorization",
            "cache-control",
            "if-none-match",
            "pragma",
            "priority",
            "referer",
            "sec-ch-ua",
            "sec-ch-ua-mobile",
            "sec-ch-ua-platform",
            "sec-fetch-dest",
            "sec-fetch-mode",
            "sec-fetch-site",
            "sec-fetch-user",
            "upgrade-insecure-requests",
        ];
        for name in sent {
            let shared: Vec<_> = asked.iter().filter(|asked| asked.mark() == mark(name.as_bytes())).collect();
            assert!(shared.is_empty(), "{name}: {shared:?}");
        }
    }

    #[test]
    fn a_mark_does_not_depend_on_case() {
        for (one, other) in [("Host", "host"), ("X-FORWARDED-FOR", "x-forwarded-for"), ("", ""), ("T", "t")] {
            assert_eq!(mark(one.as_bytes()), mark(other.as_bytes()));
        }
    }
}
