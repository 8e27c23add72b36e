use crate::ConfigError;
use crate::origin::{Authority, Scheme};

/// The hosts that a request may name. An empty list allows any.
#[derive(Debug, Default)]
pub(crate) struct AllowedHosts(Vec<(String, Option<u16>)>);

impl AllowedHosts {
    pub(crate) fn parse(hosts: &[String]) -> Result<Self, ConfigError> {
        let parse = |text: &String| match Authority::parse(text) {
            Some(authority) => Ok((authority.host().to_owned(), authority.port())),
            None => Err(ConfigError::new(
                "allowed_hosts",
                format!("{text:?} is no host"),
                "write a name or an address, such as \"dash.example\" or \"dash.example:8443\"",
            )),
        };
        hosts.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `authority` is one of them: the same host, and the same port where one is listed.
    pub(crate) fn contain(&self, authority: Option<Authority<'_>>, scheme: Scheme) -> bool {
        let Some(authority) = authority else { return self.0.is_empty() };
        self.0.is_empty()
            || self.0.iter().any(|(host, port)| {
                Authority::host_only(host).same_host(&authority)
                    && port.is_none_or(|port| port == authority.port_over(scheme))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_allowed_by_its_name_and_by_its_port_where_one_is_listed() {
        let hosts = ["dash.example".to_owned(), "ops.example:8443".to_owned()];
        let hosts = AllowedHosts::parse(&hosts).unwrap();
        let allows = |text, scheme| hosts.contain(Authority::parse(text), scheme);
        assert!(allows("DASH.example", Scheme::Http) && allows("dash.example:99", Scheme::Https));
        assert!(allows("ops.example:8443", Scheme::Https));
        assert!(!allows("ops.example", Scheme::Https) && !allows("ops.example:8444", Scheme::Https));
        assert!(!allows("evil.example", Scheme::Http) && !hosts.contain(None, Scheme::Http));
        let any = AllowedHosts::default();
        assert!(any.contain(None, Scheme::Http) && any.contain(Authority::parse("a"), Scheme::Http));
    }
}
