//! Lives of a whole office drawn from seeds, in which everything goes wrong that can. `gridward simulate` lives more of
//! them, and tells the life of one seed step by step.

use gridward::simulate::{Broken, Figures, Office, Switch, Wanted, live};
use platform::pack::Pack;

use crate::world::packs;

fn lives(seeds: u64, broken: &[Switch], failures: usize) -> Figures {
    let office = Office::of(&Pack::load(&packs().join("twostreets")).unwrap()).unwrap();
    let broken = Broken::of(broken);
    live(&office, &Wanted { seeds, first_seed: 1, threads: 2, broken, failures }).unwrap()
}

#[test]
fn a_thousand_lives_in_which_everything_goes_wrong_keep_every_promise() {
    let figures = lives(1_000, &[], 3);
    assert!(figures.is_good(), "{figures}");
    assert_eq!((figures.lives, figures.same_twice), (1_000, 10), "every hundredth was lived twice");
}

#[test]
fn a_rule_that_is_broken_on_purpose_is_noticed() {
    for switch in Switch::ALL {
        // What another layer may catch is broken beside it.
        let beside = switch.caught_by().map(|_| Switch::TakeAgain);
        let broken: Vec<Switch> = [switch].into_iter().chain(beside).collect();
        let figures = lives(10_000, &broken, 1);
        assert!(!figures.failed.is_empty(), "{} is broken, and nobody notices\n{figures}", switch.name());
    }
}
