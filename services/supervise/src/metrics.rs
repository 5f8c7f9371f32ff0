//! What supervise counts.

use chrono::TimeDelta;
use prometheus::{Histogram, HistogramOpts, IntCounterVec, Opts, Registry};

/// Steps that took effect, and how late they were noticed.
#[derive(Debug)]
pub struct Steps {
    effected: IntCounterVec,
    lag: Histogram,
}

impl Steps {
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let effected = IntCounterVec::new(
            Opts::new("gridward_steps_effected_total", "steps that took effect, by what they do"),
            &["does"],
        )?;
        let lag = Histogram::with_opts(
            HistogramOpts::new("gridward_step_lag_seconds", "from due to noticed, on the clock of the cases")
                .buckets(vec![0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0, 300.0, 3_600.0, 86_400.0]),
        )?;
        registry.register(Box::new(effected.clone()))?;
        registry.register(Box::new(lag.clone()))?;
        Ok(Self { effected, lag })
    }

    pub fn count(&self, steps: &[(String, TimeDelta)]) {
        for (does, lag) in steps {
            self.effected.with_label_values(&[does]).inc();
            self.lag.observe(lag.as_seconds_f64().max(0.0));
        }
    }
}
