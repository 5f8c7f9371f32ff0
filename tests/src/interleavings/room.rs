//! A database of its own for pairs to meet in, one pair after the other: each is brought to where its turns meet, walked
//! through every schedule, and held against the two in which one turn comes after the other.

use std::cell::Cell;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use anyhow::{Context, ensure};
use gridward::simulate::Office;
use platform::store::Store;
use sea_orm::ConnectionTrait;
use tokio::sync::OnceCell;
use tokio::task::{LocalSet, spawn_local};

use super::does::Does;
use super::pairs::Pair;
use super::rows::{self, Kept, Rows};
use super::search::{Search, Side};
use super::session::{Order, Ran, Sessions, Turn, in_time};
use super::stage::{Part, Scene, Stage, office};
use super::wire::Rewrite;

/// Where `tests/servers/with.sh` tells of a PostgreSQL server, as a URL.
const SERVER: &str = "GRIDWARD_TEST_POSTGRES";

/// A pair that has more schedules than these is two pairs.
const MOST: usize = 500;

/// The databases of rooms are copies of this one, in which every service has its tables and nothing has happened.
static FIRST: OnceCell<String> = OnceCell::const_new();

/// The server, without a database, if the tests have one.
pub fn server() -> Option<String> {
    let url = std::env::var(SERVER).ok()?;
    url.rsplit_once('/').map(|(server, _)| server.to_owned())
}

/// Nobody but the walk moves rows about.
const STILL: &str = "DO $$ DECLARE one regclass; BEGIN FOR one IN SELECT oid FROM pg_class WHERE relkind = 'r' \
                     AND relnamespace = 'public'::regnamespace LOOP \
                     EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = false)', one); END LOOP; END $$";

/// What would lock, write or read rows of a table that a statement does not name: then its words would not say what
/// others can notice of it.
const UNNAMED: &str = "SELECT (SELECT count(*) FROM pg_constraint WHERE contype = 'f') \
                       + (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal) \
                       + (SELECT count(*) FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace)";

/// A name that nobody has.
fn name() -> String {
    let drawn = platform::entropy::draw::<8>().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("pairs{drawn}")
}

async fn create(server: &str, database: &str, copy_of: &str) -> anyhow::Result<()> {
    let on = Store::connect(&format!("{server}/postgres"), 1).await?;
    on.writer().execute_unprepared(&format!("CREATE DATABASE {database} TEMPLATE {copy_of}")).await?;
    Ok(on.close().await?)
}

async fn first(server: &str) -> anyhow::Result<String> {
    let name = name();
    create(server, &name, "template1").await?;
    let store = Store::connect(&format!("{server}/{name}"), 1).await?;
    for part in Part::ALL {
        migrations::up_for(store.writer(), part.name()).await?;
    }
    migrations::up_for(store.writer(), console::NAME).await?;
    store.writer().execute_unprepared(STILL).await?;
    let unnamed = rows::count(store.writer(), UNNAMED).await?;
    ensure!(unnamed == 0, "statements touch tables that they do not name: {unnamed} keys, triggers or views");
    store.close().await?;
    Ok(name)
}

/// What became of a pair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub name: String,
    /// Of each turn, where it comes first.
    pub statements: [usize; 2],
    pub schedules: usize,
    /// Walks that turned out half-way to be a schedule once more.
    pub redundant: usize,
    /// Schedules in which one waited for the other, and those in which somebody's turn was run again.
    pub waited: usize,
    pub again: usize,
    /// Schedules in which each waited for the other.
    pub parted: usize,
    /// Of all schedules in their order, every step, and what came of it: the same each time.
    pub digest: u64,
    /// Schedules that left something else than one turn after the other does.
    pub wrong: usize,
    /// What is wrong, in words: the first few.
    pub faults: Vec<String>,
}

impl Figures {
    pub fn is_clean(&self) -> bool {
        self.wrong == 0 && self.faults.is_empty()
    }

    fn fault(&mut self, what: String) {
        if self.faults.len() < 2 {
            self.faults.push(what);
        }
    }

    /// How many orders there are of so many statements, were nobody ever to wait.
    pub fn orders(&self) -> u128 {
        let [a, b] = self.statements.map(|n| n as u128);
        (1..=b).fold(1, |orders, n| orders * (a + n) / n)
    }
}

/// What a schedule has left, and what the two were told.
#[derive(Debug)]
struct Left {
    ran: Ran,
    rows: Rows,
}

impl Left {
    fn told(&self) -> [&str; 2] {
        [&self.ran.said[0].text, &self.ran.said[1].text]
    }

    fn is_like(&self, other: &Self) -> bool {
        self.told() == other.told() && self.rows == other.rows
    }
}

/// A database, two sessions on it, and an office.
pub struct Room {
    pub sessions: Sessions,
    office: Office,
}

/// A pair, set up.
struct Meeting<'a> {
    room: &'a Room,
    pair: &'a Pair,
    scene: Scene,
    does: [Does; 2],
    kept: Kept,
    /// Nobody knows what the last schedule has left.
    left_open: Cell<bool>,
}

impl Room {
    /// Opens one, and does `before` to its tables.
    pub async fn open(server: &str, rewrite: Rewrite, before: &str) -> anyhow::Result<Self> {
        let first = FIRST.get_or_try_init(|| first(server)).await?;
        let database = name();
        create(server, &database, first).await?;
        let looking = Store::connect(&format!("{server}/{database}"), 1).await?;
        looking.writer().execute_unprepared(before).await?;
        let tables = rows::tables(looking.readers(), "").await?;
        looking.close().await?;
        let sessions = Sessions::open(server, &database, &tables, rewrite).await?;
        Ok(Self { sessions, office: office() })
    }

    /// Walks `pair` through every schedule.
    ///
    /// # Errors
    /// When that cannot be done: a session is stuck, or there are too many.
    pub async fn meet(&self, pair: &Pair) -> anyhow::Result<Figures> {
        let meeting = async || self.set_up(pair).await?.walk().await;
        meeting().await.with_context(|| pair.name.to_owned())
    }

    async fn set_up<'a>(&'a self, pair: &'a Pair) -> anyhow::Result<Meeting<'a>> {
        let watcher = self.sessions.watcher.writer();
        let (scene, does) = in_time(async || {
            rows::empty(watcher).await?;
            let (office, store, set) =
                (self.office.clone(), self.sessions.of(Side::A).store.clone(), pair.set);
            let setting = async move {
                let mut stage = Stage::open(&office, &store).await;
                let does = set(&mut stage).await;
                (stage.scene.clone(), does)
            };
            let local = LocalSet::new();
            local.run_until(async { spawn_local(setting).await.context("it cannot be set up") }).await
        })
        .await?;
        let kept = Kept::of(watcher, pair.service).await?;
        Ok(Meeting { room: self, pair, scene, does, kept, left_open: Cell::new(false) })
    }
}

impl Meeting<'_> {
    async fn walk(&self) -> anyhow::Result<Figures> {
        let mut figures = Figures { name: self.pair.name.to_owned(), ..Figures::default() };
        let serial = [self.serial(Side::A, &mut figures).await?, self.serial(Side::B, &mut figures).await?];
        for side in Side::BOTH {
            figures.statements[side as usize] = serial[side as usize].ran.statements[side as usize];
        }
        let mut search = Search::new(false);
        loop {
            let (left, _) = in_time(async || {
                search.again();
                self.run(Order::Search(&mut search), &[]).await
            })
            .await?;
            if search.is_redundant() {
                figures.redundant += 1;
            } else {
                self.judge(&left, &serial, &mut figures);
            }
            ensure!(figures.schedules <= MOST, "there are more than {MOST} schedules: make two pairs of it");
            if !search.another() {
                return Ok(figures);
            }
        }
    }

    /// One turn after the other: what both are told and what is left must be as the pair says.
    async fn serial(&self, first: Side, figures: &mut Figures) -> anyhow::Result<Left> {
        let (left, counted) = in_time(async || self.run(Order::First(first), self.pair.holds).await).await?;
        let wanted = self.pair.told[first as usize];
        if left.told() != wanted {
            figures.fault(format!("{first} first: told were {:?}, and not {wanted:?}", left.told()));
        }
        for ((sql, wanted), found) in self.pair.holds.iter().zip(counted) {
            if found != *wanted {
                figures.fault(format!("{first} first: {found}, and not {wanted}, is `{sql}`"));
            }
        }
        Ok(left)
    }

    /// Runs both in one order; answers what is left, and what `counts` count then. Everything is as before afterwards.
    async fn run(
        &self,
        order: Order<'_>,
        counts: &[(&'static str, i64)],
    ) -> anyhow::Result<(Left, Vec<i64>)> {
        let (sessions, scene) = (&self.room.sessions, self.scene.copy());
        let watcher = sessions.watcher.writer();
        if self.left_open.replace(true) {
            self.kept.restore(watcher, &self.kept.rows(watcher).await?).await?;
        }
        let mut turns: Vec<Turn> = Vec::new();
        for side in Side::BOTH {
            let store = &sessions.of(side).store;
            let (does, scene, of_side) = (self.does[side as usize].clone(), scene.clone(), store.clone());
            #[expect(clippy::async_yields_async, reason = "a turn that has begun goes on when it is let")]
            let began = tokio::spawn(async move { does.begin(&scene, &of_side).await });
            turns.push(began.await.with_context(|| format!("{side} cannot begin"))?);
            // Its connection has come back before its gate closes.
            store.writer().ping().await?;
        }
        let turns = <[Turn; 2]>::try_from(turns).map_err(|_| anyhow::anyhow!("two turns"))?;
        let ran = sessions.run(turns, order).await?;
        if let Some(part) = self.pair.sends {
            scene.relay(part, &sessions.of(Side::A).store).await?;
        }
        let mut rows = self.kept.rows(watcher).await?;
        if self.pair.sends.is_some() {
            rows.add("(topics)", scene.topics.heard());
        }
        let mut counted = Vec::new();
        for (sql, _) in counts {
            counted.push(rows::count(watcher, sql).await?);
        }
        self.kept.restore(watcher, &rows).await?;
        self.left_open.set(false);
        Ok((Left { ran, rows }, counted))
    }

    fn judge(&self, left: &Left, serial: &[Left; 2], figures: &mut Figures) {
        figures.schedules += 1;
        figures.waited += usize::from(left.ran.waited > 0);
        figures.again += usize::from(left.ran.again);
        figures.parted += usize::from(left.ran.parted > 0);
        let mut hasher = DefaultHasher::new();
        (figures.digest, &left.ran.path, left.told()).hash(&mut hasher);
        figures.digest = hasher.finish();
        if serial.iter().any(|one| left.is_like(one)) {
            return;
        }
        figures.wrong += 1;
        let mut what = format!(
            "  {}\n  A was told {:?}, B {:?}\n",
            left.ran.lines.join("\n  "),
            left.told()[0],
            left.told()[1]
        );
        for (side, one) in Side::BOTH.into_iter().zip(serial) {
            let _ = writeln!(
                what,
                "  with {side} first they are told {:?}, and what is left differs:",
                one.told()
            );
            what += &left.rows.differences(&one.rows);
        }
        figures.fault(what);
    }
}

/// What came of all pairs, as a table.
pub fn table(all: &[Figures]) -> String {
    let mut text = format!(
        "{:<66} {:>4} {:>4} {:>9} {:>16} {:>6} {:>6} {:>6} {:>6}\n",
        "pair", "A", "B", "schedules", "of orders", "waited", "again", "parted", "wrong"
    );
    for one in all {
        let [a, b] = one.statements;
        let _ = writeln!(
            text,
            "{:<66} {a:>4} {b:>4} {:>9} {:>16} {:>6} {:>6} {:>6} {:>6}",
            one.name,
            one.schedules,
            one.orders(),
            one.waited,
            one.again,
            one.parted,
            one.wrong
        );
    }
    let schedules: usize = all.iter().map(|one| one.schedules).sum();
    let redundant: usize = all.iter().map(|one| one.redundant).sum();
    let _ = writeln!(
        text,
        "{} pairs, {schedules} schedules: every order of their statements, up to swaps of neighbours that cannot \
         notice each other ({redundant} walks more turned out to be one of these once more)",
        all.len()
    );
    text
}
