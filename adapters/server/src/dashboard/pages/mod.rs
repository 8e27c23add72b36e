//! The pages: HTML that works without scripts, by keyboard, and on a narrow screen.

mod audit;
mod overview;
mod queues;

use std::time::{Duration, UNIX_EPOCH};

use maud::{DOCTYPE, Markup, html};

pub(super) use self::audit::audit;
pub(super) use self::overview::{Overview, overview};
pub(super) use self::queues::{link as queues_link, queues, rows};
use super::Viewer;
use super::assets::VERSION;

/// htmx without what a strict content policy forbids, and without copies of pages in the browser's storage.
const HTMX: &str = r#"{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"selfRequestsOnly":true,"disableInheritance":true,"historyCacheSize":0,"refreshOnHistoryMiss":true}"#;

/// What every page is wrapped in.
#[derive(Clone, Copy)]
pub(super) struct Shell<'a> {
    pub mount: &'a str,
    pub viewer: Option<&'a Viewer>,
    pub tab: Tab,
}

/// Where a page belongs in the navigation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Overview,
    Queues,
    Audit,
    None,
}

pub(super) fn not_found(shell: Shell<'_>) -> Markup {
    let content = html! {
        h1 { "Nothing here" }
        p { "This address leads nowhere on the dashboard. Perhaps the queue was renamed." }
        p { a href={ (shell.mount) "/" } { "Back to the overview" } }
    };
    layout(shell, "Nothing here", &content)
}

fn layout(shell: Shell<'_>, title: &str, content: &Markup) -> Markup {
    let Shell { mount, viewer, .. } = shell;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=(HTMX);
                title { (title) " · Job queues" }
                link rel="icon" type="image/svg+xml" href={ (mount) "/static/icon.svg?v=" (VERSION) };
                link rel="stylesheet" href={ (mount) "/static/app.css?v=" (VERSION) };
                script src={ (mount) "/static/htmx.min.js?v=" (VERSION) } defer {}
                script src={ (mount) "/static/app.js?v=" (VERSION) } defer {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                header.top {
                    a.brand href={ (mount) "/" } {
                        img src={ (mount) "/static/icon.svg?v=" (VERSION) } alt="" width="28" height="28";
                        "Job queues"
                    }
                    (navigation(shell))
                    @if let Some(viewer) = viewer { (signed_in(mount, viewer)) }
                }
                main id="main" tabindex="-1" { (content) }
                footer { "Simulated jobs behind a real gate." }
            }
        }
    }
}

fn navigation(shell: Shell<'_>) -> Markup {
    let tabs = [
        (Tab::Overview, "/", "Overview"),
        (Tab::Queues, "/queues", "Queues"),
        (Tab::Audit, "/audit", "Audit"),
    ];
    html! {
        nav aria-label="Main" {
            ul {
                @for (tab, path, name) in tabs {
                    li {
                        a href={ (shell.mount) (path) } aria-current=[(shell.tab == tab).then_some("page")] { (name) }
                    }
                }
            }
        }
    }
}

fn signed_in(mount: &str, viewer: &Viewer) -> Markup {
    html! {
        div.viewer {
            p {
                span.name { "Signed in as " (viewer.name) }
                @if viewer.is_admin { " " span.badge.admin { "admin" } }
                @for role in &viewer.roles { " " span.badge { (role) } }
            }
            form method="post" action={ (mount) "/logout" } { button type="submit" { "Sign out" } }
        }
    }
}

/// A count as people read it: `12,345`.
fn grouped(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = String::from(if count < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A Unix time as RFC 3339, within the years that it can write.
fn rfc3339(time: i64) -> String {
    const YEAR_9999: u64 = 253_402_300_799;
    let seconds = u64::try_from(time).unwrap_or(0).min(YEAR_9999);
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        let counts = [0, 7, 999, 1_000, 12_345, 1_234_567, -1_000];
        assert_eq!(counts.map(grouped), ["0", "7", "999", "1,000", "12,345", "1,234,567", "-1,000"]);
    }

    #[test]
    fn any_time_can_be_written() {
        assert_eq!(rfc3339(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(rfc3339(i64::MIN), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(i64::MAX), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn a_page_for_nobody_names_nobody() {
        let page = not_found(Shell { mount: "/ops", viewer: None, tab: Tab::None }).into_string();
        assert!(!page.contains("Signed in") && !page.contains("/logout"));
    }
}
