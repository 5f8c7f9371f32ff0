//! Who there is: five services, two instances of each, and beside each instance its relay.

use std::fmt;

use discover::Discover;
use domain::facts::Topic;
use handle::Handle;
use partner::PartnerDesk;
use platform::turn::Service;
use route::Route;
use supervise::Supervise;

/// Instances of each service.
pub const INSTANCES: usize = 2;

/// One of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Discover,
    Route,
    Handle,
    Supervise,
    Partner,
}

impl Part {
    pub const ALL: [Self; 5] = [Self::Discover, Self::Route, Self::Handle, Self::Supervise, Self::Partner];

    pub fn name(self) -> &'static str {
        match self {
            Self::Discover => Discover::NAME,
            Self::Route => Route::NAME,
            Self::Handle => Handle::NAME,
            Self::Supervise => Supervise::NAME,
            Self::Partner => PartnerDesk::NAME,
        }
    }

    pub fn reads(self) -> &'static [Topic] {
        match self {
            Self::Discover => Discover::READS,
            Self::Route => Route::READS,
            Self::Handle => Handle::READS,
            Self::Supervise => Supervise::READS,
            Self::Partner => PartnerDesk::READS,
        }
    }

    pub fn writes(self) -> Topic {
        match self {
            Self::Discover => Discover::WRITES,
            Self::Route => Route::WRITES,
            Self::Handle => Handle::WRITES,
            Self::Supervise => Supervise::WRITES,
            Self::Partner => PartnerDesk::WRITES,
        }
    }

    /// Whether times come for it.
    pub fn sweeps(self) -> bool {
        matches!(self, Self::Supervise | Self::Partner)
    }
}

/// Somebody who can be given something to do: an instance of a service, or its relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    pub part: Part,
    /// 0 or 1.
    pub instance: usize,
    pub relay: bool,
}

impl Who {
    pub fn turns(part: Part, instance: usize) -> Self {
        Self { part, instance: instance % INSTANCES, relay: false }
    }

    pub fn relay(part: Part, instance: usize) -> Self {
        Self { relay: true, ..Self::turns(part, instance) }
    }

    /// Everybody, in the order of [`Self::index`].
    pub fn all() -> impl Iterator<Item = Self> {
        let of_part = |part| {
            (0..INSTANCES)
                .flat_map(move |instance| [Self::turns(part, instance), Self::relay(part, instance)])
        };
        Part::ALL.into_iter().flat_map(of_part)
    }

    pub fn index(self) -> usize {
        (self.part as usize * INSTANCES + self.instance) * 2 + usize::from(self.relay)
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relay = if self.relay { " relay" } else { "" };
        write!(f, "{} {}{relay}", self.part.name(), self.instance + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_place_of_their_own() {
        let places: Vec<usize> = Who::all().map(Who::index).collect();
        assert_eq!(places, (0..Part::ALL.len() * INSTANCES * 2).collect::<Vec<_>>());
    }
}
