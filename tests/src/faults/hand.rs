//! Lets faults happen to a fleet, one after the other, and sees how long it takes until work goes on.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain::facts::Topic;

use super::fault::{Deck, Fault, From, Poison};
use super::gone::Gone;
use super::own_servers::{OwnServers, Which};
use super::poison::{self, Sent};
use super::proxy::{Proxy, Way};
use super::work::{HANGS, Work};
use crate::fleet::Fleet;
use crate::instance::{Instance, beat};
use crate::kills::progress::Progress;

/// A fault that happened.
#[derive(Clone, Debug)]
pub struct Happened {
    pub fault: Fault,
    /// From the first report on.
    pub at: Duration,
    /// What it hit.
    pub hit: String,
    /// Until work went on, from its beginning.
    pub stood: Duration,
    /// The same from when it was over, where nobody can work before.
    pub back: Duration,
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, at, hit, stood, back } = self;
        write!(f, "{:>6.1} s  {fault}: {hit}; work on after {:.1} s", at.as_secs_f64(), stood.as_secs_f64())?;
        if fault.stops_all() { write!(f, ", {:.1} s after its end", back.as_secs_f64()) } else { Ok(()) }
    }
}

/// Whoever lets it happen.
pub struct Hand {
    pub fleet: Fleet,
    pub servers: OwnServers,
    pub work: Arc<Work>,
    pub gone: Gone,
    progress: Arc<Progress>,
    deck: Deck,
    begun: Instant,
    pub happened: Vec<Happened>,
    /// Drawn again, as they hit nothing.
    pub missed: u64,
    pub poison: Sent,
}

/// What a fault that is not over at once has begun.
enum Begun {
    /// It hit nothing.
    Nothing,
    Hit(String),
}

/// Until a COMMIT comes by, or a reader takes a record, at most.
const SOON: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);

impl Hand {
    pub fn new(
        fleet: Fleet,
        servers: OwnServers,
        work: Arc<Work>,
        gone: Gone,
        deck: Deck,
        progress: &Arc<Progress>,
    ) -> Self {
        let (progress, begun) = (progress.clone(), Instant::now());
        Self {
            fleet,
            servers,
            work,
            gone,
            progress,
            deck,
            begun,
            happened: Vec::new(),
            missed: 0,
            poison: Sent::default(),
        }
    }

    /// Draws faults and lets them happen until `many` have hit something.
    ///
    /// # Errors
    /// When a server or an instance does not do as it should, or work does not go on.
    pub async fn happen(&mut self, many: usize) -> anyhow::Result<()> {
        while self.happened.len() < many {
            let fault = self.deck.draw();
            self.progress.stage(&format!("{fault}"));
            let outcome = self.let_happen(fault).await;
            match outcome.with_context(|| format!("after {fault}"))? {
                Some(happened) => self.happened.push(happened),
                None => self.missed += 1,
            }
            // So that it does not hide behind the one before.
            beat(self.deck.dice().millis(500)).await;
        }
        // At the end: a whole fact that it does not know, on its own topic, keeps a service from starting again.
        for topic in Topic::ALL {
            let set_aside = self.poison(topic, Poison::Unknown, HANGS).await?;
            ensure!(set_aside > 0, "nobody has set aside a fact of a type that nobody knows, on {topic}");
        }
        self.progress.stage("the last faults are over");
        Ok(())
    }

    async fn let_happen(&mut self, fault: Fault) -> anyhow::Result<Option<Happened>> {
        let marks = self.work.marks().await?;
        let (at, began) = (self.begun.elapsed(), Instant::now());
        let mut hit = match self.begin(fault).await? {
            Begun::Nothing => return Ok(None),
            Begun::Hit(hit) => hit,
        };
        let work = self.work.clone();
        let back = if fault.stops_all() {
            beat(fault.lasts()).await;
            self.end(fault, &mut hit).await?;
            work.goes_on(&marks, work.now()).await?
        } else {
            // The others go on meanwhile.
            let ends = async {
                beat(fault.lasts()).await;
                self.end(fault, &mut hit).await
            };
            let (back, ()) = tokio::try_join!(work.goes_on(&marks, work.now()), ends)?;
            back
        };
        let stood = if fault.stops_all() { began.elapsed() } else { back };
        if hit.is_empty() {
            return Ok(None);
        }
        Ok(Some(Happened { fault, at, hit, stood, back }))
    }

    async fn begin(&mut self, fault: Fault) -> anyhow::Result<Begun> {
        let hit = match fault {
            Fault::Kill { service, number, .. } => {
                let turns = self.turns(service, number).await;
                if turns == 0 {
                    return Ok(Begun::Nothing);
                }
                instance(&mut self.fleet, service, number)?.kill()?;
                format!("it had done {turns} turns")
            }
            Fault::Zombie { service, number, .. } => {
                let turns = self.turns(service, number).await;
                if turns == 0 {
                    return Ok(Begun::Nothing);
                }
                instance(&mut self.fleet, service, number)?.signal("STOP")?;
                format!("it had done {turns} turns")
            }
            Fault::Broker { .. } => {
                self.servers.tell(Which::Kafka, "kill", &[]).await?;
                "its readers and senders".to_owned()
            }
            Fault::BrokerFrozen { .. } => {
                self.servers.tell(Which::Kafka, "freeze", &[]).await?;
                "its readers and senders".to_owned()
            }
            Fault::Postmaster { .. } => {
                self.servers.tell(Which::Postgres, "crash", &[]).await?;
                "all connections".to_owned()
            }
            Fault::Backends { percent } => match self.terminate(percent).await? {
                0 => return Ok(Begun::Nothing),
                ended => format!("{ended} connections"),
            },
            Fault::EatenCommit { service } => {
                let database = &self.servers.proxies[service].database;
                let before = database.eaten();
                database.be_hungry(true);
                within(SOON, async || Ok(database.eaten() > before)).await?;
                database.be_hungry(false);
                if database.eaten() == before {
                    return Ok(Begun::Nothing);
                }
                "a turn that had committed".to_owned()
            }
            Fault::CutOff { service, from, way, .. } => {
                for proxy in ways(&self.servers, service, from) {
                    proxy.set(way);
                }
                "something".to_owned()
            }
            Fault::Poison { topic, how } => match self.poison(topic, how, SOON).await? {
                0 => return Ok(Begun::Nothing),
                dead => format!("{dead} dead letters"),
            },
            Fault::Gone { many } => match self.gone.go(many).await? {
                0 => return Ok(Begun::Nothing),
                taken => format!("{taken} reports were taken all the same"),
            },
        };
        Ok(Begun::Hit(hit))
    }

    /// Ends what goes on; leaves `hit` empty when it turns out that it hit nothing.
    async fn end(&mut self, fault: Fault, hit: &mut String) -> anyhow::Result<()> {
        match fault {
            Fault::Kill { service, number, .. } => {
                instance(&mut self.fleet, service, number)?.start().await?;
            }
            Fault::Zombie { service, number, .. } => {
                let zombie = instance(&mut self.fleet, service, number)?;
                zombie.signal("CONT")?;
                zombie.ready().await?;
            }
            Fault::Broker { .. } => {
                self.servers.tell(Which::Kafka, "start", &[]).await?;
            }
            Fault::BrokerFrozen { .. } => {
                self.servers.tell(Which::Kafka, "thaw", &[]).await?;
            }
            Fault::Postmaster { .. } => {
                self.servers.tell(Which::Postgres, "start", &[]).await?;
            }
            Fault::CutOff { service, from, .. } => {
                let mut hits = 0;
                for proxy in ways(&self.servers, service, from) {
                    hits += proxy.hits();
                    proxy.set(Way::Open);
                }
                *hit = if hits == 0 { String::new() } else { format!("{hits} connections") };
                instance(&mut self.fleet, service, 0)?.ready().await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Sends a record that nobody can take; answers how many readers have set it aside, within `limit` at most: what
    /// lies before it on the topic is taken first.
    async fn poison(&mut self, topic: Topic, how: Poison, limit: Duration) -> anyhow::Result<i64> {
        let before = self.work.dead().await?;
        let broker = &self.servers.servers.broker;
        poison::send(broker, topic, self.work.topic(topic), how, &mut self.poison).await?;
        within(limit, async || Ok(self.work.dead().await? > before)).await?;
        Ok(self.work.dead().await? - before)
    }

    /// How many turns an instance has done since it was started.
    async fn turns(&self, service: &str, number: usize) -> u64 {
        let Some(instance) = self.fleet.instances.get(service).and_then(|all| all.get(number)) else {
            return 0;
        };
        let Ok(answer) = self.fleet.door().client.get(instance.url("/metrics")).send().await else {
            return 0;
        };
        let text = answer.text().await.unwrap_or_default();
        let turns =
            text.lines().find_map(|line| line.strip_prefix("gridward_turns_total{")?.rsplit_once(' '));
        turns.and_then(|(_, turns)| turns.parse().ok()).unwrap_or(0)
    }

    /// Ends some of the services' connections; answers how many.
    async fn terminate(&mut self, percent: usize) -> anyhow::Result<i64> {
        let seed = self.deck.dice().below(1_000_000);
        let sql = format!(
            "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE application_name = 'gridward' AND pid <> pg_backend_pid() \
             AND ('x' || substr(md5(pid::text || '{seed}'), 1, 6))::bit(24)::int % 100 < {percent}) AS ended"
        );
        self.work.count("discover", &sql, Vec::new()).await
    }
}

fn instance<'a>(fleet: &'a mut Fleet, service: &str, number: usize) -> anyhow::Result<&'a mut Instance> {
    fleet
        .instances
        .get_mut(service)
        .and_then(|of_service| of_service.get_mut(number))
        .with_context(|| format!("there is no {service} {number}"))
}

fn ways<'a>(servers: &'a OwnServers, service: &str, from: From) -> Vec<&'a Proxy> {
    let ways = &servers.proxies[service];
    match from {
        From::Database => vec![&ways.database],
        From::Broker => vec![&ways.broker],
        From::Both => vec![&ways.database, &ways.broker],
    }
}

/// Waits for something, so long at most; answers whether it came.
async fn within(limit: Duration, come: impl AsyncFn() -> anyhow::Result<bool>) -> anyhow::Result<bool> {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        if come().await? {
            return Ok(true);
        }
        beat(LOOK).await;
    }
    Ok(false)
}
