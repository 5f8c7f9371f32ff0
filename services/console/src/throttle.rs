//! How often a password may be tried, per account and per peer. Pure.
//!
//! Three things are counted: failures of this account from this peer, of this account from anywhere, and of this peer
//! with any account. After some that are free each one more doubles the wait. Nobody locks anybody else out: whoever
//! has signed in from a peer before is held up there by failures of that account at that peer alone, however many tries
//! others make, elsewhere or beside them.

use chrono::{DateTime, TimeDelta, Utc};

/// What is counted under one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub failures: i32,
    /// Of the last of them.
    pub last_at: Option<DateTime<Utc>>,
    /// When it last went well; of an account at a peer.
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
/// How long a peer is known as one where an account's owner signs in.
pub(crate) const KNOWN_FOR: TimeDelta = TimeDelta::days(30);

/// How long nothing may be tried; `None` when it may be now.
pub(crate) fn wait(tallies: &Tallies, now: DateTime<Utc>) -> Option<TimeDelta> {
    let known = tallies.pair.succeeded_at.is_some_and(|at| now - at < KNOWN_FOR);
    let of_pair = of(&tallies.pair, FREE_OF_PAIR, now);
    if known {
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

/// One more failure, counted before the password is looked at, so that many tries at once count as many.
pub(crate) fn failed(tally: &Tally, now: DateTime<Utc>) -> Tally {
    let fresh = tally.last_at.is_none_or(|at| now - at >= FORGOTTEN_AFTER);
    let failures = if fresh { 1 } else { tally.failures.saturating_add(1) };
    Tally { failures, last_at: Some(now), ..*tally }
}

/// It was no failure after all.
pub(crate) fn succeeded(tallies: &Tallies, now: DateTime<Utc>) -> Tallies {
    let one_less = |tally: &Tally| Tally { failures: (tally.failures - 1).max(0), ..*tally };
    Tallies {
        pair: Tally { failures: 0, last_at: Some(now), succeeded_at: Some(now) },
        account: one_less(&tallies.account),
        peer: one_less(&tallies.peer),
    }
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
            assert_eq!(seconds(pair, 0), wait, "{failures}");
            assert_eq!(seconds(pair, wait), 0, "{failures}: once it has passed");
        }
    }

    #[test]
    fn tries_of_others_hold_up_nobody_who_has_signed_in_from_there_before() {
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
    fn failures_are_forgotten_an_hour_after_the_last() {
        let tally = after(100);
        assert_eq!(failed(&tally, at(3_599)).failures, 101);
        assert_eq!(failed(&tally, at(3_600)).failures, 1);
        assert_eq!(failed(&Tally::default(), at(0)).failures, 1);
    }

    #[test]
    fn a_try_that_went_well_takes_its_own_failure_back_and_no_other() {
        let tallies = Tallies { pair: after(3), account: after(8), peer: after(12) };
        let now = succeeded(&tallies, at(9));
        assert_eq!((now.pair.failures, now.account.failures, now.peer.failures), (0, 7, 11));
        assert_eq!(now.pair.succeeded_at, Some(at(9)));
    }
}
