//! The turn that takes facts: drop what was taken, take what is next, park what comes too soon.

use platform::turn::Taken;

use super::*;

const NOTHING: Taken = Taken { taken: 0, dropped: 0, parked: 0, dead: 0 };

#[tokio::test]
async fn facts_are_taken_once_in_order_and_a_reader_that_has_them_all_takes_nothing() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "a"), (2, 1, "b"), (1, 2, "c")]).await;
        let mut turns = here.turns();
        assert_eq!(turns.take_facts().await.unwrap(), Taken { taken: 3, ..NOTHING }, "{}", here.name());
        assert_eq!(turns.take_facts().await.unwrap(), NOTHING);
        assert_eq!(here.turns().take_facts().await.unwrap(), NOTHING, "nor does the next instance");
        let noted = here.noted().await;
        let of =
            |n| noted.iter().filter(|(of, _)| *of == n).map(|(_, word)| word.as_str()).collect::<Vec<_>>();
        assert_eq!((of(1), of(2)), (vec!["a", "c"], vec!["b"]));
        assert!(turns.health().stopped().is_none());
    }
}

#[tokio::test]
async fn what_is_told_names_the_fact_that_brought_it_about_and_counts_from_one() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "a"), (1, 2, "b")]).await;
        here.turns().take_facts().await.unwrap();
        let told = here.all(Topic::Routed).await;
        let told: Vec<_> = told.iter().map(|record| (record.sequence, record.cause.as_str())).collect();
        assert_eq!(told, [(1, "reported/1"), (2, "reported/2")], "{}", here.name());
    }
}

#[tokio::test]
async fn a_turn_takes_no_more_than_its_limit_and_the_next_goes_on_from_there() {
    for setting in settings() {
        let here = setting.start().await;
        let facts: Vec<Fact> = (1..=620).map(|sequence| said(1, sequence, "word")).collect();
        here.publish(&facts).await.unwrap();
        let mut turns = here.turns();
        let first = turns.take_facts().await.unwrap();
        assert_eq!(first.all(), platform::turn::INPUTS_PER_TURN, "{}", here.name());
        assert_eq!(first.all() + turns.take_facts().await.unwrap().all(), 620);
        assert_eq!(here.noted().await.len(), 620);
    }
}

#[tokio::test]
async fn facts_that_come_again_are_dropped_and_leave_nothing() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "a"), (1, 2, "b"), (2, 1, "c")]).await;
        here.turns().take_facts().await.unwrap();
        let before = here.noted().await;
        here.execute("UPDATE route_position SET position = 0").await;
        here.say(&[(2, 2, "d")]).await;
        let taken = here.turns().take_facts().await.unwrap();
        assert_eq!(taken, Taken { dropped: 3, taken: 1, ..NOTHING }, "{}", here.name());
        assert_eq!(here.noted().await, [before, owned(&[(2, "d")])].concat());
    }
}

#[tokio::test]
async fn facts_behind_a_gap_wait_also_through_a_restart_and_follow_in_order_once_it_is_filled() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "a"), (1, 4, "d"), (1, 3, "c"), (2, 1, "other")]).await;
        let taken = here.turns().take_facts().await.unwrap();
        assert_eq!(taken, Taken { taken: 2, parked: 2, ..NOTHING }, "{}", here.name());
        let here = here.restart().await;
        assert_eq!(here.turns().take_facts().await.unwrap(), NOTHING);
        assert_eq!(here.parked().await, 2);
        here.say(&[(1, 6, "f"), (1, 2, "b"), (1, 5, "e")]).await;
        let mut turns = here.turns();
        let taken = turns.take_facts().await.unwrap();
        assert_eq!(taken, Taken { taken: 5, parked: 1, ..NOTHING }, "{}", here.name());
        assert_eq!(here.parked().await, 0);
        let noted = here.noted().await;
        let of_1: String = noted.iter().filter(|(n, _)| *n == 1).map(|(_, word)| word.as_str()).collect();
        assert_eq!(of_1, "abcdef");
        here.say(&[(1, 7, "g")]).await;
        assert_eq!(turns.take_facts().await.unwrap(), Taken { taken: 1, ..NOTHING });
    }
}

#[tokio::test]
async fn a_first_fact_that_is_not_the_first_waits_for_it() {
    for setting in settings() {
        let here = setting.start().await;
        let mut turns = here.turns();
        here.say(&[(1, 2, "b")]).await;
        assert_eq!(turns.take_facts().await.unwrap(), Taken { parked: 1, ..NOTHING }, "{}", here.name());
        here.say(&[(1, 1, "a")]).await;
        assert_eq!(turns.take_facts().await.unwrap(), Taken { taken: 2, ..NOTHING });
        assert_eq!(here.noted().await, owned(&[(1, "a"), (1, "b")]));
    }
}

#[tokio::test]
async fn a_parked_fact_that_comes_again_is_parked_once() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "a"), (1, 3, "c")]).await;
        here.turns().take_facts().await.unwrap();
        here.execute("UPDATE route_position SET position = 0").await;
        let taken = here.turns().take_facts().await.unwrap();
        assert_eq!(taken, Taken { dropped: 1, parked: 1, ..NOTHING }, "{}", here.name());
        assert_eq!(here.parked().await, 1);
        here.say(&[(1, 2, "b")]).await;
        here.turns().take_facts().await.unwrap();
        assert_eq!(here.noted().await, owned(&[(1, "a"), (1, "b"), (1, "c")]));
    }
}
