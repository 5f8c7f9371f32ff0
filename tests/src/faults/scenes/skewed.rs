//! Hosts whose clocks are wrong, each by something else: time is the database's, so nobody is reminded early, and nobody
//! is held up.

use std::time::Instant;

use super::clock::hurried;
use super::{LOOK, Office};
use crate::faults::unreliable::Unreliable;
use crate::fleet::{STUCK, Servers, has_servers};
use crate::instance::beat;

/// Ahead by less than the hour from which on a broker refuses what is sent from there.
const AHEAD: i64 = 3_000;
const BEHIND: i64 = -600;

impl Office {
    /// The host of a service is so many seconds ahead, from its next start on.
    fn skew(&mut self, hosts: &Unreliable, service: &str, ahead: i64) {
        for (name, value) in hosts.ahead(ahead) {
            self.of(service).tell(&name, &value);
        }
    }

    /// Reports what is reminded of after six seconds, and waits until so many reminders took effect.
    async fn reminded_in_time(&mut self, reminders: i64) {
        let case = self.report("gas").await;
        self.opened(&case).await;
        let begun = Instant::now();
        loop {
            let (effects, early) = self.effects().await;
            assert_eq!(early, 0, "a step took effect before it was due");
            if effects >= reminders {
                return;
            }
            assert!(begun.elapsed() < STUCK, "{effects} instead of {reminders} reminders");
            beat(LOOK).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_whose_clocks_are_wrong_remind_nobody_early_and_hold_nobody_up() {
    if !has_servers() {
        return;
    }
    let folder = tempfile::TempDir::new().unwrap();
    let hosts = Unreliable::make(folder.path()).unwrap();
    let hurried = hurried(folder.path());
    let mut office = Office::on(Servers::given().unwrap(), hurried.to_str().unwrap()).await;
    for (service, ahead) in [("discover", AHEAD), ("route", BEHIND), ("handle", BEHIND), ("supervise", AHEAD)]
    {
        office.skew(&hosts, service, ahead);
    }
    office.fleet.start().await.unwrap();
    office.reminded_in_time(1).await;
    for (service, ahead) in [("handle", AHEAD), ("supervise", BEHIND)] {
        office.of(service).stop().await.unwrap();
        office.skew(&hosts, service, ahead);
        office.of(service).start().await.unwrap();
    }
    office.reminded_in_time(2).await;
    office.settles_clean().await;
    office.fleet.stop().await.unwrap();
}
