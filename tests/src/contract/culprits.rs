//! A batch that fails is run again one by one, and only the culprit is set aside.

use platform::store::dead_letters;
use platform::turn::Taken;

use super::notebook::{PANIC, UNSAVEABLE};
use super::*;

async fn dead(here: &Here) -> Vec<(u8, i64, String)> {
    let letters = dead_letters::list(here.store.readers(), "route").await.unwrap();
    letters.into_iter().map(|l| (number(l.record.incident), l.record.sequence, l.reason)).collect()
}

#[tokio::test]
async fn one_decision_that_panics_makes_one_dead_letter_and_the_others_are_taken_once() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "a"), (2, 1, PANIC), (3, 1, "c"), (2, 2, "b"), (1, 2, "d")]).await;
        let taken = here.turns().take_facts().await.unwrap();
        assert_eq!(taken, Taken { taken: 3, dropped: 0, parked: 1, dead: 1 }, "{}", here.name());
        assert_eq!(dead(&here).await, [(2, 1, "deciding it panicked: no way to take it".to_owned())]);
        assert_eq!(here.noted().await, owned(&[(1, "a"), (3, "c"), (1, "d")]));
        assert_eq!(here.turns().take_facts().await.unwrap().all(), 0, "the position is behind all of them");
    }
}

#[tokio::test]
async fn one_fact_that_cannot_be_saved_makes_one_dead_letter_that_names_the_cause() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "a"), (2, 1, UNSAVEABLE), (3, 1, "c")]).await;
        let taken = here.turns().take_facts().await.unwrap();
        assert_eq!((taken.taken, taken.dead), (2, 1), "{}", here.name());
        assert_eq!(here.noted().await, owned(&[(1, "a"), (3, "c")]));
        let dead = dead(&here).await;
        assert_eq!((dead.len(), dead[0].0), (1, 2));
        assert!(dead[0].2.contains("saving words"), "what we were doing: {}", dead[0].2);
        assert!(dead[0].2.contains("no_such_table"), "and what the database said: {}", dead[0].2);
    }
}

#[tokio::test]
async fn a_parked_follower_that_panics_is_the_culprit_and_not_the_fact_that_filled_the_gap() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "a"), (1, 3, PANIC), (1, 4, "d")]).await;
        let mut turns = here.turns();
        turns.take_facts().await.unwrap();
        here.say(&[(1, 2, "b")]).await;
        turns.take_facts().await.unwrap();
        assert_eq!(here.noted().await, owned(&[(1, "a"), (1, "b")]), "{}", here.name());
        let dead: Vec<i64> = dead(&here).await.into_iter().map(|(_, sequence, _)| sequence).collect();
        assert_eq!((dead, here.parked().await), (vec![3], 1));
    }
}

#[tokio::test]
async fn a_retry_whose_follower_panics_decides_what_can_be_and_sets_the_follower_aside() {
    for setting in settings() {
        let here = setting.start().await;
        // The cause of the first is mended in its body; the follower's is not.
        here.say(&[(1, 1, PANIC), (1, 2, PANIC), (1, 3, "c")]).await;
        let mut turns = here.turns();
        turns.take_facts().await.unwrap();
        here.execute("UPDATE route_dead_letter SET body = '\"a\"', retry_asked = true").await;
        assert_eq!(turns.retry_asked().await.unwrap(), 1, "{}", here.name());
        assert_eq!(here.noted().await, owned(&[(1, "a")]));
        let dead: Vec<i64> = dead(&here).await.into_iter().map(|(_, sequence, _)| sequence).collect();
        assert_eq!((dead, here.parked().await), (vec![2], 1));
    }
}
