//! The queues of the demo: their names, their pages, and who is paused.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::flow::{Counters, Flow, Pace};

/// Queues on one page.
const PER_PAGE: usize = 10;

/// Name, jobs per minute, workers. Some names are awkward on purpose: they have to survive URLs and HTML.
const QUEUES: [(&str, i64, i64); 25] = [
    ("default", 96, 8),
    ("a&b", 14, 2),
    ("audit-log", 60, 3),
    ("backups", 4, 1),
    ("billing", 22, 3),
    ("café", 9, 2),
    ("cleanup", 6, 1),
    ("exports", 12, 2),
    ("geocoding", 75, 6),
    ("imports", 18, 3),
    ("invoices", 26, 3),
    ("mail", 180, 12),
    ("mail / retry", 15, 2),
    ("metrics", 240, 10),
    ("newsletter", 130, 9),
    ("payments", 34, 4),
    ("push", 160, 8),
    ("refunds", 5, 1),
    ("reports <daily>", 8, 2),
    ("search-index", 110, 7),
    ("sms", 48, 4),
    ("thumbnails", 150, 12),
    ("video", 10, 4),
    ("video.low?q=1", 7, 2),
    ("webhooks", 84, 6),
];

/// All queues, shared by every request.
pub(super) struct Queues(Vec<Queue>);

struct Queue {
    name: &'static str,
    flow: Mutex<Flow>,
}

/// One queue as a page shows it.
#[derive(Clone)]
pub(super) struct Row {
    /// Its place in the list, which makes a safe `id` for HTML.
    pub index: usize,
    pub name: &'static str,
    pub counters: Counters,
}

/// One page of the list.
pub(super) struct Page {
    pub number: usize,
    pub of: usize,
    /// How many queues there are on all pages.
    pub total: usize,
    pub rows: Vec<Row>,
}

/// The sums over all queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub waiting: i64,
    pub running: i64,
    pub done: i64,
    pub failed: i64,
    pub paused: i64,
}

impl Queues {
    pub(super) fn new(started: i64) -> Self {
        let queue = |((name, per_minute, workers), salt): ((&'static str, i64, i64), i64)| Queue {
            name,
            flow: Mutex::new(Flow::new(Pace { per_minute, workers, salt }, started)),
        };
        Self(QUEUES.into_iter().zip(1..).map(queue).collect())
    }

    /// The page that was asked for, or the nearest one that exists; without a number, the first.
    pub(super) fn page(&self, asked: Option<&str>, now: i64) -> Page {
        let asked = asked.and_then(|page| page.parse::<i64>().ok()).unwrap_or(1);
        let of = self.0.len().div_ceil(PER_PAGE).max(1);
        let number = usize::try_from(asked).unwrap_or(1).clamp(1, of);
        let rows = self.rows(now).skip((number - 1) * PER_PAGE).take(PER_PAGE).collect();
        Page { number, of, total: self.0.len(), rows }
    }

    /// The `count` queues with the longest lines.
    pub(super) fn busiest(&self, count: usize, now: i64) -> Vec<Row> {
        let mut rows: Vec<Row> = self.rows(now).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.counters.waiting));
        rows.truncate(count);
        rows
    }

    pub(super) fn totals(&self, now: i64) -> Totals {
        self.rows(now).map(|row| row.counters).fold(Totals::default(), |sum, one| Totals {
            waiting: sum.waiting + one.waiting,
            running: sum.running + one.running,
            done: sum.done + one.done,
            failed: sum.failed + one.failed,
            paused: sum.paused + i64::from(one.paused),
        })
    }

    /// Jobs waiting in all queues, second by second, up to now.
    pub(super) fn waiting_lately(&self, seconds: i64, now: i64) -> Vec<i64> {
        (now - seconds + 1..=now).map(|time| self.totals(time).waiting).collect()
    }

    /// Pauses or resumes a queue. The row as it is afterwards, or nothing if no queue has that name.
    pub(super) fn toggle(&self, name: &str, now: i64) -> Option<Row> {
        let (index, queue) = self.0.iter().enumerate().find(|(_, queue)| queue.name == name)?;
        let mut flow = queue.flow();
        flow.toggle(now);
        Some(Row { index, name: queue.name, counters: flow.at(now) })
    }

    fn rows(&self, now: i64) -> impl Iterator<Item = Row> {
        self.0.iter().enumerate().map(move |(index, queue)| {
            let counters = queue.flow().at(now);
            Row { index, name: queue.name, counters }
        })
    }
}

impl Queue {
    fn flow(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Row {
    /// The page on which this queue is listed.
    pub(super) fn page(&self) -> usize {
        self.index / PER_PAGE + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_queue_is_on_exactly_one_page() {
        let queues = Queues::new(0);
        let mut names = Vec::new();
        for number in 1..=3 {
            let page = queues.page(Some(&number.to_string()), 0);
            assert_eq!((page.number, page.of, page.total), (number, 3, 25));
            assert!(page.rows.iter().all(|row| row.page() == number));
            names.extend(page.rows.iter().map(|row| row.name));
        }
        assert_eq!(names, QUEUES.map(|(name, ..)| name));
    }

    #[test]
    fn a_page_that_does_not_exist_is_the_nearest_one_that_does() {
        let queues = Queues::new(0);
        let number = |asked| queues.page(asked, 0).number;
        assert_eq!(number(None), 1);
        for first in ["0", "-1", "abc", "", "1", "99999999999999999999", "1.5", "-9223372036854775808"] {
            assert_eq!(number(Some(first)), 1, "{first}");
        }
        assert_eq!(number(Some("2")), 2);
        for last in ["3", "4", "999", "9223372036854775807"] {
            assert_eq!(number(Some(last)), 3, "{last}");
        }
        assert_eq!(queues.page(Some("999"), 0).rows.len(), 5);
    }

    #[test]
    fn toggling_pauses_one_queue_and_toggling_again_resumes_it() {
        let queues = Queues::new(0);
        assert!(queues.toggle("a&b", 10).is_some_and(|row| row.counters.paused));
        assert_eq!(queues.totals(10).paused, 1);
        assert!(queues.toggle("a&b", 20).is_some_and(|row| !row.counters.paused));
        assert_eq!(queues.totals(20).paused, 0);
    }

    #[test]
    fn an_unknown_queue_cannot_be_toggled() {
        assert!(Queues::new(0).toggle("nobody", 0).is_none());
    }

    #[test]
    fn the_chart_ends_with_what_the_totals_say() {
        let queues = Queues::new(0);
        queues.toggle("mail", 100);
        let lately = queues.waiting_lately(60, 130);
        assert_eq!(lately.len(), 60);
        assert_eq!(lately.last(), Some(&queues.totals(130).waiting));
    }
}
