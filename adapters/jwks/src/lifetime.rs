use std::time::Duration;

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderName};

/// For how long the provider wants its answer to be used from now on (RFC 9111 §4.2); nothing if it does not say.
///
/// `s-maxage` does not count: it speaks to caches that many clients share (§5.2.2.10), and this one's is its own.
pub(crate) fn lifetime(headers: &HeaderMap) -> Option<Duration> {
    let fresh = cache_control(headers).or_else(|| expires(headers))?;
    let age = text(headers, &AGE).and_then(seconds).unwrap_or_default();
    Some(fresh.saturating_sub(age))
}

fn cache_control(headers: &HeaderMap) -> Option<Duration> {
    let fields = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut shortest: Option<Duration> = None;
    for directive in fields.flat_map(|field| field.split(',')) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let said = match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => Duration::ZERO,
            // One that cannot be read is stale at once (§4.2.1).
            "max-age" => seconds(value.trim().trim_matches('"')).unwrap_or_default(),
            _ => continue,
        };
        shortest = Some(shortest.map_or(said, |shortest| shortest.min(said)));
    }
    shortest
}

/// A date that cannot be read has passed (§5.3). The provider's own clock is what counts.
fn expires(headers: &HeaderMap) -> Option<Duration> {
    let moment = |name| text(headers, name).and_then(|text| httpdate::parse_http_date(text).ok());
    if !headers.contains_key(EXPIRES) {
        return None;
    }
    let (Some(end), Some(now)) = (moment(&EXPIRES), moment(&DATE)) else { return Some(Duration::ZERO) };
    Some(end.duration_since(now).unwrap_or_default())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whole seconds, as many as there may be.
fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::lifetime;

    fn said(fields: &[(&'static str, &'static str)]) -> Option<u64> {
        let fields = fields
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value);
        }
        lifetime(&headers).map(|span| span.as_secs())
    }

    #[test]
    fn a_lifetime_is_what_is_left_of_it() {
        for (fields, seconds) in [
            (&[][..], None),
            (&[("age", "10")], None),
            (&[("cache-control", "public, must-revalidate")], None),
            (&[("cache-control", "max-age=300")], Some(300)),
            (&[("cache-control", "public,MAX-AGE = \"300\" , x")], Some(300)),
            (&[("cache-control", "s-maxage=60, max-age=300")], Some(300)),
            (&[("cache-control", "s-maxage=60")], None),
            (&[("cache-control", "max-age=300"), ("age", "100")], Some(200)),
            (&[("cache-control", "max-age=300"), ("age", "400")], Some(0)),
            (&[("cache-control", "max-age=300"), ("age", "-1")], Some(300)),
            (&[("cache-control", "max-age=99999999999999999999")], Some(u64::MAX)),
            (&[("cache-control", "max-age=300, max-age=30")], Some(30)),
            (&[("cache-control", "max-age=300"), ("cache-control", "no-cache")], Some(0)),
            (&[("cache-control", "no-store, max-age=300")], Some(0)),
            (&[("cache-control", "max-age=-1")], Some(0)),
            (&[("cache-control", "max-age=1.5")], Some(0)),
            (&[("cache-control", "max-age")], Some(0)),
        ] {
            assert_eq!(said(fields), seconds, "{fields:?}");
        }
    }

    #[test]
    fn an_end_counts_from_the_providers_own_clock_and_only_if_there_is_no_length() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let end = ("expires", "Sun, 06 Nov 1994 08:50:37 GMT");
        assert_eq!(said(&[date, end]), Some(60));
        assert_eq!(said(&[date, end, ("age", "20")]), Some(40));
        assert_eq!(said(&[date, end, ("cache-control", "max-age=5")]), Some(5));
        assert_eq!(said(&[date, ("expires", "0")]), Some(0));
        assert_eq!(said(&[end]), Some(0));
        assert_eq!(said(&[date, ("expires", "Sun, 06 Nov 1994 08:49:36 GMT")]), Some(0));
    }
}
