//! `docs/states.md`: a case is brought to each of its states and given every input.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use domain::case::{
    Action, Case, Effect, Happened, Input, Outcome, Refusal, ReturnReason, State, Terms, receive,
};
use domain::deadline::{Deadline, DeadlineKind, Step};
use domain::facts::{IncidentRouted, OfferProposed, Route, StepDue};
use domain::id::{IncidentId, PersonId};
use domain::partner::{DeclineReason, ReleaseReason};
use domain::place::{Datum, Place};
use domain::report::{Promise, Report};
use domain::rights::{self, Role, may};
use domain::text::Text;
use platform::pack::Pack;

use super::rights::{Reach, reach};
use crate::partners::{OFFERED, STAGED, member, with_partners};
use crate::world::monday_morning;

/// Where a case stands in the drawing; a case whose check was passed stands apart.
struct Standing {
    name: &'static str,
    zh: &'static str,
    case: Option<Case>,
}

/// What becomes of one input, in short.
enum Cell {
    To { to: &'static str, facts: Vec<&'static str> },
    Already,
    Refused(Refusal),
    DeadLetter(String),
}

/// The case's life, drawn by living it.
pub(super) struct Drawing {
    pack: Pack,
    incident: IncidentId,
    arrows: BTreeMap<(&'static str, &'static str), Vec<String>>,
    refusals: BTreeMap<&'static str, Text>,
    facts: Vec<&'static str>,
}

const NOTHING: &str = "[*]";
pub(super) const HOLDER: &str = "leader-111";
pub(super) const CHECKER: &str = "checker-1";
const DESK: &str = "desk-1a";
const ANSWERABLE: &str = "community-11";
const COMMUNITY: &str = "990001/990001001/990001001001";
/// An organisation, and one of its people.
const PARTNER: &str = "lark";
const MEMBER: &str = "lark-1";

impl Drawing {
    pub(super) fn new() -> Self {
        Self {
            pack: with_partners(),
            incident: IncidentId::new(monday_morning(), [0; 10]),
            arrows: BTreeMap::new(),
            refusals: BTreeMap::new(),
            facts: Vec::new(),
        }
    }

    pub(super) fn page(mut self) -> String {
        let people = self.people();
        let services = self.services();
        let offers = self.offers();
        let special = self.special();
        let refusals: String = self
            .refusals
            .iter()
            .map(|(name, text)| format!("| ✗ {name} | {} | {} |\n", text.zh, text.en))
            .collect();
        for name in State::NAMES {
            assert!(people.contains(name), "no case was brought to {name}");
        }
        for kind in Happened::FACT_TYPES {
            assert!(self.facts.contains(&kind), "nothing in the drawing brought about {kind}");
        }
        format!(
            "# The states of a case 案件状态\n\n\
             Drawn by `domain::case::receive`, asked about every state and every input. A case is first \
             advanced to the time of an input: each step due by then takes effect, then the input is \
             decided. What changes nothing leaves no fact.\n\n\
             ```mermaid\nstateDiagram-v2\n{}```\n\n\
             `PASSED` is `CHECKING` with its check passed, `PARTNER` is `HANDLING` by a partner organisation. After a \
             slash: whose arrow it is.\n\n\
             ## What people do\n\n\
             The holder (承办者) is somebody at the post that holds the case and handles it, or of the organisation; \
             somebody else (他人) is a checker who never touched it before.\n\n\
             | state 状态 | action 动作 | who may 谁可以 | the holder 承办者 | somebody else 他人 |\n\
             |---|---|---|---|---|\n{people}\n\
             What they are told:\n\n|  | zh | en |\n|---|---|---|\n{refusals}\n\
             ## What services propose\n\n\
             route answers a return with the next attempt; supervise says that the time of a step has come; partner \
             says who is asked, and what organisations answer. handle decides all of it on its own row.\n\n\
             | state 状态 | `incident.routed` next attempt | `step.due` next step | `step.due` done or moved |\n\
             |---|---|---|---|\n{services}\n\
             | state 状态 | `offer.placed` | `offer.accepted` | `offer.declined` | `offer.withdrawn` |\n\
             |---|---|---|---|---|\n{offers}\n\
             ## One after the other\n\n\
             | what | facts |\n|---|---|\n{special}",
            self.diagram()
        )
    }

    fn diagram(&self) -> String {
        let mut lines = String::new();
        for Standing { name, zh, case } in self.standings() {
            if case.is_some() {
                writeln!(lines, "    state \"{name} {zh}\" as {name}").unwrap();
            }
        }
        for ((from, to), labels) in &self.arrows {
            for label in labels {
                writeln!(lines, "    {from} --> {to} : {label}").unwrap();
            }
        }
        writeln!(lines, "    CLOSED --> [*]").unwrap();
        lines
    }

    /// A row for each state and action.
    fn people(&mut self) -> String {
        let mut rows = String::new();
        for Standing { name, zh, case } in self.standings() {
            let Some(case) = case else { continue };
            for action in Action::ALL {
                let holder = if name == "PARTNER" { MEMBER } else { HOLDER };
                let by_holder = self.person(&case, &action, holder);
                let by_other = self.person(&case, &action, CHECKER);
                let owner = if holds(&action) { "holder" } else { "somebody else" };
                let label = format!("{} {} / {owner}", action.zh(), action.name());
                self.arrow(name, &by_holder, &label);
                self.arrow(name, &by_other, &label);
                let (by_holder, by_other) = (self.shown(by_holder), self.shown(by_other));
                let who = who_may(&action);
                let did = format!("{} {}", action.zh(), action.name());
                writeln!(rows, "| {name} {zh} | {did} | {who} | {by_holder} | {by_other} |").unwrap();
            }
        }
        rows
    }

    /// A row for each state: what comes of what services propose.
    fn services(&mut self) -> String {
        let mut rows = String::new();
        let mut standings = self.standings();
        let returned = standings[1]
            .case
            .as_ref()
            .map(|case| self.after(case, &by(HOLDER, Action::Return(ReturnReason::WrongArea)), soon(case)));
        standings.insert(2, Standing { name: "DISPATCHED", zh: "待签收，已退回 returned", case: returned });
        for Standing { name, zh, case } in standings {
            let attempt = case.as_ref().map_or(1, |case| case.attempt + 1);
            let at = case.as_ref().map_or(monday_morning(), soon);
            let routed = self.ask(case.as_ref(), &self.routed(attempt, "grid_leader"), at);
            self.arrow(name, &routed, "incident.routed / route");
            let next = case.as_ref().map_or_else(|| Some(self.step_of_nothing()), next_step);
            let due = next.map(|step| self.ask(case.as_ref(), &Input::StepDue(step), at));
            if let Some(due) = &due {
                self.arrow(name, due, "step.due / supervise");
            }
            let moved = case.as_ref().and_then(next_step).map(|mut step| {
                step.due_at += TimeDelta::minutes(1);
                self.ask(case.as_ref(), &Input::StepDue(step), at)
            });
            let routed = self.shown(routed);
            let due = due.map_or_else(|| "no step waits 无待办时点".to_owned(), |cell| self.shown(cell));
            let moved = moved.map_or_else(String::new, |cell| self.shown(cell));
            let state = if case.is_some() { format!("{name} {zh}") } else { zh.to_owned() };
            writeln!(rows, "| {state} | {routed} | {due} | {moved} |").unwrap();
        }
        rows
    }

    /// A row for each state: what comes of what organisations are asked and answer.
    fn offers(&mut self) -> String {
        let mut rows = String::new();
        for Standing { name, zh, case } in self.standings() {
            let Some(case) = case else { continue };
            let cells = offers_to(&case).map(|proposal| {
                let label = format!("{} / partner", proposal.fact_type());
                let cell = self.ask(Some(&case), &Input::Partnered(proposal), soon(&case));
                self.arrow(name, &cell, &label);
                self.shown(cell)
            });
            writeln!(rows, "| {name} {zh} | {} |", cells.join(" | ")).unwrap();
        }
        rows
    }

    /// What is seen only when one thing follows another.
    fn special(&mut self) -> String {
        let standings = self.standings();
        let case = |n: usize| standings[n].case.clone().unwrap();
        let (dispatched, handling, checking) = (case(1), case(2), case(3));
        let due_at = handling.deadline(DeadlineKind::Handle).unwrap().due_at;
        let at_once = self.cell(self.outcome(Some(&handling), &by(HOLDER, Action::Answer), due_at));
        let late = due_at + TimeDelta::seconds(1);
        let too_late = self.cell(self.outcome(Some(&handling), &by(HOLDER, Action::Answer), late));
        let un_met = self.cell(self.outcome(Some(&checking), &by(CHECKER, Action::Fail), late));

        let by_desk = [Action::Sign, Action::Answer]
            .into_iter()
            .fold(self.first(&self.routed(1, "street_desk")), |case, action| {
                self.after(&case, &by(DESK, action), soon(&case))
            });
        let own_work = self.person(&by_desk, &Action::Pass, DESK);
        let give_back = by(HOLDER, Action::Return(ReturnReason::UnclearOwner));
        let mut returned = self.after(&dispatched, &give_back, soon(&dispatched));
        for attempt in 2..=3 {
            returned = self.after(&returned, &self.routed(attempt, "community"), soon(&returned));
            returned = self.after(&returned, &give_back, soon(&returned));
        }
        let offered = case(6);
        let silence = self.ask(Some(&offered), &Input::StepDue(next_step(&offered).unwrap()), soon(&offered));
        let building = self.first(&routed_of(&self.routed(1, "grid_leader"), STAGED));
        let building = self.after(&building, &by(HOLDER, Action::Sign), soon(&building));
        let staged = self.person(&building, &Action::Stage, HOLDER);
        let taken_over = by(ANSWERABLE, Action::Transfer(format!("community:{COMMUNITY}").parse().unwrap()));
        let taken_over = self.ask(Some(&handling), &taken_over, soon(&handling));
        self.arrow("HANDLING", &taken_over, "转派 transfer / answerable level");
        let fourth = self.cell(self.outcome(Some(&returned), &give_back, soon(&returned)));
        let routed_again = self.ask(Some(&returned), &self.routed(4, "community"), soon(&returned));
        [
            ("answered at the very instant its limit passes 时限届满的同一刻反馈: on time", at_once),
            ("answered one second later 晚一秒: escalated first", too_late),
            (
                "answered in time, the check fails after the limit 按时反馈，超期后核查不通过: the deadline is \
                 un-met, what fell due meanwhile takes effect",
                un_met,
            ),
            ("the desk that handled it checks it 经手的指挥室自行核查", own_work),
            ("nobody answers an offer in time 无人接单: it flows back to its holder", silence),
            ("a stage of the work is done, of a category that has stages 分段时限", staged),
            ("whoever is answerable by now takes it over or gives it to another post 督办后转派", taken_over),
            ("returned a fourth time 第四次退回", fourth),
            ("routed again after the third return 第三次退回后再派", routed_again),
        ]
        .into_iter()
        .map(|(what, cell)| format!("| {what} | {} |\n", self.shown(cell)))
        .collect()
    }

    /// One case in each state, as one life brings it there; none yet comes first.
    fn standings(&self) -> Vec<Standing> {
        let dispatched = self.first(&self.routed(1, "grid_leader"));
        let next = |case: &Case, person, action| self.after(case, &by(person, action), soon(case));
        let handling = next(&dispatched, HOLDER, Action::Sign);
        let checking = next(&handling, HOLDER, Action::Answer);
        let passed = next(&checking, CHECKER, Action::Pass);
        let closed = next(&passed, CHECKER, Action::Close);
        let [placed, accepted, ..] = offers_to(&dispatched);
        let offered = self.after(&dispatched, &Input::Partnered(placed), soon(&dispatched));
        let at_partner = self.after(&offered, &Input::Partnered(accepted), soon(&offered));
        let standing =
            |case: Case| Standing { name: case.state.name(), zh: case.state.zh(), case: Some(case) };
        vec![
            Standing { name: NOTHING, zh: "no case yet 尚无案件", case: None },
            standing(dispatched),
            standing(handling),
            standing(checking),
            Standing { name: "PASSED", zh: "待结案", case: Some(passed) },
            standing(closed),
            standing(offered),
            Standing { name: "PARTNER", zh: "处置中，由社会组织", case: Some(at_partner) },
        ]
    }

    fn outcome(&self, case: Option<&Case>, input: &Input, at: DateTime<Utc>) -> Result<Outcome, String> {
        let Pack { policy, calendar, categories, areas, .. } = &self.pack;
        let terms = Terms { policy, calendar, categories, areas };
        receive(self.incident, case, input, at, terms).map_err(|why| why.to_string())
    }

    fn first(&self, input: &Input) -> Case {
        last(self.outcome(None, input, monday_morning()))
    }

    fn after(&self, case: &Case, input: &Input, at: DateTime<Utc>) -> Case {
        last(self.outcome(Some(case), input, at))
    }

    fn ask(&mut self, case: Option<&Case>, input: &Input, at: DateTime<Utc>) -> Cell {
        let outcome = self.outcome(case, input, at);
        self.cell(outcome)
    }

    /// What a person of the pack comes to with an action, rights and all.
    fn person(&mut self, case: &Case, action: &Action, person: &str) -> Cell {
        let cell = self.ask(Some(case), &by(person, action.clone()), soon(case));
        let grants = match person {
            MEMBER => member(PARTNER),
            _ => self.pack.people.get(&PersonId::from(person)).unwrap().grants.clone(),
        };
        let allowed = may(&grants, right(action), &case.area, &case.holder);
        if allowed || matches!(cell, Cell::Already) {
            return cell;
        }
        Cell::Refused(Refusal::NotYours { action: action.en(), action_zh: action.zh() })
    }

    fn cell(&mut self, outcome: Result<Outcome, String>) -> Cell {
        match outcome {
            Ok(Outcome::Changed(effects)) => {
                let facts: Vec<&str> = effects.iter().map(|effect| effect.happened.fact_type()).collect();
                self.facts.extend(&facts);
                Cell::To { to: name_of(&last(Ok(Outcome::Changed(effects)))), facts }
            }
            Ok(Outcome::Unchanged) => Cell::Already,
            Ok(Outcome::Refused(refusal)) => Cell::Refused(refusal),
            Err(why) => Cell::DeadLetter(why.replace(&self.incident.to_string(), "…")),
        }
    }

    fn arrow(&mut self, from: &'static str, cell: &Cell, label: &str) {
        if let Cell::To { to, .. } = cell {
            let labels = self.arrows.entry((from, to)).or_default();
            if !labels.iter().any(|known| known == label) {
                labels.push(label.to_owned());
            }
        }
    }

    fn shown(&mut self, cell: Cell) -> String {
        match cell {
            Cell::To { to, facts } => {
                let facts: Vec<String> = facts.iter().map(|kind| format!("`{kind}`")).collect();
                format!("→ {to} {}", facts.join(", "))
            }
            Cell::Already => "unchanged 不变".to_owned(),
            Cell::Refused(refusal) => {
                let name = refusal_name(&refusal);
                self.refusals.entry(name).or_insert_with(|| refusal.text());
                format!("✗ {name}")
            }
            Cell::DeadLetter(why) => format!("dead letter 死信: {why}"),
        }
    }

    fn routed(&self, attempt: u32, post: &str) -> Input {
        let community = self.pack.areas.by_code("990001001001").unwrap();
        let area = community.path.child("990001001001001").unwrap();
        let held_at = match post {
            "grid_leader" => &area,
            "community" => &community.path,
            _ => &community.path.parent().unwrap(),
        };
        let place = Place {
            lon: 121.805,
            lat: 29.905,
            datum: Datum::Wgs84,
            accuracy_m: None,
            source: None,
            captured_at: None,
            area: None,
        };
        let report = Report {
            reporter: "worker-111".into(),
            category: OFFERED.into(),
            place,
            registered_area: None,
            promise: Promise::Category,
            words: None,
        };
        Input::Routed(IncidentRouted {
            attempt,
            route: Route {
                lon: 121.805,
                lat: 29.905,
                holder: format!("{post}:{held_at}").parse().unwrap(),
                area,
                grid: None,
                boundaries: String::new(),
                rule: "grid".to_owned(),
                candidates: Vec::new(),
                why: Text::new("", ""),
                flags: Vec::new(),
            },
            report: (attempt == 1).then_some(report),
        })
    }

    fn step_of_nothing(&self) -> StepDue {
        next_step(&self.first(&self.routed(1, "grid_leader"))).unwrap()
    }
}

fn by(person: &str, action: Action) -> Input {
    Input::Act { action, by: person.into() }
}

/// The same report of another category.
fn routed_of(routed: &Input, category: &str) -> Input {
    let Input::Routed(mut routed) = routed.clone() else { panic!("{routed:?}") };
    routed.report.as_mut().unwrap().category = category.into();
    Input::Routed(routed)
}

/// What partner can propose of a case: placed, accepted, declined, withdrawn.
fn offers_to(case: &Case) -> [OfferProposed; 4] {
    let round = case.deadline(DeadlineKind::Offer).map_or(1, |offer| offer.round);
    let (partner, by) = (PARTNER.into(), MEMBER.into());
    let declined = OfferProposed::Declined { partner, round, by, reason: DeclineReason::NoCapacity };
    let (partner, by) = (PARTNER.into(), MEMBER.into());
    [
        OfferProposed::Placed {
            partners: vec![PARTNER.into()],
            by: None,
            revision: case.revision,
            why: Text::new("", ""),
        },
        OfferProposed::Accepted { partner, round, by },
        declined,
        OfferProposed::Withdrawn { partner: PARTNER.into(), reason: ReleaseReason::Removed },
    ]
}

/// A minute after the case last changed: nothing falls due that soon.
fn soon(case: &Case) -> DateTime<Utc> {
    case.last_at + TimeDelta::minutes(1)
}

fn last(outcome: Result<Outcome, String>) -> Case {
    let Ok(Outcome::Changed(effects)) = outcome else { panic!("{outcome:?}") };
    effects.into_iter().map(|Effect { case, .. }| case).next_back().unwrap()
}

fn name_of(case: &Case) -> &'static str {
    match case.state {
        State::Checking { passed: Some(_), .. } => "PASSED",
        State::Handling { .. } if case.holder.partner().is_some() => "PARTNER",
        _ => case.state.name(),
    }
}

/// The step that falls due next, as supervise would propose it.
fn next_step(case: &Case) -> Option<StepDue> {
    let open = !matches!(case.state, State::Closed { .. });
    let unmet = case.deadlines.iter().filter(|deadline| open && deadline.met_at.is_none());
    let steps = |deadline: &Deadline| deadline.steps.clone().into_iter().enumerate();
    let waiting = unmet.flat_map(|deadline| steps(deadline).map(move |(n, step)| (deadline, n, step)));
    let (deadline, n, Step { does, due_at, .. }) =
        waiting.filter(|(_, _, step)| step.done_at.is_none()).min_by_key(|(_, _, step)| step.due_at)?;
    let step = u32::try_from(n).unwrap();
    Some(StepDue { deadline: deadline.kind, round: deadline.round, step, does, due_at })
}

fn right(action: &Action) -> rights::Action {
    match action {
        Action::Sign => rights::Action::Sign,
        Action::Stage => rights::Action::Stage,
        Action::Answer => rights::Action::Answer,
        Action::Return(_) => rights::Action::Return,
        Action::Transfer(_) => rights::Action::Transfer,
        Action::Pass | Action::Fail => rights::Action::Check,
        Action::Close => rights::Action::Close,
    }
}

/// Whether an action is for those who hold the case, and only for them.
fn holds(action: &Action) -> bool {
    Role::ALL.into_iter().all(|role| reach(role, right(action)) != Reach::Area)
}

fn who_may(action: &Action) -> String {
    let may = Role::ALL.into_iter().filter(|role| reach(*role, right(action)) != Reach::Nowhere);
    may.map(|role| format!("`{}`", role.as_str())).collect::<Vec<_>>().join(", ")
}

fn refusal_name(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NotNow { .. } | Refusal::BeingRouted { .. } => "not now 状态不符",
        Refusal::OwnWork { .. } => "own work 经手人回避",
        Refusal::Final => "final 已由街道指定",
        Refusal::NotChecked => "not checked 未核查",
        Refusal::NoStage => "no stage 无此阶段",
        Refusal::CannotHold { .. } => "cannot hold 不能转派给它",
        Refusal::InConfidence { .. } => "in confidence 敏感事项不下派",
        Refusal::Unknown => "unknown 无此案件",
        Refusal::NotYours { .. } => "not theirs 无权",
        Refusal::Changed { .. } => "changed 已更新",
    }
}
