//! The first page: how much there is to do, how it went lately, where it piles up.

use maud::{Markup, html};

use super::super::queues::{Row, Totals};
use super::{Shell, grouped, layout, rfc3339};

/// What the overview shows.
pub(in super::super) struct Overview {
    pub time: i64,
    pub totals: Totals,
    /// Jobs waiting, second by second, the last at `time`.
    pub lately: Vec<i64>,
    pub busiest: Vec<Row>,
}

pub(in super::super) fn overview(shell: Shell<'_>, view: &Overview) -> Markup {
    let Totals { waiting, running, done, failed, paused } = view.totals;
    let tiles = [
        ("waiting", "Waiting", waiting),
        ("running", "Running", running),
        ("done", "Done", done),
        ("failed", "Failed", failed),
        ("paused", "Paused queues", paused),
    ];
    let content = html! {
        div.title {
            h1 { "Overview" }
            p.live {
                span role="status" data-live-state { "As of " (clock(view.time)) " UTC" }
                button type="button" hidden data-live-hold { "Hold updates" }
            }
        }
        dl.tiles data-events={ (shell.mount) "/events" } {
            @for (key, label, count) in tiles {
                div { dt { (label) } dd data-live=(key) { (grouped(count)) } }
            }
        }
        div.columns {
            (chart(view))
            (busiest(shell.mount, view))
        }
    };
    layout(shell, "Overview", &content)
}

fn chart(view: &Overview) -> Markup {
    let low = view.lately.iter().copied().min().unwrap_or(0);
    let high = view.lately.iter().copied().max().unwrap_or(0);
    let values: Vec<String> = view.lately.iter().map(i64::to_string).collect();
    html! {
        section aria-labelledby="lately" {
            h2 id="lately" { "Waiting, last minute" }
            figure {
                svg viewBox="0 0 59 100" preserveAspectRatio="none" aria-hidden="true"
                    data-chart data-time=(view.time) data-values=(values.join(",")) {
                    polyline points=(points(&view.lately, low, high)) {}
                }
                figcaption {
                    span { "Lowest " b data-chart-low { (grouped(low)) } }
                    span { "Highest " b data-chart-high { (grouped(high)) } }
                }
            }
        }
    }
}

/// The line from left to right, between the chart's lower and upper margin.
fn points(values: &[i64], low: i64, high: i64) -> String {
    let height = |value: i64| 94 - (value - low) * 88 / (high - low).max(1);
    let point = |(x, value): (usize, &i64)| format!("{x},{}", height(*value));
    values.iter().enumerate().map(point).collect::<Vec<_>>().join(" ")
}

fn busiest(mount: &str, view: &Overview) -> Markup {
    let most = view.busiest.iter().map(|row| row.counters.waiting).max().unwrap_or(0).max(1);
    html! {
        section aria-labelledby="busiest" {
            h2 id="busiest" { "Longest lines " small { "at " (clock(view.time)) " UTC" } }
            ol.bars {
                @for row in &view.busiest {
                    li {
                        span { (row.name) @if row.counters.paused { " " span.badge.paused { "Paused" } } }
                        b { (grouped(row.counters.waiting)) }
                        svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" {
                            rect width=(row.counters.waiting * 100 / most) height="4" {}
                        }
                    }
                }
            }
            p { a href={ (mount) "/queues" } { "All queues" } }
        }
    }
}

/// The time of day.
fn clock(time: i64) -> String {
    rfc3339(time).chars().skip(11).take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_stays_within_the_chart() {
        assert_eq!(points(&[5, 10, 0], 0, 10), "0,50 1,6 2,94");
        assert_eq!(points(&[3, 3], 3, 3), "0,94 1,94");
        assert_eq!(points(&[], 0, 0), "");
    }

    #[test]
    fn the_clock_tells_the_time_of_day() {
        assert_eq!(clock(1_700_000_000), "22:13:20");
    }
}
