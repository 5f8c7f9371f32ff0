//! The case, rule by rule. Times are told as hours after opening: `t(8, 0)`, and `+8:00` in what happened.
//!
//! The office of these tests counts around the clock: sign within 1 h (community), handle within 10 h
//! (reminder at 8 h, community at 10 h, street at 12 h, county at 34 h), check within 4 h of the answer
//! (reminder after 3 h 12 min, street after 4 h).

mod deadlines;
mod model;
mod offers;
mod opening;
mod random;
mod returns;
mod rework;
mod stages;
mod table;
mod time;
mod transfers;
mod urgent;
mod versions;
mod wire;

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Action, Case, Effect, Happened, Input, Outcome, Refusal, ReturnReason, Terms, receive};
use crate::area::{Areas, CodeScheme, Level};
use crate::calendar::{Calendar, Limit};
use crate::category::{Categories, Category};
use crate::deadline::DeadlineKind;
use crate::facts::{IncidentRouted, Route, StepDue};
use crate::holder::Holder;
use crate::id::IncidentId;
use crate::partner::Class;
use crate::place::{Datum, Place};
use crate::policy::{Ladder, Policy, Rung};
use crate::report::{Promise, Report};
use crate::text::Text;

const RETURN: Action = Action::Return(ReturnReason::WrongArea);

const GRID: &str = "grid_leader:x/s/c/g";
const COMMUNITY: &str = "community:x/s/c";
const OTHER_GRID: &str = "grid_leader:x/s/d/h";
const DESK: &str = "street_desk:x/s";

/// The rules in force.
struct Office {
    policy: Policy,
    calendar: Calendar,
    categories: Categories,
    areas: Areas,
}

impl std::fmt::Debug for Office {
    /// Without a list of every holiday.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (calendar, limits) =
            (self.calendar.code(), self.categories.values().map(|one| one.handle_limit.to_string()));
        let limits: Vec<String> = limits.collect();
        write!(f, "{calendar} {limits:?} {:?}", self.policy)
    }
}

impl Office {
    fn terms(&self) -> Terms<'_> {
        Terms {
            policy: &self.policy,
            calendar: &self.calendar,
            categories: &self.categories,
            areas: &self.areas,
        }
    }
}

fn office() -> &'static Office {
    static OFFICE: LazyLock<Office> = LazyLock::new(|| Office {
        policy: Policy {
            version: "test-1".to_owned(),
            sign_limit: Some(limit("1h")),
            check_limit: Some(limit("4h")),
            offer_limit: Some(limit("3h")),
            sign: ladder(None, &[(Level::Community, "0h")]),
            handle: ladder(
                Some(80),
                &[(Level::Community, "0h"), (Level::Street, "2h"), (Level::County, "24h")],
            ),
            check: ladder(Some(80), &[(Level::Street, "0h")]),
            urgent: None,
        },
        calendar: calendar(),
        categories: categories("rubbish", "10h"),
        areas: areas(&[
            ("x", Level::County, None),
            ("s", Level::Street, Some("x")),
            ("c", Level::Community, Some("s")),
            ("g", Level::Grid, Some("c")),
            ("d", Level::Community, Some("s")),
            ("h", Level::Grid, Some("d")),
        ]),
    });
    &OFFICE
}

/// One of its own, so that publishing another year changes no snapshot.
fn calendar() -> Calendar {
    let year = r#"{"status": "published", "holidays": [], "makeup_workdays": []}"#;
    let json = format!(
        r#"{{"code": "test", "source": "made up", "zone": "Asia/Shanghai",
            "office": [["08:30", "12:00"], ["13:30", "17:30"]], "years": {{"2026": {year}}}}}"#
    );
    Calendar::from_json(&json).unwrap()
}

fn limit(text: &str) -> Limit {
    Limit::parse(text).unwrap()
}

fn ladder(remind_percent: Option<u32>, rungs: &[(Level, &str)]) -> Ladder {
    let escalate = rungs.iter().map(|(to, after)| Rung { to: *to, after: limit(after) }).collect();
    Ladder { remind_percent, escalate }
}

fn categories(code: &str, handle_limit: &str) -> Categories {
    let category = Category {
        code: code.into(),
        name: Text::new("垃圾堆积", "Rubbish"),
        handle_limit: limit(handle_limit),
        sensitive: false,
        stages: Vec::new(),
        offer_to: vec![Class::Service],
        conditions: None,
    };
    Categories::from([(code.into(), category)])
}

fn areas(list: &[(&str, Level, Option<&str>)]) -> Areas {
    let mut areas = Areas::default();
    for (code, level, parent) in list {
        areas.add(CodeScheme::Opaque, code, *level, *parent, Text::new(*code, *code)).unwrap();
    }
    areas
}

/// So long after the opening; Monday 2026-03-02, 09:00 in Shanghai.
fn t(hours: i64, minutes: i64) -> DateTime<Utc> {
    let opening: DateTime<Utc> = "2026-03-02T01:00:00Z".parse().unwrap();
    opening + TimeDelta::minutes(hours * 60 + minutes)
}

const SECOND: TimeDelta = TimeDelta::seconds(1);

fn incident() -> IncidentId {
    IncidentId::new(t(0, 0), [7; 10])
}

fn report(promise: Promise) -> Report {
    let place = Place {
        lon: 121.805,
        lat: 29.905,
        datum: Datum::Cgcs2000,
        accuracy_m: Some(5.0),
        source: None,
        captured_at: None,
        area: None,
    };
    let (registered_area, words) = (None, Some("堆在楼道口".to_owned()));
    Report { reporter: "worker".into(), category: "rubbish".into(), place, registered_area, promise, words }
}

/// route's proposal: this attempt, that holder; the report with the first.
fn proposal(attempt: u32, holder: &str) -> IncidentRouted {
    let holder: Holder = holder.parse().unwrap();
    let route = Route {
        lon: 121.805,
        lat: 29.905,
        area: if holder.area.depth() == 4 { holder.area.clone() } else { "x/s/c/g".parse().unwrap() },
        grid: Some("g".to_owned()),
        boundaries: "0123456789ab".to_owned(),
        rule: "grid".to_owned(),
        holder,
        candidates: Vec::new(),
        why: Text::new("位于网格 g", "It lies in grid g"),
        flags: Vec::new(),
    };
    IncidentRouted { attempt, route, report: (attempt == 1).then(|| report(Promise::Category)) }
}

/// One incident, its row, and all that happened to it.
#[derive(Clone)]
struct Life {
    office: &'static Office,
    case: Option<Case>,
    told: Vec<Effect>,
}

impl Life {
    fn unknown() -> Self {
        Self { office: office(), case: None, told: Vec::new() }
    }

    /// Opened at +0:00 with the leader of grid g.
    fn opened() -> Self {
        let mut life = Self::unknown();
        life.routed(1, GRID, t(0, 0));
        life
    }

    /// Signed by the leader at +0:30.
    fn handling() -> Self {
        let mut life = Self::opened();
        life.does("leader", Action::Sign, t(0, 30));
        life
    }

    /// Answered by the leader at `at`.
    fn answered(at: DateTime<Utc>) -> Self {
        let mut life = Self::handling();
        life.does("leader", Action::Answer, at);
        life
    }

    fn receive(&mut self, input: &Input, at: DateTime<Utc>) -> Outcome {
        let outcome = receive(incident(), self.case.as_ref(), input, at, self.office.terms()).unwrap();
        if let Outcome::Changed(effects) = &outcome {
            assert!(!effects.is_empty(), "a change without anything that happened");
            self.told.extend(effects.iter().cloned());
            self.case = effects.last().map(|effect| effect.case.clone());
        }
        outcome
    }

    fn routed(&mut self, attempt: u32, holder: &str, at: DateTime<Utc>) -> Outcome {
        self.receive(&Input::Routed(proposal(attempt, holder)), at)
    }

    fn act(&mut self, person: &str, action: Action, at: DateTime<Utc>) -> Outcome {
        self.receive(&Input::Act { action, by: person.into() }, at)
    }

    /// An action that must change the case; what happened, in words.
    fn does(&mut self, person: &str, action: Action, at: DateTime<Utc>) -> Vec<String> {
        match self.act(person, action.clone(), at) {
            Outcome::Changed(effects) => effects.iter().map(say).collect(),
            other => panic!("{person} cannot {}: {other:?}", action.name()),
        }
    }

    fn refused(&mut self, person: &str, action: Action, at: DateTime<Utc>) -> Refusal {
        match self.act(person, action.clone(), at) {
            Outcome::Refused(refusal) => refusal,
            other => panic!("{person} may {}: {other:?}", action.name()),
        }
    }

    /// supervise's proposal of a step as the row has it now.
    fn proposed(&self, kind: DeadlineKind, step: usize) -> StepDue {
        let deadline = self.case().deadline(kind).unwrap();
        StepDue {
            deadline: kind,
            round: deadline.round,
            step: u32::try_from(step).unwrap(),
            does: deadline.steps[step].does,
            due_at: deadline.steps[step].due_at,
        }
    }

    fn step_due(&mut self, step: &StepDue) -> Outcome {
        self.receive(&Input::StepDue(step.clone()), step.due_at)
    }

    fn case(&self) -> &Case {
        self.case.as_ref().unwrap()
    }

    fn state(&self) -> &'static str {
        self.case().state.name()
    }

    fn due_at(&self, kind: DeadlineKind) -> DateTime<Utc> {
        self.case().deadline(kind).unwrap().due_at
    }

    fn met_at(&self, kind: DeadlineKind) -> Option<DateTime<Utc>> {
        self.case().deadline(kind).unwrap().met_at
    }

    fn story(&self) -> Vec<String> {
        self.told.iter().map(say).collect()
    }
}

/// `+10:00 escalated handle/1/1 to community`.
fn say(effect: &Effect) -> String {
    let what = match &effect.happened {
        Happened::Reminded { deadline, round, step } => {
            format!("reminded {}/{round}/{step}", deadline.as_str())
        }
        Happened::Escalated { deadline, round, step, to, .. } => {
            format!("escalated {}/{round}/{step} to {to}", deadline.as_str())
        }
        other => other.fact_type().trim_start_matches("case.").to_owned(),
    };
    let seconds = (effect.at - t(0, 0)).num_seconds();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let seconds = if seconds == 0 { String::new() } else { format!(":{seconds:02}") };
    format!("+{hours}:{minutes:02}{seconds} {what}")
}

/// What an outcome did, in words; nothing when it changed nothing.
fn told(outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::Changed(effects) => effects.iter().map(say).collect(),
        Outcome::Unchanged | Outcome::Refused(_) => Vec::new(),
    }
}
