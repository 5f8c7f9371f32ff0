//! Dead letters: what cannot be decided is set aside with its cause, its followers wait, the rest goes on.

use platform::store::dead_letters::{self, DeadLetter};
use platform::turn::Taken;

use super::notebook::{EARLY, ODD, TORN};
use super::*;

async fn letters(here: &Here) -> Vec<DeadLetter> {
    dead_letters::list(here.store.readers(), "route").await.unwrap()
}

async fn ask_all(here: &Here) {
    for letter in letters(here).await {
        assert!(dead_letters::ask_retry(here.store.writer(), &letter).await.unwrap());
    }
}

#[tokio::test]
async fn an_undecidable_fact_is_set_aside_its_followers_wait_and_other_incidents_go_on() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "a"), (1, 2, ODD), (1, 3, "c"), (2, 1, "x"), (1, 4, "d"), (2, 2, "y")]).await;
        let mut turns = here.turns();
        let taken = turns.take_facts().await.unwrap();
        assert_eq!(taken, Taken { taken: 3, dropped: 0, parked: 2, dead: 1 }, "{}", here.name());
        let letters = letters(&here).await;
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].reason, "nobody knows what `odd` means");
        assert_eq!(letters[0].dead_at, noon());
        let kept = (letters[0].record.incident, letters[0].record.sequence, letters[0].record.body.as_str());
        assert_eq!(kept, (incident(1), 2, "\"odd\""));
        here.say(&[(1, 5, "e"), (2, 3, "z")]).await;
        assert_eq!(turns.take_facts().await.unwrap().parked, 1, "later ones wait too");
        assert_eq!(here.noted().await, owned(&[(1, "a"), (2, "x"), (2, "y"), (2, "z")]));
    }
}

#[tokio::test]
async fn a_first_fact_that_cannot_be_decided_holds_back_its_incident_too() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, ODD), (1, 2, "b")]).await;
        let taken = here.turns().take_facts().await.unwrap();
        assert_eq!((taken.dead, taken.parked, taken.taken), (1, 1, 0), "{}", here.name());
    }
}

#[tokio::test]
async fn a_retry_decides_it_and_its_followers_in_one_turn_in_order_after_a_restart() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "a"), (1, 2, ODD), (1, 3, "c"), (1, 4, "d"), (2, 1, "x")]).await;
        here.turns().take_facts().await.unwrap();
        ask_all(&here).await;
        let here = here.restart().await;
        let around = here.around();
        let mut turns = Turns::new(Notebook::mended(), &around);
        assert_eq!(turns.retry_asked().await.unwrap(), 1, "{}", here.name());
        assert_eq!(around.metrics.turns.with_label_values(&["route"]).get(), 1, "one turn");
        assert_eq!(here.noted().await, owned(&[(1, "a"), (2, "x"), (1, ODD), (1, "c"), (1, "d")]));
        assert_eq!((letters(&here).await.len(), here.parked().await), (0, 0));
        here.say(&[(1, 5, "e")]).await;
        assert_eq!(turns.take_facts().await.unwrap().taken, 1, "it goes on");
        assert_eq!(turns.retry_asked().await.unwrap(), 0, "nothing is left to retry");
    }
}

#[tokio::test]
async fn a_retry_that_fails_again_keeps_everything_and_is_not_repeated_by_itself() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, ODD), (1, 2, "b")]).await;
        let mut turns = here.turns();
        turns.take_facts().await.unwrap();
        ask_all(&here).await;
        assert_eq!(turns.retry_asked().await.unwrap(), 0, "{}", here.name());
        let letters = letters(&here).await;
        assert_eq!((letters.len(), letters[0].retry_asked, here.parked().await), (1, false, 1));
        assert!(here.noted().await.is_empty());
    }
}

#[tokio::test]
async fn a_follower_that_cannot_be_decided_either_becomes_the_next_dead_letter() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, "a"), (1, 3, ODD), (1, 4, "d")]).await;
        let mut turns = here.turns();
        turns.take_facts().await.unwrap();
        here.say(&[(1, 2, "b")]).await;
        let taken = turns.take_facts().await.unwrap();
        assert_eq!((taken.taken, taken.dead), (1, 1), "{}", here.name());
        let letters = letters(&here).await;
        assert_eq!((letters.len(), letters[0].record.sequence, here.parked().await), (1, 3, 1));
        assert_eq!(here.noted().await, owned(&[(1, "a"), (1, "b")]));
    }
}

#[tokio::test]
async fn only_what_somebody_asked_for_is_retried() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, ODD), (2, 1, ODD)]).await;
        here.turns().take_facts().await.unwrap();
        let letters = letters(&here).await;
        dead_letters::ask_retry(here.store.writer(), &letters[0]).await.unwrap();
        let mut turns = Turns::new(Notebook::mended(), &here.around());
        assert_eq!(turns.retry_asked().await.unwrap(), 1, "{}", here.name());
        assert_eq!(here.noted().await, owned(&[(number(letters[0].record.incident), ODD)]));
    }
}

#[tokio::test]
async fn a_dead_letter_that_is_read_again_after_the_cause_is_mended_is_resolved() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, ODD), (1, 2, "b")]).await;
        here.turns().take_facts().await.unwrap();
        here.execute("UPDATE route_position SET position = 0").await;
        let mut turns = Turns::new(Notebook::mended(), &here.around());
        turns.take_facts().await.unwrap();
        assert_eq!(here.noted().await, owned(&[(1, ODD), (1, "b")]), "{}", here.name());
        assert_eq!((letters(&here).await.len(), here.parked().await), (0, 0));
    }
}

#[tokio::test]
async fn commands_on_an_incident_with_a_dead_letter_go_on() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, ODD)]).await;
        let mut turns = here.turns();
        turns.take_facts().await.unwrap();
        let answers = turns.obey(&[notebook::asked(1, "by a person")]).await;
        assert!(matches!(answers[..], [Ok(1)]), "{}: {answers:?}", here.name());
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_loaded_holds_back_its_own_incident_only() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, TORN)]).await;
        let mut turns = here.turns();
        turns.take_facts().await.unwrap();
        here.say(&[(2, 1, "x"), (1, 2, "b"), (3, 1, "y")]).await;
        let taken = turns.take_facts().await.expect("the others go on");
        assert_eq!((taken.taken, taken.dead), (2, 1), "{}", here.name());
        assert!(letters(&here).await[0].reason.contains("its row fits no state"));
    }
}

/// As in `platform::turn`: so many in a row, and it is we who are wrong.
const DEAD_IN_A_ROW: u8 = 50;

#[tokio::test]
async fn too_many_dead_letters_in_a_row_stop_the_line_and_health_says_so() {
    for setting in settings() {
        let here = setting.start().await;
        let mut turns = here.turns();
        for n in 1..=DEAD_IN_A_ROW {
            assert_eq!(turns.health().stopped(), None, "{}: after {}", here.name(), n - 1);
            here.say(&[(n, 1, ODD)]).await;
            turns.take_facts().await.unwrap();
        }
        let why = turns.health().stopped().unwrap();
        assert!(why.contains("route") && why.contains("50 facts in a row"), "{why}");
    }
}

#[tokio::test]
async fn a_fact_taken_between_dead_letters_begins_the_count_anew() {
    for setting in settings() {
        let here = setting.start().await;
        let mut turns = here.turns();
        for n in 1..=2 * DEAD_IN_A_ROW {
            let word = if n == DEAD_IN_A_ROW { "fine" } else { ODD };
            here.say(&[(n, 1, word)]).await;
            turns.take_facts().await.unwrap();
            let stopped = turns.health().stopped().is_some();
            assert_eq!(stopped, n == 2 * DEAD_IN_A_ROW, "{}: {n}", here.name());
        }
    }
}

#[tokio::test]
async fn a_backlog_of_undecidable_facts_stops_the_line_instead_of_filling_the_table() {
    for setting in settings() {
        let here = setting.start().await;
        let facts: Vec<Fact> = (1..=200).map(|n| said(n, 1, ODD)).collect();
        here.publish(&facts).await.unwrap();
        let mut turns = here.turns();
        turns.take_facts().await.unwrap();
        assert!(turns.health().stopped().is_some(), "{}", here.name());
        assert_eq!(letters(&here).await.len(), usize::from(DEAD_IN_A_ROW), "{}", here.name());
    }
}

#[tokio::test]
async fn retrying_many_letters_that_fail_again_does_not_stop_the_line() {
    for setting in settings() {
        let here = setting.start().await;
        let mut turns = here.turns();
        for from in [1, 41] {
            let facts: Vec<Fact> = (from..from + 40).map(|n| said(n, 1, ODD)).collect();
            here.publish(&facts).await.unwrap();
            here.say(&[(from + 100, 1, "fine")]).await;
            turns.take_facts().await.unwrap();
        }
        ask_all(&here).await;
        assert_eq!(turns.retry_asked().await.unwrap(), 0, "{}", here.name());
        assert_eq!(turns.health().stopped(), None, "nothing new has failed");
    }
}

#[tokio::test]
async fn what_is_not_known_yet_waits_stops_no_line_and_is_tried_again_by_itself() {
    for setting in settings() {
        let here = setting.start().await;
        let facts: Vec<Fact> = (1..=120).map(|n| said(n, 1, EARLY)).collect();
        here.publish(&facts).await.unwrap();
        here.say(&[(1, 2, "b"), (200, 1, "fine")]).await;
        let around = here.around();
        let mut turns = Turns::new(Arc::new(Notebook::default()), &around);
        let taken = turns.take_facts().await.unwrap();
        assert_eq!(taken, Taken { taken: 1, dropped: 0, parked: 121, dead: 0 }, "{}", here.name());
        assert_eq!(turns.health().stopped(), None, "the next fact may be decided");

        let of_route = || around.metrics.turns.with_label_values(&["route"]).get();
        let before = of_route();
        assert_eq!(turns.retry_asked().await.unwrap(), 0, "{}", here.name());
        assert_eq!(of_route(), before + 1, "of all that wait for the same, one is tried");
        let mut turns = Turns::new(Notebook::mended(), &around);
        assert_eq!(turns.retry_asked().await.unwrap(), 120, "{}", here.name());
        assert_eq!((letters(&here).await.len(), here.parked().await), (0, 0));
        assert_eq!(here.noted().await.len(), 122);
    }
}

#[tokio::test]
async fn what_nobody_knows_after_ten_minutes_is_a_dead_letter_like_any_other() {
    for setting in settings() {
        let here = setting.start().await;
        here.say(&[(1, 1, EARLY)]).await;
        let around = here.around();
        let mut turns = Turns::new(Arc::new(Notebook::default()), &around);
        turns.take_facts().await.unwrap();
        // It was told a minute and a second after noon.
        for (minutes, waits) in [(0, true), (11, true), (12, false)] {
            around.clock.drive(noon() + TimeDelta::minutes(minutes));
            assert_eq!(turns.retry_asked().await.unwrap(), 0, "{}", here.name());
            let letters = letters(&here).await;
            assert_eq!((letters.len(), letters[0].retry_asked), (1, waits), "after {minutes} minutes");
        }
        assert_eq!(letters(&here).await[0].reason, "nobody has heard of `early` yet");
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_at_all_is_set_aside_with_its_reason_and_keeps_nobody_waiting() {
    for setting in settings() {
        let here = setting.start().await;
        let why = "its header ce_sequence is missing";
        let mut odd = said(1, 7, "a");
        (odd.kind, odd.cause) = (platform::stream::UNREADABLE.to_owned(), why.to_owned());
        here.publish(&[said(1, 1, "a"), odd, said(1, 2, "b"), said(2, 1, "x")]).await.unwrap();
        let taken = here.turns().take_facts().await.unwrap();
        assert_eq!((taken.taken, taken.dead, taken.parked), (3, 1, 0), "{}", here.name());
        let letters = platform::store::dead_letters::list(here.store.readers(), "route").await.unwrap();
        assert_eq!(letters.iter().map(|letter| letter.reason.as_str()).collect::<Vec<_>>(), [why]);
        assert_eq!(here.noted().await.len(), 3, "what follows in the same incident was taken");
    }
}
