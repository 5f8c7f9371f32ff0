//! 分段时限: 停工 within 4 h, 处罚 within 7 h, and the whole within 10 h, each from dispatch.

use super::*;
use crate::category::Stage;

fn building() -> &'static Office {
    static OFFICE: LazyLock<Office> = LazyLock::new(|| {
        let mut categories = categories("rubbish", "10h");
        let stage = |zh: &str, en: &str, hours: &str| Stage { name: Text::new(zh, en), limit: limit(hours) };
        let stages = vec![stage("停工", "Stop work", "4h"), stage("处罚", "Fine", "7h")];
        categories.values_mut().for_each(|category| category.stages.clone_from(&stages));
        Office {
            policy: office().policy.clone(),
            calendar: calendar(),
            categories,
            areas: office().areas.clone(),
        }
    });
    &OFFICE
}

fn handling() -> Life {
    let mut life = Life { office: building(), case: None, told: Vec::new() };
    life.routed(1, GRID, t(0, 0));
    life.does("leader", Action::Sign, t(0, 30));
    life
}

/// The first stage is done.
pub(super) fn eventful() -> Life {
    let mut life = handling();
    life.does("leader", Action::Stage, t(2, 0));
    life
}

#[test]
fn each_stage_has_a_limit_of_its_own_from_dispatch() {
    let life = handling();
    let due = |kind| life.due_at(kind);
    assert_eq!((due(DeadlineKind::Stage1), due(DeadlineKind::Stage2)), (t(4, 0), t(7, 0)));
    assert_eq!((due(DeadlineKind::Handle), life.case().due_at()), (t(10, 0), Some(t(4, 0))));
}

#[test]
fn stages_end_one_after_the_other_and_then_only_the_answer_is_left() {
    let mut life = handling();
    assert_eq!(life.does("leader", Action::Stage, t(2, 0)), ["+2:00 staged"]);
    assert_eq!(life.met_at(DeadlineKind::Stage1), Some(t(2, 0)));
    assert_eq!(life.does("colleague", Action::Stage, t(6, 0)), ["+5:36 reminded stage2/1/0", "+6:00 staged"]);
    assert_eq!(life.refused("leader", Action::Stage, t(6, 30)), Refusal::NoStage);
    assert_eq!(life.case().handlers, ["leader".into(), "colleague".into()]);
}

#[test]
fn a_stage_that_is_late_climbs_by_itself_although_the_whole_is_not_due() {
    let mut life = handling();
    let told = life.does("leader", Action::Stage, t(5, 0));
    assert_eq!(
        told,
        ["+3:12 reminded stage1/1/0", "+4:00 escalated stage1/1/1 to community", "+5:00 staged"]
    );
    assert_eq!(life.case().level, Level::Community);
}

#[test]
fn the_answer_ends_every_stage_that_is_left() {
    let mut life = handling();
    life.does("leader", Action::Answer, t(3, 0));
    for kind in [DeadlineKind::Stage1, DeadlineKind::Stage2, DeadlineKind::Handle] {
        assert_eq!(life.met_at(kind), Some(t(3, 0)));
    }
}

#[test]
fn a_case_without_stages_has_none_to_end() {
    assert_eq!(Life::handling().refused("leader", Action::Stage, t(1, 0)), Refusal::NoStage);
    assert!(matches!(Life::opened().refused("leader", Action::Stage, t(1, 0)), Refusal::NotNow { .. }));
}
