//! One incident as every service has it, and the pages of incidents the audit walks by.

use std::collections::BTreeMap;

use domain::facts::Topic;
use sea_orm::Value;
use uuid::Uuid;

use super::index::{Entry, Index};
use super::rows::{
    AsideRow, CaseRow, DeadlineRow, Fact, HistoryRow, MirrorRow, ReportRow, RouteRow, Row, SequenceRow,
    StepRow, tables_of_facts,
};
use super::snapshot::{Cells, Setting, Snapshot};
use super::whole::{SERVICES, Whole};

/// Rows of any one table in a page, give or take the last incident's.
const ROWS_PER_PAGE: u64 = 4_000;

/// Above every id.
const LAST: [u8; 17] = [0xff; 17];

/// Everything stored about one incident.
#[derive(Clone, Debug, Default)]
pub(super) struct Life {
    pub id: Uuid,
    pub reports: Vec<ReportRow>,
    pub routes: Vec<RouteRow>,
    pub cases: Vec<CaseRow>,
    pub history: Vec<HistoryRow>,
    pub mirrors: Vec<MirrorRow>,
    pub deadlines: Vec<DeadlineRow>,
    pub steps: Vec<StepRow>,
    pub sequences: Vec<SequenceRow>,
    pub aside: Vec<AsideRow>,
    /// What lies on the topics about it; nothing in a file.
    pub records: Vec<Entry>,
    facts: BTreeMap<Topic, Vec<Fact>>,
}

/// How far a reader should have taken a topic: all, but for what it has not read yet or set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    pub least: i64,
    /// More than `least` where it cannot be told: a fact that its relay has not marked as published may have
    /// been read already.
    pub most: i64,
}

/// Whether a reader has read a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IsRead {
    Yes,
    No,
    Perhaps,
}

impl Life {
    /// The facts on `topic`, by sequence.
    pub fn facts(&self, topic: Topic) -> &[Fact] {
        self.facts.get(&topic).map_or(&[], Vec::as_slice)
    }

    /// The last sequence on `topic`, 0 when there is none.
    pub fn last(&self, topic: Topic) -> i64 {
        self.facts(topic).last().map_or(0, |fact| fact.sequence)
    }

    /// The sequence `service` should have taken up to.
    pub fn reach(&self, whole: &Whole, service: &'static str, topic: Topic) -> Reach {
        let before = |read: &[IsRead]| {
            let unread =
                self.facts(topic).iter().filter(|fact| read.contains(&self.is_read(whole, service, fact)));
            let aside = self.aside_of(service, topic).map(|row| row.sequence);
            let first = unread.map(|fact| fact.sequence).chain(aside).min();
            first.map_or_else(|| self.last(topic), |first| first - 1)
        };
        Reach { least: before(&[IsRead::No, IsRead::Perhaps]), most: before(&[IsRead::No]) }
    }

    fn is_read(&self, whole: &Whole, service: &'static str, fact: &Fact) -> IsRead {
        if whole.setting() == Setting::File {
            let read = fact.id <= whole.read_to(service, fact.topic, 0);
            return if read { IsRead::Yes } else { IsRead::No };
        }
        let mut there = self.records_of(fact.topic, fact.sequence).peekable();
        if there.peek().is_none() {
            return IsRead::Perhaps;
        }
        let read =
            there.any(|record| record.position <= whole.read_to(service, fact.topic, record.partition()));
        if read { IsRead::Yes } else { IsRead::No }
    }

    /// The records on `topic` that say they are `sequence`.
    pub fn records_of(&self, topic: Topic, sequence: i64) -> impl Iterator<Item = &Entry> {
        self.records.iter().filter(move |record| record.is(topic, sequence))
    }

    /// The sequence `service` says it has drawn on, or taken from, `topic`.
    pub fn said(&self, service: &'static str, topic: Topic) -> i64 {
        let row = self.sequences.iter().find(|row| row.service == service && row.topic == topic);
        row.map_or(0, |row| row.last)
    }

    pub fn aside_of(&self, service: &'static str, topic: Topic) -> impl Iterator<Item = &AsideRow> {
        self.aside.iter().filter(move |row| row.service == service && row.topic == topic)
    }
}

/// Some incidents, whole.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub lives: BTreeMap<Uuid, Life>,
    /// Rows that could not be read: the incident or table, and why.
    pub unreadable: Vec<(String, String)>,
}

impl Page {
    /// The page above `from`, and where it ends; `None` when nothing is left.
    pub async fn load(
        snapshot: &Snapshot,
        index: Option<&Index>,
        from: &[u8],
    ) -> anyhow::Result<Option<(Self, Vec<u8>)>> {
        let end = end_of_page(snapshot, from).await?;
        let to = match (end, index) {
            (Some(to), _) => to,
            // No row is left, but there may be records.
            (None, Some(index)) if !index.between(from, &LAST).is_empty() => LAST.to_vec(),
            (None, _) => return Ok(None),
        };
        let mut page = Self::default();
        let range = [snapshot.edge(from), snapshot.edge(&to)];
        page.rows(snapshot, &range).await?;
        if let Some(index) = index {
            page.add_records(index.between(from, &to));
        }
        Ok(Some((page, to)))
    }

    /// The page of one incident.
    pub async fn of(snapshot: &Snapshot, index: &Index, incident: Uuid) -> anyhow::Result<Self> {
        let before = incident.as_u128().checked_sub(1).map(|id| Uuid::from_u128(id).as_bytes().to_vec());
        let mut page = Self::default();
        let range = [snapshot.edge(&before.unwrap_or_default()), snapshot.edge(incident.as_bytes())];
        page.rows(snapshot, &range).await?;
        page.add_records(index.of(incident));
        Ok(page)
    }

    async fn rows(&mut self, snapshot: &Snapshot, range: &[Value; 2]) -> anyhow::Result<()> {
        self.add::<Fact>(snapshot, range, |life, row| life.facts.entry(row.topic).or_default().push(row))
            .await?;
        self.add::<ReportRow>(snapshot, range, |life, row| life.reports.push(row)).await?;
        self.add::<RouteRow>(snapshot, range, |life, row| life.routes.push(row)).await?;
        self.add::<CaseRow>(snapshot, range, |life, row| life.cases.push(row)).await?;
        self.add::<HistoryRow>(snapshot, range, |life, row| life.history.push(row)).await?;
        self.add::<MirrorRow>(snapshot, range, |life, row| life.mirrors.push(row)).await?;
        self.add::<DeadlineRow>(snapshot, range, |life, row| life.deadlines.push(row)).await?;
        self.add::<StepRow>(snapshot, range, |life, row| life.steps.push(row)).await?;
        self.add::<SequenceRow>(snapshot, range, |life, row| life.sequences.push(row)).await?;
        self.add::<AsideRow>(snapshot, range, |life, row| {
            // A record that nobody could open has no sequence, and holds nothing back: its topic tells of it.
            if row.sequence > 0 {
                life.aside.push(row);
            }
        })
        .await
    }

    fn add_records(&mut self, records: &[Entry]) {
        for some in records.chunk_by(|one, other| one.incident() == other.incident()) {
            let Some(first) = some.first() else { continue };
            let id = first.incident();
            self.lives.entry(id).or_insert_with(|| Life { id, ..Life::default() }).records = some.to_vec();
        }
    }

    async fn add<R: Row>(
        &mut self,
        snapshot: &Snapshot,
        range: &[Value; 2],
        put: impl Fn(&mut Life, R),
    ) -> anyhow::Result<()> {
        for select in R::selects(snapshot.setting()) {
            for row in snapshot.rows(select.service, &select.sql, range.to_vec()).await? {
                let mut cells = Cells::new(&row);
                let id = match cells.incident() {
                    Ok(id) => id,
                    Err(why) => {
                        self.unreadable.push((R::TABLE.to_owned(), why));
                        continue;
                    }
                };
                let life = self.lives.entry(id).or_insert_with(|| Life { id, ..Life::default() });
                match R::read(select.service, &mut cells) {
                    Ok(row) => put(life, row),
                    Err(why) => self.unreadable.push((id.to_string(), format!("{}: {why}", R::TABLE))),
                }
            }
        }
        Ok(())
    }
}

/// Every table that an incident can be in, whether or not the others know of it, and whose it is.
fn tables(setting: Setting) -> Vec<(&'static str, String)> {
    let own = [
        ("discover", ReportRow::TABLE),
        ("route", RouteRow::TABLE),
        ("handle", CaseRow::TABLE),
        ("handle", HistoryRow::TABLE),
        ("supervise", MirrorRow::TABLE),
        ("supervise", DeadlineRow::TABLE),
        ("supervise", StepRow::TABLE),
    ];
    let own = own.map(|(service, table)| (service, table.to_owned()));
    let of_services = SERVICES.map(|service| (service.name, format!("{}_sequence", service.name)));
    tables_of_facts(setting).into_iter().chain(own).chain(of_services).collect()
}

/// The incident up to which no table has much more than a page's rows above `from`.
async fn end_of_page(snapshot: &Snapshot, from: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
    let mut end = None;
    let mut any = false;
    for (service, table) in tables(snapshot.setting()) {
        let nth = |n: u64| {
            format!("SELECT incident FROM {table} WHERE incident > $1 ORDER BY incident LIMIT 1 OFFSET {n}")
        };
        let above = || vec![snapshot.edge(from)];
        let full = snapshot.one_incident(service, &nth(ROWS_PER_PAGE), above()).await?;
        any = any || full.is_some() || snapshot.one_incident(service, &nth(0), above()).await?.is_some();
        end = match (end, full) {
            (Some(end), Some(full)) => Some(std::cmp::min::<Vec<u8>>(end, full)),
            (end, full) => end.or(full),
        };
    }
    Ok(any.then(|| end.unwrap_or_else(|| LAST.to_vec())))
}

/// Ids that are no blobs sort before every blob, out of the walk's sight. Only a file can have them.
pub(super) async fn not_blobs(snapshot: &Snapshot) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for (service, table) in tables(snapshot.setting()) {
        let sql = format!("SELECT CAST(incident AS TEXT) FROM {table} WHERE incident < x'' LIMIT 1");
        if let Some(id) = snapshot.one::<String>(service, &sql, Vec::new()).await? {
            wrong.push(format!("{table}: `{id}`"));
        }
    }
    Ok(wrong)
}
