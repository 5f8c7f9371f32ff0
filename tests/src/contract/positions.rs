//! Positions: in the reader's own database, moved with its effects, by compare-and-set, on this very log.

use super::*;

async fn positions(here: &Here) -> i64 {
    here.count("SELECT CAST(coalesce(sum(position), 0) AS bigint) FROM route_position").await
}

#[tokio::test]
async fn a_reader_whose_position_was_moved_behind_its_back_is_overtaken_and_doubles_nothing() {
    for setting in settings() {
        let here = setting.start().await;
        let (mut zombie, mut heir) = (here.turns(), here.turns());
        here.say(&[(1, 1, "a")]).await;
        zombie.take_facts().await.unwrap();
        here.say(&[(1, 2, "b"), (2, 1, "x")]).await;
        heir.take_facts().await.unwrap();
        here.say(&[(2, 2, "y")]).await;
        let (noted, position) = (here.noted().await, positions(&here).await);
        let error = zombie.take_facts().await.unwrap_err();
        assert!(matches!(error, StoreError::Overtaken { .. }), "{}: {error}", here.name());
        assert_eq!((here.noted().await, positions(&here).await), (noted, position), "rolled back whole");
        assert_eq!(zombie.take_facts().await.unwrap().taken, 1, "it rejoins where the other left off");
        assert_eq!(here.noted().await.len(), 4);
    }
}

#[tokio::test]
async fn who_was_overtaken_by_a_reader_further_back_rejoins_there_and_drops() {
    for setting in settings() {
        let here = setting.start().await;
        let mut turns = here.turns();
        here.say(&[(1, 1, "a"), (1, 2, "b")]).await;
        turns.take_facts().await.unwrap();
        here.execute("UPDATE route_position SET position = 0").await;
        here.say(&[(1, 3, "c")]).await;
        assert!(matches!(turns.take_facts().await, Err(StoreError::Overtaken { .. })), "{}", here.name());
        let taken = turns.take_facts().await.unwrap();
        assert_eq!((taken.dropped, taken.taken), (2, 1));
    }
}

#[tokio::test]
async fn a_position_on_another_log_is_refused_and_says_so() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "a")]).await;
        here.turns().take_facts().await.unwrap();
        here.execute("UPDATE route_position SET topic_id = 'of-another-folder'").await;
        here.say(&[(1, 2, "b")]).await;
        let error = here.turns().take_facts().await.unwrap_err().to_string();
        assert!(error.contains("route") && error.contains("reported"), "{}: {error}", here.name());
        assert!(error.contains("of-another-folder") && error.contains("the log here is"), "{error}");
        assert_eq!(here.noted().await, owned(&[(1, "a")]), "nothing was taken");
    }
}

#[tokio::test]
async fn a_position_beyond_the_log_is_refused_and_says_so() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "a"), (1, 2, "b")]).await;
        here.turns().take_facts().await.unwrap();
        let end = positions(&here).await;
        here.execute(&format!("UPDATE route_position SET position = {}", end + 5)).await;
        let error = here.turns().take_facts().await.unwrap_err();
        assert!(!error.may_pass(), "waiting does not help");
        let (error, at) = (error.to_string(), format!("it is at {}", end + 5));
        assert!(error.contains(&at) && error.contains("but the log holds"), "{}: {error}", here.name());
        assert_eq!(positions(&here).await, end + 5, "and is left for somebody to look at");
    }
}

#[tokio::test]
async fn a_position_on_an_empty_log_is_where_it_begins() {
    for setting in settings() {
        let here = setting.start().await;
        assert_eq!(here.turns().take_facts().await.unwrap().all(), 0);
        let here = here.restart().await;
        here.say(&[(1, 1, "a")]).await;
        assert_eq!(here.turns().take_facts().await.unwrap().taken, 1, "{}", here.name());
    }
}

#[tokio::test]
async fn facts_of_other_topics_do_not_move_a_position_out_of_the_log() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "a")]).await;
        here.turns().take_facts().await.unwrap();
        here.publish(&[fact(Topic::Handled, 1, 1, "{}"), fact(Topic::Handled, 1, 2, "{}")]).await.unwrap();
        let here = here.restart().await;
        let mut turns = here.turns();
        assert_eq!(turns.take_facts().await.unwrap().all(), 0, "{}", here.name());
        here.say(&[(1, 2, "b")]).await;
        assert_eq!(turns.take_facts().await.unwrap().taken, 1);
    }
}
