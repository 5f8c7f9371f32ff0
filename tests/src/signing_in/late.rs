//! A phone without signal: what was captured before the link expired is taken for seven days after it, and no more.

use chrono::TimeDelta;
use platform::link::{Link, Opened};

use super::browser::{Browser, Fields};
use crate::bad_input::office::Office;

/// A form of `link`, as it was handed out ten minutes after the link was made.
fn form(office: &Office, link: &Link, client_id: &str) -> Fields {
    let opened = Opened {
        link: link.id.clone(),
        person: link.person.clone(),
        client_id: client_id.to_owned(),
        opened_at: link.issued_at + TimeDelta::minutes(10),
        expires_at: link.expires_at,
    };
    Fields::default()
        .with("opened", &office.tokens.issue_opened(&opened).unwrap())
        .with("category", "rubbish")
        .with("area", "990001001001001")
        .with("text", "captured without signal")
}

#[tokio::test]
async fn what_was_captured_in_time_is_taken_for_seven_days_and_nothing_that_was_not() {
    let office = Office::open().await;
    let mut person = Browser::of(&office, "worker-111");
    let day = 24 * 60;
    for (what, minutes_ago, after, status) in [
        ("an hour after the link was made, by a form without script", 60, "", 303),
        ("captured five minutes after the form was opened", 60, "300", 303),
        ("after six days", 6 * day, "300", 303),
        ("captured after the link had expired", 60, "1500", 410),
        ("more than seven days after it", 7 * day + 31, "300", 410),
        ("a count that cannot be is not believed", 60, "99999999", 303),
    ] {
        let (link, path) = office.link("worker-111", minutes_ago);
        let fields = form(&office, &link, &format!("late-{minutes_ago}-{after}")).with("after", after);
        let sent = person.send(&path, &fields).await;
        assert_eq!(sent.status, status, "{what}: {sent:?}");
        assert_eq!(person.send(&path, &fields).await.header("location"), sent.header("location"), "{what}");
        if status == 410 {
            assert!(sent.text.contains("captured without signal"), "{what}: it is not lost");
        } else {
            assert!(person.open(sent.header("location")).await.text.contains("已收到"), "{what}");
        }
    }
    assert_eq!(office.stored().await.0, 4);
    office.closes_clean().await;
}

#[tokio::test]
async fn the_note_of_a_form_is_good_for_its_own_link_and_cannot_be_made() {
    let office = Office::open().await;
    let mut person = Browser::of(&office, "worker-111");
    let (link, path) = office.link("worker-111", 60);
    let (other, _) = office.link("worker-111", 5);
    let own = form(&office, &link, "own");
    let note = own.0["opened"].clone();
    for (what, note) in [
        ("of another link, which is younger", form(&office, &other, "other").0["opened"].clone()),
        ("altered", format!("{note}x")),
        ("none", String::new()),
        ("a token", office.token("worker-111")),
        ("the link itself", path.strip_prefix("/r/").unwrap().to_owned()),
    ] {
        let sent = person.send(&path, &own.clone().with("opened", &note)).await;
        assert_eq!(sent.status, 410, "{what}: {sent:?}");
    }
    assert_eq!(office.stored().await.0, 0);
    assert_eq!(person.send(&path, &own).await.status, 303);
    office.closes_clean().await;
}
