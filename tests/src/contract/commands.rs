//! The turn that obeys people: many share one commit, and everybody is answered after it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use platform::lifecycle::Lifecycle;
use platform::turn::{Desk, Unanswered};

use super::notebook::{ODD, PANIC, asked, words};
use super::*;

/// Long enough for anything; a test that needs it has failed.
const NEVER: Duration = Duration::from_secs(60);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(NEVER, what).await.expect("it comes to an end")
}

#[tokio::test]
async fn commands_of_fifty_people_share_one_commit_and_are_answered_in_order() {
    for setting in settings() {
        let here = setting.start().await;
        let around = here.around();
        let mut turns = Turns::new(Arc::new(Notebook::default()), &around);
        // Ten incidents, five words each: sequences are drawn one after another within the turn.
        let asked: Vec<_> = (0..50).map(|n| asked(n % 10 + 1, "word")).collect();
        let answers: Vec<i64> = turns.obey(&asked).await.into_iter().map(Result::unwrap).collect();
        let expected: Vec<i64> = (0..50).map(|n| n / 10 + 1).collect();
        assert_eq!(answers, expected, "{}", here.name());
        assert_eq!(around.metrics.turns.with_label_values(&["route"]).get(), 1);
        assert_eq!(here.noted().await.len(), 50);
    }
}

#[tokio::test]
async fn one_bad_command_among_fifty_gets_the_error_and_the_others_are_answered_and_saved() {
    for setting in settings() {
        let here = setting.start().await;
        let asked: Vec<_> = (1..=50).map(|n| asked(n, if n == 31 { PANIC } else { "word" })).collect();
        let answers = here.turns().obey(&asked).await;
        for (n, answer) in (1..=50).zip(&answers) {
            match answer {
                Ok(sequence) => assert!(n != 31 && *sequence == 1, "{n}: {sequence}"),
                Err(Unanswered::Failed(why)) => {
                    assert!(n == 31 && why.contains("no way to say it"), "{n}: {why}");
                }
                Err(other) => panic!("{n}: {other}"),
            }
        }
        let noted: Vec<u8> = here.noted().await.into_iter().map(|(n, _)| n).collect();
        let expected: Vec<u8> = (1..=50).filter(|n| *n != 31).collect();
        assert_eq!(noted, expected, "{}", here.name());
    }
}

#[tokio::test]
async fn while_the_database_is_away_all_who_wait_are_told_at_the_first_attempt() {
    for setting in settings() {
        let here = setting.start().await;
        let notebook = Arc::new(Notebook::default());
        let mut turns = Turns::new(notebook.clone(), &here.around());
        let asked: Vec<_> = (1..=20).map(|n| asked(n, "word")).collect();
        notebook.away.store(true, Ordering::SeqCst);
        for answer in turns.obey(&asked).await {
            assert!(matches!(answer, Err(Unanswered::Unavailable(_))), "{}: {answer:?}", here.name());
        }
        assert_eq!(notebook.loads.load(Ordering::SeqCst), 1, "each would wait as long as the first");
        notebook.away.store(false, Ordering::SeqCst);
        assert!(turns.obey(&asked).await.iter().all(Result::is_ok), "{}", here.name());
    }
}

#[tokio::test]
async fn a_command_that_failed_leaves_no_sequence_drawn() {
    for setting in settings() {
        let here = setting.start().await;
        let mut turns = here.turns();
        let answers = turns.obey(&[asked(1, "a"), asked(1, PANIC), asked(1, "c")]).await;
        assert!(matches!(answers[..], [Ok(1), Err(_), Ok(2)]), "{}: {answers:?}", here.name());
        assert_eq!(here.noted().await, owned(&[(1, "a"), (1, "c")]));
    }
}

#[tokio::test]
async fn nobody_is_answered_before_the_commit() {
    for setting in settings() {
        let here = Arc::new(setting.start().await);
        let (stopper, lifecycle) = Lifecycle::new();
        let (desk, running) = here.turns().open_desk(lifecycle);
        let running = tokio::spawn(running);
        let mut people = Vec::new();
        for n in 1..=40 {
            let (here, desk) = (here.clone(), desk.clone());
            people.push(tokio::spawn(async move {
                desk.ask(asked(n, "word")).await.unwrap();
                // The readers have their own connections: they see only what was committed.
                let words = words(here.store.readers(), incident(n)).await.unwrap();
                assert_eq!(words, ["\"word\""], "{n} was answered too soon");
            }));
        }
        for person in people {
            soon(person).await.unwrap();
        }
        stopper.stop();
        soon(running).await.unwrap();
        assert_eq!(here.noted().await.len(), 40, "{}", here.name());
    }
}

/// Hands a command in and goes away without waiting.
async fn hand_in_and_leave(desk: &Desk<Notebook>, n: u8) {
    tokio::select! {
        biased;
        answer = desk.ask(asked(n, "word")) => panic!("nobody serves yet, but {n} heard {answer:?}"),
        () = std::future::ready(()) => {}
    }
}

#[tokio::test]
async fn the_work_of_somebody_who_went_away_stands() {
    for setting in settings() {
        let here = setting.start().await;
        let (stopper, lifecycle) = Lifecycle::new();
        let (desk, running) = here.turns().open_desk(lifecycle);
        hand_in_and_leave(&desk, 1).await;
        stopper.stop();
        soon(running).await;
        assert_eq!(here.noted().await, owned(&[(1, "word")]), "{}", here.name());
    }
}

#[tokio::test]
async fn whoever_is_at_the_desk_when_the_service_stops_is_answered_and_the_next_is_told() {
    for setting in settings() {
        let here = setting.start().await;
        let (stopper, lifecycle) = Lifecycle::new();
        let (desk, running) = here.turns().open_desk(lifecycle);
        let waiting = tokio::spawn({
            let desk = desk.clone();
            async move { desk.ask(asked(1, "word")).await }
        });
        tokio::task::yield_now().await;
        stopper.stop();
        soon(running).await;
        assert!(matches!(soon(waiting).await.unwrap(), Ok(1)), "{}", here.name());
        assert!(matches!(desk.ask(asked(2, "word")).await, Err(Unanswered::Stopping)));
    }
}

#[tokio::test]
async fn people_beyond_the_room_at_the_desk_are_told_to_come_back() {
    for setting in settings() {
        let here = setting.start().await;
        let (_stopper, lifecycle) = Lifecycle::new();
        let (desk, _running) = here.turns().open_desk(lifecycle);
        for n in 0..4_000_u32 {
            hand_in_and_leave(&desk, u8::try_from(n % 200).unwrap()).await;
        }
        assert!(matches!(desk.ask(asked(1, "word")).await, Err(Unanswered::Busy)), "{}", here.name());
    }
}

#[tokio::test]
async fn people_are_served_also_when_the_line_is_stopped() {
    for setting in settings() {
        let here = setting.start().await;
        let facts: Vec<Fact> = (1..=50).map(|n| said(n, 1, ODD)).collect();
        here.publish(&facts).await.unwrap();
        let mut turns = here.turns();
        turns.take_facts().await.unwrap();
        assert!(turns.health().stopped().is_some());
        here.say(&[(100, 1, "left alone")]).await;
        let (stopper, lifecycle) = Lifecycle::new();
        let (desk, running) = turns.open_desk(lifecycle);
        let running = tokio::spawn(running);
        for n in [60, 61] {
            assert!(matches!(soon(desk.ask(asked(n, "word"))).await, Ok(1)), "{}", here.name());
        }
        stopper.stop();
        soon(running).await.unwrap();
        assert_eq!(here.noted().await, owned(&[(60, "word"), (61, "word")]), "and no fact was taken");
    }
}

#[tokio::test]
async fn a_running_service_takes_what_is_published_while_it_sleeps() {
    for setting in settings() {
        let here = setting.start().await;
        let (stopper, lifecycle) = Lifecycle::new();
        let (_desk, running) = here.turns().open_desk(lifecycle);
        let running = tokio::spawn(running);
        let mut arrivals = here.stream.arrivals();
        here.say(&[(1, 1, "a")]).await;
        let noted = async {
            while here.noted().await.is_empty() {
                arrivals.changed().await.unwrap();
            }
        };
        soon(noted).await;
        stopper.stop();
        soon(running).await.unwrap();
        assert_eq!(here.noted().await, owned(&[(1, "a")]), "{}", here.name());
    }
}
