//! What came of it, in figures.

use std::fmt;
use std::time::Duration;

use super::fault::KINDS;
use super::hand::Happened;
use crate::kills;

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What is stored.
    pub found: kills::Outcome,
    pub happened: Vec<Happened>,
    /// Faults that hit nothing, and do not count.
    pub missed: u64,
    /// Records that nobody could take; the audit must name each, and nothing else.
    pub poison: u64,
}

/// Below how many percent something is that did not happen in `many` tries, at 95 %: the rule of three.
pub fn bound(many: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts fit an f64")]
    let many = many.max(1) as f64;
    300.0 / many
}

impl Outcome {
    pub fn is_good(&self) -> bool {
        self.found.is_good()
    }

    /// The longest it took until work went on after a fault of which `which` holds: from its beginning, or, where
    /// nobody could work meanwhile, from its end.
    pub fn longest(&self, which: impl Fn(&Happened) -> bool) -> Duration {
        self.happened.iter().filter(|one| which(one)).map(|one| one.back).max().unwrap_or_default()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for happened in &self.happened {
            writeln!(f, "{happened}")?;
        }
        for kind in KINDS {
            let of_kind = |one: &Happened| one.fault.kind() == kind;
            let many = self.happened.iter().filter(|one| of_kind(one)).count();
            if many > 0 {
                let (back, stood) = (
                    self.longest(of_kind),
                    self.happened
                        .iter()
                        .filter(|one| of_kind(one))
                        .map(|one| one.stood)
                        .max()
                        .unwrap_or_default(),
                );
                writeln!(
                    f,
                    "{many:>4} × {kind}: work on after {:.1} s at most, {:.1} s from the beginning",
                    back.as_secs_f64(),
                    stood.as_secs_f64()
                )?;
            }
        }
        let (faults, found) = (self.happened.len(), &self.found);
        writeln!(
            f,
            "{faults} faults, {} more hit nothing; {} records nobody could take",
            self.missed, self.poison
        )?;
        let (lost, doubled, early) = (found.lost, found.doubled, found.steps_early);
        let (of_faults, of_steps) =
            (bound(faults), bound(usize::try_from(found.steps_effected).unwrap_or(0)));
        writeln!(
            f,
            "lost {lost}, doubled {doubled} (0 means below {of_faults:.1} % a fault at 95 %), early {early} \
             (below {of_steps:.3} % a step)"
        )?;
        write!(f, "{found}")
    }
}
