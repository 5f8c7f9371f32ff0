//! The second setting: Kafka and PostgreSQL. Each service with a database of its own, alone in a process or, for
//! a replay or a test, all of them in one.

use std::sync::Arc;

use anyhow::{Context, bail};
use discover::Discover;
use handle::Handle;
use partner::PartnerDesk;
use platform::clock::Clock;
use platform::lifecycle::{Lifecycle, Stopper};
use platform::metrics::Metrics;
use platform::pack::{InForce, Pack};
use platform::register::Register;
use platform::store::Store;
use platform::stream::kafka::{self, PackTopic, Relay};
use platform::stream::{KafkaStream, Stream};
use platform::turn::{Health, Service, Surroundings, Turns};
use route::Route;
use supervise::Supervise;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::commands::{PackFolder, tell};
use crate::in_force::{self, Named};
use crate::own_topic;
use crate::running::{Accounts, Held, Ready};
use crate::settings::Settings;
use crate::settling::{At, Office, Shared};

/// The services of every office, in the order an incident meets them.
pub const SERVICES: [&str; 4] = [Discover::NAME, Route::NAME, Handle::NAME, Supervise::NAME];

/// The services of the office of `pack`: partner too, where it has partner organisations.
pub fn services(pack: &Pack) -> Vec<&'static str> {
    SERVICES.into_iter().chain(pack.has_partners().then_some(PartnerDesk::NAME)).collect()
}

/// The services of the office of `settings`, by the pack in force; by the one in its folder where nobody can say which
/// is, for what one looks for may be why.
///
/// # Errors
/// Every fault of the pack, by file and line.
pub async fn services_of(settings: &Settings) -> anyhow::Result<Vec<&'static str>> {
    match in_force::pack_of(settings).await {
        Ok(pack) => Ok(services(&pack)),
        Err(error) => {
            let folder = PackFolder::of_settings(settings.pack.clone()).load()?;
            tell(format_args!(
                "going by the pack in its folder, for the one in force is not known: {error:#}"
            ));
            Ok(services(&folder))
        }
    }
}

/// Services that have a database and no topic: nobody follows them, and they follow nobody.
pub const WITHOUT_TOPIC: [&str; 1] = [console::NAME];

/// A service's place among the servers: opened, migrated, and joined to the readers of its topics.
pub struct Joined {
    pub around: Surroundings,
    pub stream: Arc<KafkaStream>,
    /// To be run beside the service.
    pub relay: Relay,
}

/// Opens the database of `service` and brings it up to date; several instances may do so at once.
///
/// # Errors
/// When the server cannot be reached, the database is not set up as it must be or is another service's, or a
/// migration fails.
pub async fn database(service: &str, settings: &Settings) -> anyhow::Result<Store> {
    let store = connected(service, settings, settings.database.connections).await?;
    if let Some(other) = migrations::other_tenant(store.writer(), service).await? {
        bail!(
            "the database {0} is that of {other}: each service has one of its own, see database.url in the settings of \
             {service} / 数据库 {0} 属于 {other}：每个服务使用独立的数据库，请检查 {service} 的 database.url",
            store.place()
        );
    }
    let alone = store.alone().await?;
    migrations::up_for(store.writer(), service)
        .await
        .with_context(|| format!("cannot migrate the database {}", store.place()))?;
    alone.commit().await.context("cannot end the migration")?;
    Ok(store)
}

/// Opens the database of `service` as it is, to look or to change rows in it; with at most so many connections.
///
/// # Errors
/// When the server cannot be reached, or the database is not up to date.
pub async fn database_as_it_is(
    service: &str,
    settings: &Settings,
    connections: u32,
) -> anyhow::Result<Store> {
    let store = connected(service, settings, connections).await?;
    if !migrations::is_up_to_date(store.readers(), service).await? {
        bail!(
            "the database {0} does not have all tables of {service}: is it the right one? If so, run \
             `gridward migrate --config FILE` first / \
             数据库 {0} 缺少 {service} 的表：请确认库名无误，并先运行 gridward migrate --config FILE",
            store.place()
        );
    }
    Ok(store)
}

async fn connected(service: &str, settings: &Settings, connections: u32) -> anyhow::Result<Store> {
    let url = settings.database_url(service)?;
    Store::connect(&url, connections).await.with_context(|| {
        format!("cannot use the database of {service}: see [database] in the settings / 无法使用 {service} 的数据库")
    })
}

/// Opens the place of the service `S`.
///
/// # Errors
/// When a database or the broker's topics cannot be used, or the database holds another pack's cases.
pub async fn join<S: Service>(
    settings: &Settings,
    stream: &kafka::Settings,
    pack: &InForce,
    clock: &Clock,
    metrics: &Metrics,
) -> anyhow::Result<Joined> {
    let store = database(S::NAME, settings).await?;
    own_topic::compare::<S>(&store, stream).await?;
    in_force::note(S::NAME, &store, clock, pack).await?;
    let (joined, relay) = KafkaStream::start(S::NAME, S::READS, &store, stream, metrics)?;
    let joined = Arc::new(joined);
    let stream: Arc<dyn Stream> = joined.clone();
    let around = Surroundings { store, stream, clock: clock.clone(), metrics: metrics.clone() };
    Ok(Joined { around, stream: joined, relay })
}

/// Opens the place of console, which has no topic.
///
/// # Errors
/// When the database cannot be used, or holds the accounts of another pack.
pub async fn accounts(settings: &Settings, pack: &InForce, clock: &Clock) -> anyhow::Result<Accounts> {
    let store = database(console::NAME, settings).await?;
    in_force::note(console::NAME, &store, clock, pack).await?;
    Ok(Accounts { store, proxies: settings.proxies()? })
}

/// Makes the topics that are missing.
///
/// # Errors
/// When the broker cannot be reached or refuses, or a topic has another number of partitions.
pub async fn topics(stream: &kafka::Settings) -> anyhow::Result<Vec<String>> {
    stream.ensure_topics().await.context(
        "the topics are not as they should be: see [kafka] in the settings / Kafka 主题不符合要求，请检查设置中的 [kafka]",
    )
}

/// All services in one process, on servers, with what runs beside them.
pub struct Servers {
    office: Office,
    in_force: InForce,
    register: Register,
    accounts: Accounts,
    metrics: Metrics,
    beside: Beside,
}

/// The relays, and what reads the topics.
pub struct Beside {
    streams: Vec<Arc<KafkaStream>>,
    relays: JoinSet<()>,
    health: Vec<(&'static str, Health)>,
    stopper: Stopper,
}

impl Servers {
    /// Opens every database, and the topics, and begins to relay. What is published goes before the pack that is named.
    ///
    /// # Errors
    /// As [`join`].
    pub async fn open(
        settings: &Settings,
        membership: kafka::With,
        named: impl Into<Named>,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let stream = kafka::Settings { membership, ..settings.stream()? };
        topics(&stream).await?;
        let mut register = Register::on_topic(PackTopic::open(&stream)?);
        let in_force = in_force::begin(&named.into(), &mut register).await?;
        let pack = in_force.now();
        let metrics = Metrics::new();
        let (discover, route, handle, supervise) = tokio::try_join!(
            join::<Discover>(settings, &stream, &in_force, &clock, &metrics),
            join::<Route>(settings, &stream, &in_force, &clock, &metrics),
            join::<Handle>(settings, &stream, &in_force, &clock, &metrics),
            join::<Supervise>(settings, &stream, &in_force, &clock, &metrics),
        )?;
        let partner = match pack.has_partners() {
            true => Some(join::<PartnerDesk>(settings, &stream, &in_force, &clock, &metrics).await?),
            false => None,
        };
        if let Some(joined) = &partner {
            partner::follow(&joined.around.store, &pack.partners, clock.now()).await?;
        }
        let accounts = accounts(settings, &in_force, &clock).await?;
        let boundaries = Route::new(&in_force).map_err(|fault| anyhow::anyhow!("{fault}"))?;
        in_force::warn_of_gaps(&boundaries, &clock);
        let office = Office {
            discover: at(Discover::new(&in_force), &discover),
            route: at(boundaries, &route),
            handle: at(Handle::new(&in_force), &handle),
            supervise: at(Supervise::new(&in_force, &metrics)?, &supervise),
            partner: partner.as_ref().map(|joined| at(PartnerDesk::new(&in_force), joined)),
            pack,
            clock,
        };
        let (stopper, lifecycle) = Lifecycle::new();
        let mut beside = Beside { streams: Vec::new(), relays: JoinSet::new(), health: Vec::new(), stopper };
        for Joined { stream, relay, .. } in [discover, route, handle, supervise].into_iter().chain(partner) {
            beside.health.push(("relay", relay.health()));
            beside.relays.spawn(relay.run(lifecycle.clone()));
            beside.streams.push(stream);
        }
        Ok(Self { office, in_force, register, accounts, metrics, beside })
    }

    pub fn office(&self) -> Office {
        self.office.clone()
    }

    /// To be run.
    pub fn ready(self) -> Ready {
        Ready {
            office: self.office,
            accounts: self.accounts,
            metrics: self.metrics,
            in_force: self.in_force,
            register: self.register,
            held: Held::Servers(self.beside),
        }
    }

    /// Ends the relays, leaves the topics and closes the databases.
    ///
    /// # Errors
    /// When a relay panicked or a database cannot be closed.
    pub async fn close(self) -> anyhow::Result<()> {
        self.beside.close().await?;
        self.register.close().await;
        self.accounts.store.close().await?;
        self.office.close().await
    }
}

impl Beside {
    pub fn health(&self) -> Vec<(&'static str, Health)> {
        self.health.clone()
    }

    /// Ends the relays once they have sent what waits, and leaves the topics.
    ///
    /// # Errors
    /// When a relay panicked.
    pub async fn close(mut self) -> anyhow::Result<()> {
        self.stopper.stop();
        while let Some(ended) = self.relays.join_next().await {
            ended.context("a relay panicked")?;
        }
        for stream in self.streams {
            leave(stream).await?;
        }
        Ok(())
    }
}

fn at<S: Service>(service: Arc<S>, joined: &Joined) -> At<S> {
    let turns: Shared<Turns<S>> = Arc::new(Mutex::new(Turns::new(service, &joined.around)));
    At::new(turns, &joined.around)
}

/// Leaves the readers of a topic, so that the others need not wait for the end of a session.
///
/// # Errors
/// When leaving panicked.
pub async fn leave(stream: Arc<KafkaStream>) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || stream.leave()).await.context("leaving a topic panicked")
}
