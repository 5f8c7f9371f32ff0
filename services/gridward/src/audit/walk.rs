//! The walk: incident by incident, each by every check, while the next page is being read.

use anyhow::Context;

use super::figures::Tallies;
use super::ledger::{Ledger, Name};
use super::life::{Life, Page, not_blobs};
use super::report::Report;
use super::snapshot::Snapshot;
use super::told::Told;
use super::whole::{SERVICES, Whole};
use super::{
    Options, deadlines, figures, fold, history, holder, mirror, once, people, positions, row, said, sequences, steps,
};
use domain::facts::Topic;

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
        let told = tell(life, ledger);
        once::check(life, whole, ledger);
        said::check(life, &told, ledger);
        holder::check(life, &told, ledger);
        steps::check(life, &told, whole, ledger);
        mirror::check(life, &told, ledger);
        sequences::check(life, whole, ledger);
        fold::check(life, &told, ledger);
        row::check(life, &told, ledger);
        history::check(life, &told, ledger);
        deadlines::check(life, &told, ledger);
        people::check(life, &told, ledger);
        tallies.add(life, &told);
    }
}

/// The facts of the case up to the first that cannot be read: what follows it hangs in the air.
fn tell(life: &Life, ledger: &mut Ledger) -> Vec<Told> {
    let facts = life.facts(Topic::Handled);
    ledger.looked(Name::Readable, facts.len());
    let mut told = Vec::with_capacity(facts.len());
    for fact in facts {
        match Told::read(fact) {
            Ok(fact) => told.push(fact),
            Err(why) => {
                ledger.fault(Name::Readable, life.id, format!("the body of handled/{}: {why}", fact.sequence));
                break;
            }
        }
    }
    told
}
