//! What there is to see in the demo: what has just happened, and what is about to. Kept in memory, for the page.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use domain::id::IncidentId;
use domain::text::Text;
use serde::{Deserialize, Serialize};

/// The most that are kept.
pub const MOST: usize = 50;

/// What kind of thing is to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 办结: handled and closed within its grid.
    Handled,
    /// 升级: nobody signed, and it climbed to the street.
    Escalated,
    /// 接单: an organisation took it.
    Partner,
    /// 退回三次: the street decides.
    Returned,
    /// 台风.
    Typhoon,
    /// What else goes on.
    News,
}

/// One thing to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Showing {
    pub kind: Kind,
    /// When it happened, on the clock of the cases; later than now: when it is expected to.
    pub at: DateTime<Utc>,
    /// The case to look at.
    pub incident: Option<IncidentId>,
    pub text: Text,
}

/// The list, shared between whoever plays and whoever shows it.
#[derive(Clone, Debug, Default)]
pub struct Highlights {
    list: Arc<Mutex<Vec<Showing>>>,
}

impl Highlights {
    /// Adds one; of the same kind and case there is one only, and it is the latest.
    pub fn show(&self, showing: Showing) {
        let mut list = self.list();
        remove(&mut list, showing.kind, showing.incident);
        let place = list.partition_point(|other| other.at > showing.at);
        list.insert(place, showing);
        list.truncate(MOST);
    }

    /// Takes one back that has not come about.
    pub fn take_back(&self, kind: Kind, incident: IncidentId) {
        remove(&mut self.list(), kind, Some(incident));
    }

    /// Newest first; what is expected comes before all that has happened.
    pub fn newest_first(&self) -> Vec<Showing> {
        self.list().clone()
    }

    fn list(&self) -> MutexGuard<'_, Vec<Showing>> {
        // A list is whole between any two of its changes.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remove(list: &mut Vec<Showing>, kind: Kind, incident: Option<IncidentId>) {
    list.retain(|other| incident.is_none() || (other.kind, other.incident) != (kind, incident));
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn showing(kind: Kind, minute: i64, incident: Option<IncidentId>) -> Showing {
        let at = DateTime::UNIX_EPOCH + TimeDelta::minutes(minute);
        Showing { kind, at, incident, text: Text::new(minute.to_string(), "") }
    }

    fn case(n: u8) -> Option<IncidentId> {
        Some(IncidentId::new(DateTime::UNIX_EPOCH, [n; 10]))
    }

    fn minutes(highlights: &Highlights) -> Vec<String> {
        highlights.newest_first().into_iter().map(|one| one.text.zh).collect()
    }

    #[test]
    fn the_newest_comes_first_and_what_was_expected_is_replaced_by_what_happened() {
        let highlights = Highlights::default();
        for (kind, minute, incident) in [
            (Kind::News, 1, None),
            (Kind::Handled, 9, case(1)),
            (Kind::News, 3, None),
            (Kind::Handled, 5, case(1)),
            (Kind::Partner, 4, case(1)),
        ] {
            highlights.show(showing(kind, minute, incident));
        }
        assert_eq!(minutes(&highlights), ["5", "4", "3", "1"]);
        highlights.take_back(Kind::Partner, case(1).unwrap());
        assert_eq!(minutes(&highlights), ["5", "3", "1"]);
    }

    #[test]
    fn only_the_newest_are_kept() {
        let highlights = Highlights::default();
        (0..60).for_each(|minute| highlights.show(showing(Kind::News, minute, None)));
        let kept = minutes(&highlights);
        assert_eq!((kept.len(), kept[0].as_str(), kept[MOST - 1].as_str()), (MOST, "59", "10"));
    }
}
