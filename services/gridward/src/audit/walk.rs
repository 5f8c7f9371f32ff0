//! The walk: incident by incident, each by every check, while the next page is being read.

use std::collections::BTreeMap;

use anyhow::Context;
use uuid::Uuid;

use super::figures::Tallies;
use super::index::Index;
use super::ledger::{Checks, Ledger, Name};
use super::life::{Life, Page, not_blobs};
use super::report::Report;
use super::seen::Seen;
use super::snapshot::{Setting, Snapshot};
use super::whole::{SERVICES, Whole};
use super::{
    Options, deadlines, figures, fold, history, holder, mirror, once, people, positions, row, said, sent,
    sequences, steps,
};

/// Incidents at fault, and by which checks.
pub(super) type Suspects = BTreeMap<Uuid, Checks>;

/// What goes along from page to page.
pub(super) struct Walker {
    pub whole: Whole,
    pub ledger: Ledger,
    tallies: Tallies,
    pub suspects: Suspects,
    /// How many incidents at fault are kept to be looked at again; what more there are count at once.
    most: usize,
}

/// Walks a file. A damaged one is followed as far as it can be read.
pub(super) async fn of_file(snapshot: &Snapshot, options: Options) -> anyhow::Result<Report> {
    let mut ledger = Ledger::new(Setting::File);
    let damage = quick_check(snapshot).await;
    for what in &damage {
        ledger.fault(Name::Readable, platform::store::FILE, what);
    }
    let whole = Whole::of_file(snapshot, options, &mut ledger).await;
    let mut walker = match whole {
        Ok(whole) => Walker::new(whole, ledger, 0),
        Err(why) if !damage.is_empty() => return Ok(broken_off(ledger, &why)),
        Err(why) => return Err(why),
    };
    let walked = async {
        for wrong in not_blobs(snapshot).await? {
            walker.ledger.fault(Name::Readable, wrong, "it is the id of no incident");
        }
        walker.walk(snapshot, None).await
    };
    match walked.await {
        Ok(()) => {}
        Err(why) if !damage.is_empty() => return Ok(broken_off(walker.ledger, &why)),
        Err(why) => return Err(why),
    }
    let (parked, dead) = aside(snapshot).await?;
    Ok(walker.ledger.close(parked, dead, None))
}

/// What SQLite itself finds wrong with its file: pages that are no pages, rows out of order.
async fn quick_check(snapshot: &Snapshot) -> Vec<String> {
    match snapshot.rows("", "PRAGMA quick_check", Vec::new()).await {
        Ok(rows) => {
            let said = rows.iter().filter_map(|row| row.try_get_by_index::<String>(0).ok());
            said.filter(|said| said != "ok").collect()
        }
        Err(why) => vec![format!("{why:#}")],
    }
}

fn broken_off(mut ledger: Ledger, why: &anyhow::Error) -> Report {
    ledger.fault(Name::Readable, platform::store::FILE, format!("the audit was broken off: {why:#}"));
    ledger.close(0, 0, None)
}

/// How much is parked, and how much dead.
pub(super) async fn aside(snapshot: &Snapshot) -> anyhow::Result<(u64, u64)> {
    Ok((count(snapshot, "parked").await?, count(snapshot, "dead_letter").await?))
}

async fn count(snapshot: &Snapshot, table: &str) -> anyhow::Result<u64> {
    let mut all = 0;
    for service in SERVICES {
        let sql = format!("SELECT count(*) FROM {}_{table}", service.name);
        let rows: Option<i64> = snapshot.one(service.name, &sql, Vec::new()).await?;
        all += rows.unwrap_or(0).unsigned_abs();
    }
    Ok(all)
}

impl Walker {
    pub fn new(whole: Whole, ledger: Ledger, most: usize) -> Self {
        Self { whole, ledger, tallies: Tallies::default(), suspects: Suspects::new(), most }
    }

    /// Everything, once.
    pub async fn walk(&mut self, snapshot: &Snapshot, index: Option<&Index>) -> anyhow::Result<()> {
        positions::check(snapshot, &self.whole, &mut self.ledger).await?;
        once::unique(snapshot, &mut self.ledger).await?;
        let mut next = Page::load(snapshot, index, &[]).await?;
        while let Some((page, to)) = next {
            let mut walker = self.lend();
            let checking = tokio::task::spawn_blocking(move || {
                walker.page(page);
                walker
            });
            let (loaded, checked) = tokio::join!(Page::load(snapshot, index, &to), checking);
            *self = checked.context("a check panicked")?;
            next = loaded?;
        }
        figures::check(snapshot, &self.tallies, &mut self.ledger).await
    }

    /// Itself, for as long as a page is checked elsewhere.
    fn lend(&mut self) -> Self {
        let empty = Self::new(self.whole.clone(), Ledger::new(self.whole.setting()), 0);
        std::mem::replace(self, empty)
    }

    fn page(&mut self, page: Page) {
        for (id, why) in page.unreadable {
            self.ledger.fault(Name::Readable, id, why);
        }
        for life in page.lives.values() {
            if self.suspects.len() >= self.most {
                one(life, &self.whole, &mut self.ledger, Some(&mut self.tallies));
                continue;
            }
            let mut own = Ledger::of(&self.whole);
            one(life, &self.whole, &mut own, Some(&mut self.tallies));
            match own.at_fault() {
                none if none.is_empty() => self.ledger.absorb(own, none),
                checks => {
                    self.suspects.insert(life.id, checks);
                }
            }
        }
    }
}

/// One incident by every check.
pub(super) fn one(life: &Life, whole: &Whole, ledger: &mut Ledger, tallies: Option<&mut Tallies>) {
    let seen = Seen::read(life, ledger);
    once::check(&seen, whole, ledger);
    said::check(&seen, ledger);
    holder::check(&seen, ledger);
    steps::check(&seen, whole, ledger);
    mirror::check(&seen, ledger);
    sequences::check(life, whole, ledger);
    fold::check(&seen, ledger);
    row::check(&seen, ledger);
    history::check(&seen, ledger);
    deadlines::check(&seen, ledger);
    people::check(&seen, ledger);
    sent::check(life, whole, ledger);
    if let Some(tallies) = tallies {
        tallies.add(&seen);
    }
}
