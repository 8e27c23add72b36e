use authgate_core::{CrossSite, ForwardedFields};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{moments, one_of, some_of, trusts};
use crate::case::{Backend, Config, Directory, Lifetimes, Page, RuleText};

/// Any gate that can be built.
pub fn configs() -> BoxedStrategy<Config> {
    (backends(), places(), rights(), origins(), sessions())
        .prop_map(|(backends, places, rights, origins, sessions)| {
            let (mount, login_path, logout_path, public_paths, public_prefixes) = places;
            let (admins_only, admin_roles, any_role, rules) = rights;
            let Origins { allowed_networks, require_tls, cross_site, allowed_hosts, proxies } = origins;
            let Proxies { trusted, forwarded, ask, identity_headers } = proxies;
            let (lifetimes, sealed, always_secure, shared, tries, upstream, ended) = sessions;
            let has_rules = !rules.is_empty();
            let has_networks = rules.iter().flat_map(|rule| &rule.who).any(|who| who.starts_with("network:"));
            // Where a network is proof enough, the hosts must be named.
            let allowed_hosts = if has_networks && allowed_hosts.is_empty() {
                vec!["dash.example".to_owned()]
            } else {
                allowed_hosts
            };
            Config {
                backends,
                mount,
                login_path,
                logout_path,
                public_paths,
                public_prefixes,
                admins_only: admins_only && !has_rules,
                admin_roles,
                any_role: if has_rules { Vec::new() } else { any_role },
                rules,
                allowed_networks,
                require_tls,
                cross_site,
                trusted_proxies: trusted,
                forwarded,
                forward_auth: ask,
                identity_headers,
                allowed_hosts,
                tries,
                lifetimes,
                sealed,
                always_secure,
                shared,
                upstream,
                ended,
            }
        })
        .boxed()
}

/// Any gate where people sign in, and nothing else is decided.
pub fn gates_with_sessions() -> BoxedStrategy<Config> {
    let others = prop_oneof![3 => Just(Vec::new()), 1 => backends()];
    (others, sessions())
        .prop_map(|(others, (lifetimes, sealed, always_secure, shared, tries, upstream, ended))| {
            let mut backends = vec![Backend::People];
            backends.extend(others.into_iter().filter(|backend| *backend != Backend::People));
            for backend in &mut backends {
                if let Backend::Directory(directory) = backend {
                    directory.login = Page::Own;
                }
            }
            Config {
                backends,
                tries,
                lifetimes,
                sealed,
                always_secure,
                shared,
                upstream,
                ended,
                ..Config::default()
            }
        })
        .boxed()
}

/// Any gate where rights decide, and nothing else.
pub fn gates_with_rights() -> BoxedStrategy<Config> {
    (backends(), rights(), any::<bool>())
        .prop_map(|(backends, (admins_only, admin_roles, any_role, rules), sealed)| {
            let has_rules = !rules.is_empty();
            let (admins_only, any_role) =
                if has_rules { (false, Vec::new()) } else { (admins_only, any_role) };
            let allowed_hosts = vec!["dash.example".to_owned()];
            Config {
                backends,
                admins_only,
                admin_roles,
                any_role,
                rules,
                allowed_hosts,
                sealed,
                ..Config::default()
            }
        })
        .boxed()
}

/// Any gate that checks tokens, and nothing else.
pub fn gates_with_tokens() -> BoxedStrategy<Config> {
    trusts().prop_map(|trust| Config { backends: vec![Backend::Tokens(trust)], ..Config::default() }).boxed()
}

/// Any gate that proxies ask.
pub fn gates_that_proxies_ask() -> BoxedStrategy<Config> {
    (configs(), some_of(&["10.0.0.0/8", "unix", "2001:db8::7"]))
        .prop_map(|(config, trusted)| {
            let trusted_proxies =
                if config.trusted_proxies.is_empty() { trusted } else { config.trusted_proxies };
            let some = ["192.0.2.1".to_owned()];
            let trusted_proxies = if trusted_proxies.is_empty() { some.into() } else { trusted_proxies };
            Config { trusted_proxies, forward_auth: true, ..config }
        })
        .boxed()
}

/// Some backends in some order.
pub fn backends() -> BoxedStrategy<Vec<Backend>> {
    let page = || select(vec![Page::Own, Page::Open, Page::Gate]);
    let directory = |number| {
        (page(), page(), any::<bool>()).prop_map(move |(login, logout, has_route)| Directory {
            number,
            login,
            logout,
            has_route,
        })
    };
    let others = (option::of(trusts()), option::of(directory(1)), option::weighted(0.2, directory(2)));
    // Those who make sign-ins for a host stand first, too, so only the first directory may.
    (any::<bool>(), others, any::<bool>())
        .prop_map(|(people, (trust, one, two), turned)| {
            let mut backends: Vec<_> =
                [one.map(Backend::Directory), trust.map(Backend::Tokens), two.map(Backend::Directory)]
                    .into_iter()
                    .flatten()
                    .collect();
            if turned {
                backends.reverse();
            }
            if people || backends.is_empty() {
                backends.insert(0, Backend::People);
            }
            for backend in backends.iter_mut().skip(1) {
                if let Backend::Directory(directory) = backend
                    && directory.login == Page::Gate
                {
                    directory.login = Page::Own;
                }
            }
            backends
        })
        .boxed()
}

type Places = (String, String, String, Vec<String>, Vec<String>);

fn places() -> BoxedStrategy<Places> {
    (
        one_of(&["", "/", "/ops", "/ops", "/ops/", "/team/ops"]),
        one_of(&["/login", "/login", "/sign-in", "/auth/enter"]),
        one_of(&["/logout", "/logout", "/auth/leave"]),
        some_of(&["/healthz", "/a;b", "/static/one", "/logout", "/%41"]),
        some_of(&["/static", "/assets/", "/queues/open"]),
    )
        .boxed()
}

type Rights = (bool, Vec<String>, Vec<String>, Vec<RuleText>);

fn rights() -> BoxedStrategy<Rights> {
    let roles = || prop_oneof![3 => Just(Vec::new()), 1 => some_of(&["ops", "audit"])];
    let some_or_none = prop_oneof![2 => Just(Vec::new()), 1 => rules()];
    (prop::bool::weighted(0.25), roles(), roles(), some_or_none).boxed()
}

/// A few rules.
pub fn rules() -> BoxedStrategy<Vec<RuleText>> {
    let path = one_of(&["/", "/", "/queues", "/Queues", "/queues/secret", "/audit/", "/a b", "/é"]);
    let methods = some_of(&["GET", "POST", "WEBSOCKET", "BREW"]);
    (vec((path, methods, who()), 1..4))
        .prop_map(|rules| {
            rules.into_iter().map(|(path, methods, who)| RuleText { path, methods, who }).collect()
        })
        .boxed()
}

/// Some whom a rule lets pass.
pub fn who() -> BoxedStrategy<Vec<String>> {
    some_of(&[
        "signed-in",
        "admins",
        "role:ops",
        "role:audit",
        "user:ada",
        "network:10.0.0.0/8",
        "network:192.0.2.0/26",
    ])
    .prop_filter("somebody", |who| !who.is_empty())
    .boxed()
}

/// Networks where clients may be.
pub fn networks() -> BoxedStrategy<Vec<String>> {
    some_of(&[
        "192.0.2.0/25",
        "10.0.0.0/8",
        "203.0.113.9",
        "127.0.0.0/8",
        "2001:db8::/32",
        "::ffff:192.0.2.0/120",
        "::/64",
    ])
}

/// From where requests may come.
#[derive(Debug)]
struct Origins {
    allowed_networks: Vec<String>,
    require_tls: bool,
    cross_site: CrossSite,
    allowed_hosts: Vec<String>,
    proxies: Proxies,
}

fn origins() -> BoxedStrategy<Origins> {
    let cross_site = prop_oneof![
        4 => Just(CrossSite::Refused),
        1 => Just(CrossSite::SilentSignIn),
        1 => Just(CrossSite::Allowed),
    ];
    let hosts = prop_oneof![
        8 => Just(Vec::new()),
        1 => some_of(&["dash.example", "[2001:db8::1]", "ops.example:8443"]),
        4 => Just(vec!["dash.example".to_owned(), "ops.example:8443".to_owned()]),
    ];
    let networks = prop_oneof![8 => Just(Vec::new()), 1 => networks()];
    (networks, prop::bool::weighted(0.05), cross_site, hosts, proxies())
        .prop_map(|(allowed_networks, require_tls, cross_site, allowed_hosts, proxies)| Origins {
            allowed_networks,
            require_tls,
            cross_site,
            allowed_hosts,
            proxies,
        })
        .boxed()
}

/// What stands before the gate.
#[derive(Debug)]
struct Proxies {
    trusted: Vec<String>,
    forwarded: ForwardedFields,
    /// Whether they ask, and pass requests on themselves.
    ask: bool,
    identity_headers: Vec<String>,
}

fn proxies() -> BoxedStrategy<Proxies> {
    let fields = [ForwardedFields::XForwarded, ForwardedFields::XForwardedHost, ForwardedFields::Rfc7239];
    let trusted = prop_oneof![
        1 => Just(Vec::new()),
        1 => some_of(&["10.0.0.0/8", "unix", "2001:db8::7", "::ffff:192.0.2.0/121"]),
    ];
    let identity = prop_oneof![3 => Just(Vec::new()), 1 => some_of(&["Team.Name", "X-Badge-2"])];
    (trusted, select(fields.to_vec()), prop::bool::weighted(0.1), identity)
        .prop_map(|(trusted, forwarded, ask, identity_headers)| {
            // Whoever asks must be trusted.
            let trusted = if ask && trusted.is_empty() { vec!["10.0.0.0/8".to_owned()] } else { trusted };
            Proxies { trusted, forwarded, ask, identity_headers }
        })
        .boxed()
}

type Sessions = (Lifetimes, bool, bool, Option<u64>, u32, bool, Vec<(String, i64)>);

fn sessions() -> BoxedStrategy<Sessions> {
    let lifetimes = [(1800, 43_200, 60), (60, 600, 15), (3600, 3600, 0), (600, 86_400, 300)];
    let lifetimes = select(lifetimes.to_vec()).prop_map(|(idle, lifetime, renew_every)| Lifetimes {
        idle,
        lifetime,
        renew_every,
    });
    let ended = (one_of(&["ada", "bob"]), moments());
    (
        lifetimes,
        any::<bool>(),
        prop::bool::weighted(0.15),
        option::weighted(0.35, select(vec![0, 500, 30_000])),
        select(vec![1, 2, 10]),
        any::<bool>(),
        prop_oneof![4 => Just(Vec::new()), 1 => vec(ended, 1..3)],
    )
        .boxed()
}
