//! The bodies of facts about one incident, a line each: `incident.routed 2026-03-02T01:00:00Z {…}`. Each is read, written
//! again and read as the same; and handle decides each in turn, as it would from its topics.

use chrono::{DateTime, Utc};
use domain::case::{Case, Input, Outcome, Terms, next_step_due, receive};
use domain::facts::{
    CaseFact, INCIDENT_ROUTED, IncidentRouted, OfferProposed, REPORT_SUBMITTED, ReportSubmitted, STEP_DUE,
    StepDue,
};
use domain::id::IncidentId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Read, base, text};

/// A life with more is longer than any.
const MOST: usize = 30;

pub fn facts(bytes: &[u8]) -> Read {
    let Some(text) = text(bytes) else { return Read::Refused };
    let mut life = Life { incident: IncidentId::new(DateTime::UNIX_EPOCH, [7; 10]), case: None };
    let told: Vec<bool> = text.lines().take(MOST).map(|line| life.hears(line)).collect();
    told.contains(&true).into()
}

/// One incident, as handle has it.
struct Life {
    incident: IncidentId,
    case: Option<Case>,
}

impl Life {
    /// Whether it is a fact that can be read.
    fn hears(&mut self, line: &str) -> bool {
        let mut parts = line.splitn(3, ' ');
        let (Some(kind), Some(at), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        let Ok(at) = at.parse::<DateTime<Utc>>() else { return false };
        let input = match kind {
            REPORT_SUBMITTED => return same::<ReportSubmitted>(body).is_some(),
            "case" => return same::<CaseFact>(body).map(|fact| looked_at(&fact)).is_some(),
            INCIDENT_ROUTED => same::<IncidentRouted>(body).map(Input::Routed),
            STEP_DUE => same::<StepDue>(body).map(Input::StepDue),
            "offer" => same::<OfferProposed>(body).map(Input::Partnered),
            _ => return false,
        };
        input.map(|input| self.decides(&input, at)).is_some()
    }

    fn decides(&mut self, input: &Input, at: DateTime<Utc>) {
        let pack = &base::PACK;
        let terms = Terms {
            policy: &pack.policy,
            calendar: &pack.calendar,
            categories: &pack.categories,
            areas: &pack.areas,
        };
        // What no rule covers becomes a dead letter, and says why.
        let outcome = receive(self.incident, self.case.as_ref(), input, at, terms)
            .map_err(|why| assert!(!why.to_string().is_empty()));
        let Ok(Outcome::Changed(effects)) = outcome else { return };
        let mut folded: Option<Case> = self.case.take();
        assert!(!effects.is_empty(), "a change without anything that happened");
        for effect in effects {
            let fact = CaseFact { happened: effect.happened, case: effect.case };
            assert_eq!(same::<CaseFact>(&written(&fact)).as_ref(), Some(&fact));
            if let Some(case) = &mut folded {
                case.apply(effect.at, &fact.happened);
                assert_eq!(*case, fact.case, "{:?}", fact.happened);
            }
            folded = Some(fact.case);
        }
        self.case = folded;
    }
}

/// What a reader of `handled` makes of a fact: its row, and when it has to be looked at again.
fn looked_at(CaseFact { happened, case }: &CaseFact) {
    assert!(happened.fact_type().starts_with("case."), "{happened:?}");
    let mut steps = case.deadlines.iter().flat_map(|deadline| &deadline.steps);
    assert!(next_step_due(case).is_none_or(|due| steps.any(|step| step.due_at == due)), "{case:?}");
}

/// The fact in these words, which is the same in its own.
fn same<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(body: &str) -> Option<T> {
    let fact: T = serde_json::from_str(body).ok()?;
    let words = written(&fact);
    assert_eq!(serde_json::from_str::<T>(&words).ok().as_ref(), Some(&fact), "{words}");
    Some(fact)
}

fn written(fact: &impl Serialize) -> String {
    serde_json::to_string(fact).expect("facts are plain data with text keys")
}
