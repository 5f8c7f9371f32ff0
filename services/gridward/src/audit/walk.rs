//! The walk: incident by incident, each by every check, while the next page is being read.

use anyhow::Context;

use super::figures::Tallies;
use super::ledger::{Ledger, Name};
use super::life::{Life, Page, not_blobs};
use super::report::Report;
use super::seen::Seen;
use super::snapshot::Snapshot;
use super::whole::{SERVICES, Whole};
use super::{
    Options, deadlines, figures, fold, history, holder, mirror, once, people, positions, row, said,
    sequences, steps,
};

/// What goes along from page to page.
struct Walker {
    whole: Whole,
    ledger: Ledger,
    tallies: Tallies,
}

pub(super) async fn walk(snapshot: &Snapshot, options: Options) -> anyhow::Result<Report> {
    let whole = Whole::load(snapshot, options).await?;
    let mut walker = Walker { whole, ledger: Ledger::new(), tallies: Tallies::default() };
    positions::check(snapshot, &walker.whole, &mut walker.ledger).await?;
    once::unique(snapshot, &mut walker.ledger).await?;
    for wrong in not_blobs(snapshot).await? {
        walker.ledger.fault(Name::Readable, wrong, "it is the id of no incident");
    }
    let mut next = Page::load(snapshot, &[]).await?;
    while let Some((page, to)) = next {
        let checking = tokio::task::spawn_blocking(move || walker.page(page));
        let (loaded, checked) = tokio::join!(Page::load(snapshot, &to), checking);
        walker = checked.context("a check panicked")?;
        next = loaded?;
    }
    let Walker { mut ledger, tallies, .. } = walker;
    figures::check(snapshot, &tallies, &mut ledger).await?;
    let (parked, dead) = (count(snapshot, "parked").await?, count(snapshot, "dead_letter").await?);
    Ok(ledger.close(parked, dead))
}

async fn count(snapshot: &Snapshot, table: &str) -> anyhow::Result<u64> {
    let mut all = 0;
    for service in SERVICES {
        let sql = format!("SELECT count(*) FROM {}_{table}", service.name);
        let rows: Option<i64> = snapshot.one(&sql, Vec::new()).await?;
        all += rows.unwrap_or(0).unsigned_abs();
    }
    Ok(all)
}

impl Walker {
    fn page(mut self, page: Page) -> Self {
        for (id, why) in page.unreadable {
            self.ledger.fault(Name::Readable, id, why);
        }
        for life in page.lives.values() {
            self.life(life);
        }
        self
    }

    fn life(&mut self, life: &Life) {
        let Self { whole, ledger, tallies } = self;
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
        tallies.add(&seen);
    }
}
