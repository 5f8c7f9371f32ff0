//! What every service counts about its turns. One registry for a process.

use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

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
}

impl Metrics {
    pub fn new() -> Self {
        let registry = Registry::new();
        let metrics = Self {
            turns: counter("gridward_turns_total", "turns committed", &["service"]),
            inputs: counter("gridward_inputs_total", "inputs by what became of them", &["service", "became"]),
            published: counter("gridward_facts_published_total", "facts published", &["service"]),
            reading: IntGaugeVec::new(
                Opts::new("gridward_reading", "1 while the service reads, 0 once it has stopped the line"),
                &["service"],
            )
            .expect("the name and label are valid"),
            registry,
        };
        for counter in [&metrics.turns, &metrics.inputs, &metrics.published] {
            metrics.registry.register(Box::new(counter.clone())).expect("registered once in a new registry");
        }
        metrics
            .registry
            .register(Box::new(metrics.reading.clone()))
            .expect("registered once in a new registry");
        metrics
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
