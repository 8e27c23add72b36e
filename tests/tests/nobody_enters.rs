//! Whatever is asked, in whatever order things are answered: nobody enters without proof, and no answer leads astray.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use authgate_core::{
    Decision, Gate, Head, HeaderView, LocalPath, Mount, PasswordBackend, Step, Unavailable, User, Verdict,
};
use authgate_tests::world::{NOW, Settings, jwt};
use authgate_tests::{forge, stores};
use proptest::prelude::*;

/// The most questions that a request without proof may lead to: a form, and whether its password is right; or a session,
/// and a backend.
const MOST_STEPS: usize = 2;

/// A gate that must ask a directory, and one where people sign in, with their sessions in a store.
fn gate(people: bool) -> Gate {
    if people {
        return Gate::builder(PasswordBackend::new())
            .backend(jwt())
            .mount("/ops")
            .public_path("/healthz")
            .public_prefix("/static")
            .trusted_proxies(["10.0.0.0/8"])
            .build()
            .unwrap();
    }
    let backends = vec!["directory".to_owned(), "jwt".to_owned()];
    Settings { backends, trusted_proxies: vec!["10.0.0.0/8".to_owned()], ..Settings::default() }.gate()
}

fn path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/ops"),
        Just("/static"),
        Just("/healthz"),
        Just("/queues"),
        Just("/login"),
        Just("/logout"),
        Just("/callback"),
        Just("/"),
        Just("//"),
        Just("/."),
        Just("/.."),
        Just("/%2e%2e"),
        Just("/..;"),
        Just("%2f"),
        Just("%5c"),
        Just("%00"),
        Just("%0d%0a"),
        Just("\\"),
        Just(";"),
        Just("a"),
        Just("?page=2"),
        Just("#x"),
        Just("//evil.example"),
        Just("é"),
        Just(" "),
    ];
    let plain = prop_oneof![Just("/ops/login"), Just("/ops/logout"), Just("/ops/queues")];
    prop_oneof![
        2 => proptest::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat()),
        1 => "[ -~]{0,30}",
        1 => plain.prop_map(str::to_owned),
    ]
}

fn field() -> impl Strategy<Value = (String, String)> {
    let token = || Just(forge::honest(r#"{"sub":"ada"}"#).replace("eyJ", "eyK"));
    let value = prop_oneof![
        Just("true".to_owned()),
        Just("*/*".to_owned()),
        Just("application/json".to_owned()),
        Just("text/event-stream".to_owned()),
        Just("dash.example".to_owned()),
        Just("evil.example/x".to_owned()),
        Just("http://dash.example/ops/queues".to_owned()),
        Just("http://dash.example//evil.example/ops/".to_owned()),
        Just("javascript:alert(1)".to_owned()),
        Just("null".to_owned()),
        Just("same-origin".to_owned()),
        Just("websocket".to_owned()),
        Just("upgrade".to_owned()),
        Just("session=ada".to_owned()),
        Just(format!("authgate={}", "A".repeat(43))),
        Just("authgate=x; authgate=y".to_owned()),
        Just("application/x-www-form-urlencoded".to_owned()),
        Just("Bearer x.y.z".to_owned()),
        token().prop_map(|token| format!("Bearer {token}")),
        "[ -~]{0,40}",
    ];
    let name = prop_oneof![
        Just("host"),
        Just("authorization"),
        Just("cookie"),
        Just("accept"),
        Just("hx-request"),
        Just("hx-current-url"),
        Just("referer"),
        Just("origin"),
        Just("sec-fetch-site"),
        Just("sec-fetch-mode"),
        Just("upgrade"),
        Just("connection"),
        Just("x-forwarded-host"),
        Just("x-forwarded-for"),
        Just("x-auth-user"),
        Just("content-length"),
        Just("content-type"),
        Just("transfer-encoding"),
    ];
    (name.prop_map(str::to_owned), value)
}

/// An answer that proves nobody, to whatever is asked.
#[derive(Debug, Clone, Copy)]
enum Answer {
    No,
    Down,
    Nonsense,
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![Just(Answer::No), Just(Answer::Down), Just(Answer::Nonsense)]
}

impl Answer {
    fn to(self, step: Step, body: &str) -> Step {
        let down = || Unavailable::new("down");
        match (step, self) {
            (Step::ReadBody(limit, then), _) => then.resume(limit.body(body.as_bytes().to_vec()), NOW),
            (step, Self::Down) => step.unavailable(down(), NOW),
            (Step::AskBackend(_, then), Self::No) => then.resume(Ok(None), NOW),
            (Step::AskBackend(_, then), Self::Nonsense) => then.resume(Ok(Some(User::new("").into())), NOW),
            (Step::CheckPassword(_, then), Self::No) => then.resume(Ok(Verdict::Rejected), NOW),
            (Step::CheckPassword(_, then), Self::Nonsense) => {
                then.resume(Ok(Some(User::new("")).into()), NOW)
            }
            (Step::LoadSession(_, then), Self::No) => then.resume(Ok(None), NOW),
            (Step::LoadSession(_, then), Self::Nonsense) => {
                let (_, ended) = stores::new(1, "ada", NOW.before(Duration::from_hours(1)));
                then.resume(Ok(Some(ended)), NOW)
            }
            // Signing out by a cookie that leads nowhere.
            (Step::DropSession(_, then), _) => then.resume(Ok(()), NOW),
            (other, _) => panic!("nobody has proved anything: {other:?}"),
        }
    }
}

fn body() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("username=ada&password=right&next=%2Fops%2Fqueues".to_owned()),
        Just("username=ada&password=right&next=%2F%2Fevil.example".to_owned()),
        Just("username=&password=".to_owned()),
        "[ -~]{0,60}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn t32_nobody_enters_without_proof_and_no_answer_leads_astray(
        method in prop_oneof![Just("GET"), Just("POST"), Just("HEAD"), Just("OPTIONS"), Just("get"), Just("BREW"), Just("")],
        target in path(),
        fields in proptest::collection::vec(field(), 0..6),
        people in any::<bool>(),
        own_form in any::<bool>(),
        body in body(),
        answers in proptest::collection::vec(answer(), MOST_STEPS),
    ) {
        let own: &[(&[u8], &[u8])] =
            &[(b"sec-fetch-site", b"same-origin"), (b"content-type", b"application/x-www-form-urlencoded")];
        let own = own.iter().filter(|_| own_form).copied();
        let pairs: Vec<_> = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).chain(own).collect();
        let head = Head::new(method, &target, HeaderView::Pairs(&pairs));
        let mut step = gate(people).begin(&head, NOW);
        let mut answers = answers.into_iter();
        let decision = loop {
            step = match step {
                Step::Done(decision) => break decision,
                question => match answers.next() {
                    Some(answer) => answer.to(question, &body),
                    None => panic!("more than {MOST_STEPS} questions: {question:?}"),
                },
            };
        };
        match decision {
            Decision::Forward(admission) => {
                prop_assert!(admission.user.is_none());
                let path = head.path();
                let public = path == "/ops/healthz" || path == "/ops/static" || path.starts_with("/ops/static/");
                prop_assert!(public, "{path:?} is not public");
                prop_assert!(!path.contains("..") || path.contains("..."), "{path:?} climbs");
            }
            Decision::Delegate(page) => prop_assert_eq!(page.backend, "directory"),
            Decision::Respond(reply) => {
                let mount = Mount::parse("/ops").unwrap();
                for (name, value) in reply.headers() {
                    let text = value.to_str().unwrap();
                    prop_assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name}: {text:?}");
                    if name == "location" || name == "hx-redirect" {
                        prop_assert!(LocalPath::parse(text, &mount).is_some(), "{text:?}");
                        let there = url::Url::parse("http://dash.example/ops/").unwrap().join(text).unwrap();
                        prop_assert_eq!(there.host_str(), Some("dash.example"));
                        prop_assert_eq!(there.path(), "/ops/login");
                    }
                    if name == "set-cookie" {
                        prop_assert!(text.contains("Max-Age=0"), "{text:?}");
                    }
                    if name == "location" || name == "hx-redirect" {
                        let there = url::Url::parse("http://dash.example/ops/").unwrap().join(text).unwrap();
                        for (key, next) in there.query_pairs() {
                            prop_assert_eq!(key.as_ref(), "next");
                            let next = there.join(&next).unwrap();
                            prop_assert_eq!(next.host_str(), Some("dash.example"));
                            prop_assert!(next.path() == "/ops" || next.path().starts_with("/ops/"), "{next}");
                        }
                    }
                }
                prop_assert!(reply.headers().iter().any(|(_, value)| value == "no-store"));
            }
        }
    }
}
