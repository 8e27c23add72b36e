//! What is counted, for Prometheus.

use authgate_core::{Denial, Event, Reason, Unanswered};
use authgate_proxy::Exchange;
use prometheus::{
    Encoder as _, Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts, Registry, TextEncoder,
};

use crate::failure::Failure;

/// What `/-/metrics` tells. Labels have few values: kinds, outcomes and reasons, never a user or a path.
pub(crate) struct Metrics {
    registry: Registry,
    decisions: IntCounterVec,
    logins: IntCounterVec,
    throttled: IntCounter,
    upstream_seconds: Histogram,
    upstream_failures: IntCounterVec,
    reloads: IntCounterVec,
}

/// How a sign-in can end.
const LOGINS: [&str; 3] = ["succeeded", "wrong-password", "throttled"];

/// How a reload can end.
const RELOADS: [&str; 2] = ["succeeded", "failed"];

impl Metrics {
    pub(crate) fn new() -> Result<Self, Failure> {
        Self::registered().map_err(|error| Failure::new(format!("the metrics cannot be registered: {error}")))
    }

    fn registered() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let family = |name, help, labels: &[&str]| {
            let family = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(family.clone()))?;
            prometheus::Result::Ok(family)
        };
        let decisions = family(
            "authgate_decisions_total",
            "Requests by how they ended, what asked, and why.",
            &["outcome", "kind", "reason"],
        )?;
        let logins = family("authgate_logins_total", "Tries to sign in by how they ended.", &["result"])?;
        let upstream_failures =
            family("authgate_upstream_failures_total", "Requests without an answer, by why.", &["reason"])?;
        let reloads = family("authgate_reloads_total", "Reloads of the configuration.", &["result"])?;
        let throttled = IntCounter::new("authgate_throttled_total", "Tries to sign in that were too many.")?;
        registry.register(Box::new(throttled.clone()))?;
        let upstream_seconds = Histogram::with_opts(HistogramOpts::new(
            "authgate_upstream_seconds",
            "From a request's arrival, its body included, until the head of the upstream's answer.",
        ))?;
        registry.register(Box::new(upstream_seconds.clone()))?;
        // A series that is missing until its first event looks like a target that is.
        let failures = Unanswered::ALL.map(Unanswered::slug);
        for (family, values) in
            [(&logins, &LOGINS[..]), (&reloads, &RELOADS[..]), (&upstream_failures, &failures[..])]
        {
            for value in values {
                family.with_label_values(&[value]).inc_by(0);
            }
        }
        Ok(Self { registry, decisions, logins, throttled, upstream_seconds, upstream_failures, reloads })
    }

    pub(super) fn count(&self, event: &Event<'_>) {
        let labels = [event.outcome.as_str(), event.kind.as_str(), event.reason.slug()];
        self.decisions.with_label_values(&labels).inc();
        let login = match event.reason {
            Reason::SignIn => Some("succeeded"),
            Reason::Denied(Denial::WrongPassword) => Some("wrong-password"),
            Reason::Denied(Denial::Throttled) => {
                self.throttled.inc();
                Some("throttled")
            }
            _ => None,
        };
        if let Some(result) = login {
            self.logins.with_label_values(&[result]).inc();
        }
    }

    pub(super) fn observe(&self, exchange: &Exchange) {
        match exchange.outcome {
            Ok(_) => self.upstream_seconds.observe(exchange.took.as_secs_f64()),
            Err(why) => self.upstream_failures.with_label_values(&[why.slug()]).inc(),
        }
    }

    pub(super) fn reloaded(&self, succeeded: bool) {
        self.reloads.with_label_values(&[if succeeded { "succeeded" } else { "failed" }]).inc();
    }

    /// All of it, in Prometheus' text format 0.0.4.
    pub(super) fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::warn!(target: "authgate", %error, "the metrics cannot be written");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_there_from_the_start() {
        let metrics = Metrics::new().unwrap();
        let text = String::from_utf8(metrics.text()).unwrap();
        for line in [
            "authgate_logins_total{result=\"succeeded\"} 0",
            "authgate_throttled_total 0",
            "authgate_upstream_failures_total{reason=\"upstream-timed-out\"} 0",
            "authgate_upstream_seconds_count 0",
            // Beyond the time that connecting may take.
            "authgate_upstream_seconds_bucket{le=\"10\"} 0",
            "authgate_reloads_total{result=\"failed\"} 0",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} is not in {text}");
        }
    }
}
