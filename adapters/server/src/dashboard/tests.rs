//! The dashboard as a browser meets it: one request, one answer.

use futures_lite::future::block_on;
use http::HeaderMap;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use http_body_util::BodyExt;

use super::testing::Clock;
use super::*;

const LINE: &str = "<b>who</b>";

fn dashboard() -> Dashboard<Clock> {
    let line = AuditLine {
        time: 1_700_000_000,
        request_id: "r-1".into(),
        client: "192.0.2.7".into(),
        method: "GET".into(),
        path: "/ops/queues?x=<script>".into(),
        kind: "page".into(),
        outcome: "redirect".into(),
        reason: "no credentials".into(),
        user: Some(LINE.into()),
        status: Some(303),
    };
    Dashboard::new("/ops", Clock::at(1_000), move || vec![line.clone()])
}

fn viewer() -> Viewer {
    Viewer { name: "Ada <Admin>".into(), is_admin: true, roles: vec!["ops".into()] }
}

struct Seen {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

fn ask_with(
    dashboard: &Dashboard<Clock>,
    method: &str,
    target: &str,
    headers: &[(&'static str, &str)],
) -> Seen {
    let mut request = Request::builder().method(method).uri(format!("/ops{target}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let path = target.split('?').next().unwrap();
    let timer = dashboard.timer.clone();
    let ended = move || timer.seconds() >= 1_002;
    let response = dashboard.answer(request.body("").unwrap(), path, Some(&viewer()), ended);
    let (parts, body) = response.into_parts();
    let bytes = block_on(body.collect()).unwrap().to_bytes();
    Seen { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

fn ask(method: &str, target: &str) -> Seen {
    ask_with(&dashboard(), method, target, &[])
}

const HTMX: (&str, &str) = ("hx-request", "true");

#[test]
fn every_page_names_the_viewer_and_escapes_the_name() {
    for page in ["", "/", "/queues", "/audit", "/nothing"] {
        let seen = ask("GET", page);
        assert!(seen.text.contains("Ada &lt;Admin&gt;"), "{page}");
        assert!(!seen.text.contains("Ada <Admin>"), "{page}");
        assert!(seen.text.contains(r#"<form method="post" action="/ops/logout">"#), "{page}");
    }
}

#[test]
fn every_link_on_every_page_carries_the_mount() {
    for page in ["/", "/queues?page=2", "/audit", "/nothing", "/queues/rows"] {
        let text = ask("GET", page).text;
        for attribute in ["href=\"", "src=\"", "action=\"", "hx-get=\"", "hx-post=\"", "data-events=\""] {
            for rest in text.split(attribute).skip(1) {
                assert!(rest.starts_with("/ops/") || rest.starts_with('#'), "{page}: {attribute}{rest:.40}");
            }
        }
    }
}

#[test]
fn nothing_is_inline_under_a_strict_policy() {
    for page in ["/", "/queues", "/audit", "/nothing"] {
        let seen = ask("GET", page);
        let policy = seen.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
        assert!(!policy.contains("unsafe"));
        for inline in ["<style", " style=", " onclick=", "<script>", "javascript:"] {
            assert!(!seen.text.contains(inline), "{page}: {inline}");
        }
    }
}

#[test]
fn awkward_queue_names_are_escaped_in_html_and_encoded_in_links() {
    let text = ask("GET", "/queues").text;
    assert!(text.contains("a&amp;b"));
    assert!(text.contains("/ops/queues/a%26b/pause"));
    let text = ask("GET", "/queues?page=2").text;
    assert!(text.contains("/ops/queues/mail%20%2F%20retry/pause"));
    assert!(text.contains("reports &lt;daily&gt;") && !text.contains("<daily>"));
    assert!(text.contains("/ops/queues/reports%20%3Cdaily%3E/pause"));
}

#[test]
fn a_page_number_out_of_bounds_shows_the_nearest_page() {
    for (asked, shown) in [
        ("", "1 of 3"),
        ("?page=0", "1 of 3"),
        ("?page=-1", "1 of 3"),
        ("?page=abc", "1 of 3"),
        ("?page=2", "2 of 3"),
        ("?other=3&page=2", "2 of 3"),
        ("?page=999", "3 of 3"),
    ] {
        let seen = ask("GET", &format!("/queues{asked}"));
        assert_eq!(seen.status, StatusCode::OK);
        assert!(seen.text.contains(&format!("page {shown}")), "{asked}");
    }
}

#[test]
fn the_fragment_has_only_the_rows_of_its_page() {
    let seen = ask_with(&dashboard(), "GET", "/queues/rows?page=3", &[HTMX]);
    assert!(seen.text.starts_with("<tr") && seen.text.ends_with("</tr>"));
    assert_eq!(seen.text.matches("<tr").count(), 5);
    for page in ["<html", "<body", "<table", "<header", "Signed in"] {
        assert!(!seen.text.contains(page), "{page}");
    }
    let asked_by_page_three = ask("GET", "/queues?page=3").text;
    assert!(asked_by_page_three.contains(r#"hx-get="/ops/queues/rows?page=3""#));
}

#[test]
fn a_form_pauses_a_queue_and_returns_to_its_page() {
    let dashboard = dashboard();
    let seen = ask_with(&dashboard, "POST", "/queues/a%26b/pause", &[]);
    assert_eq!(
        (seen.status, &seen.headers[LOCATION]),
        (StatusCode::SEE_OTHER, &"/ops/queues".parse().unwrap())
    );
    assert_eq!(ask_with(&dashboard, "GET", "/queues", &[]).text.matches(">Paused<").count(), 1);
    let seen = ask_with(&dashboard, "POST", "/queues/mail%20%2F%20retry/pause", &[]);
    assert_eq!(seen.headers[LOCATION], "/ops/queues?page=2");
}

#[test]
fn htmx_gets_the_row_alone_and_a_second_time_resumes_it() {
    let dashboard = dashboard();
    let pause = || ask_with(&dashboard, "POST", "/queues/mail%20%2F%20retry/pause", &[HTMX]);
    let paused = pause();
    assert_eq!(paused.status, StatusCode::OK);
    assert!(paused.text.starts_with("<tr") && paused.text.matches("<tr").count() == 1);
    assert!(paused.text.contains(">Paused<") && paused.text.contains("mail / retry"));
    assert!(pause().text.contains(">Active<"));
}

#[test]
fn an_unknown_or_unreadable_queue_is_not_found() {
    for name in ["nobody", "a&b%00", "%ff", "", "mail / retry/x", "a%2526b"] {
        let request = Request::post("/").body(()).unwrap();
        let path = format!("/queues/{name}/pause");
        let response = dashboard().answer(request, &path, Some(&viewer()), || false);
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{name}");
    }
}

#[test]
fn other_methods_are_told_what_is_allowed() {
    for (method, target, allow) in [
        ("GET", "/queues/mail/pause", "POST"),
        ("HEAD", "/queues/mail/pause", "POST"),
        ("DELETE", "/queues/nobody/pause", "POST"),
        ("POST", "/queues", "GET, HEAD"),
        ("PUT", "/", "GET, HEAD"),
        ("OPTIONS", "/static/app.css", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
        ("POST", "/events", "GET, HEAD"),
    ] {
        let seen = ask(method, target);
        assert_eq!(seen.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {target}");
        assert_eq!(seen.headers[ALLOW], allow, "{method} {target}");
    }
}

#[test]
fn anything_else_is_not_found() {
    for target in [
        "/nothing",
        "/queues/",
        "/queues/mail",
        "//",
        "/static/",
        "/static/../queues",
        "/static",
        "/healthz/",
    ] {
        assert_eq!(ask("GET", target).status, StatusCode::NOT_FOUND, "{target}");
    }
    let seen = ask_with(&dashboard(), "GET", "/nothing", &[HTMX]);
    assert_eq!((seen.status, seen.text.as_str()), (StatusCode::NOT_FOUND, "Not found\n"));
}

#[test]
fn head_is_get_without_its_content() {
    for target in ["/", "/queues", "/audit", "/healthz", "/static/app.css", "/nothing"] {
        let (get, head) = (ask("GET", target), ask("HEAD", target));
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{target}");
        assert_eq!(head.headers[CONTENT_LENGTH], get.text.len().to_string(), "{target}");
        assert_eq!(head.headers[CONTENT_TYPE], get.headers[CONTENT_TYPE], "{target}");
    }
    assert_eq!(ask("HEAD", "/events").headers[CONTENT_TYPE], "text/event-stream");
}

#[test]
fn pages_are_not_stored_and_static_files_are() {
    for page in ["/", "/queues", "/queues/rows", "/audit", "/events", "/healthz", "/static/nothing"] {
        assert_eq!(ask("GET", page).headers[CACHE_CONTROL], "no-store", "{page}");
    }
    for file in ["app.css", "app.js", "htmx.min.js", "icon.svg"] {
        let seen = ask("GET", &format!("/static/{file}"));
        assert_eq!(seen.headers[CACHE_CONTROL], "public, max-age=3600", "{file}");
        assert_eq!(seen.headers["x-content-type-options"], "nosniff");
        assert_eq!(seen.headers["referrer-policy"], "same-origin");
    }
}

#[test]
fn the_event_stream_ends_with_the_admission() {
    let seen = ask("GET", "/events");
    assert_eq!(seen.headers[CONTENT_TYPE], "text/event-stream");
    assert_eq!(seen.text.matches("data: ").count(), 2);
}

#[test]
fn the_audit_page_escapes_what_strangers_sent() {
    let text = ask("GET", "/audit").text;
    assert!(text.contains("&lt;b&gt;who&lt;/b&gt;") && !text.contains(LINE));
    assert!(text.contains("?x=&lt;script&gt;") && !text.contains("x=<script>"));
    assert!(text.contains("2023-11-14 22:13:20"));
}

#[test]
fn healthz_is_ok() {
    assert_eq!(ask("GET", "/healthz").text, "ok");
}

#[test]
fn without_a_mount_links_start_at_the_root() {
    let dashboard = Dashboard::new("", Clock::at(0), Vec::new);
    let text = ask_with(&dashboard, "GET", "/", &[]).text;
    assert!(text.contains(r#"href="/queues""#) && !text.contains("\"//"));
}
