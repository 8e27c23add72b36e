use http::header::{FORWARDED, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::settings::UpstreamRules;
use crate::field_names::{X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO};
use crate::origin::Authority;
use crate::{Mount, Peer, Scheme, User};

static X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Everything but what stands for itself in a URL (RFC 3986 §2.3), and `@`, which many ids have.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// Who asked, and how they reached us: what the server behind cannot see itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ForwardedTo<'a> {
    pub(crate) client: Peer,
    pub(crate) scheme: Scheme,
    pub(crate) authority: Option<Authority<'a>>,
    /// What was cut off the path.
    pub(crate) prefix: Option<&'a Mount>,
}

impl ForwardedTo<'_> {
    /// The fields that tell it: one client, not the list that came (RFC 7239 §4, §8.1).
    pub(crate) fn fields(&self) -> Vec<(HeaderName, HeaderValue)> {
        let proto = self.scheme.as_str();
        let host = self.authority.map(|authority| authority.to_string());
        let client = match self.client {
            Peer::Ip(address) => Some(address),
            Peer::Unix | Peer::Unknown => None,
        };
        let node = match client {
            Some(address) if address.is_ipv6() => format!("\"[{address}]\""),
            Some(address) => address.to_string(),
            None => "unknown".to_owned(),
        };
        let named = host.as_ref().map_or_else(String::new, |host| format!(";host=\"{host}\""));
        let told = [
            (X_FORWARDED_FOR.header(), client.map(|address| address.to_string())),
            (X_FORWARDED_HOST.header(), host),
            (&X_FORWARDED_PREFIX, self.prefix.map(Mount::to_string).filter(|text| !text.is_empty())),
            (&FORWARDED, Some(format!("for={node}{named};proto={proto}"))),
        ];
        let fields = told.into_iter().filter_map(|(name, text)| field(name, &text?));
        fields.chain([(X_FORWARDED_PROTO.header().clone(), HeaderValue::from_static(proto))]).collect()
    }
}

impl UpstreamRules {
    /// The fields that say who was let in.
    pub(crate) fn identity(&self, user: &User) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let roles: Vec<_> = user.roles.iter().map(|role| encode(role)).collect();
        let roles = (!roles.is_empty()).then(|| field(&self.roles, &roles.join(","))).flatten();
        field(&self.user, &encode(&user.id)).into_iter().chain(roles)
    }
}

fn field(name: &HeaderName, text: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((name.clone(), HeaderValue::from_str(text).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Upstream;

    fn shown(fields: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Vec<String> {
        let mut shown: Vec<_> =
            fields.into_iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        shown.sort();
        shown
    }

    #[test]
    fn the_server_behind_learns_who_asked_and_how() {
        let mount = Mount::parse("/ops").unwrap();
        let told = ForwardedTo {
            client: "2001:db8::7".parse::<std::net::IpAddr>().unwrap().into(),
            scheme: Scheme::Https,
            authority: Authority::parse("dash.example:8443"),
            prefix: Some(&mount),
        };
        assert_eq!(
            shown(told.fields()),
            [
                "forwarded: for=\"[2001:db8::7]\";host=\"dash.example:8443\";proto=https",
                "x-forwarded-for: 2001:db8::7",
                "x-forwarded-host: dash.example:8443",
                "x-forwarded-prefix: /ops",
                "x-forwarded-proto: https",
            ]
        );
        let nothing = ForwardedTo { client: Peer::Unix, scheme: Scheme::Http, authority: None, prefix: None };
        assert_eq!(shown(nothing.fields()), ["forwarded: for=unknown;proto=http", "x-forwarded-proto: http"]);
    }

    #[test]
    fn t22_an_id_is_percent_encoded_and_cannot_become_two_fields() {
        let rules = Upstream::new().prepare(Vec::new()).unwrap();
        let mut user = User::new("é a,b%\r\nX-Auth-Roles: admin@x.example");
        assert_eq!(
            shown(rules.identity(&user)),
            ["x-auth-user: %C3%A9%20a%2Cb%25%0D%0AX-Auth-Roles%3A%20admin@x.example"]
        );
        user = User { roles: vec!["ops".into(), "on,call".into()], ..User::new("ada") };
        assert_eq!(shown(rules.identity(&user)), ["x-auth-roles: ops,on%2Ccall", "x-auth-user: ada"]);
    }
}
