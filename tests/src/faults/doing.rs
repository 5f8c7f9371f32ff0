//! One fault: how it begins, how long it lasts, how it ends, and how soon work goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::task::JoinHandle;

use super::fault::{Fault, From, Touches};
use super::gone::Gone;
use super::hand::Happened;
use super::own_servers::{OwnServers, Which};
use super::poison::{self, Sent};
use super::proxy::{Proxy, Way};
use super::twice::Twice;
use super::unreliable::Trouble;
use super::work::{HANGS, Work};
use super::{again, locked, storm};
use crate::door::Door;
use crate::instance::{Instance, beat};
use crate::kills::dice::Dice;
use crate::kills::progress::Progress;

/// What is around everything that happens.
pub struct Around {
    pub servers: OwnServers,
    pub work: Arc<Work>,
    pub door: Door,
    pub progress: Arc<Progress>,
    pub begun: Instant,
}

/// Clients that are not as clients should be.
pub struct Clients {
    pub gone: Gone,
    pub twice: Twice,
}

/// What a fault has hold of; nobody else has it meanwhile.
pub struct Grip {
    pub around: Arc<Around>,
    /// Of the service that it hits.
    pub instances: Vec<Instance>,
    pub clients: Option<Clients>,
    pub sent: Option<Sent>,
    pub dice: Dice,
    /// How long at most until a reader has taken what was sent to it.
    pub patience: Duration,
}

/// What a fault that is not over at once has begun.
enum Begun {
    /// It hit nothing.
    Nothing,
    /// It hit this, or, when this is empty, nobody can say before its end.
    Hit(String),
    /// It goes on by itself, and says at its end what it hit.
    Goes(JoinHandle<anyhow::Result<String>>),
}

impl Begun {
    /// So many of something; none is nothing.
    fn some(many: impl TryInto<u64>, of: &str) -> Self {
        match many.try_into() {
            Ok(many @ 1..) => Self::Hit(format!("{many} {of}")),
            _ => Self::Nothing,
        }
    }
}

/// Until a COMMIT comes by, or a reader takes a record, at most.
pub const SOON: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(20);

impl Grip {
    /// Lets `fault` happen as one of so many at once; nothing, when it hit nothing.
    ///
    /// # Errors
    /// When a server or an instance does not do as it should, or work does not go on.
    pub async fn let_happen(&mut self, fault: Fault, together: usize) -> anyhow::Result<Option<Happened>> {
        let work = self.around.work.clone();
        let marks = work.marks().await?;
        let (at, began) = (self.around.begun.elapsed(), Instant::now());
        let (mut hit, going) = match self.begin(fault).await? {
            Begun::Nothing => return Ok(None),
            Begun::Hit(hit) => (hit, None),
            Begun::Goes(going) => (String::new(), Some(going)),
        };
        let first = match fault.touches() {
            Touches::Service(service) if together > 1 => Some(service),
            _ => None,
        };
        let new = self.around.progress.new_ones();
        let ends = async {
            beat(fault.lasts()).await;
            if fault.spares_reports() {
                let answered = self.around.progress.new_ones() - new;
                ensure!(answered > 0, "no report was answered while no broker was there");
                hit.push_str(&format!(", {answered} reports were answered meanwhile"));
            }
            if let Some(going) = going {
                hit = going.await.context("what goes on by itself panicked")??;
            }
            self.end(fault, &mut hit).await
        };
        let back = if fault.stops_all() {
            ends.await?;
            work.goes_on(&marks, work.now(), first).await?
        } else {
            // The others go on meanwhile.
            tokio::try_join!(work.goes_on(&marks, work.now(), first), ends)?.0
        };
        if hit.is_empty() {
            return Ok(None);
        }
        let stood = if fault.stops_all() { began.elapsed() } else { back.own };
        Ok(Some(Happened { fault, at, hit, stood, back: back.own, all: back.all, together }))
    }

    async fn begin(&mut self, fault: Fault) -> anyhow::Result<Begun> {
        let around = self.around.clone();
        let (servers, work) = (&around.servers, &around.work);
        Ok(match fault {
            Fault::Kill { number, .. } | Fault::Zombie { number, .. } | Fault::Replaced { number, .. } => {
                let turns = self.turns(number).await;
                if turns > 0 {
                    let instance = self.instance(number)?;
                    match fault {
                        Fault::Kill { .. } => instance.kill()?,
                        Fault::Zombie { .. } => instance.signal("STOP")?,
                        _ => {
                            instance.stop().await?;
                        }
                    }
                }
                Begun::some(turns, "turns were done by it")
            }
            Fault::Broker { .. } => {
                servers.tell(Which::Kafka, "kill", &[]).await?;
                Begun::Hit("its readers and senders".to_owned())
            }
            Fault::BrokerFrozen { .. } => {
                servers.tell(Which::Kafka, "freeze", &[]).await?;
                Begun::Hit("its readers and senders".to_owned())
            }
            Fault::Postmaster { .. } => {
                servers.tell(Which::Postgres, "crash", &[]).await?;
                Begun::Hit("all connections".to_owned())
            }
            Fault::Backends { percent } => Begun::some(self.terminate(percent).await?, "connections"),
            Fault::EatenCommit { service } => {
                let database = &servers.proxies[service].database;
                let before = database.eaten();
                database.be_hungry(true);
                within(SOON, async || Ok(database.eaten() > before)).await?;
                database.be_hungry(false);
                Begun::some(database.eaten() - before, "turn had committed")
            }
            Fault::CutOff { service, from, way, .. } => set(servers, service, from, way),
            Fault::Slow { service, from, each_way, .. } => set(servers, service, from, Way::Slow(each_way)),
            Fault::HalfOpen { service, from, .. } => set(servers, service, from, Way::HalfOpen),
            Fault::Locked { service, lasts } => {
                let around = around.clone();
                Begun::Goes(tokio::spawn(async move {
                    let waited = locked::hold(&around.work, service, lasts).await?;
                    Ok(if waited > 0 { format!("{waited} sessions waited") } else { String::new() })
                }))
            }
            Fault::Refused { service, state, percent, .. } => {
                locked::refuse(work, service, state, percent).await?;
                Begun::Hit(String::new())
            }
            Fault::StoreFull { .. } => {
                servers.trouble(Which::Postgres, Trouble::Full)?;
                Begun::Hit(String::new())
            }
            Fault::StoreUnsynced => {
                servers.trouble(Which::Postgres, Trouble::Unsynced)?;
                within(SOON, async || Ok(servers.hits(Which::Postgres) > 0)).await?;
                Begun::some(servers.mend(Which::Postgres, Trouble::Unsynced)?, "sync, and all connections")
            }
            Fault::BrokerFull { .. } => self.fill_the_broker().await?,
            Fault::Storm { service, times } => {
                let around = around.clone();
                Begun::Goes(tokio::spawn(async move {
                    let (work, broker) = (&around.work, &around.servers.servers.broker);
                    let given = storm::blow(work, broker, service, work.reads(service), times).await?;
                    Ok(if given > 0 { format!("{given} partitions were given away") } else { String::new() })
                }))
            }
            Fault::Poison { topic, how } => {
                let before = work.dead().await?;
                let sent = self.sent.as_mut().context("nobody keeps what was sent")?;
                poison::send(&servers.servers.broker, topic, work.topic(topic), how, sent).await?;
                within(self.patience, async || Ok(work.dead().await? > before)).await?;
                Begun::some(work.dead().await? - before, "dead letters")
            }
            Fault::Again { topic, many } => {
                let sent = again::send(work, &servers.servers.broker, topic, many, &mut self.dice).await?;
                let ends = work.ends().await?.into_iter().filter(|((of, _), _)| *of == topic).collect();
                let read = within(self.patience, async || Ok(work.unread(&ends).await?.is_none())).await?;
                Begun::some(if read { sent } else { 0 }, "copies were read")
            }
            Fault::Gone { many } => {
                let taken = self.clients()?.gone.go(many).await?;
                Begun::some(taken, "reports were taken all the same")
            }
            Fault::Twice { many } => {
                let met = self.clients()?.twice.send(many).await?;
                Begun::some(met, "reports met themselves")
            }
            Fault::OneKilled { .. }
            | Fault::OneReplaced { .. }
            | Fault::OneFrozen { .. }
            | Fault::TwoFrozen { .. }
            | Fault::AllKilled { .. }
            | Fault::LeadersMoved => begin_of_three(servers, fault).await?,
        })
    }

    /// Ends what goes on; leaves `hit` empty when it turns out that it hit nothing.
    async fn end(&mut self, fault: Fault, hit: &mut String) -> anyhow::Result<()> {
        let around = self.around.clone();
        let (servers, work) = (&around.servers, &around.work);
        match fault {
            Fault::Kill { number, .. } | Fault::Replaced { number, .. } => {
                self.instance(number)?.start().await?;
            }
            Fault::Zombie { number, .. } => {
                let zombie = self.instance(number)?;
                zombie.signal("CONT")?;
                zombie.ready().await?;
            }
            Fault::Broker { .. } | Fault::BrokerFull { .. } => {
                servers.tell(Which::Kafka, "start", &[]).await?;
            }
            Fault::BrokerFrozen { .. } => {
                servers.tell(Which::Kafka, "thaw", &[]).await?;
            }
            Fault::Postmaster { .. } => {
                servers.tell(Which::Postgres, "start", &[]).await?;
            }
            Fault::CutOff { service, from, .. }
            | Fault::Slow { service, from, .. }
            | Fault::HalfOpen { service, from, .. } => {
                let mut hits = 0;
                for proxy in ways(servers, service, from) {
                    hits += proxy.hits();
                    proxy.set(Way::Open);
                }
                let of = if matches!(fault, Fault::CutOff { .. }) { "connections" } else { "pieces" };
                *hit = if hits == 0 { String::new() } else { format!("{hits} {of}") };
                self.instance(0)?.ready().await?;
            }
            Fault::Refused { service, .. } => {
                let times = locked::accept(work, service).await?;
                *hit = if times == 0 { String::new() } else { format!("{times} turns") };
            }
            Fault::StoreFull { .. } => {
                let times = servers.mend(Which::Postgres, Trouble::Full)?;
                *hit = if times == 0 { String::new() } else { format!("{times} writes had no room") };
                // Without room for its log it ends.
                if self.store_is_back().await? {
                    hit.push_str(", and it ended");
                }
            }
            Fault::StoreUnsynced => {
                let ended = self.store_is_back().await?;
                hit.push_str(if ended { ", and it ended" } else { "" });
            }
            Fault::OneKilled { broker, .. } | Fault::OneReplaced { broker } => {
                servers.tell(Which::broker(broker), "start", &[]).await?;
            }
            Fault::OneFrozen { broker, .. } => {
                servers.tell(Which::broker(broker), "thaw", &[]).await?;
            }
            Fault::TwoFrozen { spared, .. } => {
                servers.tell_brokers((0..servers.brokers).filter(|one| *one != spared), "thaw").await?;
            }
            Fault::AllKilled { .. } => servers.tell_brokers(0..servers.brokers, "start").await?,
            _ => {}
        }
        Ok(())
    }

    /// Waits until the broker has run into a disk without room and ended.
    async fn fill_the_broker(&mut self) -> anyhow::Result<Begun> {
        let servers = &self.around.servers;
        servers.trouble(Which::Kafka, Trouble::Full)?;
        let ended = within(SOON, async || Ok(!servers.runs(Which::Kafka))).await?;
        let hits = servers.mend(Which::Kafka, Trouble::Full)?;
        if !ended {
            servers.tell(Which::Kafka, "kill", &[]).await?;
        }
        if hits == 0 {
            servers.tell(Which::Kafka, "start", &[]).await?;
            return Ok(Begun::Nothing);
        }
        let then = if ended { "it ended" } else { "it was killed" };
        Ok(Begun::Hit(format!("{hits} writes had no room, and {then}")))
    }

    /// Waits until the databases answer; whether PostgreSQL had to be started for that.
    async fn store_is_back(&self) -> anyhow::Result<bool> {
        let Around { servers, work, .. } = &*self.around;
        let mut started = false;
        let begun = Instant::now();
        while work.dead().await.is_err() {
            ensure!(begun.elapsed() < HANGS, "the databases do not answer again");
            if !servers.runs(Which::Postgres) {
                servers.tell(Which::Postgres, "start", &[]).await?;
                started = true;
            }
            beat(LOOK).await;
        }
        Ok(started)
    }

    fn clients(&mut self) -> anyhow::Result<&mut Clients> {
        self.clients.as_mut().context("there are no such clients")
    }

    fn instance(&mut self, number: usize) -> anyhow::Result<&mut Instance> {
        self.instances.get_mut(number).with_context(|| format!("there is no instance {number}"))
    }

    /// How many turns an instance has done since it was started.
    async fn turns(&self, number: usize) -> u64 {
        let Some(instance) = self.instances.get(number) else { return 0 };
        let asked = self.around.door.client.get(instance.url("/metrics")).send().await;
        let Ok(answer) = asked else { return 0 };
        let text = answer.text().await.unwrap_or_default();
        let turns =
            text.lines().find_map(|line| line.strip_prefix("gridward_turns_total{")?.rsplit_once(' '));
        turns.and_then(|(_, turns)| turns.parse().ok()).unwrap_or(0)
    }

    /// Ends some of the services' connections; answers how many.
    async fn terminate(&mut self, percent: usize) -> anyhow::Result<i64> {
        let seed = self.dice.below(1_000_000);
        let sql = format!(
            "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE application_name = 'gridward' AND pid <> pg_backend_pid() \
             AND ('x' || substr(md5(pid::text || '{seed}'), 1, 6))::bit(24)::int % 100 < {percent}) AS ended"
        );
        self.around.work.count("discover", &sql, Vec::new()).await
    }
}

/// What begins where there are three brokers.
async fn begin_of_three(servers: &OwnServers, fault: Fault) -> anyhow::Result<Begun> {
    let whose = Begun::Hit("its readers, senders and followers".to_owned());
    match fault {
        Fault::OneKilled { broker, .. } => {
            servers.tell(Which::broker(broker), "kill", &[]).await.map(|_| whose)
        }
        Fault::OneReplaced { broker } => {
            servers.tell(Which::broker(broker), "stop", &[]).await.map(|_| whose)
        }
        Fault::OneFrozen { broker, .. } => {
            servers.tell(Which::broker(broker), "freeze", &[]).await.map(|_| whose)
        }
        Fault::TwoFrozen { spared, .. } => {
            servers.tell_brokers((0..servers.brokers).filter(|one| *one != spared), "freeze").await?;
            Ok(Begun::Hit("all readers and senders".to_owned()))
        }
        Fault::AllKilled { .. } => {
            servers.tell_brokers(0..servers.brokers, "kill").await?;
            Ok(Begun::Hit("all readers and senders".to_owned()))
        }
        _ => {
            let elect = ["LeaderElectionCommand", "--election-type", "PREFERRED", "--all-topic-partitions"];
            let said = servers.tell(Which::Kafka, "tool", &elect).await?;
            let moved = said.lines().find(|line| line.contains("Successfully completed leader election"));
            Ok(Begun::some(moved.map_or(0, |line| line.split(',').count()), "partitions have another leader"))
        }
    }
}

fn set(servers: &OwnServers, service: &str, from: From, way: Way) -> Begun {
    for proxy in ways(servers, service, from) {
        proxy.set(way);
    }
    Begun::Hit(String::new())
}

/// The ways of the first instance of a service that are concerned.
fn ways<'a>(servers: &'a OwnServers, service: &str, from: From) -> Vec<&'a Proxy> {
    let ways = &servers.proxies[service];
    let database = (from != From::Broker).then_some(&ways.database);
    let broker = if from == From::Database { None } else { ways.broker.as_ref() };
    database.into_iter().chain(broker).collect()
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
