//! One input to one case: advance it to the input's time, decide, advance again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::advance::{Until, advance};
use super::{Case, Effect, Happened, Refusal, SENSITIVE, State, offer, transfer};
use crate::area::Areas;
use crate::calendar::Calendar;
use crate::category::{Categories, Category};
use crate::deadline::{Deadline, DeadlineKind};
use crate::facts::{IncidentRouted, OfferProposed, Route, StepDue};
use crate::holder::{Holder, Post};
use crate::id::{IncidentId, PersonId};
use crate::policy::Policy;
use crate::report::{Promise, Report};

/// Why a holder gives a case back (退单理由).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnReason {
    /// 属地不符.
    WrongArea,
    /// 权属不清.
    UnclearOwner,
    /// 职能交叉.
    OverlappingDuty,
}

/// What a person does to a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// 签收.
    Sign,
    /// 阶段办结: the next stage of the work is done.
    Stage,
    /// 办结反馈.
    Answer,
    /// 退回.
    Return(ReturnReason),
    /// 转派: this post has it from now on; to the own post: it is taken over.
    Transfer(Holder),
    /// 核查通过.
    Pass,
    /// 核查不通过.
    Fail,
    /// 结案.
    Close,
}

impl Action {
    /// All that name nobody else: a transfer does.
    pub const ALL: [Self; 7] = [
        Self::Sign,
        Self::Stage,
        Self::Answer,
        Self::Return(ReturnReason::WrongArea),
        Self::Pass,
        Self::Fail,
        Self::Close,
    ];

    pub fn name(&self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Stage => "stage",
            Self::Answer => "answer",
            Self::Return(_) => "return",
            Self::Transfer(_) => "transfer",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Close => "close",
        }
    }

    /// What one does to a case, in words.
    pub fn en(&self) -> &'static str {
        match self {
            Self::Sign => "sign for",
            Self::Stage => "end a stage of",
            Self::Answer => "answer",
            Self::Return(_) => "return",
            Self::Transfer(_) => "transfer",
            Self::Pass | Self::Fail => "check",
            Self::Close => "close",
        }
    }

    pub fn zh(&self) -> &'static str {
        match self {
            Self::Sign => "签收",
            Self::Stage => "阶段办结",
            Self::Answer => "办结反馈",
            Self::Return(_) => "退回",
            Self::Transfer(_) => "转派",
            Self::Pass => "核查通过",
            Self::Fail => "核查退回",
            Self::Close => "结案",
        }
    }
}

/// Everything that can reach a case.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one lives for one decision, and is never kept in a list")]
pub enum Input {
    /// From route: who should hold it.
    Routed(IncidentRouted),
    /// From supervise: the time of a step has come.
    StepDue(StepDue),
    /// From partner: an offer, or what an organisation says to it.
    Partnered(OfferProposed),
    /// From a person.
    Act { action: Action, by: PersonId },
}

/// The rules in force: everything a decision needs beside the row and the time.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    pub policy: &'a Policy,
    pub calendar: &'a Calendar,
    pub categories: &'a Categories,
    pub areas: &'a Areas,
}

/// What came of an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// What happened, in order, each with the row after it; never empty.
    Changed(Vec<Effect>),
    /// It was so already: a double tap, a stale proposal. No fact, no history, no sequence.
    Unchanged,
    /// A person may not do this, and is told why.
    Refused(Refusal),
}

/// Why an input cannot be decided at all; it becomes a dead letter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecidable {
    #[error("category `{0}` is not in the pack")]
    UnknownCategory(String),
    #[error("attempt {0} names no report, and there is no case yet")]
    NoReport(u32),
    #[error("there is no case {0}")]
    NoCase(IncidentId),
}

/// Returns after this many are decided by the street, for good (三次退回由街道指定).
pub const FINAL_RETURN: u32 = 3;

/// Decides one input as of `at`.
///
/// # Errors
/// Only for facts that no rule covers; a person's mistake is an [`Outcome::Refused`].
pub fn receive(
    incident: IncidentId,
    case: Option<&Case>,
    input: &Input,
    at: DateTime<Utc>,
    terms: Terms<'_>,
) -> Result<Outcome, Undecidable> {
    match (case, input) {
        (None, Input::Routed(routed)) => open(incident, routed, at, terms),
        (None, Input::StepDue(_) | Input::Partnered(_)) => Err(Undecidable::NoCase(incident)),
        (None, Input::Act { .. }) => Ok(Outcome::Refused(Refusal::Unknown)),
        (Some(case), Input::StepDue(step)) => Ok(step_due(case, step, terms)),
        (Some(case), Input::Routed(routed)) => Ok(assign(case, routed, at, terms)),
        (Some(case), Input::Partnered(proposal)) => Ok(offer::proposed(case, proposal, at, terms)),
        (Some(case), Input::Act { action, by }) => Ok(act(case, action, by, at, terms)),
    }
}

fn open(
    incident: IncidentId,
    routed: &IncidentRouted,
    at: DateTime<Utc>,
    terms: Terms<'_>,
) -> Result<Outcome, Undecidable> {
    let report = routed.report.as_ref().ok_or(Undecidable::NoReport(routed.attempt))?;
    // Its area need not be listed here: where it was routed, another version of the pack may have been in force.
    let route = &routed.route;
    let category = terms.categories.get(&report.category);
    let category = category.ok_or_else(|| Undecidable::UnknownCategory(report.category.0.clone()))?;
    let deadlines = opening_deadlines(report, category, at, terms);
    let mut flags = route.flags.clone();
    if category.sensitive {
        flags.push(SENSITIVE.to_owned());
    }
    if deadlines.iter().any(Deadline::due_before_start) {
        flags.push("due_before_opened".to_owned());
    }
    let mut case = Case {
        incident,
        reporter: report.reporter.clone(),
        category: report.category.clone(),
        lon: route.lon,
        lat: route.lat,
        area: route.area.clone(),
        holder: route.holder.clone(),
        home: None,
        state: State::Dispatched,
        level: route.holder.post.level(),
        attempt: routed.attempt,
        returns: 0,
        reworks: 0,
        handlers: Vec::new(),
        flags,
        deadlines,
        recorded: matches!(report.promise, Promise::Recorded(_)),
        opened_at: at,
        last_at: at,
        revision: 1,
    };
    let happened = Happened::Opened {
        rule: route.rule.clone(),
        boundaries: route.boundaries.clone(),
        why: route.why.clone(),
    };
    let mut effects = vec![Effect { at, happened, case: case.clone() }];
    advance(&mut case, Until::Through(at), terms, &mut effects);
    Ok(Outcome::Changed(effects))
}

fn opening_deadlines(
    report: &Report,
    category: &Category,
    at: DateTime<Utc>,
    terms: Terms<'_>,
) -> Vec<Deadline> {
    let Terms { policy, calendar, .. } = terms;
    match report.promise {
        Promise::Recorded(due_at) => {
            due_at.map(|due_at| policy.recorded_deadline(calendar, at, due_at)).into_iter().collect()
        }
        Promise::Category => {
            let policy = policy.of(Some(category.handle_limit));
            let sign =
                policy.sign_limit.map(|limit| policy.deadline(calendar, DeadlineKind::Sign, 1, at, limit));
            let stages = DeadlineKind::STAGES.into_iter().zip(&category.stages);
            let stages = stages.map(|(kind, stage)| policy.deadline(calendar, kind, 1, at, stage.limit));
            let handle = policy.deadline(calendar, DeadlineKind::Handle, 1, at, category.handle_limit);
            sign.into_iter().chain(stages).chain([handle]).collect()
        }
    }
}

/// `step.due` advances the case to the step's own due time and no further. A step that is done, met or
/// moved meanwhile changes nothing.
fn step_due(case: &Case, step: &StepDue, terms: Terms<'_>) -> Outcome {
    let stands = case.deadline(step.deadline).is_some_and(|deadline| {
        deadline.round == step.round
            && deadline.met_at.is_none()
            && deadline
                .steps
                .get(step.step as usize)
                .is_some_and(|mine| mine.done_at.is_none() && mine.due_at == step.due_at)
    });
    if !stands {
        return Outcome::Unchanged;
    }
    let mut after = case.clone();
    let mut effects = Vec::new();
    advance(&mut after, Until::Through(step.due_at), terms, &mut effects);
    Outcome::Changed(effects)
}

/// Another attempt of route's. Only the one that follows the last return counts.
fn assign(case: &Case, routed: &IncidentRouted, at: DateTime<Utc>, terms: Terms<'_>) -> Outcome {
    if routed.attempt.checked_sub(1) != Some(case.attempt) {
        return Outcome::Unchanged;
    }
    let Route { area, holder, rule, why, .. } = &routed.route;
    // Asked of the case as it is at that time: an offer may have lapsed that nobody has told of yet.
    decided(case, at, terms, |case, at| {
        Ok(awaits_route(case).then(|| Happened::Assigned {
            attempt: routed.attempt,
            left: (case.area != *area).then(|| case.area.clone()),
            area: area.clone(),
            holder: holder.clone(),
            rule: rule.clone(),
            why: why.clone(),
            by: None,
            sign: sign_again(case, at, terms),
        }))
    })
}

/// Given back, and route has not proposed anybody yet: the desk only keeps it.
pub(super) fn awaits_route(case: &Case) -> bool {
    matches!(case.state, State::Dispatched) && case.returns >= case.attempt && case.returns < FINAL_RETURN
}

fn act(case: &Case, action: &Action, by: &PersonId, at: DateTime<Utc>, terms: Terms<'_>) -> Outcome {
    let recorded_at = at;
    decided(case, at, terms, |case, at| {
        let decision = match action {
            Action::Sign => sign(case, by, recorded_at),
            Action::Stage => stage(case, by, recorded_at),
            Action::Answer => answer(case, by, recorded_at, at, terms),
            Action::Return(reason) => give_back(case, by, *reason, recorded_at, at, terms),
            Action::Transfer(to) => transfer::hand_on(case, to, by, at, terms),
            Action::Pass => pass(case, by, recorded_at),
            Action::Fail => fail(case, by, recorded_at),
            Action::Close => close(case, by),
        };
        if awaits_route(case) { decision.map_err(Refusal::while_routed) } else { decision }
    })
}

pub(super) type Decision = Result<Option<Happened>, Refusal>;

/// Advances to `at` (never before the case's last change), lets `decide` say what happens, applies it,
/// and advances again: a deadline un-met by a failed check may have steps that fell due meanwhile.
pub(super) fn decided(
    case: &Case,
    at: DateTime<Utc>,
    terms: Terms<'_>,
    decide: impl FnOnce(&Case, DateTime<Utc>) -> Decision,
) -> Outcome {
    let mut after = case.clone();
    let mut effects = Vec::new();
    let at = at.max(case.last_at);
    advance(&mut after, Until::Before(at), terms, &mut effects);
    match decide(&after, at) {
        Err(refusal) => Outcome::Refused(refusal),
        Ok(None) => Outcome::Unchanged,
        Ok(Some(happened)) => {
            after.apply(at, &happened);
            effects.push(Effect { at, happened, case: after.clone() });
            advance(&mut after, Until::Before(at), terms, &mut effects);
            Outcome::Changed(effects)
        }
    }
}

fn sign(case: &Case, by: &PersonId, met_at: DateTime<Utc>) -> Decision {
    match &case.state {
        State::Dispatched | State::Offered { .. } => Ok(Some(Happened::Signed { by: by.clone(), met_at })),
        State::Handling { signed } | State::Checking { signed, .. } | State::Closed { signed, .. }
            if signed.by == *by =>
        {
            Ok(None)
        }
        state => Err(Refusal::not_now("sign for", "签收", state)),
    }
}

/// The next stage that is not done yet.
fn stage(case: &Case, by: &PersonId, met_at: DateTime<Utc>) -> Decision {
    if !matches!(case.state, State::Handling { .. }) {
        return Err(Refusal::not_now("end a stage of", "办结阶段", &case.state));
    }
    let open = |kind: &DeadlineKind| case.deadline(*kind).is_some_and(|stage| stage.met_at.is_none());
    match DeadlineKind::STAGES.into_iter().find(open) {
        Some(stage) => Ok(Some(Happened::Staged { by: by.clone(), stage, met_at })),
        None => Err(Refusal::NoStage),
    }
}

fn answer(
    case: &Case,
    by: &PersonId,
    met_at: DateTime<Utc>,
    at: DateTime<Utc>,
    terms: Terms<'_>,
) -> Decision {
    match &case.state {
        State::Handling { .. } => {
            let round = case.reworks + 1;
            let policy = terms.policy.of(case.handling_limit());
            let limit = policy.check_limit.filter(|_| !case.recorded);
            let check =
                limit.map(|limit| policy.deadline(terms.calendar, DeadlineKind::Check, round, at, limit));
            Ok(Some(Happened::Answered { by: by.clone(), met_at, check }))
        }
        State::Checking { answered, .. } | State::Closed { answered, .. } if answered.by == *by => Ok(None),
        state => Err(Refusal::not_now("answer", "办结反馈", state)),
    }
}

fn give_back(
    case: &Case,
    by: &PersonId,
    reason: ReturnReason,
    met_at: DateTime<Utc>,
    at: DateTime<Utc>,
    terms: Terms<'_>,
) -> Decision {
    if !matches!(case.state, State::Dispatched | State::Handling { .. }) {
        return Err(Refusal::not_now("return", "退回", &case.state));
    }
    if let Some(partner) = case.holder.partner() {
        return offer::give_back(case, &partner, by, (met_at, at), terms);
    }
    if case.returns >= FINAL_RETURN {
        return Err(Refusal::Final);
    }
    // Given back already, and route has proposed nobody yet: a second tap.
    if matches!(case.state, State::Dispatched) && case.returns >= case.attempt {
        return Ok(None);
    }
    let last = case.returns + 1 == FINAL_RETURN;
    // Until route proposes again the desk only keeps the case; after the last return it is the desk's to sign for.
    let sign = if last { sign_again(case, at, terms) } else { None };
    Ok(Some(Happened::Returned {
        by: by.clone(),
        reason,
        from: Some(case.holder.clone()),
        holder: desk_above(case, terms),
        met_at,
        sign,
    }))
}

fn pass(case: &Case, by: &PersonId, met_at: DateTime<Utc>) -> Decision {
    match &case.state {
        State::Checking { passed: None, .. } => {
            not_own_work(case, by)?;
            Ok(Some(Happened::Checked { by: by.clone(), met_at }))
        }
        State::Checking { passed: Some(passed), .. } | State::Closed { passed, .. } if passed.by == *by => {
            Ok(None)
        }
        state => Err(Refusal::not_now("check", "核查", state)),
    }
}

fn fail(case: &Case, by: &PersonId, met_at: DateTime<Utc>) -> Decision {
    match &case.state {
        State::Checking { .. } => {
            not_own_work(case, by)?;
            Ok(Some(Happened::Reworked { by: by.clone(), met_at }))
        }
        state => Err(Refusal::not_now("check", "核查", state)),
    }
}

fn close(case: &Case, by: &PersonId) -> Decision {
    match &case.state {
        State::Checking { passed: Some(_), .. } => {
            not_own_work(case, by)?;
            Ok(Some(Happened::Closed { by: by.clone() }))
        }
        State::Checking { passed: None, .. } => Err(Refusal::NotChecked),
        State::Closed { closed, .. } if closed.by == *by => Ok(None),
        state => Err(Refusal::not_now("close", "结案", state)),
    }
}

/// 监督与指挥分开: who disposes never judges the own work.
fn not_own_work(case: &Case, by: &PersonId) -> Result<(), Refusal> {
    if case.handlers.contains(by) { Err(Refusal::OwnWork { person: by.clone() }) } else { Ok(()) }
}

/// A new holder gets a new limit to sign; handling keeps the deadline it has.
pub(super) fn sign_again(case: &Case, at: DateTime<Utc>, terms: Terms<'_>) -> Option<Deadline> {
    let policy = terms.policy.of(case.handling_limit());
    let limit = policy.sign_limit.filter(|_| !case.recorded)?;
    let round = case.deadline(DeadlineKind::Sign).map_or(1, |deadline| deadline.round + 1);
    Some(policy.deadline(terms.calendar, DeadlineKind::Sign, round, at, limit))
}

/// The desk of the street the case lies in.
fn desk_above(case: &Case, terms: Terms<'_>) -> Holder {
    let street = terms.areas.at_level(&case.area, crate::area::Level::Street);
    let area = street.map_or_else(|| case.area.clone(), |area| area.path.clone());
    Holder { post: Post::StreetDesk, area }
}
