//! The pairs: two sums that must be the same, of two sheets. In one database they always are; between two services
//! they are where the reader has caught up.

use domain::facts::Topic;

use super::super::ledger::Name;
use super::super::whole::{SERVICES, writer};

/// Two sums that must be the same.
#[derive(Clone, Debug)]
pub(in super::super) struct Pair {
    pub check: Name,
    /// The sheet and its sum.
    pub left: (String, &'static str),
    pub right: (String, &'static str),
    /// What it means when they are not.
    pub what: String,
    /// They are the same only for incidents of which these readers have taken all facts.
    pub after: Vec<(&'static str, Topic)>,
    /// The sides are what was drawn and what was taken themselves.
    pub taking: bool,
    /// Whether a difference is as it should be: a service, and a query of its incidents, which lacks a condition.
    pub unless: Option<(&'static str, &'static str)>,
}

pub(in super::super) fn pairs(whole_outboxes: &[&'static str]) -> Vec<Pair> {
    let mut pairs = between_services();
    pairs.extend(within_services());
    for service in &SERVICES {
        for topic in service.reads {
            pairs.push(taken(service.name, *topic));
        }
    }
    for service in whole_outboxes {
        for sum in ["lines", "order"] {
            let (outbox, sequence) = (format!("{service}_outbox"), format!("{service}_sequence"));
            let what = "the outbox does not hold one fact for each sequence that was drawn";
            pairs.push(pair(Name::Sequences, (&outbox, sum), (&sequence, sum), what, &[]));
        }
    }
    pairs
}

fn pair(
    check: Name,
    left: (&str, &'static str),
    right: (&str, &'static str),
    what: &str,
    after: &[(&'static str, Topic)],
) -> Pair {
    Pair {
        check,
        left: (left.0.to_owned(), left.1),
        right: (right.0.to_owned(), right.1),
        what: what.to_owned(),
        after: after.to_vec(),
        taking: false,
        unless: None,
    }
}

/// Somebody answerable has handed it on, or the desk has taken up what was given back before route proposed anybody.
const NOT_ROUTES_ANY_MORE: (&str, &str) = (
    "handle",
    "SELECT incident, CAST(1 AS bigint) FROM (SELECT incident FROM handle_history WHERE kind = 'case.assigned' \
     AND happened ~ '\"by\": ?\"' UNION SELECT incident FROM handle_case WHERE returns >= attempt \
     AND (returns < 3 OR returns > attempt)) AS its WHERE ",
);

const REPORTED: (&str, Topic) = ("route", Topic::Reported);
const ROUTED: (&str, Topic) = ("handle", Topic::Routed);
const RETURNED: (&str, Topic) = ("route", Topic::Handled);
const HANDLED: (&str, Topic) = ("supervise", Topic::Handled);

fn between_services() -> Vec<Pair> {
    vec![
        pair(
            Name::Once,
            ("discover_report", "ids"),
            ("route_incident", "ids"),
            "discover_report and route_incident: one of the two is missing",
            &[REPORTED],
        ),
        pair(
            Name::Once,
            ("route_incident", "ids"),
            ("handle_case", "ids"),
            "route_incident and handle_case: one of the two is missing",
            &[ROUTED],
        ),
        pair(
            Name::Said,
            ("discover_report", "category"),
            ("route_incident", "category"),
            "discover_report and route_incident differ in the category",
            &[REPORTED],
        ),
        pair(
            Name::Said,
            ("discover_report", "reporter"),
            ("handle_case", "reporter"),
            "discover_report and handle_case differ in who reported it, or in the category",
            &[REPORTED, ROUTED],
        ),
        Pair {
            unless: Some(NOT_ROUTES_ANY_MORE),
            ..pair(
                Name::Said,
                ("route_incident", "proposed"),
                ("handle_case", "proposed"),
                "route_incident and handle_case differ in the attempt, the area or the holder",
                &[ROUTED, RETURNED],
            )
        },
        pair(
            Name::Mirror,
            ("handle_case", "mirror"),
            ("supervise_case", "mirror"),
            "handle_case and supervise_case differ, or one of the two is missing",
            &[HANDLED],
        ),
        pair(
            Name::Deadlines,
            ("handle_case", "due"),
            ("supervise_deadline.due_at", "due"),
            "handle_case is not due when the earliest open supervise_deadline is",
            &[HANDLED],
        ),
        pair(
            Name::Steps,
            ("handle_history", "effects"),
            ("supervise_step", "effects"),
            "the steps that took effect by handle_history are not those done by supervise_step",
            &[HANDLED],
        ),
    ]
}

fn within_services() -> Vec<Pair> {
    let of_history = |check, sum: &'static str, table: &str, what: &str| {
        pair(check, ("handle_history", sum), (table, sum), what, &[])
    };
    vec![
        pair(
            Name::Once,
            ("route_incident", "attempt"),
            ("route_sequence", "routed"),
            "route_incident has another attempt than there are incident.routed facts",
            &[],
        ),
        of_history(
            Name::History,
            "lines",
            "handle_sequence",
            "handle_history has not as many lines as facts were drawn",
        ),
        of_history(
            Name::History,
            "order",
            "handle_sequence",
            "handle_history does not have each sequence from 1 to the last once",
        ),
        of_history(
            Name::Row,
            "counts",
            "handle_case",
            "returns, reworks, revision or closing in handle_case are not what handle_history counts up to",
        ),
        of_history(Name::Row, "opened", "handle_case", "handle_case was not opened when handle_history says"),
        of_history(
            Name::Row,
            "closed",
            "handle_case",
            "handle_case was not closed when, or by whom, handle_history says",
        ),
    ]
}

/// Every fact of `topic` was drawn by its writer once, and is taken by its reader once.
fn taken(service: &'static str, topic: Topic) -> Pair {
    let writer = writer(topic);
    let what = format!("{service} has taken of {topic} more or less than {writer} has drawn");
    let sides = (format!("{writer}_sequence"), format!("{service}_sequence"));
    let (left, right) = ((sides.0.as_str(), topic.as_str()), (sides.1.as_str(), topic.as_str()));
    Pair { taking: true, ..pair(Name::Sequences, left, right, &what, &[(service, topic)]) }
}
