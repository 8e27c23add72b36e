//! Rules against a slow, obvious model, and against stricter ones.

use std::net::IpAddr;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{Rule, RuleSet};
use crate::kind::Kind;
use crate::{Peer, User};

/// Path, methods and who, as they are written.
type Written = (String, Vec<&'static str>, Vec<&'static str>);

const WHO: [&str; 6] = ["role:a", "role:b", "user:u", "network:10.0.0.0/8", "admins", "signed-in"];
const METHODS: [&str; 3] = ["GET", "POST", "WEBSOCKET"];

fn written() -> impl Strategy<Value = Vec<Written>> {
    prop_oneof![1 => Just(Vec::new()), 9 => written_some()]
}

fn written_some() -> impl Strategy<Value = Vec<Written>> {
    let path = "(/[abA]){0,3}".prop_map(|path| if path.is_empty() { "/".to_owned() } else { path });
    let rule = (path, subsequence(METHODS.to_vec(), 0..3), subsequence(WHO.to_vec(), 1..4));
    proptest::collection::vec(rule, 1..6)
}

fn set(rules: &[Written]) -> RuleSet {
    RuleSet::new(rules.iter().map(|(path, methods, who)| Rule::parse(path, methods, who).unwrap()).collect())
}

#[derive(Debug, Clone)]
struct Asked {
    method: &'static str,
    /// Whether it says that it is a websocket's handshake, which only a GET can be.
    kind: Kind,
    path: String,
    user: Option<User>,
    client: Peer,
}

fn asked() -> impl Strategy<Value = Asked> {
    let user = (select(vec!["u", "v"]), any::<bool>(), subsequence(vec!["a", "b"], 0..3)).prop_map(
        |(id, is_admin, roles)| User {
            is_admin,
            roles: roles.into_iter().map(Into::into).collect(),
            ..User::new(id)
        },
    );
    let client =
        select(vec!["10.1.2.3", "192.0.2.1"]).prop_map(|text| Peer::from(text.parse::<IpAddr>().unwrap()));
    let path =
        "(/([abA]|a;x|%61|%2561|b\\.|\\.\\.|;)){0,4}/?".prop_filter("a path", |path| path.starts_with('/'));
    let method = select(vec!["GET", "HEAD", "POST", "PUT", "WEBSOCKET"]);
    let kind = select(vec![Kind::Page, Kind::WebSocket]);
    (method, kind, path, proptest::option::of(user), client)
        .prop_map(|(method, kind, path, user, client)| Asked { method, kind, path, user, client })
}

fn allows(rules: &RuleSet, asked: &Asked) -> bool {
    rules
        .judge(&rules.demand(asked.kind, asked.method, &asked.path), asked.user.as_ref(), asked.client)
        .allows()
}

/// A bare path of small letters, decided by looking at every rule; a handshake twice.
fn model(rules: &[Written], asked: &Asked) -> bool {
    let is_handshake = asked.kind == Kind::WebSocket && asked.method == "GET";
    // A method that somebody made up has a name that no rule can have.
    let method = if asked.method == "WEBSOCKET" { "made-up" } else { asked.method };
    model_of(method, rules, asked) && (!is_handshake || model_of("WEBSOCKET", rules, asked))
}

fn model_of(method: &str, rules: &[Written], asked: &Asked) -> bool {
    let contains = |path: &str| {
        path == "/"
            || asked.path == path
            || asked.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
    };
    let Some(longest) =
        rules.iter().map(|(path, ..)| path).filter(|path| contains(path)).max_by_key(|path| path.len())
    else {
        return false;
    };
    let mut group = rules.iter().filter(|(path, ..)| path == longest);
    group.any(|(_, methods, who)| {
        let fits =
            methods.is_empty() || methods.contains(&method) || (method == "HEAD" && methods.contains(&"GET"));
        fits && who.iter().any(|who| match (*who, &asked.user) {
            ("network:10.0.0.0/8", _) => asked.client.to_string().starts_with("10."),
            (_, None) => false,
            ("signed-in", _) => true,
            ("admins", Some(user)) => user.is_admin,
            ("user:u", Some(user)) => user.id == "u",
            (role, Some(user)) => user.has_role(role.strip_prefix("role:").unwrap()),
        })
    })
}

proptest! {
    #[test]
    fn rules_decide_as_the_obvious_model_does(rules in written(), asked in asked(), path in "(/[ab]){1,4}") {
        let rules: Vec<_> = rules.into_iter().map(|(path, methods, who)| (path.to_ascii_lowercase(), methods, who)).collect();
        let asked = Asked { path, ..asked };
        prop_assert_eq!(allows(&set(&rules), &asked), model(&rules, &asked));
    }

    #[test]
    fn a_stricter_rule_set_never_admits_more(
        rules in written_some(),
        asked in asked(),
        which in any::<prop::sample::Index>(),
        fewer in subsequence(WHO.to_vec(), 1..3),
        methods in subsequence(METHODS.to_vec(), 1..3),
        below in "(/[abA]){1,2}",
    ) {
        let place = which.index(rules.len());
        // Fewer of those whom one rule lets pass.
        let mut stricter = rules.clone();
        stricter[place].2.retain(|who| fewer.contains(who));
        if !stricter[place].2.is_empty() {
            prop_assert!(!allows(&set(&stricter), &asked) || allows(&set(&rules), &asked));
        }
        // Fewer of the methods that it speaks of.
        let mut stricter = rules.clone();
        stricter[place].1 = if rules[place].1.is_empty() { methods.clone() } else {
            rules[place].1.iter().filter(|method| methods.contains(method)).copied().collect()
        };
        if !stricter[place].1.is_empty() {
            prop_assert!(!allows(&set(&stricter), &asked) || allows(&set(&rules), &asked));
        }
        // A path of its own for whom all that is above it lets pass anyway.
        let everywhere = [("/".to_owned(), Vec::new(), fewer.clone())];
        let mut stricter = everywhere.to_vec();
        let own: Vec<_> = fewer.iter().take(1).copied().collect();
        stricter.push((below, methods, own));
        prop_assert!(!allows(&set(&stricter), &asked) || allows(&set(&everywhere), &asked));
    }

    #[test]
    fn nobody_gains_by_calling_a_request_a_handshake(rules in written(), asked in asked()) {
        let rules = set(&rules);
        let plain = Asked { kind: Kind::Page, ..asked.clone() };
        let admitted = allows(&rules, &Asked { kind: Kind::WebSocket, ..asked });
        prop_assert!(!admitted || allows(&rules, &plain));
    }

    #[test]
    fn nobody_gains_by_another_spelling_of_a_path(rules in written(), asked in asked()) {
        // What every reading admits, the path as the plainest server reads it admits, too.
        let plain = asked.path.replace("%2561", "a").replace("%61", "a").replace(";x", "").replace("b.", "b").replace("/;", "");
        let plain = if plain.is_empty() { "/".to_owned() } else { plain };
        let rules = set(&rules);
        if allows(&rules, &asked) {
            prop_assert!(allows(&rules, &Asked { path: plain.clone(), ..asked.clone() }), "{} {plain}", asked.path);
        }
    }
}
