//! A grid that a new version no longer lists, while cases lie in it: they go on, and nobody loses sight of them.

use chrono::TimeDelta;
use domain::case::{Action, Refusal, ReturnReason};
use domain::holder::Post;
use gridward::audit::{Options, audit};

use super::{Edition, publish};
use crate::world::{IN_GRID_111, World};

const GRID: &str = "990001001001001";

/// The two streets without grid 111 and whoever worked there.
fn without_the_grid() -> Edition {
    Edition::copy()
        .with("areas.csv", "990001001001001,grid,990001001001,示意网格 111,Grid 111 (synthetic)\n", "")
        .with("people.csv", "leader-111,示意网格长 111,Leader 111,grid_leader,990001001001001\n", "")
        .with("people.csv", "worker-111,示意网格员 111,Worker 111,grid_worker,990001001001001\n", "")
        .edited("grids.geojson", |grids| drop(grids["features"].as_array_mut().unwrap().remove(0)))
}

impl World {
    /// Publishes an edition beside this process, and looks for it once; answers what was said of it.
    async fn follows(&mut self, edition: &Edition, more: &[&str]) -> String {
        let data = self.folder.path().to_str().unwrap().to_owned();
        let said = publish(edition, &["--data", &data], more);
        assert!(said.done, "{}", said.text);
        assert!(self.all.follower().look().await.unwrap(), "another version came into force");
        assert!(!self.all.follower().look().await.unwrap(), "and no other");
        said.text
    }
}

#[tokio::test]
async fn cases_of_a_grid_that_is_gone_climb_are_given_back_handled_and_closed() {
    let mut world = World::start().await;
    let (left, handled, returned) =
        (world.case_of("rubbish").await, world.case_of("road").await, world.case_of("road").await);
    let inherited = world.case_of("road").await;
    let edition = without_the_grid();
    let data = world.folder.path().to_str().unwrap().to_owned();
    world.follows(&Edition::with_another_leader(), &[]).await;
    let said = publish(&edition, &["--data", &data], &[]);
    let wanted = format!("areas.csv: the published areas Grid 111 (synthetic) ({GRID}) are no longer listed");
    assert!(!said.done && said.text.contains(&wanted), "{}", said.text);
    let renamed = edition.with("pack.json", "\"twostreets-1\"", "\"twostreets-3\"");
    let refused = world.act("community-11", Action::Sign, inherited).await.unwrap_err();
    assert!(matches!(refused, Refusal::NotYours { .. }), "it is the grid's: {refused:?}");
    let told = world.follows(&renamed, &["--drop", GRID]).await;
    let wanted = format!(
        "! Grid 111 (synthetic) ({GRID}) is listed no more: its 4 open cases can be worked on by \
         Community 11 (synthetic) from now on"
    );
    assert!(told.contains(&wanted), "{told}");
    assert!(world.all.in_force.now().areas.by_code(GRID).is_none());

    // Whoever had it may still end what was begun: the token says so until it expires.
    world.act("leader-111", Action::Sign, handled).await.unwrap();
    world.act("leader-111", Action::Answer, handled).await.unwrap();
    world.act("checker-1", Action::Pass, handled).await.unwrap();
    world.act("checker-1", Action::Close, handled).await.unwrap();
    assert_eq!(world.history(handled).await.last().unwrap(), "case.closed");

    // Nobody works for the grid any more, so the community above it does; and somebody else looks whether it is done.
    world.act("community-11", Action::Sign, inherited).await.unwrap();
    world.act("community-11", Action::Answer, inherited).await.unwrap();
    assert!(matches!(world.act("community-11", Action::Pass, inherited).await, Err(Refusal::OwnWork { .. })));
    world.act("checker-1", Action::Pass, inherited).await.unwrap();
    world.act("checker-1", Action::Close, inherited).await.unwrap();

    // Given back, it goes to whom the place belongs now.
    world.act("leader-111", Action::Return(ReturnReason::WrongArea), returned).await.unwrap();
    let holders = handle::holders(&world.all.around.store, &[left, returned]).await.unwrap();
    assert_eq!(
        (holders[&returned].post, holders[&returned].area.as_str()),
        (Post::StreetDesk, "990001/990001001")
    );
    assert_eq!(holders[&left].area.code(), GRID, "nobody has touched it");

    // Left alone, it climbs to the levels that are still there.
    world.pass(TimeDelta::days(3)).await;
    let told = world.history(left).await;
    let climbed = told.iter().filter(|kind| *kind == "case.escalated").count();
    assert!(climbed >= 4, "sign, and handle to community, street and county: {told:?}");

    // What is reported there now lies in no grid, and is the street's.
    let report = world.new_report("rubbish", IN_GRID_111);
    let new = world.submit("worker-112", report).await.unwrap().incident;
    world.settle().await;
    let holders = handle::holders(&world.all.around.store, &[new]).await.unwrap();
    assert_eq!(holders[&new].post, Post::StreetDesk);

    let folder = world.folder;
    world.all.around.store.clone().close().await.unwrap();
    drop(world.all);
    let options = Options { now: Some(world.clock.now()), strict: true };
    let report = audit(folder.path(), options).await.unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.dead_letters, report.parked), (0, 0), "{report}");
}

#[tokio::test]
async fn reports_of_a_category_that_came_too_early_are_decided_once_the_version_that_lists_it_is_in_force() {
    let mut world = World::start().await;
    let edition = Edition::copy().with("categories.csv", "gas,", "lamp,路灯损坏,Street lamp,1wd,no\ngas,");
    // discover goes by the new version a moment before handle does.
    let ahead = platform::pack::Pack::load(&edition.folder()).unwrap();
    let ahead = platform::pack::InForce::new(std::sync::Arc::new(ahead));
    world.all.discover = gridward::embedded::shared(discover::Discover::new(&ahead), &world.all.around);
    let mut early = Vec::new();
    for _ in 0..60 {
        let report = world.new_report("lamp", IN_GRID_111);
        early.push(world.submit("worker-111", report).await.unwrap().incident);
    }
    let known = world.case_of("rubbish").await;
    assert!(world.history(early[0]).await.is_empty(), "handle does not know how long it may take");
    assert_eq!(world.history(known).await, ["case.opened"], "and goes on with what it knows");
    assert_eq!(world.all.handle.lock().await.health().stopped(), None);
    assert_eq!(world.all.handle.lock().await.retry_asked().await.unwrap(), 0);
    world.follows(&edition, &[]).await;
    assert_eq!(world.all.handle.lock().await.retry_asked().await.unwrap(), 60);
    world.settle().await;
    for incident in early {
        assert_eq!(world.history(incident).await, ["case.opened"]);
    }
}
