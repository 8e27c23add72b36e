//! People who have signed in, and their cookies.

use authgate_core::{
    Account, Decision, Gate, Head, HeaderView, MemoryStore, PasswordBackend, SealingKey, Sessions, Step,
    User, Verdict,
};
use http::header::{CONTENT_TYPE, COOKIE, HeaderMap, SET_COOKIE};

use crate::presented::{NOW, SECRET, headers};

pub(crate) fn sealed() -> (Gate, HeaderMap) {
    let sessions = Sessions::sealed([SealingKey::new(SECRET).unwrap()]);
    let gate = Gate::builder(PasswordBackend::new()).sessions(sessions).build().unwrap();
    let fields = sign_in(&gate, 0, &mut MemoryStore::new(1));
    (gate, fields)
}

/// The fields of somebody, one of many, who signs in; a session that is a record is kept in `store`.
pub(crate) fn sign_in(gate: &Gate, number: u32, store: &mut MemoryStore) -> HeaderMap {
    let mut fields = headers(&[(CONTENT_TYPE, "application/x-www-form-urlencoded")]);
    fields.insert("sec-fetch-site", "same-origin".parse().unwrap());
    let mut step = post(gate, &fields);
    let reply = loop {
        step = match step {
            Step::ReadBody(limit, then) => {
                then.resume(limit.body(b"username=ada&password=right".to_vec()), NOW)
            }
            Step::CheckPassword(_, then) => then.resume(Ok(Verdict::Accepted(account(number))), NOW),
            Step::DrawBytes(then) => {
                let mut random = [7; 32];
                random[..4].copy_from_slice(&number.to_le_bytes());
                then.resume(Ok(random), NOW)
            }
            Step::CreateSession(id, session, then) => then.resume(Ok(store.create(id, session, NOW)), NOW),
            Step::Done(Decision::Respond(reply)) => break reply,
            other => panic!("nobody expects {other:?}"),
        };
    };
    let (_, cookie) = reply.headers().iter().find(|(name, _)| *name == SET_COOKIE).unwrap();
    let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
    headers(&[(COOKIE, &format!("theme=dark; {cookie}"))])
}

fn post(gate: &Gate, fields: &HeaderMap) -> Step {
    gate.begin(&Head::of("POST", "/login", None, HeaderView::Map(fields)), NOW)
}

fn account(number: u32) -> Account {
    let roles = vec!["operator".into(), "oncall".into()];
    let user =
        User { name: "Ada Lovelace".into(), is_admin: true, roles, ..User::new(format!("ada-{number:08}")) };
    Account::from(user).with_credential("a stored hash")
}
