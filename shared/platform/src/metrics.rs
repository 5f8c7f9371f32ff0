//! What every service counts about its turns. One registry for a process.

use prometheus::{Gauge, GaugeVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

use crate::pack::InForce;

/// The registry of a process and the counters all services share.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub registry: Registry,
    /// Turns committed, by service.
    pub turns: IntCounterVec,
    /// Inputs by service and what became of them: `taken`, `dropped`, `parked`, `dead`, `unchanged`, `command`,
    /// `put_off`.
    pub inputs: IntCounterVec,
    /// Facts published, by service.
    pub published: IntCounterVec,
    /// 1 while the reader of a service runs, 0 once it has stopped the line.
    pub reading: IntGaugeVec,
    /// Seconds the database's clock was set by while we ran, by service; nothing is swept unless it is 0.
    pub clock_off: IntGaugeVec,
    /// Seconds since a loop last came around, by loop: a service, or its relay.
    pub round: GaugeVec,
    /// Facts that wait in the outbox.
    pub outbox_waiting: IntGaugeVec,
    /// Seconds the oldest of them has waited.
    pub outbox_oldest: GaugeVec,
    /// Records of a topic that this instance has still to read.
    pub lag: IntGaugeVec,
    /// 1 for the version of the pack that is in force here; `from` is when it was published, or `folder`.
    pub pack: IntGaugeVec,
    /// Seconds from when the version in force was published until it was in force here; 0 for one that was there at
    /// the start.
    pub pack_applied: Gauge,
}

impl Metrics {
    pub fn new() -> Self {
        let registry = Registry::new();
        let metrics = Self {
            turns: counter("gridward_turns_total", "turns committed", &["service"]),
            inputs: counter("gridward_inputs_total", "inputs by what became of them", &["service", "became"]),
            published: counter("gridward_facts_published_total", "facts published", &["service"]),
            reading: gauge(
                "gridward_reading",
                "1 while the service reads, 0 once it has stopped the line",
                &["service"],
            ),
            clock_off: gauge(
                "gridward_clock_off_seconds",
                "how far the database's clock was set while we ran; nothing is swept unless it is 0",
                &["service"],
            ),
            round: seconds("gridward_since_round_seconds", "since the loop last came around", &["loop"]),
            outbox_waiting: gauge("gridward_outbox_waiting", "facts that are still to be sent", &["service"]),
            outbox_oldest: seconds(
                "gridward_outbox_oldest_seconds",
                "how long the oldest of them has waited",
                &["service"],
            ),
            lag: gauge("gridward_lag", "records this instance has still to read", &["service", "topic"]),
            pack: gauge("gridward_pack_info", "the pack in force here", &["code", "version", "from"]),
            pack_applied: Gauge::new(
                "gridward_pack_applied_seconds",
                "from the publishing of the pack in force until it was in force here",
            )
            .expect("the name is valid"),
            registry,
        };
        for counter in [&metrics.turns, &metrics.inputs, &metrics.published] {
            metrics.registry.register(Box::new(counter.clone())).expect("registered once in a new registry");
        }
        for gauge in
            [&metrics.reading, &metrics.clock_off, &metrics.outbox_waiting, &metrics.lag, &metrics.pack]
        {
            metrics.registry.register(Box::new(gauge.clone())).expect("registered once in a new registry");
        }
        for gauge in [&metrics.round, &metrics.outbox_oldest] {
            metrics.registry.register(Box::new(gauge.clone())).expect("registered once in a new registry");
        }
        let applied = Box::new(metrics.pack_applied.clone());
        metrics.registry.register(applied).expect("registered once in a new registry");
        metrics
    }

    /// Shows which version of the pack is in force.
    pub fn show_pack(&self, in_force: &InForce) {
        let pack = in_force.now();
        let from = in_force.published_at().map_or_else(|| "folder".to_owned(), |at| at.to_rfc3339());
        self.pack.reset();
        self.pack.with_label_values(&[pack.code.as_str(), pack.version(), from.as_str()]).set(1);
    }

    /// The text format of Prometheus.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    pub fn became(&self, service: &str, became: &str, count: usize) {
        if count > 0 {
            self.inputs.with_label_values(&[service, became]).inc_by(count as u64);
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn counter(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, help), labels).expect("the name and labels are valid")
}

fn gauge(name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    IntGaugeVec::new(Opts::new(name, help), labels).expect("the name and labels are valid")
}

fn seconds(name: &str, help: &str, labels: &[&str]) -> GaugeVec {
    GaugeVec::new(Opts::new(name, help), labels).expect("the name and labels are valid")
}
