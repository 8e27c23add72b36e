//! Every answer of the gate's own is valid HTTP, says what its status must say, and gives nothing away.

use std::cell::RefCell;
use std::collections::BTreeSet;

use authgate_core::{Decision, Denial, Gate, Reason, Reply, Timestamp, Unanswered};
use authgate_tests::case::{Request, down, run};
use authgate_tests::strategies::{Visit, cases, visits};
use http::{Method, StatusCode};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

/// Every status that the gate has for something, besides 502 and 504 of a server behind it.
const STATUSES: [u16; 13] = [200, 204, 303, 400, 401, 403, 404, 405, 408, 413, 429, 431, 503];

#[test]
fn t03_every_reply_is_valid_http_and_gives_nothing_away() {
    let seen = RefCell::new(BTreeSet::new());
    let judged = TestRunner::new(cases(3000)).run(&visits(), |visit| {
        let Visit { config, request, answers } = &visit;
        let built = config.build(Timestamp::from_millis(answers.begin));
        let decision = run(&built, request, answers).decision;
        let event = format!("{:?}", decision.event());
        keeps_secrets(&event, request)?;
        let replies = match decision {
            Decision::Respond(reply) => vec![reply],
            Decision::Delegate(page) => vec![page.unavailable(&down())],
            Decision::Forward(admission) => {
                let mut headers = http::HeaderMap::new();
                admission.response_fields().apply(&mut headers);
                for (name, value) in &headers {
                    is_plain(name.as_str(), value.as_bytes())?;
                }
                let fallback = admission.fallback();
                let reply = |why| fallback.as_ref().map(|fallback| fallback.reply(why));
                Unanswered::ALL.into_iter().filter_map(reply).collect()
            }
        };
        for reply in replies {
            seen.borrow_mut().insert(reply.status().as_u16());
            is_valid(&reply, request)?;
        }
        Ok(())
    });
    judged.unwrap_or_else(|error| panic!("{error}"));
    let seen = seen.into_inner();
    // A head of more than 64 KiB is not drawn; dialogues have it.
    let unseen: Vec<_> = STATUSES.iter().filter(|status| **status != 431 && !seen.contains(status)).collect();
    assert!(unseen.is_empty(), "never answered: {unseen:?}");
}

fn is_valid(reply: &Reply, request: &Request) -> Result<(), TestCaseError> {
    let status = reply.status();
    prop_assert!(STATUSES.contains(&status.as_u16()) || [502, 504].contains(&status.as_u16()), "{status}");
    for (name, value) in reply.headers() {
        is_plain(name.as_str(), value.as_bytes())?;
    }
    reads_back(reply)?;
    let all = |name: &str| -> Vec<_> {
        let fields = reply.headers().iter().filter(|(field, _)| field == name);
        fields.map(|(_, value)| value.to_str().unwrap()).collect()
    };
    let has = |name| !all(name).is_empty();
    prop_assert_eq!(all("cache-control"), ["no-store"]);
    // nginx reads no more of an answer than its status, and may send a person to where it says.
    let is_for_nginx = reply.event().about.is_some() && request.target.ends_with(Gate::AUTH_REQUEST);
    prop_assert!(!is_for_nginx || [204, 401, 403, 503].contains(&status.as_u16()), "{status}");
    let may_lead_away = is_for_nginx && status == StatusCode::UNAUTHORIZED;
    prop_assert!(may_lead_away || has("location") == (status == StatusCode::SEE_OTHER));
    for kept in all("cookie") {
        keeps_secrets(kept, request)?;
    }
    prop_assert!(!has("hx-redirect") || !status.is_redirection(), "HTMX never sees a redirect's fields");
    prop_assert!(!has("www-authenticate") || status == StatusCode::UNAUTHORIZED);
    prop_assert_eq!(has("allow"), status == StatusCode::METHOD_NOT_ALLOWED);
    prop_assert_eq!(has("retry-after"), status == StatusCode::TOO_MANY_REQUESTS);
    prop_assert!(all("retry-after").iter().all(|wait| (1..=900).contains(&wait.parse::<u32>().unwrap())));
    prop_assert!(all("set-cookie").len() <= 2, "{:?}", all("set-cookie"));
    prop_assert!(!has("set-cookie") || all("vary").contains(&"Cookie"), "t27");
    // Whoever is not known is given no session; only one that does not hold is taken away.
    let is_unknown =
        matches!(reply.event().reason, Reason::Denied(Denial::NotSignedIn | Denial::BadProof(_)));
    prop_assert!(
        !is_unknown
            || all("set-cookie").iter().all(|cookie| cookie.contains("=; ") && cookie.contains("Max-Age=0"))
    );
    let is_empty =
        status == StatusCode::NO_CONTENT || request.method == Method::HEAD.as_str() || is_for_nginx;
    prop_assert!(!is_empty || reply.body().is_empty());
    let has_none = [StatusCode::SEE_OTHER, StatusCode::NO_CONTENT].contains(&status) || is_for_nginx;
    prop_assert_eq!(has("content-type"), !has_none);
    let body = std::str::from_utf8(reply.body()).map_err(|error| TestCaseError::fail(error.to_string()))?;
    keeps_secrets(body, request)?;
    if all("content-type").contains(&"text/html; charset=utf-8") {
        prop_assert!(has("content-security-policy") && has("x-frame-options"));
        is_ours(body, reply)?;
    }
    Ok(())
}

/// What somebody typed stands in a page as text, and never as markup.
fn is_ours(html: &str, reply: &Reply) -> Result<(), TestCaseError> {
    let tags = html.split('<').skip(1).map(|rest| {
        rest.trim_start_matches(['/', '!']).split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap()
    });
    let known = [
        "doctype html head meta title style body main header h1 p form label input",
        "button a pre code small span footer div",
    ];
    for tag in tags {
        prop_assert!(
            known.iter().flat_map(|names| names.split(' ')).any(|one| one.eq_ignore_ascii_case(tag)),
            "<{tag}> in {html}"
        );
    }
    let Some(form) = reply.login_form().filter(|_| !html.is_empty()) else { return Ok(()) };
    let escaped = |text: &str| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        text.replace('"', "&quot;").replace('\'', "&#39;")
    };
    let typed = format!("type=\"text\" value=\"{}\" ", escaped(&form.username));
    prop_assert!(html.contains(&typed), "{typed:?} is not in {html}");
    Ok(())
}

/// Nothing that proves anything is repeated: not to the client, and not to the log.
fn keeps_secrets(text: &str, request: &Request) -> Result<(), TestCaseError> {
    prop_assert!(!text.contains("s3cret"), "the password is in {text}");
    let proofs = request
        .fields
        .iter()
        .filter(|(name, _)| ["authorization", "x-token", "cookie"].contains(&name.as_str()));
    let parts = proofs.flat_map(|(_, value)| value.split([' ', '=', ';'])).filter(|part| part.len() > 30);
    for part in parts {
        prop_assert!(!text.contains(part), "{part:?} is in {text}");
    }
    Ok(())
}

/// RFC 9110 §5.1, §5.5, and stricter: a name in small letters, a value of visible ASCII with single spaces within.
fn is_plain(name: &str, value: &[u8]) -> Result<(), TestCaseError> {
    prop_assert!(
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
        "{name:?}"
    );
    let is_visible = value.iter().all(|byte| (b' '..=b'~').contains(byte));
    prop_assert!(is_visible && value.trim_ascii() == value && !value.is_empty(), "{name}: {value:?}");
    Ok(())
}

/// Written out and read by a parser of HTTP, it is the same.
fn reads_back(reply: &Reply) -> Result<(), TestCaseError> {
    let mut lines = vec![format!("HTTP/1.1 {}", reply.status())];
    lines.extend(reply.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())));
    let raw = lines.join("\r\n") + "\r\n\r\n";
    let mut slots = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut slots);
    let length = response.parse(raw.as_bytes()).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(length, httparse::Status::Complete(raw.len()));
    prop_assert_eq!(response.code, Some(reply.status().as_u16()));
    let fields: Vec<_> = response.headers.iter().map(|field| (field.name, field.value)).collect();
    let written: Vec<_> =
        reply.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    prop_assert_eq!(fields, written);
    Ok(())
}
