//! What route makes of a pack: its areas, its rules and its boundaries, ready to be searched. Made beforehand and put in
//! place as a whole, so that finding a place never waits for it.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use domain::area::AreaPath;
use domain::holder::Holder;
use platform::pack::Pack;

use crate::boundaries::{Boundaries, BoundaryFaults};
use crate::choose::Located;
use crate::published;

/// A pack and its boundaries.
#[derive(Debug)]
pub(crate) struct Ground {
    pub pack: Arc<Pack>,
    pub boundaries: Arc<Boundaries>,
}

impl Ground {
    /// The ground of `pack`. Boundaries that are those of `before` are not searched for faults and indexed again: a
    /// province has a hundred thousand of them, and other people are published much more often.
    pub fn of(pack: &Arc<Pack>, before: Option<&Self>) -> Result<Self, BoundaryFaults> {
        let pack = pack.clone();
        let boundaries = match before.filter(|before| same_boundaries(&before.pack, &pack)) {
            Some(before) => before.boundaries.clone(),
            None => Arc::new(published::boundaries(&pack)?),
        };
        Ok(Self { pack, boundaries })
    }

    /// Names the boundaries in force; written down with every incident.
    pub fn version(&self) -> &str {
        self.pack.version()
    }

    /// Whether somebody works for a post at `at`, and is there.
    pub fn is_staffed(&self, holder: &Holder, at: DateTime<Utc>) -> bool {
        let local = self.pack.calendar.local(at);
        self.pack.people.on_duty(holder, local).is_some()
    }

    /// The day it is here at `at`: boundaries change at midnight.
    pub fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        self.pack.calendar.local(at).date()
    }

    /// Where an incident still lies that lay in `path`, by its name alone: in that area, or in the nearest above it that
    /// the pack still lists.
    pub fn still(&self, path: &AreaPath) -> Option<Located> {
        let mut here = Some(path.clone());
        while let Some(path) = here {
            if let Some(area) = self.pack.areas.by_path(&path) {
                let (area, level) = (area.path.clone(), area.level);
                return Some(Located { area, level, others: Vec::new(), border_m: None, by_border: None });
            }
            here = path.parent();
        }
        None
    }
}

/// Whether what was found in the boundaries of `before` may stand for those of `after`: the same files, outlining areas
/// that are listed as they were.
fn same_boundaries(before: &Pack, after: &Pack) -> bool {
    let listed =
        |pack: &Pack| -> Vec<_> { pack.areas.iter().map(|area| (area.path.clone(), area.level)).collect() };
    before.boundaries == after.boundaries
        && before.accepted_boundary_report == after.accepted_boundary_report
        && listed(before) == listed(after)
}
