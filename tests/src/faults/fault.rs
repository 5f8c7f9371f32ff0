//! What can go wrong, with all that was drawn of it.

use std::fmt;
use std::time::Duration;

use domain::facts::Topic;

use super::kind::Kind;
use super::proxy::Way;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// SIGKILL of an instance, which is started again after a while.
    Kill { service: &'static str, number: usize, down: Duration },
    /// SIGKILL of the broker.
    Broker { down: Duration },
    /// SIGKILL of the postmaster: its backends notice by themselves.
    Postmaster { down: Duration },
    /// Some of the services' connections are ended by PostgreSQL.
    Backends { percent: usize },
    /// SIGSTOP of an instance past its session, then SIGCONT: it goes on with what it held.
    Zombie { service: &'static str, number: usize, asleep: Duration },
    /// SIGSTOP of the broker.
    BrokerFrozen { asleep: Duration },
    /// A COMMIT reaches PostgreSQL, and its answer does not reach the instance.
    EatenCommit { service: &'static str },
    /// The first instance of a service does not reach the database, the broker, or both.
    CutOff { service: &'static str, from: From, way: Way, lasts: Duration },
    /// What the first instance of a service says and hears takes its time.
    Slow { service: &'static str, from: From, each_way: Duration, lasts: Duration },
    /// Nothing comes through the connections that the first instance of a service has, and it is not told until they
    /// are closed at the end; new ones are as they should be.
    HalfOpen { service: &'static str, from: From, lasts: Duration },
    /// Somebody holds a lock on a table that every turn of a service writes to.
    Locked { service: &'static str, lasts: Duration },
    /// The database refuses so many of a service's turns, with this SQLSTATE.
    Refused { service: &'static str, state: &'static str, percent: usize, lasts: Duration },
    /// No file of the databases may grow.
    StoreFull { lasts: Duration },
    /// A sync of the databases fails once: PostgreSQL believes nothing that it has in memory after that, and begins
    /// again from its log.
    StoreUnsynced,
    /// No file of the broker may grow: it ends by itself, and is started again when there is room.
    BrokerFull { down: Duration },
    /// Somebody joins the readers of a service, reads nothing, and leaves, again and again.
    Storm { service: &'static str, times: usize },
    /// SIGTERM of an instance under load, and another in its place.
    Replaced { service: &'static str, number: usize },
    /// A record on a topic that nobody can take.
    Poison { topic: Topic, how: Poison },
    /// A slice of a topic is sent once more.
    Again { topic: Topic, many: usize },
    /// Clients that do not wait for their answers.
    Gone { many: usize },
    /// Clients that send a report twice at once, then something else under its name.
    Twice { many: usize },
    /// SIGKILL of one of three brokers, which is started again after a while.
    OneKilled { broker: usize, down: Duration },
    /// SIGTERM of one of three brokers, which hands over what it leads, and is started again.
    OneReplaced { broker: usize },
    /// SIGSTOP of one of three brokers past its session: it comes back as a leader that is none any more.
    OneFrozen { broker: usize, asleep: Duration },
    /// SIGSTOP of two of three brokers: nothing can be acknowledged.
    TwoFrozen { spared: usize, asleep: Duration },
    /// SIGKILL of all three.
    AllKilled { down: Duration },
    /// Whoever leads partitions that others should lead hands them over.
    LeadersMoved,
}

/// What somebody is cut off from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Database,
    Broker,
    Both,
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    /// It is no fact at all.
    Undecodable,
    /// A whole fact of a type that nobody knows.
    Unknown,
}

/// What a fault takes hold of. Two that take hold of different things cannot hide what each other does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touches {
    /// Instances of one service, and their connections.
    Service(&'static str),
    /// What readers set aside.
    Letters,
    /// What lies on the topics already.
    Topics,
    /// Those who report.
    Clients,
    /// A server, or a whole service: whatever else happened meanwhile would be blamed on it.
    Everything,
}

impl Fault {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Kill { .. } => Kind::Killed,
            Self::Broker { .. } => Kind::BrokerKilled,
            Self::Postmaster { .. } => Kind::PostmasterKilled,
            Self::Backends { .. } => Kind::BackendsEnded,
            Self::Zombie { .. } => Kind::Asleep,
            Self::BrokerFrozen { .. } => Kind::BrokerFrozen,
            Self::EatenCommit { .. } => Kind::CommitEaten,
            Self::CutOff { from: From::Broker, .. } => Kind::NoBroker,
            Self::CutOff { .. } => Kind::NoDatabase,
            Self::Slow { .. } => Kind::SlowLink,
            Self::HalfOpen { .. } => Kind::HalfOpen,
            Self::Locked { .. } => Kind::TableLocked,
            Self::Refused { .. } => Kind::Refused,
            Self::StoreFull { .. } => Kind::StoreFull,
            Self::StoreUnsynced => Kind::StoreUnsynced,
            Self::BrokerFull { .. } => Kind::BrokerFull,
            Self::Storm { .. } => Kind::Storm,
            Self::Replaced { .. } => Kind::Replaced,
            Self::Poison { how: Poison::Undecodable, .. } => Kind::Unreadable,
            Self::Poison { how: Poison::Unknown, .. } => Kind::Unknown,
            Self::Again { .. } => Kind::Again,
            Self::Gone { .. } => Kind::Gone,
            Self::Twice { .. } => Kind::Twice,
            Self::OneKilled { .. } => Kind::OneKilled,
            Self::OneReplaced { .. } => Kind::OneReplaced,
            Self::OneFrozen { .. } => Kind::OneFrozen,
            Self::TwoFrozen { .. } => Kind::TwoFrozen,
            Self::AllKilled { .. } => Kind::AllKilled,
            Self::LeadersMoved => Kind::LeadersMoved,
        }
    }

    /// How long it lasts, where it is not over at once and does not end by itself.
    pub fn lasts(&self) -> Duration {
        match self {
            Self::Kill { down, .. }
            | Self::Broker { down }
            | Self::Postmaster { down }
            | Self::BrokerFull { down }
            | Self::OneKilled { down, .. }
            | Self::AllKilled { down } => *down,
            Self::Zombie { asleep, .. }
            | Self::BrokerFrozen { asleep }
            | Self::OneFrozen { asleep, .. }
            | Self::TwoFrozen { asleep, .. } => *asleep,
            Self::CutOff { lasts, .. }
            | Self::Slow { lasts, .. }
            | Self::HalfOpen { lasts, .. }
            | Self::Refused { lasts, .. }
            | Self::StoreFull { lasts } => *lasts,
            _ => Duration::ZERO,
        }
    }

    /// Whether there is nobody else who could do the work meanwhile: it goes on when the fault is over.
    pub fn stops_all(&self) -> bool {
        matches!(
            self,
            Self::Broker { .. }
                | Self::Postmaster { .. }
                | Self::BrokerFrozen { .. }
                | Self::Locked { .. }
                | Self::Refused { .. }
                | Self::StoreFull { .. }
                | Self::StoreUnsynced
                | Self::BrokerFull { .. }
                | Self::TwoFrozen { .. }
                | Self::AllKilled { .. }
        )
    }

    /// Whether people are still to be answered: only brokers are away, and long enough that somebody reports.
    pub fn spares_reports(&self) -> bool {
        let brokers = matches!(
            self,
            Self::Broker { .. }
                | Self::BrokerFrozen { .. }
                | Self::BrokerFull { .. }
                | Self::TwoFrozen { .. }
                | Self::AllKilled { .. }
        );
        brokers && self.lasts() >= Duration::from_secs(2)
    }

    pub fn touches(&self) -> Touches {
        match self {
            Self::Kill { service, .. }
            | Self::Zombie { service, .. }
            | Self::EatenCommit { service }
            | Self::CutOff { service, .. }
            | Self::HalfOpen { service, .. }
            | Self::Storm { service, .. }
            | Self::Replaced { service, .. } => Touches::Service(service),
            Self::Poison { .. } => Touches::Letters,
            Self::Again { .. } => Touches::Topics,
            Self::Gone { .. } | Self::Twice { .. } => Touches::Clients,
            _ => Touches::Everything,
        }
    }

    /// The service whose instances it needs.
    pub fn service(&self) -> Option<&'static str> {
        match self {
            Self::Slow { service, .. } => Some(service),
            other => match other.touches() {
                Touches::Service(service) => Some(service),
                _ => None,
            },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill { service, number, down } => {
                write!(f, "{service} {number} killed, back after {down:.1?}")
            }
            Self::Broker { down } => write!(f, "broker killed, back after {down:.1?}"),
            Self::Postmaster { down } => write!(f, "postmaster killed, back after {down:.1?}"),
            Self::Backends { percent } => write!(f, "{percent} % of the backends terminated"),
            Self::Zombie { service, number, asleep } => {
                write!(f, "{service} {number} asleep for {asleep:.1?}")
            }
            Self::BrokerFrozen { asleep } => write!(f, "broker frozen for {asleep:.1?}"),
            Self::EatenCommit { service } => write!(f, "{service} 0 not told of a COMMIT"),
            Self::CutOff { service, from, way, lasts } => {
                write!(f, "{service} 0 cut off from {from:?} ({way:?}) for {lasts:.1?}")
            }
            Self::Slow { service, from, each_way, lasts } => {
                write!(f, "{service} 0 {each_way:.0?} away from {from:?} for {lasts:.1?}")
            }
            Self::HalfOpen { service, from, lasts } => {
                write!(f, "{service} 0 with connections to {from:?} half open for {lasts:.1?}")
            }
            Self::Locked { service, lasts } => write!(f, "outbox of {service} locked for {lasts:.1?}"),
            Self::Refused { service, state, percent, lasts } => {
                write!(f, "{percent} % of the turns of {service} refused with {state} for {lasts:.1?}")
            }
            Self::StoreFull { lasts } => write!(f, "no room for the databases for {lasts:.1?}"),
            Self::StoreUnsynced => write!(f, "a sync of the databases fails"),
            Self::BrokerFull { down } => write!(f, "no room for the broker, back {down:.1?} after its end"),
            Self::Storm { service, times } => write!(f, "a stranger joins {service} {times} times"),
            Self::Replaced { service, number } => write!(f, "{service} {number} replaced"),
            Self::Poison { topic, how } => write!(f, "{how:?} record on {topic}"),
            Self::Again { topic, many } => write!(f, "up to {many} facts of {topic} sent again"),
            Self::Gone { many } => write!(f, "{many} clients gone"),
            Self::Twice { many } => write!(f, "{many} reports sent twice at once, and changed"),
            Self::OneKilled { broker, down } => write!(f, "broker {broker} killed, back after {down:.1?}"),
            Self::OneReplaced { broker } => write!(f, "broker {broker} replaced"),
            Self::OneFrozen { broker, asleep } => write!(f, "broker {broker} frozen for {asleep:.1?}"),
            Self::TwoFrozen { spared, asleep } => {
                write!(f, "all brokers but {spared} frozen for {asleep:.1?}")
            }
            Self::AllKilled { down } => write!(f, "all brokers killed, back after {down:.1?}"),
            Self::LeadersMoved => write!(f, "partitions handed to whoever should lead them"),
        }
    }
}
