//! The demo's day in 新碶, on a driven clock: what a visitor is to see does happen, to the services themselves.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::area::Level;
use domain::case::{Action, Case, State};
use domain::facts::Topic;
use domain::holder::Post;
use domain::id::IncidentId;
use gridward::demo::day::{Does, Doors, Player, Script};
use gridward::demo::highlights::{Highlights, Kind, Showing};
use gridward::http::demo_now;
use gridward::running::start;
use platform::lifecycle::Lifecycle;
use platform::store::log;
use platform::token::Tokens;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::world::World;

/// The day of 新碶, with whoever plays it.
struct Demo {
    world: World,
    script: Script,
    player: Player,
    doors: Doors,
    highlights: Highlights,
}

impl Demo {
    /// As it is when the page opens.
    async fn open() -> Self {
        let begins = "2026-07-22T00:00:00Z".parse().unwrap();
        let world = World::on("beilun", begins).await;
        let pack = world.all.pack.clone();
        let script = Script::of(&pack).unwrap().unwrap();
        assert_eq!(script.hours().first().begins, begins);
        let highlights = Highlights::default();
        let player = Player::new(pack, script.clone(), highlights.clone());
        let doors = Doors::driven(world.all.office());
        let mut demo = Self { world, script, player, doors, highlights };
        demo.play_until(demo.script.opens()).await;
        demo
    }

    async fn play_until(&mut self, at: DateTime<Utc>) {
        assert!(self.player.play_until(at, &mut self.doors).await.unwrap());
        assert_eq!(self.world.now(), at);
    }

    /// The first case of the day that is to show this, and when.
    fn life(&self, kind: Kind) -> (IncidentId, DateTime<Utc>) {
        let opens = self.script.opens();
        let expected = self.script.day(0).unwrap().into_iter().find_map(|cue| match cue.does {
            Does::Expects(expected) if expected.kind == kind && expected.at >= opens => {
                Some((expected.incident, expected.at))
            }
            _ => None,
        });
        expected.unwrap()
    }

    async fn case(&self, incident: IncidentId) -> Case {
        let cases = handle::cases(&self.world.all.around.store, &[incident]).await.unwrap();
        cases[&incident].clone()
    }

    /// What was shown of this kind as having happened since the page opened.
    fn shown(&self, kind: Kind) -> Vec<Showing> {
        let all = self.highlights.newest_first().into_iter();
        let since = self.script.opens()..=self.world.now();
        all.filter(|one| one.kind == kind && since.contains(&one.at)).collect()
    }

    async fn audit_is_clean(&self) {
        let options = gridward::audit::Options { strict: true, now: Some(self.world.now()) };
        let report = gridward::audit::audit(self.world.folder.path(), options).await.unwrap();
        assert!(report.is_clean(), "{report}");
        assert_eq!((report.on_the_way, report.dead_letters, report.parked), (0, 0, 0), "{report}");
    }
}

fn count(told: &[String], kind: &str) -> usize {
    told.iter().filter(|one| *one == kind).count()
}

#[tokio::test]
async fn within_two_minutes_of_looking_a_visitor_has_seen_all_four_and_the_audit_finds_nothing() {
    let mut demo = Demo::open().await;
    let morning = demo.highlights.newest_first();
    assert!(morning.iter().any(|one| one.kind == Kind::News), "it is not empty: {morning:?}");
    assert!(
        morning.iter().any(|one| one.kind == Kind::Escalated && one.at > demo.world.now()),
        "{morning:?}"
    );

    let two_minutes = TimeDelta::milliseconds((120_000.0 * demo.script.speed()) as i64);
    let until = demo.script.opens() + two_minutes;
    demo.play_until(until).await;

    let (handled, _) = demo.life(Kind::Handled);
    let case = demo.case(handled).await;
    let State::Closed { closed, .. } = &case.state else { panic!("{case:?}") };
    assert!(closed.at <= until && !case.handlers.contains(&closed.by), "somebody else closed it: {case:?}");
    assert_eq!(case.level, Level::Grid, "小事不出网格");

    let (escalated, _) = demo.life(Kind::Escalated);
    let told = demo.world.history(escalated).await;
    assert_eq!(&told[..3], ["case.opened", "case.escalated", "case.escalated"], "nobody signed: {told:?}");
    assert!(demo.case(escalated).await.level >= Level::Street);

    let (taken, _) = demo.life(Kind::Partner);
    let told = demo.world.history(taken).await;
    assert_eq!(&told[..3], ["case.opened", "case.offered", "case.accepted"], "{told:?}");
    assert_eq!(demo.case(taken).await.holder.post, Post::Partner);

    let (returned, _) = demo.life(Kind::Returned);
    let told = demo.world.history(returned).await;
    assert_eq!((count(&told, "case.returned"), count(&told, "case.assigned")), (3, 2), "{told:?}");
    let case = demo.case(returned).await;
    assert_eq!((case.returns, case.holder.post), (3, Post::StreetDesk), "the street has decided");
    assert!(!matches!(case.state, State::Dispatched), "and has signed for it: {case:?}");

    for (kind, incident) in [
        (Kind::Handled, handled),
        (Kind::Escalated, escalated),
        (Kind::Partner, taken),
        (Kind::Returned, returned),
    ] {
        let shown = demo.shown(kind);
        let one = shown.iter().find(|one| one.incident == Some(incident));
        let one = one.unwrap_or_else(|| panic!("{kind:?} was not shown: {shown:?}"));
        assert!(!one.text.zh.is_empty() && !one.text.en.is_empty() && one.text.zh != one.text.en, "{one:?}");
    }
    assert!(!demo.shown(Kind::Typhoon).is_empty());

    let mut reported: BTreeSet<IncidentId> = BTreeSet::new();
    for record in log::slice(demo.world.all.around.store.readers(), 0, i64::MAX).await.unwrap() {
        if record.source.topic == Topic::Reported {
            reported.insert(record.incident);
        }
    }
    let written = demo.script.day(0).unwrap().into_iter().filter_map(|cue| match cue.does {
        Does::Reports(reports) if cue.at < until => Some(reports.incident),
        _ => None,
    });
    assert_eq!(reported, written.collect(), "no report of the script is refused");
    demo.audit_is_clean().await;
}

#[tokio::test]
async fn a_visitor_who_is_quicker_is_left_to_it() {
    let mut demo = Demo::open().await;
    let (handled, seen_at) = demo.life(Kind::Handled);
    let (escalated, climbs_at) = demo.life(Kind::Escalated);
    // Signed for by the visitor, it does not climb any more.
    let leader = demo.worker_of(escalated).await;
    demo.world.act(&leader, Action::Sign, escalated).await.unwrap();
    demo.play_until(handled.time().unwrap() + TimeDelta::minutes(4)).await;
    let leader = demo.worker_of(handled).await;
    demo.world.act(&leader, Action::Sign, handled).await.unwrap();
    demo.world.act(&leader, Action::Answer, handled).await.unwrap();

    demo.play_until(seen_at.max(climbs_at) + TimeDelta::minutes(70)).await;
    assert!(matches!(demo.case(handled).await.state, State::Closed { .. }), "the others go on with it");
    assert!(demo.shown(Kind::Handled).iter().any(|one| one.incident == Some(handled)));
    let case = demo.case(escalated).await;
    assert!(case.level < Level::Street, "{case:?}");
    let all = demo.highlights.newest_first();
    assert!(all.iter().all(|one| one.incident != Some(escalated)), "it is not told of: {all:?}");
    demo.audit_is_clean().await;
}

impl Demo {
    /// Somebody who works for whoever holds a case.
    async fn worker_of(&self, incident: IncidentId) -> String {
        let holder = self.case(incident).await.holder;
        let people = &self.world.all.pack.people;
        people.working_for(&holder).next().unwrap().id.0.clone()
    }
}

#[tokio::test]
async fn the_page_is_told_the_time_the_speed_and_what_there_is_to_see() {
    let world = World::start().await;
    let highlights = Highlights::default();
    for minutes in [1, 2] {
        highlights.show(Showing {
            kind: Kind::News,
            at: world.now() + TimeDelta::minutes(minutes),
            incident: None,
            text: domain::text::Text::new(format!("第 {minutes} 条"), format!("number {minutes}")),
        });
    }
    let (now, clock) = (world.now(), world.clock.clone());
    let tokens = Tokens::of_folder(world.folder.path()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stopper, lifecycle) = Lifecycle::new();
    let World { all, folder, .. } = world;
    let running = start(all.ready(), listener, &tokens, &lifecycle, |router| {
        router.merge(demo_now(highlights, clock, 180.0))
    })
    .unwrap();
    let answer = reqwest::get(format!("http://{address}/demo/now")).await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let told: Value = answer.json().await.unwrap();
    assert_eq!((told["clock"].as_str().unwrap().parse(), &told["speed"]), (Ok(now), &Value::from(180.0)));
    let first = serde_json::json!({
        "kind": "news",
        "at": now + TimeDelta::minutes(2),
        "incident": null,
        "text": { "zh": "第 2 条", "en": "number 2" },
    });
    assert_eq!((&told["showing"][0], told["showing"].as_array().unwrap().len()), (&first, 2));
    stopper.stop();
    running.finished().await.unwrap();
    drop(folder);
}
