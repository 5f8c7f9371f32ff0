//! Which of two sessions goes on: every order of their statements, one after the other, depth first.
//!
//! A schedule is walked from its beginning each time, since nobody can go back half-way in two sessions. Where the next
//! statements of both commute, one order stands for both: whoever was tried first sleeps in the other branch until
//! something comes that it does not commute with (sleep sets: Godefroid, 1996). So every order is tried, up to swaps of
//! neighbours that cannot notice each other. Where each waits for the other, who is ended is chosen too: once A, once B.

use std::fmt;

use super::statement::Step;

/// One of the two sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    A,
    B,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::A { "A" } else { "B" })
    }
}

/// What each session is about to do; nothing where it is done, or waits for the other.
pub type Held = [Option<Step>; 2];

/// A schedule did not come out the same twice.
#[derive(Debug)]
pub struct Diverged {
    before: String,
    now: String,
}

impl fmt::Display for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the same schedule came to {}, and before to {}", self.now, self.before)
    }
}

impl std::error::Error for Diverged {}

/// Where one of the two had to be chosen.
#[derive(Debug)]
struct Node {
    held: Held,
    /// Whoever need not be tried here.
    asleep: [bool; 2],
    tried: [bool; 2],
    chosen: Side,
}

/// A walk through all schedules of two sessions.
#[derive(Debug)]
pub struct Search {
    nodes: Vec<Node>,
    at: usize,
    /// So many lie on the way to this schedule; it has found those behind them itself.
    given: usize,
    /// Every order, also where it makes no difference.
    whole: bool,
    redundant: bool,
}

impl Search {
    pub fn new(whole: bool) -> Self {
        Self { nodes: Vec::new(), at: 0, given: 0, whole, redundant: false }
    }

    /// Who goes on, of those in `held`, of whom there is at least one.
    ///
    /// # Errors
    /// When a schedule that was walked before is now at another point.
    pub fn choose(&mut self, held: &Held) -> Result<Side, Diverged> {
        let any = if held[0].is_some() { Side::A } else { Side::B };
        if self.redundant {
            return Ok(any);
        }
        if let Some(node) = self.nodes.get(self.at) {
            if node.held != *held {
                return Err(Diverged { before: tell(&node.held), now: tell(held) });
            }
            self.at += 1;
            return Ok(node.chosen);
        }
        let asleep = self.asleep(held);
        let last = self.nodes.last().map_or(Side::A, |node| node.chosen);
        let is_free = |side: &Side| held[*side as usize].is_some() && !asleep[*side as usize];
        let Some(chosen) = [last, last.other()].into_iter().find(is_free) else {
            self.redundant = true;
            return Ok(any);
        };
        self.nodes.push(Node { held: held.clone(), asleep, tried: [false; 2], chosen });
        self.at += 1;
        Ok(chosen)
    }

    /// Whoever was tried or slept where this comes from, and has noticed nothing since.
    fn asleep(&self, held: &Held) -> [bool; 2] {
        let Some(before) = self.nodes.last().filter(|_| !self.whole) else { return [false; 2] };
        let Some(done) = &before.held[before.chosen as usize] else { return [false; 2] };
        Side::BOTH.map(|side| {
            let n = side as usize;
            let step = held[n].as_ref().filter(|_| side != before.chosen);
            (before.asleep[n] || before.tried[n]) && step.is_some_and(|step| step.commutes_with(done))
        })
    }

    /// Whether what was just walked is another schedule once more, as far as anybody could notice.
    pub fn is_redundant(&self) -> bool {
        self.redundant
    }

    /// The same schedule once more, as if it had not been walked.
    pub fn again(&mut self) {
        self.nodes.truncate(self.given);
        self.at = 0;
        self.redundant = false;
    }

    /// Turns to the next schedule; false when there is none.
    pub fn another(&mut self) -> bool {
        self.at = 0;
        self.redundant = false;
        while let Some(node) = self.nodes.last_mut() {
            node.tried[node.chosen as usize] = true;
            let other = node.chosen.other();
            let n = other as usize;
            if node.held[n].is_some() && !node.asleep[n] && !node.tried[n] {
                node.chosen = other;
                self.given = self.nodes.len();
                return true;
            }
            self.nodes.pop();
        }
        false
    }
}

fn tell(held: &Held) -> String {
    let tell = |side: Side| {
        let step = held[side as usize].as_ref();
        format!("{side} {}", step.map_or_else(|| "has nothing".to_owned(), Step::told))
    };
    format!("({}; {})", tell(Side::A), tell(Side::B))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::interleavings::statement::{Tables, Transaction};

    /// Every order in which the statements of two transactions are carried out, where nobody waits for anybody.
    fn orders(statements: [&[&str]; 2], whole: bool) -> Vec<Vec<Side>> {
        let known: Tables = ["one", "two"].map(str::to_owned).into();
        let turns = statements.map(|texts| {
            let mut transaction = Transaction::default();
            texts.iter().filter_map(|text| transaction.step(text, &known)).collect::<Vec<_>>()
        });
        let (mut search, mut orders) = (Search::new(whole), Vec::new());
        loop {
            let mut order: Vec<Side> = Vec::new();
            loop {
                let held = Side::BOTH.map(|side| {
                    let done = order.iter().filter(|one| **one == side).count();
                    turns[side as usize].get(done).cloned()
                });
                if held.iter().all(Option::is_none) {
                    break;
                }
                order.push(search.choose(&held).unwrap());
            }
            if !search.is_redundant() {
                orders.push(order);
            }
            if !search.another() {
                return orders;
            }
        }
    }

    const ONE: [&str; 4] = ["BEGIN", "SELECT * FROM one", "UPDATE one SET n = 1", "COMMIT"];
    const TWO: [&str; 4] = ["BEGIN", "SELECT * FROM two", "UPDATE two SET n = 1", "COMMIT"];

    #[test]
    fn every_order_is_walked_once() {
        let all = orders([&ONE, &TWO], true);
        assert_eq!(all.len(), 20, "six over three");
        let different: BTreeSet<String> = all.iter().map(|order| format!("{order:?}")).collect();
        assert_eq!(different.len(), 20);
    }

    #[test]
    fn of_two_that_share_nothing_one_order_is_enough() {
        assert_eq!(orders([&ONE, &TWO], false).len(), 1);
    }

    #[test]
    fn of_two_that_meet_at_one_table_every_order_is_walked_that_anybody_can_notice() {
        // Whose write is first, and on which side of the other's commit each one's read and write are.
        let few = orders([&ONE, &ONE], false);
        assert_eq!(few.len(), 6, "{few:?}");
        for order in [[Side::A; 3], [Side::B; 3]].map(|first| [first, first.map(Side::other)].concat()) {
            assert!(few.contains(&order), "one after the other");
        }
    }

    #[test]
    fn a_schedule_that_is_not_the_same_twice_is_said() {
        let known: Tables = ["one".to_owned()].into();
        let step = |text: &str| Transaction::default().step(text, &known);
        let mut search = Search::new(false);
        search.choose(&[step("SELECT * FROM one"), step("UPDATE one SET n = 1")]).unwrap();
        assert!(search.another());
        let said = search.choose(&[step("UPDATE one SET n = 1"), None]).unwrap_err().to_string();
        assert!(said.contains("A writes and commits one: UPDATE one"), "{said}");
        assert!(said.contains("before to (A reads one: SELECT"), "{said}");
    }

    /// Both lock the same two in the other order, and are run again when they are ended.
    fn crossing(search: &mut Search) -> Vec<Side> {
        let known: Tables = ["one", "two"].map(str::to_owned).into();
        let texts = [["UPDATE one", "UPDATE two", "COMMIT"], ["UPDATE two", "UPDATE one", "COMMIT"]];
        let steps = texts.map(|texts| {
            let mut transaction = Transaction::default();
            transaction.step("BEGIN", &known);
            texts.map(|text| transaction.step(text, &known).unwrap())
        });
        let (mut at, mut ended) = ([0, 0], Vec::new());
        loop {
            // The next is not free where the other has done so much.
            let waits = Side::BOTH.map(|side| match at[side as usize] {
                0 => at[side.other() as usize] == 2,
                1 => [1, 2].contains(&at[side.other() as usize]),
                _ => false,
            });
            let held = match waits {
                [true, true] => [Some(Step::parting()), Some(Step::parting())],
                _ => Side::BOTH.map(|side| {
                    let n = side as usize;
                    steps[n].get(at[n]).filter(|_| !waits[n]).cloned()
                }),
            };
            if held.iter().all(Option::is_none) {
                return ended;
            }
            let side = search.choose(&held).unwrap();
            if waits == [true, true] {
                ended.push(side);
                at[side as usize] = 0;
                at[side.other() as usize] += 1;
            } else {
                at[side as usize] += 1;
            }
        }
    }

    #[test]
    fn of_two_that_wait_for_each_other_each_is_ended_once() {
        let (mut search, mut all) = (Search::new(false), Vec::new());
        loop {
            let ended = crossing(&mut search);
            if !search.is_redundant() {
                all.push(ended);
            }
            if !search.another() {
                break;
            }
        }
        for ended in [vec![], vec![Side::A], vec![Side::B]] {
            assert!(all.contains(&ended), "{all:?}");
        }
    }
}
