//! What is posted to the login page.

use authgate_core::{
    Decision, Denial, Gate, Head, HeaderView, Mount, PasswordBackend, Reason, Step, Verdict,
};
use form_urlencoded::Serializer;

use crate::replies;
use crate::world::{NOW, told};

const MOST_FIELDS: usize = 64;
const LONGEST_FIELD: usize = 8 * 1024;
const LARGEST: usize = 256 * 1024;

/// The bytes are a form. A password is asked about only with the one username and the one password that the WHATWG reading
/// finds in it; a form that is refused is over a limit, repeats itself or is no text; the page that follows keeps the
/// username and a `next` that stays, and would be the same after any other wrong password.
pub fn form(data: &[u8]) {
    match post(data) {
        Posted::Refused(denial) => check_refusal(data, denial),
        Posted::Unasked => {
            let [username, password, _] = fields(data);
            let long =
                |text: &Option<String>| text.as_ref().is_none_or(|text| text.is_empty() || text.len() > 1024);
            let odd =
                |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            assert!(long(&username) || long(&password) || username.unwrap().contains(odd));
        }
        Posted::Asked { username, password, answer, next } => {
            let [name, secret, wanted] = fields(data);
            assert_eq!((name.as_ref(), secret.as_ref()), (Some(&username), Some(&password)));
            assert!(!username.is_empty() && username.len() <= 1024 && !username.contains(char::is_control));
            assert!(!password.is_empty() && password.len() <= 1024);
            if let Some(next) = &next {
                assert_eq!(wanted.as_ref(), Some(next));
                assert!(replies::stays(next, "/ops") && next.len() <= 2048, "{next:?}");
            }
            // The same form, written by somebody else, with a password that nobody has typed.
            let mut again = Serializer::new(String::new());
            again.append_pair("username", &username).append_pair("password", "\u{1}");
            if let Some(wanted) = wanted {
                again.append_pair("next", &wanted);
            }
            let Posted::Asked { answer: other, .. } = post(again.finish().as_bytes()) else {
                panic!("the same form is asked about, too");
            };
            assert_eq!(answer, other, "the page tells the password");
        }
    }
}

/// What became of a form.
enum Posted {
    Refused(Denial),
    /// Nobody can have such a name, or such a password.
    Unasked,
    Asked {
        username: String,
        password: String,
        next: Option<String>,
        answer: String,
    },
}

fn post(form: &[u8]) -> Posted {
    let gate = Gate::builder(PasswordBackend::new()).mount("/ops").build().unwrap();
    let fields: [(&[u8], &[u8]); 2] =
        [(b"content-type", b"application/x-www-form-urlencoded"), (b"sec-fetch-site", b"same-origin")];
    let mut step = gate.begin(&Head::new("POST", "/ops/login", HeaderView::Pairs(&fields)), NOW);
    let mut asked = None;
    let decision = loop {
        step = match step {
            Step::Done(decision) => break decision,
            Step::ReadBody(limit, then) => then.resume(limit.body(form.to_vec()), NOW),
            Step::CheckPassword(who, then) => {
                let found = (who.username.clone(), who.password.expose().clone());
                assert!(asked.replace(found).is_none(), "a password is checked once");
                then.resume(Ok(Verdict::Rejected), NOW)
            }
            other => panic!("nobody has signed in: {other:?}"),
        };
    };
    let Decision::Respond(reply) = &decision else { panic!("a wrong password is answered") };
    replies::check(reply, &Mount::parse("/ops").unwrap());
    match (asked, reply.event().reason) {
        (Some((username, password)), _) => {
            let page = reply.login_form().expect("the form once more");
            assert!(page.username == username && reply.status() == 401);
            let next = page.next.as_ref().map(|next| next.as_str().to_owned());
            Posted::Asked { username, password, next, answer: told(&decision) }
        }
        (None, Reason::Denied(Denial::WrongPassword)) => Posted::Unasked,
        (None, Reason::Denied(denial)) => Posted::Refused(denial),
        (None, other) => panic!("{other:?}"),
    }
}

/// The username, the password and `next`, by the WHATWG reading.
fn fields(data: &[u8]) -> [Option<String>; 3] {
    let mut found = [const { None }; 3];
    for (name, value) in form_urlencoded::parse(data) {
        let place = ["username", "password", "next"].iter().position(|known| *known == name);
        if let Some(place) = place {
            assert!(found[place].replace(value.into_owned()).is_none(), "{name} stands twice");
        }
    }
    found
}

fn check_refusal(data: &[u8], denial: Denial) {
    let pairs: Vec<_> = form_urlencoded::parse(data).collect();
    let count = |known: &str| pairs.iter().filter(|(name, _)| name == known).count();
    let repeats = ["username", "password", "next"].into_iter().any(|known| count(known) > 1);
    let too_large = data.len() > LARGEST
        || data.split(|&byte| byte == b'&').count() > MOST_FIELDS
        || data.split(|&byte| byte == b'&').any(|pair| {
            let mut parts = pair.splitn(2, |&byte| byte == b'=');
            parts.any(|part| part.len() > LONGEST_FIELD)
        });
    // The WHATWG reading puts a replacement character where there is no text.
    let no_text = pairs.iter().any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}'));
    assert!(repeats || too_large || no_text, "{denial:?}");
}
