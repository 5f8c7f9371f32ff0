//! Who is there when a life begins: each instance and each relay with what is its own.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use platform::clock::Clock;
use platform::faults::Faults;
use platform::store::Store;
use platform::turn::Surroundings;
use tokio::sync::watch;

use super::broker::{Broker, Carrier, Share, SimulatedStream};
use super::faults::Seat;
use super::meddling::{Meddled, Meddler, Puzzles};
use super::office::Office;
use super::parts::{Part, Who};
use super::process::{Actor, Instance, Relaying, Serves};
use super::script::Setup;
use super::switches::Switch;

/// What all of them share.
pub struct Hiring<'a> {
    pub office: &'a Office,
    pub store: &'a Store,
    pub broker: &'a Arc<Broker>,
    pub clock: &'a Clock,
    /// One that is wrong.
    pub ahead: &'a Clock,
    pub setup: &'a Setup,
    pub puzzles: &'a Puzzles,
}

impl Hiring<'_> {
    pub fn relay(&self, who: Who, seat: &Arc<Seat>) -> Box<dyn Actor> {
        let store = self.store.with_faults(Faults::of(seat.clone()));
        let service = who.part.name();
        let (kept, broker, seat) = (store.clone(), self.broker.clone(), seat.clone());
        let broken = self.setup.broken;
        let carrier = move || Carrier {
            service,
            store: kept.clone(),
            broker: broker.clone(),
            seat: seat.clone(),
            broken,
        };
        Box::new(Relaying::new(service, &store, Box::new(carrier)))
    }

    pub fn stream(&self, who: Who, seat: &Arc<Seat>) -> Arc<SimulatedStream> {
        Arc::new(SimulatedStream {
            service: who.part.name(),
            broker: self.broker.clone(),
            seat: seat.clone(),
            broken: self.setup.broken,
            share: Share::default(),
            most: AtomicU64::new(self.setup.most),
            read_to: Mutex::new(BTreeMap::new()),
            arrivals: watch::Sender::new(0),
        })
    }

    pub fn instance(&self, who: Who, seat: &Arc<Seat>, stream: Arc<SimulatedStream>) -> Box<dyn Actor> {
        let broken = self.setup.broken;
        let early = match who.part {
            Part::Supervise => broken.has(Switch::EarlySweep),
            Part::Handle => broken.has(Switch::HostClock),
            Part::Discover | Part::Route | Part::Partner => false,
        };
        let around = Surroundings {
            store: self.store.with_faults(Faults::of(seat.clone())),
            stream,
            clock: if early { self.ahead.clone() } else { self.clock.clone() },
            metrics: self.office.metrics.clone(),
        };
        let (office, puzzles) = (self.office, self.puzzles);
        match who.part {
            Part::Discover => hire(&Meddled::new(&office.discover, broken, puzzles), around),
            Part::Route => hire(&Meddled::new(&office.route, broken, puzzles), around),
            Part::Handle if broken.is_nothing() => {
                hire(&Meddled::new(&office.handle, broken, puzzles), around)
            }
            Part::Handle => {
                let handle = office.handle.meddled(Arc::new(Meddler(broken)));
                hire(&Meddled::new(&handle, broken, puzzles), around)
            }
            Part::Supervise => hire(&Meddled::new(&office.supervise, broken, puzzles), around),
            Part::Partner => hire(&Meddled::new(&office.partner, broken, puzzles), around),
        }
    }
}

fn hire<S: Serves>(service: &Arc<S>, around: Surroundings) -> Box<dyn Actor> {
    Box::new(Instance::new(service, around))
}
