//! What the gate decided lately, about whom, and why.

use maud::{Markup, html};

use super::super::AuditLine;
use super::{Shell, layout, rfc3339};

/// Lines on the page.
const MOST: usize = 100;

/// The newest lines of `lines` (oldest first), the newest on top.
pub(in super::super) fn audit(shell: Shell<'_>, lines: &[AuditLine]) -> Markup {
    let content = html! {
        div.title { h1 { "Audit" } }
        @if lines.is_empty() {
            p { "The gate has not decided anything yet." }
        } @else {
            div.scroll role="region" aria-label="Audit" tabindex="0" {
                table.log {
                    caption { "Newest decisions first, in UTC" }
                    thead {
                        tr {
                            @for column in ["Time", "Outcome", "Reason", "User", "Request", "Kind", "Client", "Request id"] {
                                th scope="col" { (column) }
                            }
                        }
                    }
                    tbody { @for line in lines.iter().rev().take(MOST) { (one(line)) } }
                }
            }
        }
    };
    layout(shell, "Audit", &content)
}

fn one(line: &AuditLine) -> Markup {
    let time = rfc3339(line.time);
    html! {
        tr {
            td { time datetime=(time) { (time.replace('T', " ").trim_end_matches('Z')) } }
            td { span class={ "badge " (mood(line.status)) } { @if let Some(status) = line.status { (status) " " } (line.outcome) } }
            td.reason { (line.reason) }
            td { (line.user.as_deref().unwrap_or("–")) }
            td.path { (line.method) " " (line.path) }
            td { (line.kind) }
            td { (line.client) }
            td { code { (line.request_id) } }
        }
    }
}

/// The colour of a status; the number beside it says the same.
fn mood(status: Option<u16>) -> &'static str {
    match status {
        Some(400..) => "refused",
        Some(300..) => "paused",
        _ => "active",
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tab;
    use super::*;

    fn line(time: i64) -> AuditLine {
        let empty = String::new;
        AuditLine {
            time,
            request_id: format!("id-{time}"),
            client: empty(),
            method: empty(),
            path: empty(),
            kind: empty(),
            outcome: empty(),
            reason: empty(),
            user: None,
            status: None,
        }
    }

    fn page(lines: &[AuditLine]) -> String {
        audit(Shell { mount: "", viewer: None, tab: Tab::Audit }, lines).into_string()
    }

    #[test]
    fn the_newest_decisions_come_first_and_the_oldest_are_left_out() {
        let lines: Vec<_> = (1..=150).map(line).collect();
        let page = page(&lines);
        assert!(page.find("id-150").unwrap() < page.find("id-149").unwrap());
        assert!(page.contains("id-51<") && !page.contains("id-50<"));
    }

    #[test]
    fn an_empty_log_says_so() {
        assert!(page(&[]).contains("not decided anything yet"));
    }
}
