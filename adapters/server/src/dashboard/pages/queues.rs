//! The queues, ten a page: a table whose rows refresh themselves where scripts run.

use maud::{Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::queues::{Page, Row};
use super::{Shell, grouped, layout};

/// What is escaped in one segment of a path: all but the unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(in super::super) fn queues(shell: Shell<'_>, page: &Page) -> Markup {
    let mount = shell.mount;
    let content = html! {
        div.title {
            h1 { "Queues" }
            p.live {
                span role="status" data-live-state { "Reload to refresh" }
                button type="button" hidden data-live-hold { "Hold updates" }
            }
        }
        div.scroll role="region" aria-label="Queues" tabindex="0" {
            table {
                caption { (span(page)) ", page " (page.number) " of " (page.of) }
                thead {
                    tr {
                        th scope="col" { "Queue" }
                        th scope="col" { "State" }
                        th.count scope="col" { "Waiting" }
                        th.count scope="col" { "Running" }
                        th.count scope="col" { "Done" }
                        th.count scope="col" { "Failed" }
                        td {}
                    }
                }
                tbody id="rows" data-poll hx-get={ (mount) "/queues/rows?page=" (page.number) }
                    hx-trigger="every 2s" hx-swap="innerHTML" hx-sync="this:drop" {
                    (rows(mount, &page.rows))
                }
            }
        }
        (pager(mount, page))
    };
    layout(shell, "Queues", &content)
}

/// Table rows and nothing else: what the table polls for.
pub(in super::super) fn rows(mount: &str, rows: &[Row]) -> Markup {
    html! { @for row in rows { (one(mount, row)) } }
}

/// The page of that number.
pub(in super::super) fn link(mount: &str, number: usize) -> String {
    if number == 1 { format!("{mount}/queues") } else { format!("{mount}/queues?page={number}") }
}

fn one(mount: &str, row: &Row) -> Markup {
    let counters = row.counters;
    let pause = format!("{mount}/queues/{}/pause", utf8_percent_encode(row.name, SEGMENT));
    html! {
        tr {
            th scope="row" { (row.name) }
            td {
                @if counters.paused { span.badge.paused { "Paused" } } @else { span.badge.active { "Active" } }
            }
            td.count { (grouped(counters.waiting)) }
            td.count { (grouped(counters.running)) }
            td.count { (grouped(counters.done)) }
            td.count { (grouped(counters.failed)) }
            td.act {
                form method="post" action=(pause) hx-post=(pause) hx-target="closest tr" hx-swap="outerHTML"
                    hx-sync="closest tbody:queue all" {
                    // The id lets the focus survive a swap.
                    button type="submit" id={ "toggle-" (row.index) } {
                        @if counters.paused { "Resume" } @else { "Pause" }
                        span.unseen { " " (row.name) }
                    }
                }
            }
        }
    }
}

/// `Queues 11–20 of 25`.
fn span(page: &Page) -> String {
    let first = page.rows.first().map_or(0, |row| row.index + 1);
    let last = page.rows.last().map_or(0, |row| row.index + 1);
    format!("Queues {first}–{last} of {}", page.total)
}

fn pager(mount: &str, page: &Page) -> Markup {
    html! {
        nav.pager aria-label="Pages" {
            ul {
                @if page.number > 1 {
                    li { a href=(link(mount, page.number - 1)) rel="prev" { "Previous" } }
                }
                @for number in 1..=page.of {
                    li {
                        a href=(link(mount, number)) aria-current=[(number == page.number).then_some("page")] {
                            span.unseen { "Page " } (number)
                        }
                    }
                }
                @if page.number < page.of {
                    li { a href=(link(mount, page.number + 1)) rel="next" { "Next" } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::queues::Queues;
    use super::*;

    #[test]
    fn the_first_page_has_no_previous_and_the_last_no_next() {
        let queues = Queues::new(0);
        let pager = |number| pager("/ops", &queues.page(Some(number), 0)).into_string();
        assert!(!pager("1").contains("Previous") && pager("1").contains("/ops/queues?page=2"));
        assert!(pager("2").contains("Previous") && pager("2").contains("Next"));
        assert!(pager("3").contains("Previous") && !pager("3").contains("Next"));
    }

    #[test]
    fn a_page_says_which_queues_it_lists() {
        let queues = Queues::new(0);
        assert_eq!(span(&queues.page(Some("2"), 0)), "Queues 11–20 of 25");
        assert_eq!(span(&queues.page(Some("3"), 0)), "Queues 21–25 of 25");
    }
}
