//! The sheets: each table is looked at in one scan that gives, for each range of incidents, how many rows there are,
//! sums of hashes that do not depend on their order, and how many rows are at fault by themselves.
//!
//! In the SQL here `H[a, b]` stands for a hash of these columns and `WEIGHT` for a number drawn from the incident. A
//! sum of hashes is the same on two sides only when their rows are. A sum of weights times sequences tells, without
//! sorting anything, whether an incident's sequences are 1, 2, 3 … up to the last one.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::facts::Topic;

use super::super::ledger::Name;
use super::super::whole::{SERVICES, Service};

/// A step due, or a fact noticed, this long ago and not dealt with is late.
const GRACE: TimeDelta = TimeDelta::seconds(60);

/// One table, or some of its columns.
#[derive(Clone, Debug)]
pub(in super::super) struct Sheet {
    pub service: &'static str,
    /// What it is called in the report, and by pairs.
    pub of: String,
    /// What comes after FROM.
    pub from: String,
    pub sums: Vec<(&'static str, String)>,
    pub wrong: Vec<Wrong>,
    /// The checks that look at its rows.
    pub looked: Vec<Name>,
}

/// What is wrong with a row by itself.
#[derive(Clone, Debug)]
pub(in super::super) struct Wrong {
    pub kind: Kind,
    pub what: String,
    /// The condition, in SQL.
    pub when: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Fault(Name),
    /// A step that took effect before its time.
    Early,
    /// A step that should have taken effect by now.
    Late,
    /// No fault: an effect of a step.
    Effect,
}

impl Wrong {
    fn new(check: Name, what: &str, when: &str) -> Self {
        Self::of(Kind::Fault(check), what, when)
    }

    fn of(kind: Kind, what: &str, when: &str) -> Self {
        Self { kind, what: what.to_owned(), when: when.to_owned() }
    }
}

/// The shorthand of this file, written out.
pub(super) fn written_out(sql: &str) -> String {
    sql.replace("H[", "hash_record_extended(ROW(")
        .replace(']', "), 0)")
        .replace("WEIGHT", "(uuid_hash(incident)::int8 & 2147483647)")
}

/// All of them, in the order they are scanned.
pub(in super::super) fn sheets(now: DateTime<Utc>, whole_outboxes: &[&str]) -> Vec<Sheet> {
    let mut sheets =
        vec![reports(), routes(), cases(), history(), mirror(), deadlines(), next_due(), steps(now)];
    sheets.extend(SERVICES.iter().map(sequences));
    sheets.extend(SERVICES.iter().filter(|service| whole_outboxes.contains(&service.name)).map(outbox));
    sheets
}

fn sheet(
    service: &'static str,
    table: &str,
    sums: &[(&'static str, &str)],
    wrong: Vec<Wrong>,
    looked: &[Name],
) -> Sheet {
    let sums = sums.iter().map(|(name, sql)| (*name, written_out(sql))).collect();
    Sheet { service, of: table.to_owned(), from: table.to_owned(), sums, wrong, looked: looked.to_vec() }
}

fn reports() -> Sheet {
    let sums = [
        ("ids", "H[incident]"),
        ("category", "H[incident, category::text]"),
        ("reporter", "H[incident, reporter::text, category::text]"),
    ];
    sheet("discover", "discover_report", &sums, vec![], &[Name::Once, Name::Said])
}

fn routes() -> Sheet {
    let sums = [
        ("ids", "H[incident]"),
        ("category", "H[incident, category::text]"),
        ("attempt", "H[incident, attempt::int8]"),
        // A second holder may have given it back already, so only the first one is held against the case.
        ("proposed", "H[incident, attempt::int8, area::text, CASE WHEN attempt = 1 THEN holder::text END]"),
    ];
    let wrong = vec![Wrong::new(Name::Holder, &no_holder("route_incident"), UNFIT)];
    sheet("route", "route_incident", &sums, wrong, &[Name::Said])
}

fn no_holder(table: &str) -> String {
    format!("{table}: nobody holds it, or somebody whose area is not the case's own and does not contain it")
}

/// The holder is a post, and of the case's own area or one above it.
/// Or an organisation, which lies in no area.
const UNFIT: &str = "(holder !~ '^partner:org/[a-z0-9-]+$' \
     AND (split_part(holder, ':', 1) NOT IN ('grid_leader', 'community', 'street_desk') \
     OR split_part(holder, ':', 2) = '' OR NOT starts_with(area || '/', split_part(holder, ':', 2) || '/')))";

/// The marks that each state has, and no others.
const NO_STATE: &str = "(CASE state \
     WHEN 'DISPATCHED' THEN num_nulls(signed_at, answered_at, passed_at, closed_at) <> 4 \
     WHEN 'OFFERED' THEN num_nulls(signed_at, answered_at, passed_at, closed_at) <> 4 \
     WHEN 'HANDLING' THEN signed_at IS NULL OR num_nulls(answered_at, passed_at, closed_at) <> 3 \
     WHEN 'CHECKING' THEN num_nulls(signed_at, answered_at) > 0 OR closed_at IS NOT NULL \
     WHEN 'CLOSED' THEN num_nulls(signed_at, answered_at, passed_at, closed_at) > 0 ELSE true END \
     OR (signed_by IS NULL) <> (signed_at IS NULL) OR (answered_by IS NULL) <> (answered_at IS NULL) \
     OR (passed_by IS NULL) <> (passed_at IS NULL) OR (closed_by IS NULL) <> (closed_at IS NULL))";

/// Whoever signed or answered is a handler; the list is JSON, a name in it stands between quotes.
const NO_HANDLER: &str = "(position('\"' || signed_by || '\"' IN handlers) = 0 \
     OR position('\"' || answered_by || '\"' IN handlers) = 0)";

const OWN_WORK: &str = "(passed_by IN (signed_by, answered_by) OR closed_by IN (signed_by, answered_by) \
     OR position('\"' || passed_by || '\"' IN handlers) > 0 OR position('\"' || closed_by || '\"' IN handlers) > 0)";

const BACK_IN_TIME: &str = "last_at < greatest(opened_at, signed_at, answered_at, passed_at, closed_at)";

fn cases() -> Sheet {
    let sums = [
        ("ids", "H[incident]"),
        ("reporter", "H[incident, reporter::text, category::text]"),
        // While an organisation holds it, its home is who was proposed.
        (
            "proposed",
            "H[incident, attempt::int8, area::text, CASE WHEN attempt = 1 THEN coalesce(home, holder)::text END]",
        ),
        ("mirror", MIRROR),
        ("due", "CASE WHEN state <> 'CLOSED' AND due_at IS NOT NULL THEN H[incident, due_at] END"),
        (
            "counts",
            "WEIGHT * (1 + 101 * returns::int8 + 10007 * reworks::int8 + 10000019 * revision::int8 \
             + CASE WHEN state = 'CLOSED' THEN 1000003 ELSE 0 END)",
        ),
        ("opened", "H[incident, opened_at]"),
        ("closed", "CASE WHEN closed_at IS NOT NULL THEN H[incident, closed_by::text, closed_at] END"),
    ];
    let wrong = vec![
        Wrong::new(Name::Holder, &no_holder("handle_case"), UNFIT),
        Wrong::new(Name::Row, "handle_case: who did what does not fit its state", NO_STATE),
        Wrong::new(Name::Row, "handle_case: who signed or answered is not among its handlers", NO_HANDLER),
        Wrong::new(Name::Row, "handle_case: it changed after its last change", BACK_IN_TIME),
        Wrong::new(Name::People, "handle_case: somebody who handled it passed or closed it", OWN_WORK),
    ];
    sheet("handle", "handle_case", &sums, wrong, &[Name::Holder, Name::Row, Name::People])
}

const MIRROR: &str =
    "H[incident, area::text, category::text, holder::text, state::text, level::text, opened_at, closed_at]";

fn history() -> Sheet {
    let effect = "kind IN ('case.reminded', 'case.lapsed', 'case.escalated')";
    let effects = format!(
        "CASE WHEN {effect} THEN H[incident, substring(happened FROM '\"deadline\": ?\"(\\w+)\"'), \
         substring(happened FROM '\"round\": ?(\\d+)')::int8, substring(happened FROM '\"step\": ?(\\d+)')::int8, \
         CASE kind WHEN 'case.reminded' THEN 'remind' WHEN 'case.lapsed' THEN 'lapse' ELSE substring(happened FROM '\"to\": ?\"(\\w+)\"') END, at] END"
    );
    let sums = [
        ("lines", "WEIGHT"),
        ("order", "WEIGHT * sequence"),
        (
            "counts",
            "WEIGHT * (CASE kind WHEN 'case.opened' THEN 1 WHEN 'case.returned' THEN 101 \
             WHEN 'case.reworked' THEN 10007 WHEN 'case.closed' THEN 1000003 ELSE 0 END \
             + CASE WHEN kind IN ('case.reminded', 'case.lapsed', 'case.escalated') THEN 0 ELSE 10000019 END)",
        ),
        ("opened", "CASE WHEN kind = 'case.opened' THEN H[incident, at] END"),
        ("closed", "CASE WHEN kind = 'case.closed' THEN H[incident, person::text, at] END"),
        ("effects", &effects),
    ];
    let wrong = vec![
        Wrong::new(
            Name::History,
            "handle_history: its first line, and no other, is its opening: that is not so",
            "(kind = 'case.opened') <> (sequence = 1)",
        ),
        Wrong::of(
            Kind::Early,
            "a step took effect before the time it counts as of",
            &format!("{effect} AND noticed_at < at"),
        ),
        Wrong::of(Kind::Effect, "", effect),
    ];
    sheet("handle", "handle_history", &sums, wrong, &[Name::History])
}

fn mirror() -> Sheet {
    let wrong = vec![Wrong::new(Name::Holder, &no_holder("supervise_case"), UNFIT)];
    sheet("supervise", "supervise_case", &[("mirror", MIRROR)], wrong, &[Name::Mirror])
}

fn deadlines() -> Sheet {
    let verdict = "verdict IS DISTINCT FROM CASE WHEN met_at <= due_at THEN 'on_time' WHEN met_at > due_at THEN 'overdue' END";
    let wrong = vec![
        Wrong::new(
            Name::Verdicts,
            "supervise_deadline: the verdict is not that of met_at and due_at",
            verdict,
        ),
        Wrong::new(
            Name::Verdicts,
            "supervise_deadline: it is met, and open",
            "\"open\" AND met_at IS NOT NULL",
        ),
    ];
    sheet("supervise", "supervise_deadline", &[], wrong, &[Name::Verdicts])
}

/// The earliest open deadline of each case.
fn next_due() -> Sheet {
    let from = "(SELECT incident, min(due_at) AS due_at FROM supervise_deadline WHERE \"open\" GROUP BY incident) AS next";
    let sheet = sheet(
        "supervise",
        "supervise_deadline.due_at",
        &[("due", "H[incident, due_at]")],
        vec![],
        &[Name::Deadlines],
    );
    Sheet { from: from.to_owned(), ..sheet }
}

fn steps(now: DateTime<Utc>) -> Sheet {
    let effects = "CASE WHEN done_at IS NOT NULL \
                   THEN H[incident, kind::text, round::int8, step::int8, does::text, done_at] END";
    let since = (now - GRACE).to_rfc3339_opts(SecondsFormat::Millis, true);
    let late = format!("done_at IS NULL AND look_at IS NOT NULL AND due_at < '{since}'");
    let wrong = vec![
        Wrong::of(Kind::Early, "supervise_step: a step is done before it was due", "done_at < due_at"),
        Wrong::of(Kind::Late, &format!("supervise_step: a step due before {since} is not done"), &late),
        Wrong::new(
            Name::Mirror,
            "supervise_step: a step was noticed before it was due",
            "noticed_at < due_at",
        ),
        Wrong::new(
            Name::Mirror,
            "supervise_step: the sweep looks at a step before it is due",
            "look_at < due_at",
        ),
        Wrong::new(
            Name::Mirror,
            "supervise_step: a step is done, was never told of, and the sweep will never look at it again",
            "done_at IS NOT NULL AND noticed_at IS NULL AND look_at IS NULL",
        ),
    ];
    sheet("supervise", "supervise_step", &[("effects", effects)], wrong, &[Name::Steps, Name::Mirror])
}

/// What a service has drawn and taken, by topic.
fn sequences(service: &Service) -> Sheet {
    let Service { name, writes, reads } = service;
    // A row that says 0 says no more than none.
    let of = |topic: &Topic, sql: &str| {
        written_out(&format!("CASE WHEN topic = '{topic}' AND last <> 0 THEN {sql} END"))
    };
    let mut sums: Vec<(&'static str, String)> =
        reads.iter().chain([writes]).map(|topic| (topic.as_str(), of(topic, "H[incident, last]"))).collect();
    sums.push(("lines", of(writes, "WEIGHT * last")));
    sums.push(("order", of(writes, "WEIGHT * last * (last + 1) / 2")));
    let topics: Vec<String> = reads.iter().chain([writes]).map(|topic| format!("'{topic}'")).collect();
    let foreign = format!("topic NOT IN ({}) OR last < 0", topics.join(", "));
    let table = format!("{name}_sequence");
    let what = format!("{table}: it counts on a topic it has nothing to do with, or below 0");
    let wrong = vec![Wrong::new(Name::Sequences, &what, &foreign)];
    Sheet { sums, ..sheet(service.name, &table, &[], wrong, &[Name::Sequences]) }
}

/// An outbox that holds every fact since the beginning; only columns of one index are asked for.
fn outbox(service: &Service) -> Sheet {
    let table = format!("{}_outbox", service.name);
    let foreign = format!("topic <> '{}' OR sequence < 1", service.writes);
    let wrong = vec![Wrong::new(
        Name::Readable,
        &format!("{table}: a fact of another topic, or of no sequence"),
        &foreign,
    )];
    sheet(
        service.name,
        &table,
        &[("lines", "WEIGHT"), ("order", "WEIGHT * sequence")],
        wrong,
        &[Name::Relay, Name::Sent],
    )
}
