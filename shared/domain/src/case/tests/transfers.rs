//! 转派: whoever is answerable gives it to another post or takes it over, and no clock begins again.

use super::*;
use crate::area::AreaPath;
use crate::facts::CaseFact;

fn to(holder: &str) -> Action {
    Action::Transfer(holder.parse().unwrap())
}

/// The round of a deadline, when it began and is due, and when each of its steps took effect.
type Times = (u32, DateTime<Utc>, DateTime<Utc>, Vec<Option<DateTime<Utc>>>);

fn times(life: &Life, kind: DeadlineKind) -> Times {
    let deadline = life.case().deadline(kind).unwrap();
    let done = deadline.steps.iter().map(|step| step.done_at).collect();
    (deadline.round, deadline.start_at, deadline.due_at, done)
}

#[test]
fn what_was_not_signed_for_in_time_is_taken_over_and_its_limits_go_on_as_they_stood() {
    let mut life = Life::opened();
    life.receive(&Input::StepDue(life.proposed(DeadlineKind::Sign, 0)), t(1, 0));
    assert_eq!((life.case().level, life.case().holder.to_string().as_str()), (Level::Community, GRID));
    let before = [DeadlineKind::Sign, DeadlineKind::Handle].map(|kind| times(&life, kind));
    assert_eq!(life.does("community", to(COMMUNITY), t(1, 10)), ["+1:10 assigned"]);
    assert_eq!((life.state(), life.case().holder.to_string().as_str()), ("DISPATCHED", COMMUNITY));
    assert_eq!([DeadlineKind::Sign, DeadlineKind::Handle].map(|kind| times(&life, kind)), before);
    assert_eq!((life.case().attempt, life.case().returns, life.case().handlers.len()), (1, 0, 0));
    let Happened::Assigned { by, why, left, .. } = &life.told.last().unwrap().happened else { panic!() };
    assert_eq!((by.as_ref(), left), (Some(&"community".into()), &None));
    assert_eq!(
        why.en,
        "Handed on to the community of c by whoever is answerable for it; the time to handle it stands as it was."
    );
    assert_eq!(why.zh, "经督办转派，由 c 社区承办；处置时限照旧。");
    life.does("community", Action::Sign, t(1, 20));
    life.does("community", Action::Answer, t(1, 30));
    assert_eq!(
        life.refused("community", Action::Pass, t(1, 40)),
        Refusal::OwnWork { person: "community".into() }
    );
}

#[test]
fn what_somebody_is_at_work_on_is_signed_for_anew_and_handled_by_when_it_had_to_be() {
    let mut life = Life::handling();
    let handle = times(&life, DeadlineKind::Handle);
    let told = life.does("desk", to(OTHER_GRID), t(9, 0));
    assert_eq!(told, ["+8:00 reminded handle/1/0", "+9:00 assigned"]);
    assert_eq!(life.case().area.as_str(), "x/s/d/h", "no case lies outside its holder's area");
    let Happened::Assigned { left, .. } = &life.told.last().unwrap().happened else { panic!() };
    assert_eq!(left.as_ref().map(AreaPath::as_str), Some("x/s/c/g"), "and where it lay is on record");
    let (round, start, due, _) = times(&life, DeadlineKind::Sign);
    assert_eq!((round, start, due), (2, t(9, 0), t(10, 0)));
    let (_, start, due, done) = times(&life, DeadlineKind::Handle);
    assert_eq!((start, due), (handle.1, handle.2));
    assert!(done[0].is_some(), "what took effect stays on record");
    life.does("other", Action::Sign, t(9, 10));
    assert_eq!(
        life.refused("leader", Action::Sign, t(9, 20)),
        Refusal::not_now("sign for", "签收", &life.case().state)
    );
    let climbed = life.does("other", Action::Answer, t(12, 1));
    assert_eq!(
        climbed[..2],
        ["+10:00 escalated handle/1/1 to community", "+12:00 escalated handle/1/2 to street"]
    );
}

#[test]
fn what_an_organisation_has_not_done_in_time_is_taken_from_it() {
    let mut life = offers::held_by_a_partner(t(0, 10));
    life.does("community", to(COMMUNITY), t(10, 30));
    assert_eq!((life.state(), life.case().holder.to_string().as_str()), ("DISPATCHED", COMMUNITY));
    assert_eq!(life.case().home, None);
}

#[test]
fn a_second_tap_changes_nothing_and_what_is_answered_offered_or_being_routed_is_not_handed_on() {
    let mut life = Life::opened();
    life.does("community", to(COMMUNITY), t(0, 10));
    assert_eq!(life.act("community", to(COMMUNITY), t(0, 11)), Outcome::Unchanged);
    for mut life in [Life::answered(t(2, 0)), offers::offered_at(t(0, 10))] {
        let state = life.case().state.clone();
        assert_eq!(life.refused("desk", to(DESK), t(2, 10)), Refusal::not_now("transfer", "转派", &state));
    }
}

#[test]
fn while_it_is_being_routed_it_is_said_so_and_that_it_takes_a_moment() {
    let mut life = Life::opened();
    life.does("leader", RETURN, t(0, 10));
    for (action, en, zh) in [(to(DESK), "transfer", "转派"), (Action::Answer, "answer", "办结反馈")] {
        let refusal = life.refused("desk", action, t(0, 11));
        assert_eq!(refusal, Refusal::BeingRouted { action: en, action_zh: zh });
        let text = refusal.text();
        assert!(text.en.contains(&format!("you cannot {en} it now: try again in a moment")), "{}", text.en);
        assert!(text.zh.contains(&format!("正在流转、确定下一个承办人，此刻不能{zh}")), "{}", text.zh);
    }
    let mut held = Life::opened();
    let waits = held.refused("leader", Action::Answer, t(0, 11));
    assert!(matches!(waits, Refusal::NotNow { .. }), "its holder has to sign first: {waits:?}");
}

#[test]
fn it_goes_to_a_post_that_there_is_and_never_to_an_organisation_without_an_offer() {
    let mut life = Life::opened();
    for wrong in ["grid_leader:x/s/c", "community:x/s/c/g", "grid_leader:x/s/c/nowhere", "partner:org/lark"] {
        let to: Holder = wrong.parse().unwrap();
        let refused = life.refused("desk", Action::Transfer(to.clone()), t(0, 10));
        assert_eq!(refused, Refusal::CannotHold { to });
        assert!(refused.text().en.contains(wrong) && refused.text().zh.contains(wrong));
    }
}

#[test]
fn what_the_street_has_at_last_it_may_give_to_somebody_who_cannot_give_it_back() {
    let mut life = returns::thrice_returned(t(0, 30));
    life.does("desk", to(OTHER_GRID), t(0, 40));
    assert_eq!(life.case().holder.to_string(), OTHER_GRID);
    assert_eq!(life.refused("other", RETURN, t(0, 50)), Refusal::Final);
    assert_eq!(life.routed(4, COMMUNITY, t(0, 50)), Outcome::Unchanged);
}

#[test]
fn what_the_desk_took_up_before_route_proposed_anybody_waits_for_nobody_once_it_is_handed_on() {
    let mut life = Life::opened();
    life.does("leader", RETURN, t(0, 10));
    life.does("desk", Action::Sign, t(0, 20));
    life.does("desk", to(OTHER_GRID), t(0, 30));
    assert_eq!(life.routed(2, COMMUNITY, t(0, 40)), Outcome::Unchanged, "it comes too late");
    life.does("other", RETURN, t(0, 50));
    assert_eq!((life.case().returns, life.case().attempt), (2, 2));
    assert!(matches!(life.routed(3, COMMUNITY, t(1, 0)), Outcome::Changed(_)));
}

#[test]
fn what_is_sensitive_is_given_to_nobody_below_those_who_hold_it() {
    let mut life = returns::thrice_returned(t(0, 30));
    life.case.as_mut().unwrap().flags.push(crate::case::SENSITIVE.to_owned());
    let below = OTHER_GRID.parse().unwrap();
    assert_eq!(life.refused("desk", to(OTHER_GRID), t(0, 40)), Refusal::InConfidence { to: below });
}

#[test]
fn whoever_got_it_so_may_give_it_back_and_route_hears_who_that_was() {
    let mut life = Life::opened();
    life.does("community", to(OTHER_GRID), t(0, 10));
    life.does("other", RETURN, t(0, 20));
    let Happened::Returned { from, .. } = &life.told.last().unwrap().happened else { panic!() };
    assert_eq!(from.as_ref().map(ToString::to_string).as_deref(), Some(OTHER_GRID));
    assert!(matches!(life.routed(2, COMMUNITY, t(0, 20)), Outcome::Changed(_)));
}

#[test]
fn its_facts_as_they_are_written_applied_one_by_one_give_each_row() {
    let mut life = Life::handling();
    life.does("desk", to(OTHER_GRID), t(0, 40));
    life.does("other", Action::Sign, t(0, 50));
    life.does("desk", to(COMMUNITY), t(9, 0));
    life.does("community", RETURN, t(9, 10));
    let mut folded = life.told[0].case.clone();
    for effect in &life.told {
        let fact = CaseFact { happened: effect.happened.clone(), case: effect.case.clone() };
        let read: CaseFact = serde_json::from_str(&serde_json::to_string(&fact).unwrap()).unwrap();
        assert_eq!(read, fact);
        folded.apply(effect.at, &read.happened);
        assert_eq!(folded, effect.case, "{}", say(effect));
    }
}
