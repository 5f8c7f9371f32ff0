//! The desk with several windows: turns of commands that are under way at once, where the database takes more than one.

use std::sync::Arc;
use std::time::Duration;

use platform::lifecycle::Lifecycle;
use platform::store::Tx;
use platform::turn::{Asked, Desk, Service, Turn, Unanswered, Undecided};
use sea_orm::prelude::async_trait;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::notebook::{self, PANIC, Say, asked, words};
use super::*;

/// Loading what it is about panics, as no decision may: it ends its window.
const BREAKS: &str = "breaks";

/// The notebook at two windows.
#[derive(Debug, Default)]
struct TwoWindows {
    notebook: Notebook,
    /// Where two turns wait for each other.
    meeting: Option<Barrier>,
}

#[async_trait::async_trait]
impl Service for TwoWindows {
    const NAME: &'static str = Notebook::NAME;
    const READS: &'static [Topic] = Notebook::READS;
    const WRITES: Topic = Notebook::WRITES;
    const WINDOWS: usize = 2;
    type Command = Say;
    type Answer = i64;
    type Work = notebook::Work;

    fn incident(command: &Say) -> IncidentId {
        Notebook::incident(command)
    }

    async fn load(
        &self,
        tx: &Tx,
        incidents: &[IncidentId],
        commands: &[Asked<Say>],
    ) -> Result<Self::Work, StoreError> {
        assert!(commands.iter().all(|asked| asked.command.word != BREAKS), "this window breaks");
        if let Some(meeting) = self.meeting.as_ref().filter(|_| !commands.is_empty()) {
            meeting.wait().await;
        }
        self.notebook.load(tx, incidents, commands).await
    }

    fn obey(&self, work: &mut Self::Work, asked: &Asked<Say>, turn: &mut Turn) -> i64 {
        self.notebook.obey(work, asked, turn)
    }

    fn react(&self, work: &mut Self::Work, record: &Record, turn: &mut Turn) -> Result<(), Undecided> {
        self.notebook.react(work, record, turn)
    }

    async fn save(&self, tx: &Tx, work: Self::Work, turn: &Turn) -> Result<(), StoreError> {
        self.notebook.save(tx, work, turn).await
    }
}

/// A setting where a desk has more than one window, if the tests have one.
async fn with_windows() -> Option<Here> {
    let setting = settings().into_iter().find(|setting| setting.server)?;
    Some(setting.start().await)
}

type Answers = Vec<(usize, Result<i64, Unanswered>)>;

/// Hands the commands in, the first at one window, the second at the other and so on, before anybody serves; then serves
/// until all are answered. Answers by their place, whether the desk came to its end in good order, and what it left.
async fn serve(service: TwoWindows, here: &Here, commands: &[Asked<Say>]) -> (Answers, bool) {
    let turns = Turns::new(Arc::new(service), &here.around());
    let (stopper, lifecycle) = Lifecycle::new();
    let (desk, running) = turns.open_desk(lifecycle);
    let mut people = JoinSet::new();
    for (place, asked) in commands.iter().cloned().enumerate() {
        let mut asking = Box::pin(ask(desk.clone(), asked));
        // Whoever is asked for the first time hands in, and waits.
        tokio::select! {
            biased;
            answer = &mut asking => panic!("nobody serves yet, but {place} heard {answer:?}"),
            () = std::future::ready(()) => {}
        }
        people.spawn(async move { (place, asking.await) });
    }
    let running = tokio::spawn(running);
    let all = async {
        let mut answers = Answers::new();
        while let Some(answer) = people.join_next().await {
            answers.push(answer.unwrap());
        }
        stopper.stop();
        (answers, running.await.is_ok())
    };
    let (mut answers, ended) =
        tokio::time::timeout(Duration::from_secs(60), all).await.expect("it comes to an end");
    answers.sort_by_key(|(place, _)| *place);
    (answers, ended)
}

async fn ask(desk: Desk<TwoWindows>, asked: Asked<Say>) -> Result<i64, Unanswered> {
    desk.ask(asked).await
}

/// Whether what was answered is there for everybody to see.
async fn is_committed(here: &Here, asked: &Asked<Say>, sequence: i64) -> bool {
    let words = words(here.store.readers(), asked.command.incident).await.unwrap();
    usize::try_from(sequence).is_ok_and(|sequence| words.len() >= sequence)
}

#[tokio::test]
async fn two_turns_of_commands_are_under_way_at_once() {
    let Some(here) = with_windows().await else { return };
    let service = TwoWindows { meeting: Some(Barrier::new(2)), ..TwoWindows::default() };
    // Each would wait for ever for the other in a turn before or behind it.
    let (answers, ended) = serve(service, &here, &[asked(1, "a"), asked(2, "b")]).await;
    assert!(answers.iter().all(|(_, answer)| matches!(answer, Ok(1))) && ended, "{answers:?}");
}

#[tokio::test]
async fn what_two_windows_do_about_one_incident_is_in_order_without_a_gap_and_committed_when_answered() {
    let Some(here) = with_windows().await else { return };
    let commands: Vec<_> = (0..40).map(|place| asked(if place % 4 < 2 { 1 } else { 2 }, "word")).collect();
    let (answers, ended) = serve(TwoWindows::default(), &here, &commands).await;
    assert!(ended);
    for n in [1, 2] {
        let about = |(place, _): &&(usize, _)| commands[*place].command.incident == incident(n);
        let of_one: Vec<(usize, i64)> =
            answers.iter().filter(about).map(|(place, answer)| (*place, *answer.as_ref().unwrap())).collect();
        let mut drawn: Vec<i64> = of_one.iter().map(|(_, sequence)| *sequence).collect();
        for window in [0, 1] {
            let here = of_one.iter().filter(|(place, _)| place % 2 == window).map(|(_, sequence)| sequence);
            assert!(here.is_sorted(), "those at one window are obeyed in their order: {of_one:?}");
        }
        drawn.sort_unstable();
        assert_eq!(drawn, (1..=20).collect::<Vec<i64>>(), "each sequence once");
        let told = here.all(Topic::Routed).await;
        let told = told.iter().filter(|record| record.incident == incident(n)).map(|record| record.sequence);
        assert_eq!(told.collect::<Vec<i64>>(), (1..=20).collect::<Vec<i64>>(), "and told of in that order");
    }
}

#[tokio::test]
async fn whoever_cannot_be_obeyed_at_one_window_harms_nobody_at_the_other() {
    let Some(here) = with_windows().await else { return };
    let word = |n: u8| if n % 2 == 1 { PANIC } else { "word" };
    let commands: Vec<_> = (1..=40).map(|n| asked(n, word(n))).collect();
    let (answers, ended) = serve(TwoWindows::default(), &here, &commands).await;
    assert!(ended);
    for (place, answer) in &answers {
        match answer {
            Ok(sequence) => {
                assert!(place % 2 == 1 && is_committed(&here, &commands[*place], *sequence).await, "{place}");
            }
            Err(Unanswered::Failed(why)) => {
                assert!(place % 2 == 0 && why.contains("no way to say it"), "{place}: {why}")
            }
            Err(other) => panic!("{place}: {other}"),
        }
    }
    assert_eq!(here.noted().await.len(), 20, "nothing of those who were told that it failed");
}

#[tokio::test]
async fn a_window_that_breaks_ends_the_desk_aloud_and_what_was_answered_is_committed() {
    let Some(here) = with_windows().await else { return };
    let commands = [asked(1, "word"), asked(2, BREAKS), asked(3, "word"), asked(4, "word")];
    let (answers, ended) = serve(TwoWindows::default(), &here, &commands).await;
    assert!(!ended, "whoever runs the desk hears of it");
    for (place, answer) in &answers {
        match answer {
            Ok(sequence) => {
                assert!(place % 2 == 0 && is_committed(&here, &commands[*place], *sequence).await, "{place}");
            }
            Err(Unanswered::Stopping) => {}
            Err(other) => panic!("{place}: {other}"),
        }
    }
}
