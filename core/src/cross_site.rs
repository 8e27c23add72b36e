use crate::field_names::{ORIGIN, SEC_FETCH_SITE};
use crate::headers::RequestFields;
use crate::origin::Origin;

/// What becomes of a request that another site may have made the browser send: an unsafe one or a websocket's handshake,
/// under a proof that the browser attaches by itself, and every post that signs in or out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CrossSite {
    /// It is refused. The default.
    #[default]
    Refused,
    /// It is refused; but whoever says nothing about where a request comes from, as programs do, may sign in and out. A
    /// browser that says nothing is an old one, and another site may sign its user in as somebody else.
    SilentSignIn,
    /// It passes, and another site may act for whoever is signed in: only for a dashboard that guards itself.
    Allowed,
}

/// Whether a request says nothing about where it comes from.
pub(crate) fn is_silent(headers: RequestFields<'_>) -> bool {
    !headers.has(&SEC_FETCH_SITE) && !headers.has(&ORIGIN)
}

/// Whether another site may have made the browser send this request.
///
/// The browser's own word comes first (Fetch Metadata: `same-origin`, or `none` for what the person typed or
/// bookmarked; `same-site` is somebody else's subdomain). Without it, `Origin` must be ours. With neither, nobody
/// vouches for the request, and it counts as foreign.
pub(crate) fn is_foreign(headers: RequestFields<'_>, ours: Option<Origin<'_>>) -> bool {
    match headers.one(&SEC_FETCH_SITE) {
        Ok(Some(site)) => !matches!(site, b"same-origin" | b"none"),
        Ok(None) => headers.text(&ORIGIN).and_then(Origin::parse).is_none_or(|origin| Some(origin) != ours),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HeaderView;
    use crate::origin::{Authority, Scheme};

    #[test]
    fn t18_the_browsers_word_counts_first_and_then_the_origin() {
        let ours = Origin::new(Scheme::Https, Authority::parse("Dash.example").unwrap());
        let table: &[(&[(&str, &str)], bool)] = &[
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-site"), ("origin", "https://dash.example")], true),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "other")], true),
            (&[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")], true),
            (&[("origin", "https://dash.example")], false),
            (&[("origin", "HTTPS://DASH.EXAMPLE:443")], false),
            (&[("origin", "http://dash.example")], true),
            (&[("origin", "https://dash.example.evil.example")], true),
            (&[("origin", "null")], true),
            (&[("origin", "https://dash.example"), ("origin", "https://dash.example")], true),
            (&[], true),
        ];
        for (fields, foreign) in table {
            let pairs: Vec<_> =
                fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
            assert_eq!(
                is_foreign(RequestFields::of(HeaderView::Pairs(&pairs)), Some(ours)),
                *foreign,
                "{fields:?}"
            );
        }
        let pairs: [(&[u8], &[u8]); 1] = [(b"origin", b"https://dash.example")];
        assert!(is_foreign(RequestFields::of(HeaderView::Pairs(&pairs)), None));
    }
}
