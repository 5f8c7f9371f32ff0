//! Every state × action × person, against a table written by hand.

use super::*;

/// What the person is told: the fact that is left, or why there is none.
///
/// The leader signed for it and answered it (where that has happened), the checker passed and closed it, the
/// desk has not touched it. `FINAL` was given back three times; `PARTNER` is held by an organisation whose people are
/// none of these, and whether they may is not the case's to say.
const TABLE: &str = "
NONE        sign    unknown     unknown     unknown
NONE        stage   unknown     unknown     unknown
NONE        answer  unknown     unknown     unknown
NONE        return  unknown     unknown     unknown
NONE        pass    unknown     unknown     unknown
NONE        fail    unknown     unknown     unknown
NONE        close   unknown     unknown     unknown

DISPATCHED  sign    signed      signed      signed
DISPATCHED  stage   not-now     not-now     not-now
DISPATCHED  answer  not-now     not-now     not-now
DISPATCHED  return  returned    returned    returned
DISPATCHED  pass    not-now     not-now     not-now
DISPATCHED  fail    not-now     not-now     not-now
DISPATCHED  close   not-now     not-now     not-now

HANDLING    sign    same        not-now     not-now
HANDLING    stage   no-stage    no-stage    no-stage
HANDLING    answer  answered    answered    answered
HANDLING    return  returned    returned    returned
HANDLING    pass    not-now     not-now     not-now
HANDLING    fail    not-now     not-now     not-now
HANDLING    close   not-now     not-now     not-now

CHECKING    sign    same        not-now     not-now
CHECKING    stage   not-now     not-now     not-now
CHECKING    answer  same        not-now     not-now
CHECKING    return  not-now     not-now     not-now
CHECKING    pass    own-work    checked     checked
CHECKING    fail    own-work    reworked    reworked
CHECKING    close   not-checked not-checked not-checked

PASSED      sign    same        not-now     not-now
PASSED      stage   not-now     not-now     not-now
PASSED      answer  same        not-now     not-now
PASSED      return  not-now     not-now     not-now
PASSED      pass    not-now     same        not-now
PASSED      fail    own-work    reworked    reworked
PASSED      close   own-work    closed      closed

CLOSED      sign    same        not-now     not-now
CLOSED      stage   not-now     not-now     not-now
CLOSED      answer  same        not-now     not-now
CLOSED      return  not-now     not-now     not-now
CLOSED      pass    not-now     same        not-now
CLOSED      fail    not-now     not-now     not-now
CLOSED      close   not-now     same        not-now

REWORK      sign    same        not-now     not-now
REWORK      stage   no-stage    no-stage    no-stage
REWORK      answer  answered    answered    answered
REWORK      return  returned    returned    returned
REWORK      pass    not-now     not-now     not-now
REWORK      fail    not-now     not-now     not-now
REWORK      close   not-now     not-now     not-now

FINAL       sign    signed      signed      signed
FINAL       stage   not-now     not-now     not-now
FINAL       answer  not-now     not-now     not-now
FINAL       return  final       final       final
FINAL       pass    not-now     not-now     not-now
FINAL       fail    not-now     not-now     not-now
FINAL       close   not-now     not-now     not-now

OFFERED     sign    signed      signed      signed
OFFERED     stage   not-now     not-now     not-now
OFFERED     answer  not-now     not-now     not-now
OFFERED     return  not-now     not-now     not-now
OFFERED     pass    not-now     not-now     not-now
OFFERED     fail    not-now     not-now     not-now
OFFERED     close   not-now     not-now     not-now

PARTNER     sign    not-now     not-now     not-now
PARTNER     stage   no-stage    no-stage    no-stage
PARTNER     answer  answered    answered    answered
PARTNER     return  released    released    released
PARTNER     pass    not-now     not-now     not-now
PARTNER     fail    not-now     not-now     not-now
PARTNER     close   not-now     not-now     not-now
";

const PEOPLE: [&str; 3] = ["leader", "checker", "desk"];

fn life_in(state: &str) -> Life {
    let passed = || {
        let mut life = Life::answered(t(2, 0));
        life.does("checker", Action::Pass, t(3, 0));
        life
    };
    match state {
        "NONE" => Life::unknown(),
        "DISPATCHED" => Life::opened(),
        "HANDLING" => Life::handling(),
        "CHECKING" => Life::answered(t(2, 0)),
        "PASSED" => passed(),
        "CLOSED" => {
            let mut life = passed();
            life.does("checker", Action::Close, t(3, 30));
            life
        }
        "REWORK" => {
            let mut life = Life::answered(t(2, 0));
            life.does("checker", Action::Fail, t(3, 0));
            life
        }
        "FINAL" => returns::thrice_returned(t(3, 0)),
        "OFFERED" => offers::offered_at(t(3, 0)),
        "PARTNER" => offers::held_by_a_partner(t(3, 0)),
        other => panic!("no state {other}"),
    }
}

fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Changed(effects) => {
            let last = effects.last().unwrap().happened.fact_type();
            last.trim_start_matches("case.").to_owned()
        }
        Outcome::Unchanged => "same".to_owned(),
        Outcome::Refused(refusal) => match refusal {
            Refusal::NotNow { .. } | Refusal::BeingRouted { .. } => "not-now",
            Refusal::OwnWork { .. } => "own-work",
            Refusal::Final => "final",
            Refusal::NotChecked => "not-checked",
            Refusal::NoStage => "no-stage",
            Refusal::Unknown => "unknown",
            Refusal::NotYours { .. }
            | Refusal::CannotHold { .. }
            | Refusal::InConfidence { .. }
            | Refusal::Changed { .. } => "not for the case to say",
        }
        .to_owned(),
    }
}

fn rows() -> Vec<[&'static str; 5]> {
    let cells = |line: &'static str| line.split_whitespace().collect::<Vec<_>>().try_into().unwrap();
    TABLE.lines().filter(|line| !line.is_empty()).map(cells).collect()
}

#[test]
fn every_action_in_every_state_by_everybody_comes_out_as_the_table_says() {
    let mut wrong = Vec::new();
    for [state, action, expected @ ..] in rows() {
        let action = Action::ALL.into_iter().find(|known| known.name() == action).unwrap();
        for (person, expected) in PEOPLE.into_iter().zip(expected) {
            let before = life_in(state);
            let mut life = before.clone();
            let outcome = life.act(person, action.clone(), t(4, 0));
            let actual = word(&outcome);
            if actual != expected {
                wrong.push(format!("{state} {} by {person}: {actual}, not {expected}", action.name()));
            }
            let changed = matches!(outcome, Outcome::Changed(_));
            assert_eq!(before.case != life.case, changed, "{state} {} by {person}", action.name());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_every_state_with_every_action_once() {
    let rows = rows();
    let states = [
        "NONE",
        "DISPATCHED",
        "HANDLING",
        "CHECKING",
        "PASSED",
        "CLOSED",
        "REWORK",
        "FINAL",
        "OFFERED",
        "PARTNER",
    ];
    assert_eq!(rows.len(), states.len() * Action::ALL.len());
    for state in states {
        for action in Action::ALL {
            let found = rows.iter().filter(|row| row[0] == state && row[1] == action.name()).count();
            assert_eq!(found, 1, "{state} {}", action.name());
        }
    }
}

#[test]
fn a_refusal_names_the_action_and_the_state_in_both_languages() {
    let text = Life::opened().refused("leader", Action::Answer, t(0, 10)).text();
    assert!(text.en.contains("answer") && text.en.contains("waiting to be signed for"), "{}", text.en);
    assert!(text.zh.contains("办结反馈") && text.zh.contains("待签收"), "{}", text.zh);
}

#[test]
fn a_second_tap_leaves_the_row_as_the_first_one_did() {
    for (taps, state) in [
        (vec![("leader", Action::Sign)], "HANDLING"),
        (vec![("leader", Action::Sign), ("leader", Action::Answer)], "CHECKING"),
        (vec![("leader", Action::Sign), ("leader", Action::Answer), ("checker", Action::Pass)], "CHECKING"),
    ] {
        let mut life = Life::opened();
        for (person, action) in &taps {
            life.does(person, action.clone(), t(0, 30));
        }
        let (person, action) = taps[taps.len() - 1].clone();
        let before = life.case.clone();
        assert_eq!(life.act(person, action.clone(), t(0, 31)), Outcome::Unchanged, "{}", action.name());
        assert_eq!((life.case.clone(), life.state()), (before, state));
    }
}

#[test]
fn nobody_checks_or_closes_what_they_handled_also_after_rework_by_another_handler() {
    let mut life = Life::answered(t(2, 0));
    life.does("checker", Action::Fail, t(3, 0));
    life.does("colleague", Action::Answer, t(4, 0));
    for handler in ["leader", "colleague"] {
        let own = Refusal::OwnWork { person: handler.into() };
        assert_eq!(life.refused(handler, Action::Pass, t(5, 0)), own);
        assert_eq!(life.refused(handler, Action::Fail, t(5, 0)), own);
    }
    life.does("checker", Action::Pass, t(5, 0));
    for handler in ["leader", "colleague"] {
        let own = Refusal::OwnWork { person: handler.into() };
        assert_eq!(life.refused(handler, Action::Close, t(6, 0)), own);
    }
    life.does("checker", Action::Close, t(6, 0));
    assert_eq!(life.case().handlers, ["leader".into(), "colleague".into()]);
}

#[test]
fn who_signed_and_gave_it_back_is_a_handler_for_good_and_who_gave_it_back_unsigned_is_none() {
    let mut life = Life::handling();
    life.does("leader", RETURN, t(1, 0));
    life.routed(2, COMMUNITY, t(1, 0));
    life.does("community", RETURN, t(1, 30));
    life.routed(3, OTHER_GRID, t(1, 30));
    life.does("other", Action::Sign, t(2, 0));
    life.does("other", Action::Answer, t(3, 0));
    assert_eq!(life.refused("leader", Action::Pass, t(4, 0)), Refusal::OwnWork { person: "leader".into() });
    life.does("community", Action::Pass, t(4, 0));
}
