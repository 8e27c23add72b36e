//! A stricter configuration never lets in more: what it lets in, the looser one lets in, too.
//!
//! Of several proofs the first that proves somebody decides. So a setting that makes a proof worth less (a shorter
//! lifetime, a key less, a backend less) may let the next one speak, whose user may do more. For such settings this is a
//! property of gates with that one kind of proof, or where whoever is signed in may do everything. The throttle is none of
//! these settings: whoever was refused a try was not charged for it, so fewer free tries may mean an earlier one later.

use authgate_core::{CrossSite, Decision, Timestamp};
use authgate_tests::case::{Backend, Config, Lifetimes, Trust, run, tokens};
use authgate_tests::strategies::{
    Visit, cases, networks, visits, visits_with_rights, visits_with_sessions, visits_with_tokens, who,
};
use http::StatusCode;
use proptest::prelude::*;
use proptest::sample::{Index, select};

fn enters(config: &Config, visit: &Visit) -> bool {
    let built = config.build(Timestamp::from_millis(visit.answers.begin));
    match run(&built, &visit.request, &visit.answers).decision {
        Decision::Forward(_) => true,
        // A proxy is told so.
        Decision::Respond(reply) => reply.event().about.is_some() && reply.status() == StatusCode::NO_CONTENT,
        Decision::Delegate(_) => false,
    }
}

fn nobody_more(visit: &Visit, loose: &Config, strict: &Config) -> Result<(), TestCaseError> {
    let said = || format!("{strict:?} lets in what {loose:?} does not");
    prop_assert!(!enters(strict, visit) || enters(loose, visit), "{}", said());
    Ok(())
}

/// Takes one out, if there is any.
fn without<T: Clone>(list: &[T], which: Index) -> Vec<T> {
    let mut rest = list.to_vec();
    if !rest.is_empty() {
        rest.remove(which.index(list.len()));
    }
    rest
}

/// Whoever is signed in may do everything.
fn for_all_who_are_signed_in(config: &Config) -> Config {
    let (admin_roles, any_role, rules) = (Vec::new(), Vec::new(), Vec::new());
    Config { admins_only: false, admin_roles, any_role, rules, ..config.clone() }
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn less_that_is_public(visit in visits(), which in any::<Index>()) {
        let loose = &visit.config;
        let strict = Config { public_paths: without(&loose.public_paths, which), ..loose.clone() };
        nobody_more(&visit, loose, &strict)?;
        let strict = Config { public_prefixes: without(&loose.public_prefixes, which), ..loose.clone() };
        nobody_more(&visit, loose, &strict)?;
    }

    #[test]
    fn fewer_who_may_pass(visit in visits_with_rights(), which in any::<Index>(), fewer in who(),
        role in any::<bool>()) {
        let loose = &visit.config;
        if loose.rules.is_empty() {
            let strict = Config { admins_only: true, ..loose.clone() };
            nobody_more(&visit, &Config { admins_only: false, ..loose.clone() }, &strict)?;
            let one_role_less = if role && loose.any_role.len() > 1 {
                Config { any_role: without(&loose.any_role, which), ..loose.clone() }
            } else {
                Config { admin_roles: without(&loose.admin_roles, which), ..loose.clone() }
            };
            nobody_more(&visit, loose, &one_role_less)?;
            let roles = Config { any_role: vec!["ops".to_owned()], ..loose.clone() };
            nobody_more(&visit, &Config { any_role: Vec::new(), ..loose.clone() }, &roles)?;
        } else {
            let place = which.index(loose.rules.len());
            let mut strict = loose.clone();
            strict.rules[place].who.retain(|who| fewer.contains(who));
            if !strict.rules[place].who.is_empty() {
                nobody_more(&visit, loose, &strict)?;
            }
            let mut strict = loose.clone();
            strict.rules[place].methods = match strict.rules[place].methods.len() {
                0 => vec!["GET".to_owned(), "POST".to_owned()],
                1 => strict.rules[place].methods.clone(),
                _ => without(&strict.rules[place].methods, which),
            };
            nobody_more(&visit, loose, &strict)?;
        }
    }

    #[test]
    fn fewer_places_to_come_from(visit in visits(), networks in networks(), which in any::<Index>()) {
        let loose = &visit.config;
        let known = &loose.allowed_networks;
        let strict = if known.is_empty() { networks } else { without(known, which) };
        // An empty list means all of them.
        if !strict.is_empty() {
            nobody_more(&visit, loose, &Config { allowed_networks: strict, ..loose.clone() })?;
        }
        let known = &loose.allowed_hosts;
        let named = if known.is_empty() { vec!["dash.example".to_owned()] } else { without(known, which) };
        if !named.is_empty() {
            nobody_more(&visit, loose, &Config { allowed_hosts: named, ..loose.clone() })?;
        }
        nobody_more(&visit, &Config { require_tls: false, ..loose.clone() }, &Config { require_tls: true,
            ..loose.clone() })?;
    }

    #[test]
    fn less_that_other_sites_may(visit in visits()) {
        let with = |cross_site| Config { cross_site, ..for_all_who_are_signed_in(&visit.config) };
        let (refused, silent, allowed) = (with(CrossSite::Refused), with(CrossSite::SilentSignIn),
            with(CrossSite::Allowed));
        nobody_more(&visit, &silent, &refused)?;
        // Another site's request keeps no session alive, and so nobody is asked who might be down. Where a session is all
        // that there is, that helps nobody; where there are other proofs, nobody is down.
        let alone = |config: &Config| Config { backends: config.backends[..1].to_vec(), ..config.clone() };
        nobody_more(&visit, &alone(&allowed), &alone(&silent))?;
        let mut visit = visit.clone();
        visit.answers.look_up.answer = Ok(authgate_tests::case::LookedUp::Unknowable);
        (visit.answers.random.answer, visit.answers.renew.answer, visit.answers.drop.answer) = (Ok(7),
            Ok(true), Ok(()));
        visit.answers.look_up.moment = visit.answers.load.moment;
        visit.answers.renew.moment = visit.answers.load.moment;
        nobody_more(&visit, &allowed, &silent)?;
    }

    #[test]
    fn sessions_that_live_shorter(visit in visits_with_sessions(), idle in 2_u64..5, lifetime in 1_u64..4) {
        let loose = Config { backends: vec![Backend::People], ended: Vec::new(), shared: None,
            ..visit.config.clone() };
        let Lifetimes { idle: was_idle, lifetime: was_lifetime, .. } = loose.lifetimes;
        let lifetime = was_lifetime / lifetime;
        let lifetimes = Lifetimes { idle: (was_idle / idle).min(lifetime), lifetime, ..loose.lifetimes };
        let lifetimes = Lifetimes { renew_every: lifetimes.renew_every.min(lifetimes.idle / 2), ..lifetimes };
        nobody_more(&visit, &loose, &Config { lifetimes, ..loose.clone() })?;
        let ended = vec![("ada".to_owned(), visit.answers.begin)];
        nobody_more(&visit, &loose, &Config { ended, ..loose.clone() })?;
    }

    #[test]
    fn one_backend_less(visit in visits(), last in 1_usize..3) {
        let mut loose = for_all_who_are_signed_in(&visit.config);
        // A path that was a backend's own is the dashboard's once the backend has gone.
        for backend in loose.backends.iter_mut().skip(last) {
            if let Backend::Directory(directory) = backend {
                directory.has_route = false;
            }
        }
        let fewer: Vec<_> = loose.backends.iter().take(last).cloned().collect();
        // A backend that vouches for somebody without an id is out of order, and then nobody else is waited for.
        let mut visit = visit;
        visit.request.fields.retain(|(_, value)| value != "nobody's");
        nobody_more(&visit, &loose, &Config { backends: fewer, ..loose.clone() })?;
    }

    #[test]
    fn tokens_that_must_say_more(visit in visits_with_tokens(), which in any::<Index>(),
        claim in select(vec!["exp", "iss", "aud", "email", "jti"]), issuer in select(vec!["idp", "evil"])) {
        let Some(loose) = visit.config.trust() else { return Ok(()) };
        let audience = fewer(&loose.audience, which);
        let issuers = if loose.issuer.is_empty() { vec![issuer] } else { fewer(&loose.issuer, which) };
        let require = [&loose.require[..], &[claim]].concat();
        let by_far = Trust { ignored: vec!["exp", "nbf", "iat", "aud", "iss", "sub", "jti"],
            strict_audience: false, ..loose.clone() };
        for strict in [
            Trust { audience, ..loose.clone() },
            Trust { issuer: issuers, ..loose.clone() },
            Trust { require, ..loose.clone() },
            Trust { ignored: without(&loose.ignored, which), ..loose.clone() },
            Trust { strict_audience: loose.audience.len() == 1, ..loose.clone() },
        ] {
            no_token_more(&visit, loose, strict)?;
        }
        no_token_more(&visit, &by_far, loose.clone())?;
    }

    #[test]
    fn tokens_that_hold_shorter(visit in visits_with_tokens(), less in select(vec![1, 500, 1000, 30_000,
        60_000, 3_600_000])) {
        let Some(loose) = visit.config.trust() else { return Ok(()) };
        no_token_more(&visit, loose, Trust { leeway: loose.leeway - less, ..loose.clone() })?;
    }

    #[test]
    fn fewer_keys_and_algorithms(visit in visits_with_tokens(), which in any::<Index>()) {
        let Some(loose) = visit.config.trust() else { return Ok(()) };
        let algorithms = fewer(&loose.algorithms, which);
        let keys = loose.keys.iter().copied().filter(|key| algorithms.contains(&tokens::algorithm(key.name)));
        let strict = Trust { keys: keys.collect(), algorithms, ..loose.clone() };
        // A token may name any key that is left; one that named a key that has gone may be any key's.
        if strict.keys.len() == loose.keys.len() || names_no_key(&visit) {
            no_token_more(&visit, loose, strict)?;
        }
        let strict = Trust { keys: without(&loose.keys, which), ..loose.clone() }.for_its_keys(&loose.algorithms);
        if names_no_key(&visit) {
            no_token_more(&visit, loose, strict)?;
        }
        // Keys that nobody fetches any more are none.
        let strict = Trust { provider: false, ..loose.clone() }.for_its_keys(&[]);
        no_token_more(&visit, loose, strict)?;
    }
}

/// One less, but never none: that would mean all.
fn fewer<T: Clone>(list: &[T], which: Index) -> Vec<T> {
    if list.len() > 1 { without(list, which) } else { list.to_vec() }
}

/// The same for gates that check tokens like this, if there can be such gates.
fn no_token_more(visit: &Visit, loose: &Trust, strict: Trust) -> Result<(), TestCaseError> {
    if !strict.is_complete() {
        return Ok(());
    }
    let with = |trust| Config { backends: vec![Backend::Tokens(trust)], ..visit.config.clone() };
    // Whoever has fewer keys may have to ask for some; a clock that is set back meanwhile makes an old token young again.
    let mut visit = visit.clone();
    visit.answers.keys.iter_mut().for_each(|keys| keys.moment = visit.answers.begin);
    nobody_more(&visit, &with(loose.clone()), &with(strict))
}

fn names_no_key(visit: &Visit) -> bool {
    let words = visit.request.fields.iter().flat_map(|(_, value)| value.split(' '));
    words.filter_map(tokens::look_up).all(|issued| issued.kid.is_none())
}
