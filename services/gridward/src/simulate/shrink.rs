//! A life that breaks a promise, made as short as it still breaks the same one: events are left out, many at once and
//! then fewer; faults are left out; the order stays.

use super::life::{Lived, of_script};
use super::office::Office;
use super::promises::Promise;
use super::script::{Event, Script};
use super::store::Kept;

/// Lives tried at most.
const TRIES: usize = 600;

struct Shrinking<'a> {
    office: &'a Office,
    kept: &'a Kept,
    promise: Promise,
    best: Lived,
    tries: usize,
}

/// The shortest life found that breaks the same promise as `lived` did first.
///
/// # Errors
/// When the database itself fails.
pub async fn shrink(office: &Office, kept: &Kept, lived: Lived) -> anyhow::Result<Lived> {
    let Some(promise) = lived.breaches.first().map(|breach| breach.promise) else { return Ok(lived) };
    let mut shrinking = Shrinking { office, kept, promise, best: lived, tries: 0 };
    shrinking.without_reports().await?;
    loop {
        let before = shrinking.size();
        shrinking.without_events().await?;
        shrinking.without_faults().await?;
        if shrinking.size() == before || shrinking.tries >= TRIES {
            return Ok(shrinking.best);
        }
    }
}

impl Shrinking<'_> {
    fn events(&self) -> &[Event] {
        &self.best.script.events
    }

    /// Events, and faults in them.
    fn size(&self) -> (usize, usize) {
        (self.events().len(), self.events().iter().filter(|event| event.fault().is_some()).count())
    }

    /// Keeps `events` if they break the promise too.
    async fn try_out(&mut self, events: Vec<Event>) -> anyhow::Result<bool> {
        if self.tries >= TRIES {
            return Ok(false);
        }
        self.tries += 1;
        let script = Script { setup: self.best.script.setup.clone(), events };
        let lived = of_script(self.office, self.kept, &script).await?;
        let same = lived.breaches.iter().any(|breach| breach.promise == self.promise);
        if same {
            self.best = lived;
        }
        Ok(same)
    }

    /// Leaves out all that is about one report.
    async fn without_reports(&mut self) -> anyhow::Result<()> {
        let mut reports: Vec<u32> = self.events().iter().filter_map(Event::report).collect();
        reports.sort_unstable();
        reports.dedup();
        for report in reports {
            let others = self.events().iter().filter(|event| event.report() != Some(report));
            let others: Vec<Event> = others.cloned().collect();
            self.try_out(others).await?;
        }
        Ok(())
    }

    /// Leaves out runs of events, half of all at first.
    async fn without_events(&mut self) -> anyhow::Result<()> {
        let mut long = self.events().len().div_ceil(2);
        while long > 0 {
            let mut from = 0;
            while from < self.events().len() {
                let to = (from + long).min(self.events().len());
                let left = [&self.events()[..from], &self.events()[to..]].concat();
                if !self.try_out(left).await? {
                    from = to;
                }
            }
            long /= 2;
        }
        Ok(())
    }

    async fn without_faults(&mut self) -> anyhow::Result<()> {
        let faulty: Vec<usize> =
            (0..self.events().len()).filter(|n| self.events()[*n].fault().is_some()).collect();
        for n in faulty {
            let mut events = self.events().to_vec();
            events[n] = events[n].without_fault();
            self.try_out(events).await?;
        }
        Ok(())
    }
}
