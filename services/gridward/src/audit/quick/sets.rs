//! What is asked of one database by itself beside the sheets. Each answer is exact: one database is seen in one moment.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::super::figures::plain;
use super::super::ledger::{Ledger, Name};
use super::super::once;
use super::super::snapshot::Cells;
use super::super::whole::{SERVICES, Service, Whole};
use super::asking::Asking;
use super::scan::Scanned;

/// A fact noticed this long ago and not sent is stalled.
const STALLED: TimeDelta = TimeDelta::seconds(60);

/// How many of what one question finds are named.
const NAMED: usize = 20;

/// A question that every row of its answer is a fault: the id and, of all of them, how many.
struct Question {
    check: Name,
    of: &'static str,
    what: String,
    /// SELECT … as id, without an end.
    sql: String,
}

async fn ask(
    asking: &Asking<'_>,
    service: &'static str,
    question: Question,
    ledger: &mut Ledger,
) -> anyhow::Result<()> {
    let Question { check, of, what, sql } = question;
    let sql = format!("SELECT id::text, count(*) OVER () FROM ({sql}) AS found LIMIT {NAMED}");
    let rows = asking.rows(service, of, &sql).await?;
    let mut all = 0;
    for row in &rows {
        let mut cells = Cells::new(row);
        let id: String = cells.take().map_err(anyhow::Error::msg)?;
        all = cells.whole().map_err(anyhow::Error::msg)?.unsigned_abs();
        ledger.fault(check, id, &what);
    }
    ledger.more(check, all.saturating_sub(rows.len() as u64));
    Ok(())
}

/// Whether the outbox of a service still holds its first fact: then it must hold all of them.
pub(super) async fn is_whole(asking: &Asking<'_>, service: &str) -> anyhow::Result<bool> {
    let sql = format!("SELECT coalesce(min(id), 1) = 1 FROM {service}_outbox");
    Ok(asking.snapshot.one(service, &sql, Vec::new()).await?.unwrap_or(false))
}

/// What holds in every service's database.
pub(super) async fn of_service(
    asking: &Asking<'_>,
    service: &Service,
    whole_outbox: bool,
    now: DateTime<Utc>,
    ledger: &mut Ledger,
) -> anyhow::Result<()> {
    let name = service.name;
    ask(asking, name, not_unique(name), ledger).await?;
    ask(asking, name, stalled(name, now), ledger).await?;
    if !whole_outbox {
        ask(asking, name, broken_outbox(service), ledger).await?;
    }
    Ok(())
}

/// What keeps an incident, or a sequence, from being there twice is an index, and it is valid.
fn not_unique(service: &str) -> Question {
    let unique = "EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indkey[0] = \
                  (SELECT attnum FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'incident'))";
    let sql = format!(
        "SELECT relname AS id FROM pg_class c WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace \
         AND relname LIKE '{service}\\_%' AND relname NOT LIKE '%\\_parked' AND relname NOT LIKE '%\\_dead\\_letter' \
         AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'incident') AND NOT {unique}"
    );
    let what = "the table has no valid unique index that begins with the incident".to_owned();
    Question { check: Name::Once, of: "unique indexes", what, sql }
}

fn stalled(service: &str, now: DateTime<Utc>) -> Question {
    let since = (now - STALLED).to_rfc3339_opts(SecondsFormat::Millis, true);
    let sql = format!(
        "SELECT incident AS id FROM {service}_outbox WHERE published_at IS NULL AND noticed_at < '{since}'"
    );
    let what = format!("a fact in {service}_outbox, noticed before {since}, waits to be sent");
    Question { check: Name::Relay, of: "facts that wait to be sent", what, sql }
}

/// Of an outbox whose oldest rows are gone: what is left of an incident is the last of its facts, without a gap.
fn broken_outbox(service: &Service) -> Question {
    let Service { name, writes, .. } = service;
    let sql = format!(
        "SELECT o.incident AS id FROM (SELECT incident, count(*) AS facts, min(sequence) AS first, max(sequence) AS last \
         FROM {name}_outbox GROUP BY incident) AS o LEFT JOIN {name}_sequence AS s ON s.incident = o.incident \
         AND s.topic = '{writes}' WHERE s.last IS DISTINCT FROM o.last OR o.facts <> o.last - o.first + 1"
    );
    let what = format!("{name}_outbox does not hold the last facts that were drawn, or has a gap");
    Question { check: Name::Sequences, of: "sequences in the outbox", what, sql }
}

/// The same client id from the same person is the same incident: an index sees to it, as long as it is there.
pub(super) async fn of_discover(
    asking: &Asking<'_>,
    reports: u64,
    ledger: &mut Ledger,
) -> anyhow::Result<()> {
    let sql = "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
               WHERE c.relname = 'discover_report_by_client_id' AND i.indisunique AND i.indisvalid";
    let guarded: Option<i64> = asking.snapshot.one("discover", sql, Vec::new()).await?;
    if guarded.unwrap_or(0) == 0 {
        return once::unique(asking.snapshot, ledger).await;
    }
    ledger.looked(Name::Unique, usize::try_from(reports)?);
    Ok(())
}

/// What ties supervise's own tables together.
pub(super) async fn of_supervise(asking: &Asking<'_>, cases: u64, ledger: &mut Ledger) -> anyhow::Result<()> {
    let questions = [
        Question {
            check: Name::Mirror,
            of: "steps of open deadlines",
            what: "the sweep will never look at a step of an open deadline".to_owned(),
            sql: "SELECT s.incident AS id FROM supervise_step AS s JOIN supervise_deadline AS d \
                  USING (incident, kind, round) WHERE d.\"open\" AND s.done_at IS NULL AND s.look_at IS NULL"
                .to_owned(),
        },
        Question {
            check: Name::Verdicts,
            of: "open deadlines of closed cases",
            what: "supervise_deadline is open, but the case is closed".to_owned(),
            sql: "SELECT c.incident AS id FROM supervise_case AS c JOIN supervise_deadline AS d USING (incident) \
                  WHERE c.closed_at IS NOT NULL AND d.\"open\""
                .to_owned(),
        },
        Question {
            check: Name::Verdicts,
            of: "deadlines neither open nor met",
            what: "supervise_deadline is neither open nor met, but the case is not closed".to_owned(),
            sql: "SELECT c.incident AS id FROM supervise_case AS c JOIN supervise_deadline AS d USING (incident) \
                  WHERE c.closed_at IS NULL AND NOT d.\"open\" AND d.met_at IS NULL"
                .to_owned(),
        },
    ];
    for question in questions {
        ask(asking, "supervise", question, ledger).await?;
    }
    tallies(asking, cases, ledger).await
}

/// Of one measure, by area.
type ByArea = BTreeMap<String, i64>;
type ByMeasure = BTreeMap<String, ByArea>;

/// The tallies against what they count. An area may change with a second attempt, so the sums over all areas decide,
/// and what areas there are that differ is said where the sums do.
async fn tallies(asking: &Asking<'_>, cases: u64, ledger: &mut Ledger) -> anyhow::Result<()> {
    let (mut told, mut apart): (ByMeasure, ByMeasure) = (BTreeMap::new(), BTreeMap::new());
    for (area, measure, count) in
        counts(asking, "tallies", "SELECT area, measure, count FROM supervise_tally").await?
    {
        if plain(&measure) != measure {
            *apart.entry(measure.clone()).or_default().entry(area.clone()).or_default() += count;
        }
        *told.entry(plain(&measure).to_owned()).or_default().entry(area).or_default() += count;
    }
    ledger.looked(Name::Tallies, told.values().map(BTreeMap::len).sum());
    let mut seen = ByMeasure::new();
    for (of, sql) in COUNTED {
        for (area, measure, count) in counts(asking, of, sql).await? {
            *seen.entry(measure).or_default().entry(area).or_default() += count;
        }
    }
    let mut measures: Vec<&str> =
        vec!["opened", "opened_without_due", "closed", "on_time", "overdue", "reminded", "lapsed"];
    let of_steps = told.keys().chain(seen.keys()).map(String::as_str);
    measures.extend(of_steps.filter(|measure| measure.starts_with("escalated_")));
    measures.sort_unstable();
    measures.dedup();
    let none = ByArea::new();
    for measure in measures {
        let (mine, due) = (told.get(measure).unwrap_or(&none), seen.get(measure).unwrap_or(&none));
        let due_in_all = match measure {
            "opened_without_due" => cases.cast_signed() - due.values().sum::<i64>(),
            _ => due.values().sum(),
        };
        let (mine_in_all, by_area) = (mine.values().sum::<i64>(), measure != "opened_without_due");
        if mine_in_all != due_in_all {
            let what = format!("it is {mine_in_all} over all areas, where {due_in_all} are counted");
            let areas =
                mine.keys().chain(due.keys()).filter(|area| mine.get(*area) != due.get(*area) && by_area);
            let mut names: Vec<String> = areas.map(|area| format!("{area} {measure}")).collect();
            names.sort_unstable();
            names.dedup();
            if names.is_empty() {
                names.push(measure.to_owned());
            }
            names.iter().for_each(|name| ledger.fault(Name::Tallies, name, &what));
        }
    }
    counted_apart(&apart, &seen, ledger);
    Ok(())
}

/// What is sensitive is counted by itself, as it was decided for each case: those of which it was not kept may be
/// under either measure.
fn counted_apart(apart: &ByMeasure, seen: &ByMeasure, ledger: &mut Ledger) {
    for measure in ["opened", "closed"] {
        let of = |counts: &ByMeasure, kind: &str| -> ByArea {
            counts.get(&format!("{kind}_{measure}")).cloned().unwrap_or_default()
        };
        let in_all = |counts: &ByArea| counts.values().sum::<i64>();
        let (kept, due, either) = (of(apart, "sensitive"), of(seen, "sensitive"), of(seen, "unsure"));
        if (in_all(&due)..=in_all(&due) + in_all(&either)).contains(&in_all(&kept)) {
            continue;
        }
        for area in kept.keys().chain(due.keys()).collect::<BTreeSet<_>>() {
            let (kept, due) = (kept.get(area).unwrap_or(&0), due.get(area).unwrap_or(&0));
            if kept != due {
                let what = format!("{kept} of it are counted as sensitive, and by the cases it is {due}");
                ledger.fault(Name::Tallies, format!("{area} {measure}"), what);
            }
        }
    }
}

/// Area, measure, how many. `opened_without_due` are all cases but those that have a handling deadline.
const COUNTED: [(&str, &str); 3] = [
    (
        "cases by area",
        "SELECT area, unnest(ARRAY['opened', 'closed', 'sensitive_opened', 'sensitive_closed', 'unsure_opened', \
         'unsure_closed']), unnest(ARRAY[count(*), count(closed_at), count(*) FILTER (WHERE sensitive), \
         count(closed_at) FILTER (WHERE sensitive), count(*) FILTER (WHERE sensitive IS NULL), \
         count(closed_at) FILTER (WHERE sensitive IS NULL)]) FROM supervise_case GROUP BY area",
    ),
    (
        "steps done by area",
        "SELECT coalesce(s.done_in, c.area), CASE s.does WHEN 'remind' THEN 'reminded' WHEN 'lapse' THEN 'lapsed' ELSE 'escalated_' || s.does END, count(*) \
         FROM supervise_step AS s JOIN supervise_case AS c USING (incident) WHERE s.done_at IS NOT NULL GROUP BY 1, 2",
    ),
    (
        "handling deadlines by area",
        "SELECT c.area, unnest(ARRAY['opened_without_due', 'on_time', 'overdue']), unnest(ARRAY[count(*), \
         count(*) FILTER (WHERE c.closed_at IS NOT NULL AND d.met_at <= d.due_at), \
         count(*) FILTER (WHERE c.closed_at > d.due_at AND NOT coalesce(d.met_at <= d.due_at, false))]) \
         FROM supervise_deadline AS d JOIN supervise_case AS c USING (incident) WHERE d.kind = 'handle' GROUP BY 1",
    ),
];

async fn counts(asking: &Asking<'_>, of: &str, sql: &str) -> anyhow::Result<Vec<(String, String, i64)>> {
    let rows = asking.rows("supervise", of, sql).await?;
    let read = rows.iter().map(|row| {
        let mut cells = Cells::new(row);
        Ok((cells.take()?, cells.take()?, cells.whole()?))
    });
    read.collect::<Result<_, String>>().map_err(anyhow::Error::msg)
}

/// As far as counts go: no fewer records lie on a topic that was never cut than facts were published.
pub(super) async fn sent(
    asking: &Asking<'_>,
    whole: &Whole,
    outboxes: &BTreeMap<String, Scanned>,
    ledger: &mut Ledger,
) -> anyhow::Result<()> {
    let Some(topics) = whole.topics() else { return Ok(()) };
    for Service { name, writes, .. } in &SERVICES {
        let Some(outbox) = outboxes.get(&format!("{name}_outbox")) else { continue };
        let extents: Vec<_> = topics.after.iter().filter(|((topic, _), _)| topic == writes).collect();
        if extents.iter().any(|(_, extent)| extent.first > 1) {
            continue;
        }
        let records: i64 = extents.iter().map(|(_, extent)| extent.last).sum();
        let sql = format!("SELECT count(*) FROM {name}_outbox WHERE published_at IS NULL");
        let waiting: i64 = asking.snapshot.one(name, &sql, Vec::new()).await?.unwrap_or(0);
        let published = outbox.rows().cast_signed() - waiting;
        if records < published {
            let what = format!(
                "{published} facts were published, but {records} records lie there: a broker lost some"
            );
            ledger.fault(Name::Sent, writes, what);
        }
    }
    Ok(())
}
