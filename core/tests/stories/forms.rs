//! What is posted to the login is a small, plain form, or it is refused (t29, t30); and `next` leads nowhere else (t01).

use authgate_core::Sessions;

use crate::visitor::{Answer, FORM, Visitor, encode};
use crate::world::BOTH;

const MARK: &str = "Zebra";

fn post(fields: &[(&str, &str)], body: &[u8], down: &'static str) -> (Answer, Visitor) {
    let mut ada = Visitor::new(Sessions::records());
    ada.world.only_down(&[down]);
    let answer = ada.send("POST", "/ops/login", fields, body);
    (answer, ada)
}

/// Refused, and nobody was asked, and nothing of it comes back.
fn refused(answer: &Answer, ada: &Visitor, status: u16) {
    assert_eq!((answer.status, answer.reason), (status, "bad-form"), "{answer:?}");
    assert!(!answer.body.contains(MARK) && !answer.detail.contains(MARK), "{answer:?}");
    assert_eq!((answer.header("set-cookie"), answer.location()), ("", ""));
    assert!(ada.world.asked.lock().unwrap().is_empty());
}

#[test]
fn t29_what_cannot_be_a_form_is_refused_before_it_is_read() {
    let own = FORM[1];
    let form = FORM[0];
    let large = "Form too large";
    for (fields, status, text) in [
        (vec![form, own, ("content-length", "262145")], 413, large),
        (vec![form, own, ("content-length", "18446744073709551615")], 413, large),
        (vec![("content-type", "application/json"), own], 400, "Bad request"),
        (vec![("content-type", "multipart/form-data; boundary=x"), own], 400, "Bad request"),
        (vec![("content-type", "text/plain"), own], 400, "Bad request"),
        (vec![form, form, own], 400, "Bad request"),
        (vec![own], 400, "Bad request"),
    ] {
        let (answer, ada) = post(&fields, b"username=Zebra&password=Zebra", "");
        refused(&answer, &ada, status);
        assert!(answer.body.contains(&format!("role=\"alert\">{text}.")), "{}", answer.body);
        assert_eq!(ada.world.questions().len(), 0, "the body is not even read");
    }
}

#[test]
fn t29_a_body_that_is_no_whole_form_is_refused() {
    let field = |length: usize| format!("username=Zebra&password=x&other={}", "a".repeat(length));
    let long = format!("{}=1", "n".repeat(8193));
    for (body, down, status) in [
        (field(256 * 1024), "", 413),
        (field(8193), "", 413),
        (long, "", 413),
        (field(3), "body", 400),
        (field(3), "slow", 408),
        ("username=Zebra&password=%ff".to_owned(), "", 400),
        ("%c3%28=Zebra&password=x".to_owned(), "", 400),
        ("username=Zebra&username=ada&password=right".to_owned(), "", 400),
        ("username=ada&password=Zebra&password=right".to_owned(), "", 400),
        ("username=ada&password=right&next=/ops/Zebra&next=/ops/".to_owned(), "", 400),
        ("username=ada&%70assword=Zebra&password=right".to_owned(), "", 400),
    ] {
        let (answer, ada) = post(&FORM, body.as_bytes(), down);
        refused(&answer, &ada, status);
        assert_eq!(ada.world.questions(), ["ReadBody"]);
    }
    let (answer, ada) = post(&FORM, b"username=Zebra\xff&password=Zebra", "");
    refused(&answer, &ada, 400);
    // Just as long as it may be, it is a form like any other.
    let (answer, _) = post(&FORM, b"", "");
    assert_eq!((answer.status, answer.reason), (401, "wrong-password"));
    let body = format!("username=ada&password=right&other={}", "a".repeat(8192));
    assert_eq!(post(&FORM, body.as_bytes(), "").0.reason, "sign-in");
}

#[test]
fn t29_nobody_is_asked_about_what_cannot_be_a_credential() {
    let long = "x".repeat(1025);
    let mut ada = Visitor::new(Sessions::records());
    for (username, password) in [
        ("", "right"),
        ("ada", ""),
        ("", ""),
        ("ada\0", "right"),
        ("ada\r\nSet-Cookie: x", "right"),
        ("ada\u{85}", "right"),
        ("ada", &long),
        (&long, "right"),
    ] {
        let answer = ada.try_to_sign_in(username, password);
        assert_eq!((answer.status, answer.reason), (401, "wrong-password"), "{username:?}");
        assert!(answer.body.contains("do not match"), "it says no more than of any other");
        assert_eq!(answer.header("set-cookie"), "");
    }
    assert!(ada.world.asked.lock().unwrap().is_empty());
    // Nor did it use up any tries.
    for _ in 0..10 {
        assert_eq!(ada.try_to_sign_in("ada", &"x".repeat(1024)).status, 401);
    }
    assert_eq!(ada.world.asked.lock().unwrap().len(), 10);
}

#[test]
fn t30_what_was_typed_comes_back_as_text_and_the_password_never() {
    let mut ada = Visitor::new(Sessions::records());
    let name = "\"><script>alert('1')</script>&amp;";
    let answer = ada.try_to_sign_in(name, "<Zebra>");
    assert_eq!(answer.status, 401);
    assert!(
        answer.body.contains("value=\"&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;\"")
    );
    assert!(!answer.body.contains("<script") && !answer.body.contains(MARK));
    assert_eq!(answer.form.unwrap().username, name);
}

fn signs_in_to(target: &str, next: Option<&str>) -> String {
    let mut ada = Visitor::new(Sessions::records());
    let mut fields = vec![("username", "ada"), ("password", "right")];
    fields.extend(next.map(|next| ("next", next)));
    let answer = ada.post(target, &fields);
    assert_eq!((answer.status, answer.reason), (303, "sign-in"));
    answer.location().to_owned()
}

#[test]
fn t01_a_hostile_next_leads_home() {
    let long = format!("/ops/{}", "a".repeat(3 * 1024));
    for next in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/ops/",
        "http://dash.example/ops/queues",
        "javascript:alert(1)",
        "/ops//evil.example",
        "/ops/../admin",
        "/ops/%2e%2e/admin",
        "/ops/%252e%252e/admin",
        "/opsx",
        "/",
        "",
        "queues",
        "/ops/a\r\nSet-Cookie: x=1",
        "/ops/a%0d%0ab",
        "/ops/é",
        "/ops/login",
        "/ops/login?next=%2Fops%2Fqueues",
        "/ops/logout",
        &long,
    ] {
        let query = format!("/ops/login?{}", encode(&[("next", next)]));
        assert_eq!(signs_in_to("/ops/login", Some(next)), "/ops/", "{next:?}");
        assert_eq!(signs_in_to(&query, None), "/ops/", "{next:?}");
        let page = Visitor::new(Sessions::records()).get(&query);
        assert_eq!((page.status, page.form.unwrap().next), (200, None), "{next:?}");
        assert!(!page.body.contains("name=\"next\""), "{next:?}");
    }
}

#[test]
fn t02_a_deep_link_comes_back_byte_for_byte() {
    let longest = format!("/ops/{}", "a".repeat(2048 - 5));
    for link in [
        "/ops/queues/a%26b?page=2&sort=age#row-7",
        "/ops/queues/caf%C3%A9?q=%22x%22+y&next=//evil.example",
        "/ops",
        "/ops/",
        "/ops?x=%0d%0a",
        "/ops/loginx",
        &longest,
    ] {
        let login = format!("/ops/login?{}", encode(&[("next", link)]));
        assert_eq!(Visitor::new(Sessions::records()).get(&login).field("next"), link);
        assert_eq!(signs_in_to(&login, None), link);
        assert_eq!(signs_in_to("/ops/login", Some(link)), link);
    }
}

#[test]
fn the_forms_next_counts_and_not_the_querys() {
    assert_eq!(signs_in_to("/ops/login?next=/ops/a", Some("/ops/b")), "/ops/b");
    assert_eq!(signs_in_to("/ops/login?next=/ops/a", Some("//evil.example")), "/ops/");
    assert_eq!(signs_in_to("/ops/login?next=/ops/a", None), "/ops/a");
    assert_eq!(signs_in_to("/ops/login", None), "/ops/");
}

/// Sent on by the gate itself, from any page, with any way to keep sessions.
#[test]
fn t02_the_way_there_and_back_is_the_same() {
    for sessions in BOTH {
        for link in ["/ops/queues/a%26b?page=2&x=%3D", "/ops/?", "/ops/a;b/..c?d=//e"] {
            let mut ada = Visitor::new(sessions());
            let login = ada.get(link).location().to_owned();
            let next = ada.get(&login).field("next");
            assert_eq!(next, link);
            let fields = [("username", "ada"), ("password", "right"), ("next", &*next)];
            assert_eq!(ada.post("/ops/login", &fields).location(), link);
            assert_eq!(ada.get(link).status, 200);
        }
    }
}
