//! How often a password may be tried, per account and from where. Pure.
//!
//! Three things are counted: failures of this account from this peer, of this account from anywhere, and of this peer
//! with any account. After some that are free each one more doubles the wait. Whoever has signed in from a peer before is
//! held up there by failures of that account at that peer alone, however many tries others make elsewhere.
//!
//! People behind one address cannot be told apart by it. So a device on which somebody has signed in is remembered, and
//! counted by itself: whatever others try, from the same address too, its owner is held up by slips on that device alone.
//! On a device of which nothing is known, beside somebody who guesses, the owner waits: at most a quarter of an hour.

use chrono::{DateTime, TimeDelta, Utc};

/// What is counted under one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub failures: i32,
    /// Of the last of them.
    pub last_at: Option<DateTime<Utc>>,
    /// When it last went well; of an account at a peer or on a device.
    pub succeeded_at: Option<DateTime<Utc>>,
}

/// What is counted of one try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tallies {
    /// This account at this peer.
    pub pair: Tally,
    /// This account anywhere.
    pub account: Tally,
    /// This peer with any account.
    pub peer: Tally,
    /// This account on this device; where its owner has signed in there before, and nowhere else.
    pub device: Option<Tally>,
}

/// Failures that are free, for somebody's slips of the finger; for an office behind one address.
const FREE_OF_PAIR: i32 = 5;
const FREE_OF_ACCOUNT: i32 = 20;
const FREE_OF_PEER: i32 = 30;
/// After the first that is not free; then twice as long with each.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(15);
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);
/// Failures count for so long after the last of them.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(1);
/// How long a peer or a device is known as one where an account's owner signs in.
pub(crate) const KNOWN_FOR: TimeDelta = TimeDelta::days(30);

impl Tally {
    /// Whether the owner of the account has signed in there lately.
    pub fn is_known(&self, now: DateTime<Utc>) -> bool {
        self.succeeded_at.is_some_and(|at| now - at < KNOWN_FOR)
    }
}

/// How long nothing may be tried; `None` when it may be now.
pub(crate) fn wait(tallies: &Tallies, now: DateTime<Utc>) -> Option<TimeDelta> {
    if let Some(device) = &tallies.device {
        return of(device, FREE_OF_PAIR, now);
    }
    let of_pair = of(&tallies.pair, FREE_OF_PAIR, now);
    if tallies.pair.is_known(now) {
        return of_pair;
    }
    let of_account = of(&tallies.account, FREE_OF_ACCOUNT, now);
    of_pair.max(of_account).max(of(&tallies.peer, FREE_OF_PEER, now))
}

fn of(tally: &Tally, free: i32, now: DateTime<Utc>) -> Option<TimeDelta> {
    let last_at = tally.last_at?;
    let doubled = u32::try_from(tally.failures - free).ok()?.min(10);
    let wait = (FIRST_WAIT * 2_i32.pow(doubled)).min(LONGEST_WAIT);
    let left = last_at + wait - now;
    (now - last_at < FORGOTTEN_AFTER && left > TimeDelta::zero()).then_some(left)
}

/// One more failure, counted before the password is looked at, so that many tries at once count as many. Slips on a
/// device that is known are nobody else's.
pub(crate) fn failed(tallies: &Tallies, now: DateTime<Utc>) -> Tallies {
    match &tallies.device {
        Some(device) => Tallies { device: Some(one_more(device, now)), ..*tallies },
        None => Tallies {
            pair: one_more(&tallies.pair, now),
            account: one_more(&tallies.account, now),
            peer: one_more(&tallies.peer, now),
            device: None,
        },
    }
}

fn one_more(tally: &Tally, now: DateTime<Utc>) -> Tally {
    let fresh = tally.last_at.is_none_or(|at| now - at >= FORGOTTEN_AFTER);
    let failures = if fresh { 1 } else { tally.failures.saturating_add(1) };
    Tally { failures, last_at: Some(now), ..*tally }
}

/// It was no failure after all. What somebody else tried at the same peer stays counted, if this came from a device of
/// its own.
pub(crate) fn succeeded(tallies: &Tallies, now: DateTime<Utc>) -> Tallies {
    if tallies.device.is_some() {
        let pair = Tally { succeeded_at: Some(now), ..tallies.pair };
        return Tallies { pair, device: Some(signed_in(now)), ..*tallies };
    }
    let one_less = |tally: &Tally| Tally { failures: (tally.failures - 1).max(0), ..*tally };
    Tallies {
        pair: signed_in(now),
        account: one_less(&tallies.account),
        peer: one_less(&tallies.peer),
        device: None,
    }
}

/// What is known of a place where an account's owner has just signed in.
pub(crate) fn signed_in(now: DateTime<Utc>) -> Tally {
    Tally { failures: 0, last_at: Some(now), succeeded_at: Some(now) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000 + seconds, 0).unwrap()
    }

    fn after(failures: i32) -> Tally {
        Tally { failures, last_at: Some(at(0)), succeeded_at: None }
    }

    fn seconds(tallies: Tallies, now: i64) -> i64 {
        wait(&tallies, at(now)).map_or(0, |wait| wait.num_seconds())
    }

    #[test]
    fn after_five_slips_each_more_doubles_the_wait_to_a_quarter_of_an_hour() {
        for (failures, wait) in
            [(0, 0), (4, 0), (5, 15), (6, 30), (7, 60), (10, 480), (11, 900), (2_000, 900)]
        {
            let pair = Tallies { pair: after(failures), ..Tallies::default() };
            let device = Tallies { device: Some(after(failures)), ..Tallies::default() };
            for slips in [pair, device] {
                assert_eq!(seconds(slips, 0), wait, "{failures}");
                assert_eq!(seconds(slips, wait), 0, "{failures}: once it has passed");
            }
        }
    }

    #[test]
    fn tries_of_others_elsewhere_hold_up_nobody_who_has_signed_in_from_there_before() {
        let attacked = Tallies { account: after(500), peer: after(500), ..Tallies::default() };
        assert_eq!(seconds(attacked, 0), 900);
        let known = Tally { succeeded_at: Some(at(-86_400)), ..Tally::default() };
        assert_eq!(seconds(Tallies { pair: known, ..attacked }, 0), 0);
        let own_slips = Tally { succeeded_at: Some(at(-86_400)), ..after(6) };
        assert_eq!(seconds(Tallies { pair: own_slips, ..attacked }, 0), 30);
        let long_ago = Tally { succeeded_at: Some(at(-31 * 86_400)), ..Tally::default() };
        assert_eq!(seconds(Tallies { pair: long_ago, ..attacked }, 0), 900);
    }

    #[test]
    fn tries_of_others_at_the_same_address_hold_up_nobody_on_a_device_of_their_own() {
        let attacked = Tallies { pair: after(500), account: after(500), peer: after(500), device: None };
        assert_eq!(seconds(attacked, 0), 900, "on a device of which nothing is known");
        let own = Tallies { device: Some(signed_in(at(-60))), ..attacked };
        assert_eq!(seconds(own, 0), 0);
        let slipped = (0..6).fold(own, |tallies, _| failed(&tallies, at(0)));
        assert_eq!(seconds(slipped, 0), 30, "by slips of the own");
        assert_eq!(Tallies { device: None, ..slipped }, attacked, "which count for nobody else");
        let known_peer = Tally { succeeded_at: Some(at(9)), ..attacked.pair };
        let right = succeeded(&slipped, at(9));
        assert_eq!((right.pair, right.account, right.peer), (known_peer, attacked.account, attacked.peer));
        assert_eq!(seconds(right, 9), 0);
    }

    #[test]
    fn failures_are_forgotten_an_hour_after_the_last() {
        let tally = after(100);
        assert_eq!(one_more(&tally, at(3_599)).failures, 101);
        assert_eq!(one_more(&tally, at(3_600)).failures, 1);
        assert_eq!(one_more(&Tally::default(), at(0)).failures, 1);
    }

    #[test]
    fn a_try_that_went_well_takes_its_own_failure_back_and_no_other() {
        let tallies = Tallies { pair: after(3), account: after(8), peer: after(12), device: None };
        let now = succeeded(&tallies, at(9));
        assert_eq!((now.pair.failures, now.account.failures, now.peer.failures), (0, 7, 11));
        assert_eq!(now.pair.succeeded_at, Some(at(9)));
    }
}
