//! Who a visitor of the demo can be: one click, no password. People of the pack, each with a token for a day.

use anyhow::{Context, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use domain::area::{AreaPath, Level};
use domain::holder::{Holder, Post};
use domain::rights::Role;
use domain::text::Text;
use platform::clock::host_now;
use platform::entropy;
use platform::link::{LONGEST_MINUTES, Link};
use platform::pack::{Pack, Person};
use platform::token::{Principal, Tokens};
use serde::Serialize;

/// How long a visitor may look at the page.
const HOURS: i64 = 24;

/// Somebody a visitor can be.
#[derive(Clone, Debug, Serialize)]
pub struct Visitor {
    /// `worker`, `leader`, `community`, `dispatcher`, `checker`, `supervisor` or `partner`.
    pub role: &'static str,
    pub person: String,
    pub name: Text,
    /// Where they work: the path of an area, or of their organisation.
    pub area: String,
    pub area_name: Text,
    pub token: String,
    /// Of whoever reports: the address of their form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
}

/// One of each role that the pack has: the worker and the leader of a grid, the desk of its community, the desk that
/// everything falls back to, who checks there, who supervises it, and somebody of each partner organisation, the one with
/// the most hands first.
///
/// `grid` is where the most happens; the first that has both a worker and a leader when it is not said, or has not.
///
/// # Errors
/// When the pack has nobody of these, or a token cannot be signed.
pub fn visitors(tokens: &Tokens, pack: &Pack, grid: Option<&AreaPath>) -> anyhow::Result<Vec<Visitor>> {
    let now = host_now();
    let mut visitors = Vec::new();
    for (role, person, area, area_name) in picked(pack, grid) {
        let principal = Principal { person: person.id.clone(), grants: person.grants.clone() };
        let token = tokens.issue(&principal, now, TimeDelta::hours(HOURS));
        let reports = matches!(role, "worker" | "leader");
        visitors.push(Visitor {
            role,
            person: person.id.to_string(),
            name: person.name.clone(),
            area: area.to_string(),
            area_name,
            token: token.context("cannot sign a visitor's token")?,
            form: reports.then(|| form_of(tokens, person, now)).transpose()?,
        });
    }
    ensure!(
        !visitors.is_empty(),
        "the pack {0} has nobody to visit the demo as: give its people.csv a supervisor / \
         辖区包 {0} 中没有可供参观演示的人员，请在 people.csv 中写一名督查",
        pack.code
    );
    Ok(visitors)
}

type Picked<'a> = (&'static str, &'a Person, AreaPath, Text);

fn picked<'a>(pack: &'a Pack, grid: Option<&AreaPath>) -> Vec<Picked<'a>> {
    let mut picked = Vec::new();
    let named = |area: &AreaPath| {
        let known = pack.areas.by_path(area);
        known.map_or_else(|| Text::new(area.as_str(), area.as_str()), |area| area.name.clone())
    };
    let in_grid = grid_people(pack, grid);
    if let Some((grid, worker, leader)) = &in_grid {
        picked.push(("worker", *worker, grid.clone(), named(grid)));
        picked.push(("leader", *leader, grid.clone(), named(grid)));
    }
    if let Some((community, person)) = community_desk(pack, in_grid.and_then(|(grid, ..)| grid.parent())) {
        let name = named(&community);
        picked.push(("community", person, community, name));
    }
    let desk = &pack.routing.fallback;
    if let Some(dispatcher) = pack.people.working_for(desk).next() {
        picked.push(("dispatcher", dispatcher, desk.area.clone(), named(&desk.area)));
    }
    if let Some(checker) = pack.people.with_role_over(Role::Checker, &desk.area).next() {
        picked.push(("checker", checker, desk.area.clone(), named(&desk.area)));
    }
    if let Some(supervisor) = pack.people.with_role_over(Role::Supervisor, &desk.area).next() {
        picked.push(("supervisor", supervisor, desk.area.clone(), named(&desk.area)));
    }
    let mut partners: Vec<_> = pack.partners.iter().collect();
    partners.sort_by_key(|partner| std::cmp::Reverse(partner.capacity));
    for partner in partners {
        let organisation = Holder::of_partner(&partner.id);
        if let Some(person) = pack.people.working_for(&organisation).next() {
            picked.push(("partner", person, organisation.area.clone(), partner.name.clone()));
        }
    }
    picked
}

/// A grid with its worker and its leader.
fn grid_people<'a>(pack: &'a Pack, grid: Option<&AreaPath>) -> Option<(AreaPath, &'a Person, &'a Person)> {
    let wanted = grid.and_then(|grid| pack.areas.by_path(grid)).into_iter();
    let below = pack.areas.iter().filter(|area| pack.routing.fallback.area.contains(&area.path));
    let mut grids = wanted.chain(below).filter(|area| area.level == Level::Grid);
    grids.find_map(|grid| {
        let post = Holder { post: Post::GridLeader, area: grid.path.clone() };
        let leader = pack.people.working_for(&post).next()?;
        let worker = pack.people.with_role_over(Role::GridWorker, &grid.path).next()?;
        Some((grid.path.clone(), worker, leader))
    })
}

/// Whoever sits at the desk of a community (社区值守): of `wanted`, or of the first that has somebody.
fn community_desk(pack: &Pack, wanted: Option<AreaPath>) -> Option<(AreaPath, &Person)> {
    let wanted = wanted.and_then(|path| pack.areas.by_path(&path)).into_iter();
    let below = pack.areas.iter().filter(|area| pack.routing.fallback.area.contains(&area.path));
    let mut communities = wanted.chain(below).filter(|area| area.level == Level::Community);
    communities.find_map(|community| {
        let post = Holder { post: Post::Community, area: community.path.clone() };
        Some((community.path.clone(), pack.people.working_for(&post).next()?))
    })
}

/// The longest link there is: it opens on the device that opens it first.
fn form_of(tokens: &Tokens, person: &Person, now: DateTime<Utc>) -> anyhow::Result<String> {
    let link = Link::new(entropy::draw(), person.id.clone(), None, now, LONGEST_MINUTES);
    Ok(format!("/r/{}", tokens.issue_link(&link).context("cannot sign the link of a form")?))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn pack(name: &str) -> Pack {
        Pack::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/packs").join(name)).unwrap()
    }

    fn of(pack: &Pack, grid: Option<&str>) -> Vec<Visitor> {
        let grid = grid.map(|path| path.parse().unwrap());
        visitors(&Tokens::new(&[1; 32]), pack, grid.as_ref()).unwrap()
    }

    fn who(visitors: &[Visitor]) -> Vec<(&str, &str)> {
        visitors.iter().map(|visitor| (visitor.role, visitor.person.as_str())).collect()
    }

    #[test]
    fn a_chinese_street_has_one_of_each_and_its_organisations() {
        let beilun = pack("beilun");
        let found = of(&beilun, Some("330206/330206002/330206002009/330206002009002"));
        let all = who(&found);
        assert_eq!(
            all[..6],
            [
                ("worker", "worker-002009002"),
                ("leader", "leader-002009002"),
                ("community", "community-002009"),
                ("dispatcher", "desk-command"),
                ("checker", "checker-1"),
                ("supervisor", "supervisor-1"),
            ]
        );
        assert_eq!(all[6..8], [("partner", "hongling-1"), ("partner", "danjiang-1")]);
        assert_eq!(all.len(), 11);
        assert_eq!(found[2].area, "330206/330206002/330206002009", "the community of that very grid");
    }

    #[test]
    fn an_office_without_organisations_has_nobody_of_them() {
        let found = of(&pack("twostreets"), None);
        let people = [
            ("worker", "worker-111"),
            ("leader", "leader-111"),
            ("community", "community-11"),
            ("dispatcher", "desk-1a"),
            ("checker", "checker-1"),
            ("supervisor", "supervisor-1"),
        ];
        assert_eq!(who(&found), people);
    }

    #[test]
    fn each_is_who_they_are_for_a_day_and_who_reports_has_a_form() {
        let tokens = Tokens::new(&[1; 32]);
        let twostreets = pack("twostreets");
        for visitor in visitors(&tokens, &twostreets, None).unwrap() {
            let session = tokens.session(&visitor.token, host_now()).unwrap();
            let person = twostreets.people.get(&session.principal.person).unwrap();
            assert_eq!(
                (&session.principal.grants, &session.principal.person.0),
                (&person.grants, &visitor.person)
            );
            assert!(session.expires_at > host_now() + TimeDelta::hours(HOURS - 1));
            let link = visitor.form.map(|form| tokens.read_link(form.trim_start_matches("/r/")).unwrap());
            let reporter = link.map(|link| link.person.0);
            let reports = matches!(visitor.role, "worker" | "leader");
            assert_eq!(reporter, reports.then_some(visitor.person));
        }
    }
}
