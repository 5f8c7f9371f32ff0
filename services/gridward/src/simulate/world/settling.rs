//! The end of a life: nothing goes wrong any more, and everything must come to rest.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;

use super::World;
use crate::simulate::parts::Who;
use crate::simulate::process::Job;
use crate::simulate::promises::Promise;

/// All limits of the pack have passed after this long, holidays and all.
const LONG: TimeDelta = TimeDelta::days(60);

/// More records than there are.
const MANY: u64 = 500;

/// Rounds in which everything must have come to rest.
const ROUNDS: usize = 40;

/// So often at most somebody has to see to it that it does.
const MENDINGS: usize = 6;

impl World {
    /// Nothing goes wrong any more: everybody lives, every partition is somebody's, and all must come to rest; then so
    /// much time passes that every limit is over, and all must come to rest again.
    pub async fn settle(&mut self) {
        self.line("world", "nothing goes wrong from here on", Vec::new());
        self.set_clock(TimeDelta::zero()).await;
        for who in Who::all() {
            self.thaw(who, None).await;
            self.start(who).await;
        }
        let solved = self.solve().await;
        self.was_done(solved);
        self.share_evenly();
        for stream in self.streams.values() {
            stream.most.store(MANY, Ordering::Relaxed);
        }
        for time in [TimeDelta::zero(), LONG] {
            if !time.is_zero() {
                self.pass(time);
            }
            if !self.come_to_rest_in_the_end().await {
                self.model.breach(Promise::Settles, format!("it goes on and on for {ROUNDS} rounds"));
                return;
            }
        }
    }

    /// Everybody does what there is to do, and somebody sees to what they cannot. False when that never ends.
    async fn come_to_rest_in_the_end(&mut self) -> bool {
        for _ in 0..MENDINGS {
            if !self.come_to_rest().await {
                return false;
            }
            let mended = self.mend().await;
            let is_done = !matches!(mended, Ok(1..));
            self.was_done(mended.map(|_| ()));
            if is_done {
                return true;
            }
        }
        false
    }

    /// Everybody does what there is to do, again and again. False when that never ends.
    async fn come_to_rest(&mut self) -> bool {
        for round in 0..ROUNDS {
            let before = self.moved;
            for who in Who::all() {
                // One relay of two is enough, once both have looked.
                match who.relay {
                    true if who.instance == 0 || round == 0 => self.work(who, Job::Relay, None).await,
                    true => {}
                    false => {
                        self.work(who, Job::Facts, None).await;
                        if self.has_to_retry(who) {
                            self.work(who, Job::LookUp, None).await;
                        }
                        if who.part.sweeps() && who.instance == 0 {
                            self.work(who, Job::Sweep, None).await;
                        }
                    }
                }
            }
            if self.moved == before {
                return true;
            }
        }
        false
    }
}
