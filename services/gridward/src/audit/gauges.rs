//! What an audit found, for Prometheus.

use std::time::Duration;

use chrono::{DateTime, Utc};
use prometheus::core::Collector;
use prometheus::{Gauge, IntCounter, IntGauge, IntGaugeVec, Opts, Registry};

use super::report::{Lag, OnTopics, Report};

/// The gauges of a watch.
#[derive(Clone, Debug)]
pub(super) struct Gauges {
    faults: IntGaugeVec,
    looked_at: IntGaugeVec,
    steps: IntGaugeVec,
    lag: IntGaugeVec,
    on_the_way: IntGauge,
    parked: IntGauge,
    dead_letters: IntGauge,
    noted: IntGauge,
    records: IntGauge,
    copies: IntGauge,
    lost: IntGauge,
    last_run: Gauge,
    duration: Gauge,
    pub failures: IntCounter,
    pub resent: IntCounter,
}

impl Gauges {
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            faults: vector(registry, "faults", "faults that the last audit found", "check")?,
            looked_at: vector(registry, "looked_at", "what the last audit looked at", "check")?,
            steps: vector(registry, "steps", "steps by what became of them", "became")?,
            lag: vector(registry, "lag_milliseconds", "from when a step counts to its effect", "quantile")?,
            on_the_way: one(registry, "on_the_way", "reports that are not a case yet")?,
            parked: one(registry, "parked", "facts parked behind another one")?,
            dead_letters: one(registry, "dead_letters", "facts that could not be decided")?,
            noted: one(registry, "noted", "incidents with facts that nobody wrote, which somebody noted")?,
            records: one(registry, "topic_records", "records read of the topics")?,
            copies: one(registry, "topic_copies", "records that say the same as another one")?,
            lost: one(registry, "lost_by_broker", "published facts that are not on their topic")?,
            last_run: seconds(registry, "last_run_timestamp_seconds", "when the last audit ended")?,
            duration: seconds(registry, "duration_seconds", "how long the last audit took")?,
            failures: counter(registry, "failures_total", "audits that could not look")?,
            resent: counter(registry, "resent_total", "lost facts that were sent again")?,
        })
    }

    pub fn show(&self, report: &Report, ended: DateTime<Utc>, took: Duration) {
        for check in &report.checks {
            self.faults.with_label_values(&[check.name]).set(gauge(check.found));
            self.looked_at.with_label_values(&[check.name]).set(gauge(check.looked_at));
        }
        let steps = report.due_steps;
        for (became, count) in [
            ("effected", steps.effected),
            ("early", steps.early),
            ("doubled", steps.doubled),
            ("missed", steps.missed),
            ("late", steps.late),
        ] {
            self.steps.with_label_values(&[became]).set(gauge(count));
        }
        if let Some(Lag { p50, p99, max }) = steps.lag {
            for (quantile, ms) in [("0.5", p50), ("0.99", p99), ("1", max)] {
                self.lag.with_label_values(&[quantile]).set(gauge(ms));
            }
        }
        self.on_the_way.set(gauge(report.on_the_way));
        self.parked.set(gauge(report.parked));
        self.dead_letters.set(gauge(report.dead_letters));
        self.noted.set(gauge(report.noted));
        let OnTopics { records, copies, lost } = report.topics.unwrap_or_default();
        self.records.set(gauge(records));
        self.copies.set(gauge(copies));
        self.lost.set(gauge(lost));
        self.last_run.set((ended - DateTime::UNIX_EPOCH).as_seconds_f64());
        self.duration.set(took.as_secs_f64());
    }
}

fn gauge(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn name(of: &str) -> String {
    format!("gridward_audit_{of}")
}

fn vector(registry: &Registry, of: &str, help: &str, label: &str) -> Result<IntGaugeVec, prometheus::Error> {
    registered(registry, IntGaugeVec::new(Opts::new(name(of), help), &[label])?)
}

fn one(registry: &Registry, of: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
    registered(registry, IntGauge::new(name(of), help)?)
}

fn seconds(registry: &Registry, of: &str, help: &str) -> Result<Gauge, prometheus::Error> {
    registered(registry, Gauge::new(name(of), help)?)
}

fn counter(registry: &Registry, of: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
    registered(registry, IntCounter::new(name(of), help)?)
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, one: C) -> Result<C, prometheus::Error> {
    registry.register(Box::new(one.clone()))?;
    Ok(one)
}
