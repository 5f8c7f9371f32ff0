//! What usually becomes of a report: mostly people are in time, some are late, a few give it back, some organisations
//! accept and some are silent. Pure.

use chrono::TimeDelta;
use domain::calendar::Limit;
use domain::case::ReturnReason;
use domain::category::Category;
use domain::partner::DeclineReason;

use super::deeds::Deed;
use super::dice::Dice;

/// Minutes after the report, counted while the office is shown, and what is then done.
pub(super) type Deeds = Vec<(TimeDelta, Deed)>;

/// So long an offer stands, and a little more: half a day of a street's as it is shown.
const OFFER_IS_OVER: i64 = 12 * 60 + 10;

/// Everything that is done about one report of `category`.
pub(super) fn habits(dice: &mut Dice, category: &Category) -> Deeds {
    let mut deeds = Diary::default();
    let sign = signs_after(dice, category.handle_limit);
    if !category.offer_to.is_empty() {
        offered(dice, &mut deeds);
    } else if !category.sensitive && dice.percent(7) {
        given_back(dice, sign, &mut deeds);
    }
    deeds.at(sign, Deed::Sign);
    if !category.stages.is_empty() {
        deeds.at(sign + dice.between(30, 150), Deed::Stage);
    }
    let answer = answers_after(dice, category.handle_limit).max(sign + 4);
    ends(dice, answer, &mut deeds);
    if !category.offer_to.is_empty() {
        // What nobody took is the grid's again.
        let back = OFFER_IS_OVER + dice.between(5, 25);
        deeds.at(back, Deed::Sign);
        let answer = back + dice.between(40, 160);
        ends(dice, answer, &mut deeds);
    }
    deeds.0
}

#[derive(Default)]
struct Diary(Deeds);

impl Diary {
    fn at(&mut self, minute: i64, deed: Deed) {
        self.0.push((TimeDelta::minutes(minute), deed));
    }
}

/// Well in time, mostly; one in eight is late and climbs, and one in thirty climbs to the street. What is urgent is to be
/// signed for within minutes, all else within hours of the office.
fn signs_after(dice: &mut Dice, limit: Limit) -> i64 {
    let (longest, late, latest) = match limit {
        Limit::UrgentHours { minutes } => (i64::from(minutes / 5).clamp(2, 12), (18, 40), (50, 180)),
        _ => (22, (125, 230), (420, 600)),
    };
    match dice.below(100) {
        0..=2 => dice.between(latest.0, latest.1),
        3..=12 => dice.between(late.0, late.1),
        _ => dice.between(2, longest),
    }
}

/// In time, mostly: one in ten takes longer than it may.
fn answers_after(dice: &mut Dice, limit: Limit) -> i64 {
    let late = dice.percent(10);
    match limit {
        Limit::UrgentHours { minutes } | Limit::WorkingHours { minutes } => {
            let minutes = i64::from(minutes).min(600);
            let percent = if late { dice.between(115, 190) } else { dice.between(35, 80) };
            // Over the hours at noon that do not count.
            let noon = if late && matches!(limit, Limit::WorkingHours { .. }) { 180 } else { 0 };
            minutes * percent / 100 + noon
        }
        Limit::WorkingDays { .. } | Limit::CalendarDays { .. } => match dice.below(10) {
            0..=6 => dice.between(60, 400),
            _ => dice.between(700, 1_800),
        },
    }
}

/// Checked by somebody else some time after the answer; one in twelve is found not done.
fn ends(dice: &mut Dice, answer: i64, deeds: &mut Diary) {
    deeds.at(answer, Deed::Answer);
    let mut check = answer + dice.between(15, 90);
    if dice.percent(8) {
        deeds.at(check, Deed::Fail);
        let again = check + dice.between(20, 70);
        deeds.at(again, Deed::Answer);
        check = again + dice.between(15, 60);
    }
    deeds.at(check, Deed::Pass);
    deeds.at(check + 2, Deed::Close);
}

/// Before anybody signs; now and then the community gives it back too.
fn given_back(dice: &mut Dice, sign: i64, deeds: &mut Diary) {
    let reasons = [ReturnReason::WrongArea, ReturnReason::UnclearOwner, ReturnReason::OverlappingDuty];
    let mut reason = || dice.pick(&reasons).copied().unwrap_or(ReturnReason::WrongArea);
    let first = (sign / 3).max(1);
    deeds.at(first, Deed::Return { before: 0, reason: reason() });
    let second = Deed::Return { before: 1, reason: reason() };
    if dice.percent(20) {
        deeds.at((sign * 2 / 3).max(first + 1), second);
    }
    // Whoever is proposed then signs a little later than the first would have.
    deeds.at(sign + 8, Deed::Sign);
}

/// Most are accepted by one of those that are asked, some by nobody, and some offers nobody answers.
fn offered(dice: &mut Dice, deeds: &mut Diary) {
    let nth = usize::try_from(dice.below(6)).unwrap_or(0);
    let after = dice.between(3, 18);
    match dice.below(10) {
        0..=4 => deeds.at(after, Deed::Accept(nth)),
        5..=6 => {
            deeds.at(after, Deed::Decline(nth, DeclineReason::NotNow));
            deeds.at(after + 9, Deed::Accept(nth));
        }
        7..=8 => {
            for (n, reason) in [DeclineReason::NoCapacity, DeclineReason::NotOurWork, DeclineReason::NotNow]
                .into_iter()
                .enumerate()
            {
                deeds.at(after + 2 * i64::try_from(n).unwrap_or(0), Deed::Decline(0, reason));
            }
            deeds.at(after + 12, Deed::Sign);
        }
        _ => {}
    }
}
