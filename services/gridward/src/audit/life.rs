//! One incident as every service has it, and the pages of incidents the audit walks by.

use std::collections::BTreeMap;

use domain::facts::Topic;
use sea_orm::Value;
use uuid::Uuid;

use super::rows::{
    AsideRow, CaseRow, DeadlineRow, Fact, HistoryRow, MirrorRow, ReportRow, RouteRow, Row, SequenceRow,
    StepRow,
};
use super::snapshot::{Cells, Snapshot};
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
    facts: BTreeMap<Topic, Vec<Fact>>,
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

    /// The sequence `service` should have taken up to: all, but for what it has not read yet or set aside.
    pub fn reach(&self, whole: &Whole, service: &'static str, topic: Topic) -> i64 {
        let read_to = whole.read_to(service, topic);
        let unread = self.facts(topic).iter().filter(|fact| fact.id > read_to).map(|fact| fact.sequence);
        let aside = self.aside_of(service, topic).map(|row| row.sequence);
        unread.chain(aside).min().map_or_else(|| self.last(topic), |first| first - 1)
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
    pub async fn load(snapshot: &Snapshot, from: &[u8]) -> anyhow::Result<Option<(Self, Vec<u8>)>> {
        let Some(to) = end_of_page(snapshot, from).await? else { return Ok(None) };
        let mut page = Self::default();
        let range = [from, &to];
        page.add::<Fact>(snapshot, range, |life, row| life.facts.entry(row.topic).or_default().push(row))
            .await?;
        page.add::<ReportRow>(snapshot, range, |life, row| life.reports.push(row)).await?;
        page.add::<RouteRow>(snapshot, range, |life, row| life.routes.push(row)).await?;
        page.add::<CaseRow>(snapshot, range, |life, row| life.cases.push(row)).await?;
        page.add::<HistoryRow>(snapshot, range, |life, row| life.history.push(row)).await?;
        page.add::<MirrorRow>(snapshot, range, |life, row| life.mirrors.push(row)).await?;
        page.add::<DeadlineRow>(snapshot, range, |life, row| life.deadlines.push(row)).await?;
        page.add::<StepRow>(snapshot, range, |life, row| life.steps.push(row)).await?;
        page.add::<SequenceRow>(snapshot, range, |life, row| life.sequences.push(row)).await?;
        page.add::<AsideRow>(snapshot, range, |life, row| life.aside.push(row)).await?;
        Ok(Some((page, to)))
    }

    async fn add<R: Row>(
        &mut self,
        snapshot: &Snapshot,
        range: [&[u8]; 2],
        put: impl Fn(&mut Life, R),
    ) -> anyhow::Result<()> {
        for row in snapshot.rows(&R::sql(), range.map(bytes).to_vec()).await? {
            let mut cells = Cells::new(&row);
            let id = match cells.incident() {
                Ok(id) => id,
                Err(why) => {
                    self.unreadable.push((R::TABLE.to_owned(), why));
                    continue;
                }
            };
            let life = self.lives.entry(id).or_insert_with(|| Life { id, ..Life::default() });
            match R::read(&mut cells) {
                Ok(row) => put(life, row),
                Err(why) => self.unreadable.push((id.to_string(), format!("{}: {why}", R::TABLE))),
            }
        }
        Ok(())
    }
}

/// Every table that an incident can be in, whether or not the others know of it.
fn tables() -> Vec<String> {
    let own = [
        Fact::TABLE,
        ReportRow::TABLE,
        RouteRow::TABLE,
        CaseRow::TABLE,
        HistoryRow::TABLE,
        MirrorRow::TABLE,
        DeadlineRow::TABLE,
        StepRow::TABLE,
    ];
    let of_services = SERVICES.iter().map(|service| format!("{}_sequence", service.name));
    own.into_iter().map(str::to_owned).chain(of_services).collect()
}

/// The incident up to which no table has much more than a page's rows above `from`.
async fn end_of_page(snapshot: &Snapshot, from: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
    let mut end = None;
    let mut any = false;
    for table in tables() {
        let nth = |n: u64| {
            format!("SELECT incident FROM {table} WHERE incident > ?1 ORDER BY incident LIMIT 1 OFFSET {n}")
        };
        let full: Option<Vec<u8>> = snapshot.one(&nth(ROWS_PER_PAGE), vec![bytes(from)]).await?;
        any = any || full.is_some() || snapshot.one::<Vec<u8>>(&nth(0), vec![bytes(from)]).await?.is_some();
        end = match (end, full) {
            (Some(end), Some(full)) => Some(std::cmp::min::<Vec<u8>>(end, full)),
            (end, full) => end.or(full),
        };
    }
    Ok(any.then(|| end.unwrap_or_else(|| LAST.to_vec())))
}

/// Ids that are no blobs sort before every blob, out of the walk's sight.
pub(super) async fn not_blobs(snapshot: &Snapshot) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for table in tables() {
        let sql = format!("SELECT CAST(incident AS TEXT) FROM {table} WHERE incident < x'' LIMIT 1");
        if let Some(id) = snapshot.one::<String>(&sql, Vec::new()).await? {
            wrong.push(format!("{table}: `{id}`"));
        }
    }
    Ok(wrong)
}

fn bytes(bytes: &[u8]) -> Value {
    bytes.to_vec().into()
}
