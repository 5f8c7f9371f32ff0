//! Two sessions of one database, one statement at a time: who is at rest, who waits for the other, who goes on.

use std::pin::Pin;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use platform::store::{Store, get};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio::sync::watch;
use tokio::time::timeout;

use super::gate::{At, Gate, Lines, State, note};
use super::search::{Diverged, Held, Search, Side};
use super::statement::{Step, Tables};
use super::wire::Rewrite;

/// A session that has not come to rest after this long never will: the walk has failed. Nothing else goes by time.
const STUCK: Duration = Duration::from_secs(60);

/// So long nobody asks whether a statement that is not answered waits for the other session.
const LOOK: Duration = Duration::from_millis(1);

/// Whether a process waits for a lock that another one has, or is to have before it. The other stands still when this is
/// asked, so what is true stays true until the walk lets it go on.
const WAITS: &str = "SELECT $2 = ANY (pg_blocking_pids($1)) AS waits";

/// Ends what a process carries out.
const END: &str = "SELECT pg_cancel_backend($1) AS ended";

/// A session waits five seconds for its connection, and then gives its turn up: what came of anything that took nearly
/// as long may be the machine's doing.
const PATIENCE: Duration = Duration::from_secs(4);

/// Does `run`, and once more where it took so long that nobody knows whether sessions had the patience, whatever came of
/// it: so what comes of a schedule never depends on how fast the machine is.
///
/// # Errors
/// As `run` does, and when it always takes so long.
pub async fn in_time<T>(mut run: impl AsyncFnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let mut last = String::new();
    for _ in 0..5 {
        let began = Instant::now();
        let came = run().await;
        if began.elapsed() < PATIENCE {
            return came;
        }
        last = came.map_or_else(|error| format!(": {error:?}"), |_| String::new());
    }
    bail!("the machine is too slow for this, or something waits for ever{last}")
}

/// What somebody was told in the end, and how often the turn was begun again before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    pub again: usize,
}

/// What a session does.
pub type Turn = Pin<Box<dyn Future<Output = Said> + Send>>;

/// A session: one connection, and the gate before it.
#[derive(Debug)]
pub struct Session {
    pub gate: Gate,
    pub store: Store,
}

/// Two sessions of one database, and a third that watches.
#[derive(Debug)]
pub struct Sessions {
    pub both: [Session; 2],
    pub watcher: Store,
    lines: Lines,
}

/// In which order the two go on.
#[derive(Debug)]
pub enum Order<'a> {
    /// This one to its end, then the other.
    First(Side),
    Search(&'a mut Search),
}

impl Order<'_> {
    fn choose(&mut self, held: &Held) -> Result<Side, Diverged> {
        match self {
            Self::First(side) if held[*side as usize].is_some() => Ok(*side),
            Self::First(side) => Ok(side.other()),
            Self::Search(search) => search.choose(held),
        }
    }
}

/// A schedule, as it went.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    /// What the walk has seen and done, and what it did not choose between.
    pub lines: Vec<String>,
    /// The former alone: the same each time.
    pub path: Vec<String>,
    /// What A was told, and what B.
    pub said: [Said; 2],
    /// Statements of each.
    pub statements: [usize; 2],
    /// How often one waited for the other.
    pub waited: usize,
    /// How often each waited for the other, until one was ended.
    pub parted: usize,
    /// Somebody was in somebody's way, and a turn was run again.
    pub again: bool,
}

/// How a session is at rest.
#[derive(Debug)]
enum Rest {
    Done,
    Held(Step),
    /// Its statement waits for something that the other has locked.
    Waits,
}

impl Session {
    /// Opens one on `place`, the URL of a database of a server of this machine.
    async fn open(
        place: &str,
        side: Side,
        tables: &Tables,
        rewrite: Rewrite,
        lines: &Lines,
    ) -> anyhow::Result<Self> {
        let (before, rest) = place.rsplit_once(':').context("the URL of the server names no port")?;
        let (port, database) = rest.split_once('/').context("the URL of the server names no database")?;
        let port = port.parse().context("the port of the server")?;
        let gate = Gate::to(port, side, tables, rewrite, lines).await?;
        let store =
            Store::connect(&format!("{before}:{}/{database}?sslmode=disable", gate.port()), 1).await?;
        Ok(Self { gate, store })
    }
}

impl Sessions {
    /// Opens both on `database` of `server`, a URL without a database.
    pub async fn open(
        server: &str,
        database: &str,
        tables: &Tables,
        rewrite: Rewrite,
    ) -> anyhow::Result<Self> {
        let place = format!("{server}/{database}");
        let lines = Lines::default();
        let a = Session::open(&place, Side::A, tables, rewrite, &lines).await?;
        let b = Session::open(&place, Side::B, tables, rewrite, &lines).await?;
        Ok(Self { both: [a, b], watcher: Store::connect(&place, 1).await?, lines })
    }

    pub fn of(&self, side: Side) -> &Session {
        &self.both[side as usize]
    }

    /// Runs both turns in one order.
    ///
    /// # Errors
    /// When a session is stuck, or the schedule is not the one it was before ([`Diverged`]).
    pub async fn run(&self, turns: [Turn; 2], mut order: Order<'_>) -> anyhow::Result<Ran> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.both.iter().for_each(|session| session.gate.close());
        let [a, b] = turns;
        let tasks = [(Side::A, a), (Side::B, b)].map(|(side, turn)| {
            let (store, end) = (self.of(side).store.clone(), self.of(side).gate.end());
            tokio::spawn(async move {
                let said = tokio::spawn(turn).await;
                // A transaction that was dropped is rolled back as its connection comes back.
                let pinged = store.writer().ping().await;
                end();
                anyhow::Ok((said.context("the turn panicked")?, pinged?).0)
            })
        });
        let mut ran = Ran::default();
        let walked = self.walk(&mut order, &mut ran).await;
        if let Err(error) = &walked {
            note(&self.lines, format!("{error:#}"));
        }
        let failed = self.both.iter().any(|session| !session.gate.seen().borrow().failed.is_empty());
        self.both.iter().for_each(|session| session.gate.open());
        for (side, task) in Side::BOTH.into_iter().zip(tasks) {
            let said = timeout(STUCK, task).await;
            let said = said.with_context(|| format!("{side} does not end\n{}", self.told()))??;
            ran.said[side as usize] = said.with_context(|| format!("{side}\n{}", self.told()))?;
        }
        ran.lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ran.again = failed || ran.said.iter().any(|said| said.again > 0);
        walked.with_context(|| format!("in this schedule:\n{}", self.told()))?;
        Ok(ran)
    }

    /// Notes what the walk has seen or done.
    fn notes(&self, ran: &mut Ran, line: String) {
        ran.path.push(line.clone());
        note(&self.lines, line);
    }

    fn told(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    async fn walk(&self, order: &mut Order<'_>, ran: &mut Ran) -> anyhow::Result<()> {
        let mut waits = [false; 2];
        loop {
            let rests = self.rest().await?;
            for side in Side::BOTH {
                let (n, now) = (side as usize, matches!(rests[side as usize], Rest::Waits));
                if now && !waits[n] {
                    self.notes(ran, format!("   {side} waits for {}", side.other()));
                    ran.waited += 1;
                }
                waits[n] = now;
            }
            if rests.iter().all(|rest| matches!(rest, Rest::Done)) {
                return Ok(());
            }
            let both_wait = rests.iter().all(|rest| matches!(rest, Rest::Waits));
            let held: Held = rests.map(|rest| match rest {
                Rest::Held(step) => Some(step),
                // PostgreSQL would end whoever looks first: here each once.
                Rest::Waits if both_wait => Some(Step::parting()),
                Rest::Done | Rest::Waits => None,
            });
            ensure!(held.iter().any(Option::is_some), "one waits for the other, which has done");
            let side = order.choose(&held)?;
            if let Some(step) = &held[side as usize] {
                self.notes(ran, format!("{side} {}", step.told()));
            }
            if both_wait {
                ran.parted += 1;
                waits[side as usize] = false;
                self.ends(side).await?;
                continue;
            }
            ran.statements[side as usize] += 1;
            self.of(side).gate.let_through();
        }
    }

    /// Ends the statement of `side`, which waits for the other, as PostgreSQL ends one of two that wait for each other.
    async fn ends(&self, side: Side) -> anyhow::Result<()> {
        let gate = &self.of(side).gate;
        let mut seen = gate.seen();
        let process = seen.borrow_and_update().process;
        gate.tells_of_deadlocks();
        let asked = Statement::from_sql_and_values(DbBackend::Postgres, END, [process.into()]);
        let row = self.watcher.readers().query_one_raw(asked).await?.context("a row")?;
        ensure!(get::<bool>(&row, "ended")?, "{side} cannot be ended");
        let answered = seen.wait_for(|state| !matches!(state.at, At::Sent));
        timeout(STUCK, answered).await.with_context(|| format!("{side} is not ended"))??;
        Ok(())
    }

    /// How both are, once neither moves by itself any more: each has done, holds its next statement, or waits for the
    /// other, and still does when the other is known to stand still.
    async fn rest(&self) -> anyhow::Result<[Rest; 2]> {
        let mut seen = [self.of(Side::A).gate.seen(), self.of(Side::B).gate.seen()];
        loop {
            let a = self.rest_of(Side::A, &mut seen[0]).await?;
            let b = self.rest_of(Side::B, &mut seen[1]).await?;
            let rests = [a, b];
            // What the other has come to since may have let go whoever waited.
            let mut stays = true;
            for side in Side::BOTH {
                stays &= !matches!(rests[side as usize], Rest::Waits) || self.waits(side).await?;
            }
            if stays && !seen[0].has_changed()? && !seen[1].has_changed()? {
                return Ok(rests);
            }
        }
    }

    async fn rest_of(&self, side: Side, seen: &mut watch::Receiver<State>) -> anyhow::Result<Rest> {
        let began = Instant::now();
        loop {
            let state = seen.borrow_and_update().clone();
            let sent = match state.at {
                At::Held(step) => return Ok(Rest::Held(step)),
                At::Away if state.done => return Ok(Rest::Done),
                At::Away => false,
                At::Sent => true,
            };
            ensure!(began.elapsed() < STUCK, "{side} does not come to rest");
            if timeout(LOOK, seen.changed()).await.is_ok() {
                continue;
            }
            if sent && self.waits(side).await? && !seen.has_changed()? {
                return Ok(Rest::Waits);
            }
        }
    }

    /// Whether the statement of one waits for the other.
    async fn waits(&self, side: Side) -> anyhow::Result<bool> {
        let process = |side| self.of(side).gate.seen().borrow().process;
        let values = [process(side).into(), process(side.other()).into()];
        let asked = Statement::from_sql_and_values(DbBackend::Postgres, WAITS, values);
        let row = self.watcher.readers().query_one_raw(asked).await?.context("a row")?;
        Ok(get(&row, "waits")?)
    }
}
