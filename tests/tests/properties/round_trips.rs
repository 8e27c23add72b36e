//! What is read, written and read again is the same; and what was made canonical once stays as it is.

use std::net::IpAddr;

use authgate_core::{
    Decision, ForwardedFields, Gate, LocalPath, Mount, Peer, Scheme, Step, Throttle, ThrottleLimits, Upstream,
};
use authgate_tests::case::{Answers, At, Backend, Config, Kept, Person, Request, run};
use authgate_tests::steps;
use authgate_tests::strategies::{cases, fields, paths, people};
use authgate_tests::world::{NOW, jwt};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use proptest::sample::select;

fn people_at(mount: &str, sealed: bool) -> Config {
    Config { backends: vec![Backend::People], mount: mount.to_owned(), sealed, ..Config::default() }
}

fn local_paths() -> impl Strategy<Value = String> {
    let tail = "(\\?[ -~]{0,12})?(#[!-~]{0,6})?";
    let path = paths().prop_map(|path| {
        path.replace("{mount}", "/ops").replace("{login}", "/login").replace("{logout}", "/logout")
    });
    (path, tail).prop_map(|(path, tail)| path + &tail)
}

/// A post of the login form.
fn sign_in(next: &str) -> Request {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("username", "ada"), ("password", "s3cret"), ("next", next)])
        .finish();
    let request =
        Request { method: "POST".to_owned(), target: "/ops/login".to_owned(), body, ..Request::default() };
    let request = request.with("sec-fetch-site", "same-origin");
    request.with("content-type", "application/x-www-form-urlencoded")
}

fn accepting(person: &Person) -> Answers {
    let at = NOW.as_millis();
    Answers { password: At::new(at, Ok(Some((person.clone(), None)))), ..Answers::still(NOW) }
}

fn header(decision: &Decision, name: &str) -> Option<String> {
    let Decision::Respond(reply) = decision else { return None };
    let found = reply.headers().iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.to_str().unwrap().to_owned())
}

/// What another server is told of a request that is let in.
#[derive(Debug)]
struct Told {
    /// Who asked, as the log has it.
    client: String,
    fields: Vec<(String, String)>,
}

impl Told {
    fn by(gate: &Gate, request: &Request) -> Option<Self> {
        let step = request.lend(|head| gate.begin(head, NOW));
        let Step::Done(Decision::Forward(admission)) = step else { return None };
        let mut parts = http::Request::builder().uri("/ops/queues").body(()).unwrap().into_parts().0;
        for (name, value) in &request.fields {
            let name: http::HeaderName = name.parse().unwrap();
            parts.headers.append(name, value.parse().unwrap());
        }
        admission.pass_on(&mut parts);
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        let mut fields: Vec<_> =
            parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        fields.sort();
        Some(Self { client: admission.event().client.to_string(), fields })
    }

    fn one(&self, name: &str) -> &str {
        let mut found = self.fields.iter().filter(|(field, _)| field == name);
        let (Some((_, value)), None) = (found.next(), found.next()) else { panic!("{name} in {self:?}") };
        value
    }

    fn forwarded(&self) -> Vec<(String, String)> {
        self.fields.iter().filter(|(name, _)| name.contains("forwarded")).cloned().collect()
    }
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn a_local_path_is_kept_byte_for_byte(raw in local_paths(), other in "/?[/.%25efcC;?#a:@]{0,16}") {
        let mount = Mount::parse("/ops").unwrap();
        for raw in [raw, format!("/ops{other}")] {
            if let Some(link) = LocalPath::parse(&raw, &mount) {
                prop_assert_eq!(link.as_str(), &raw);
                prop_assert!(link.to_header_value() == *raw);
                prop_assert_eq!(LocalPath::parse(link.as_str(), &mount), Some(link));
            }
        }
    }

    #[test]
    fn a_mount_that_was_folded_once_is_folded(text in "(/[a-z%.;é]{0,4}){0,3}/?") {
        if let Ok(mount) = Mount::parse(&text) {
            let again = Mount::parse(mount.as_str()).unwrap();
            prop_assert_eq!(&again, &mount);
            let home = LocalPath::home(&mount);
            prop_assert_eq!(home.as_str(), format!("{}/", text.strip_suffix('/').unwrap_or(&text)));
            prop_assert_eq!(LocalPath::parse(home.as_str(), &again), Some(home));
        }
    }

    #[test]
    fn an_address_that_was_folded_once_is_folded(bits in any::<u128>(), mapped in any::<u32>()) {
        let v6 = std::net::Ipv6Addr::from(bits);
        let v4 = std::net::Ipv4Addr::from(mapped);
        for address in [IpAddr::from(v6), v4.to_ipv6_mapped().into(), v4.into()] {
            let peer = Peer::from(address);
            prop_assert_eq!(Peer::from(peer.to_string().parse::<IpAddr>().unwrap()), peer);
        }
        prop_assert_eq!(Peer::from(IpAddr::from(v4.to_ipv6_mapped())), Peer::from(IpAddr::from(v4)));
    }

    /// However often a name is written in another way, its tries stay those of one user.
    #[test]
    fn t28_a_username_that_was_folded_once_is_folded(name in "[a-zA-ZßéÉİſ \t]{0,3}[a-zß]") {
        let limits = ThrottleLimits { tries: 1, entries: 100, ..ThrottleLimits::default() };
        let mut throttle = Throttle::new(limits).unwrap();
        let client = |number: u8| Peer::from(IpAddr::from([192, 0, 2, number]));
        prop_assert!(throttle.charge(client(1), &name, NOW).is_ok());
        let folded: String = name.split_whitespace().collect::<String>().to_uppercase().to_lowercase();
        prop_assert!(throttle.charge(client(2), &folded, NOW).is_err(),
            "{folded:?} is another than {name:?}");
        let twice = folded.to_uppercase().to_lowercase();
        prop_assert!(throttle.charge(client(3), &twice, NOW).is_err(),
            "{twice:?} is another than {folded:?}");
    }

    /// From the address bar to the login link, to the form, to the post, and back to the address bar.
    #[test]
    fn t02_where_somebody_wanted_to_go_is_where_they_get(target in local_paths()) {
        let config = people_at("/ops", true);
        let built = config.build(NOW);
        let wanted = target.split('#').next().unwrap();
        let asked = Request { target: wanted.to_owned(), ..Request::default() };
        let first = run(&built, &asked, &Answers::still(NOW)).decision;
        let Some(login) = header(&first, "location") else { return Ok(()) };
        let shown = run(&built, &Request { target: login.clone(), ..Request::default() },
            &Answers::still(NOW)).decision;
        let Decision::Respond(page) = shown else { panic!("the login page is a page") };
        let next = page.login_form().unwrap().next.clone();
        prop_assert_eq!(login.contains("next="), next.is_some(), "{}", login);
        let after = run(&built, &sign_in(next.as_ref().map_or("", LocalPath::as_str)),
            &accepting(&Person::new("ada")));
        let there = header(&after.decision, "location").unwrap();
        match next {
            Some(next) => prop_assert!(there == wanted && next.as_str() == wanted, "{} instead of {}",
                there, wanted),
            None => prop_assert_eq!(there, "/ops/"),
        }
    }

    /// What the gate writes, the `cookie` crate reads, a browser sends back, and the gate finds.
    #[test]
    fn a_cookie_comes_back_as_the_session_that_it_was_set_for(
        person in people(),
        sealed in any::<bool>(),
        byte in any::<u8>(),
        before in "[a-z]{1,4}=[!-:<-~]{0,6}",
    ) {
        prop_assume!(!person.id.is_empty());
        let config = people_at("/ops", sealed);
        let built = config.build(NOW);
        let answers = Answers { random: At::new(NOW.as_millis(), Ok(byte)), ..accepting(&person) };
        let decision = run(&built, &sign_in("/ops/"), &answers).decision;
        let written = header(&decision, "set-cookie").unwrap();
        let read = cookie::Cookie::parse(written.clone()).unwrap();
        prop_assert_eq!(read.to_string(), written);
        let again = cookie::Cookie::parse(read.to_string()).unwrap();
        prop_assert_eq!(&again, &read);
        let (name, value) = read.name_value();
        let request = Request::default().with("cookie", format!("{before};{name}={value}"));
        let step = request.lend(|head| built.gate.begin(head, NOW));
        match step {
            Step::Done(Decision::Forward(admission)) if sealed => {
                prop_assert_eq!(Person::from(admission.user.as_deref().unwrap()), person);
            }
            Step::LoadSession(id, _) if !sealed => {
                prop_assert_eq!(id.to_string(), Kept::id(byte).to_string());
            }
            other => prop_assert!(false, "{} after {}", steps::name(&other), value),
        }
    }

    /// A gate behind a gate is told the same as the first one, and tells it on as it was told.
    #[test]
    fn forwarded_fields_that_a_gate_writes_another_reads_and_writes_again(
        peer in any::<[u8; 3]>(),
        proxied in proptest::collection::vec(fields(), 0..6),
        family in select(vec![ForwardedFields::XForwarded, ForwardedFields::XForwardedHost,
            ForwardedFields::Rfc7239]),
        scheme in select(vec![Scheme::Http, Scheme::Https]),
    ) {
        let gate = |proxies: &str, family| {
            let builder = Gate::builder(jwt()).mount("/ops").public_path("/queues").upstream(Upstream::new());
            builder.trusted_proxies([proxies]).forwarded_fields(family).build().unwrap()
        };
        let [a, b, c] = peer;
        let mut request = Request { scheme, peer: Peer::from(IpAddr::from([10, a, b, c])),
            ..Request::default() };
        request.fields.extend(proxied.into_iter().filter(|(name,
            _)| name.to_ascii_lowercase().contains("forwarded")));
        let Some(first) = Told::by(&gate("10.0.0.0/8", family), &request) else { return Ok(()) };
        // A client whose address nobody knows is nobody to tell of.
        prop_assume!(first.client != "unknown");
        prop_assert_eq!(first.one("x-forwarded-for"), &first.client);
        prop_assert!(["http", "https"].contains(&first.one("x-forwarded-proto")), "{:?}", first);
        for family in [ForwardedFields::XForwardedHost, ForwardedFields::Rfc7239] {
            let fields = first.forwarded();
            let behind = Request { peer: Peer::from(IpAddr::from([192, 0, 2, 9])), fields,
                ..Request::default() };
            let second = Told::by(&gate("192.0.2.9", family), &behind).unwrap();
            prop_assert_eq!(&second.client, &first.client);
            prop_assert_eq!(second.forwarded(), first.forwarded(), "{:?}", family);
        }
    }
}

#[test]
fn somebody_is_who_they_are_said_to_be_behind_the_gate() {
    // Identity fields are percent-encoded; read back, they are the id and the roles.
    let gate = Gate::builder(jwt()).upstream(Upstream::new()).build().unwrap();
    proptest!(cases(500), |(id in "\\PC{1,12}", role in "[ -~]{1,8}")| {
        let claims = serde_json::json!({"sub": id, "roles": [role, "ops"]});
        let token = authgate_tests::forge::honest(&claims.to_string());
        let request = Request { target: "/x".to_owned(), ..Request::default() }.with("authorization",
            format!("Bearer {token}"));
        let told = Told::by(&gate, &request).unwrap();
        let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
        prop_assert_eq!(decode(told.one("x-auth-user")), id);
        let roles: Vec<_> = told.one("x-auth-roles").split(',').map(decode).collect();
        prop_assert_eq!(roles, [role, "ops".to_owned()]);
    });
}
