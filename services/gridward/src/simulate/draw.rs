//! Chance: what happens next, drawn from the seed. Each seed first draws what there is in its life at all and how often
//! (a swarm): a fault that is always there hides others.

use chrono::{DateTime, TimeDelta, Utc};
use domain::case::{Action, Case, ReturnReason, State};
use domain::id::PersonId;
use domain::partner::{DeclineReason, Standing};
use domain::rights::Role;
use partner::Said;
use platform::stream::Source;

use super::dice::Dice;
use super::faults::{Fault, Kind};
use super::office::{CATEGORIES, DESK, ORGANISATIONS, SPOTS, member};
use super::parts::{Part, Who};
use super::script::{Acted, Event, PartnerAsk, Sent, Setup, Work};
use super::switches::Broken;
use super::world::World;

/// Monday 2026-03-02, 09:00 in Shanghai; a life begins in the two weeks after it.
const FIRST: &str = "2026-03-02T01:00:00Z";
const TWO_WEEKS: usize = 14 * 24 * 60 * 60;

/// The most points a step comes to before a fault that waits for it.
const FARTHEST: usize = 8;

/// What kind of event it is to be.
#[derive(Clone, Copy, Debug)]
enum Choice {
    Report,
    Act,
    Partner,
    Facts,
    Relay,
    Sweep,
    Anything,
    Pass,
    Thaw,
    Start,
    Die,
    Share,
    Again,
}

/// How often each is drawn where nothing else is said.
const USUALLY: [(usize, Choice); 13] = [
    (6, Choice::Report),
    (16, Choice::Act),
    (5, Choice::Partner),
    (34, Choice::Facts),
    (22, Choice::Relay),
    (5, Choice::Sweep),
    (2, Choice::Anything),
    (9, Choice::Pass),
    (5, Choice::Thaw),
    (8, Choice::Start),
    (1, Choice::Die),
    (2, Choice::Share),
    (2, Choice::Again),
];

/// What there is in one life, and how often.
struct Swarm {
    weights: Vec<(usize, Choice)>,
    kinds: Vec<Kind>,
    /// Of a hundred steps, so many have a fault.
    faulty: usize,
    /// Milliseconds that pass at once: from, to.
    passes: Vec<(i64, i64)>,
    categories: Vec<&'static str>,
    spots: Vec<usize>,
    reports: usize,
    left: usize,
}

/// Draws one life.
pub struct Chance {
    dice: Dice,
    swarm: Swarm,
    /// Category and spot of each report so far, and how often it was sent.
    reports: Vec<(&'static str, usize, u32)>,
}

impl Chance {
    /// What a life of this seed is like.
    pub fn new(seed: u64, broken: Broken) -> (Setup, Self) {
        let mut dice = Dice::new(seed);
        let first: DateTime<Utc> = FIRST.parse().unwrap_or_default();
        let after = i64::try_from(dice.below(TWO_WEEKS)).unwrap_or(0);
        let setup = Setup {
            start: first + TimeDelta::seconds(after),
            partitions: i32::try_from(dice.between(1, 3)).unwrap_or(1),
            most: [1, 2, 3, 500][dice.below(4)],
            broken,
        };
        let swarm = Swarm::draw(&mut dice);
        (setup, Self { dice, swarm, reports: Vec::new() })
    }

    /// The next event; nothing when this part of the life is over.
    pub fn next(&mut self, world: &World) -> Option<Event> {
        self.swarm.left = self.swarm.left.checked_sub(1)?;
        let choice = self.dice.weighted(&self.swarm.weights)?;
        let event = match choice {
            Choice::Report => self.report(),
            Choice::Act => self.act(world),
            Choice::Partner => self.partner(world),
            Choice::Facts => self.work_of(Work::Facts, |who| !who.relay && world.is_behind(who)),
            Choice::Relay => self.work_of(Work::Relay, |who| who.relay && world.is_unsent(who.part)),
            Choice::Sweep => self.work_of(Work::Sweep, |who| !who.relay && who.part.sweeps()),
            Choice::Pass => self.pass(),
            Choice::Thaw => self.one_of(|who| world.is_frozen(who)).map(|who| {
                let fault = self.fault();
                Event::Thaw { who, fault }
            }),
            Choice::Start => self.one_of(|who| world.is_dead(who)).map(Event::Start),
            Choice::Die => self.one_of(|who| !world.is_dead(who)).map(Event::Die),
            Choice::Share => Some(self.share(world)),
            Choice::Again => self.again(world),
            Choice::Anything => None,
        };
        Some(event.unwrap_or_else(|| self.anything()))
    }

    fn one_of(&mut self, fits: impl Fn(Who) -> bool) -> Option<Who> {
        let all: Vec<Who> = Who::all().filter(|who| fits(*who)).collect();
        self.dice.pick(&all).copied()
    }

    fn fault(&mut self) -> Option<Fault> {
        if !self.dice.percent(self.swarm.faulty) {
            return None;
        }
        let kind = *self.dice.pick(&self.swarm.kinds)?;
        // Most steps come to a few points.
        let farthest = if self.dice.one_in(4) { FARTHEST } else { 4 };
        let nth = u32::try_from(self.dice.between(1, farthest)).unwrap_or(1);
        Some(Fault { nth, kind })
    }

    fn work_of(&mut self, work: Work, fits: impl Fn(Who) -> bool) -> Option<Event> {
        let who = self.one_of(fits)?;
        Some(Event::Work { who, work, fault: self.fault() })
    }

    fn anything(&mut self) -> Event {
        let who = self.one_of(|_| true).unwrap_or(Who::turns(Part::Route, 0));
        let work = match who.relay {
            true => Work::Relay,
            false if who.part.sweeps() && self.dice.one_in(3) => Work::Sweep,
            false => Work::Facts,
        };
        Event::Work { who, work, fault: self.fault() }
    }

    fn pass(&mut self) -> Option<Event> {
        let (from, to) = *self.dice.pick(&self.swarm.passes)?;
        let more = usize::try_from(to - from).unwrap_or(0);
        let more = i64::try_from(self.dice.below(more)).unwrap_or(0);
        Some(Event::Pass(from + more))
    }

    /// A new report, or one that its device sends again; some are tapped twice.
    fn report(&mut self) -> Option<Event> {
        if self.reports.len() < self.swarm.reports && (self.reports.is_empty() || !self.dice.one_in(3)) {
            let category = *self.dice.pick(&self.swarm.categories)?;
            let spot = *self.dice.pick(&self.swarm.spots)?;
            self.reports.push((category, spot, 0));
        }
        let number = match self.dice.one_in(2) {
            true => self.reports.len().checked_sub(1)?,
            false => self.dice.below(self.reports.len()),
        };
        let taps = if self.dice.one_in(5) { 2 } else { 1 };
        let mut sent = Vec::new();
        for _ in 0..taps {
            let (category, spot, times) = self.reports.get_mut(number)?;
            let report = u32::try_from(number).unwrap_or(0);
            let draw = self.dice.roll();
            sent.push(Sent { report, times: *times, category, spot: *spot, draw });
            *times += 1;
        }
        Some(Event::Report { to: self.dice.below(2), sent, fault: self.fault() })
    }

    fn act(&mut self, world: &World) -> Option<Event> {
        let acted = self.one_act(world)?;
        let mut acts = vec![acted];
        if self.dice.one_in(6) {
            acts.push(acts[0].clone());
        } else if self.dice.one_in(6) {
            acts.extend(self.one_act(world));
        }
        Some(Event::Act { to: self.dice.below(2), acts, fault: self.fault() })
    }

    fn one_act(&mut self, world: &World) -> Option<Acted> {
        let cases = world.model.cases();
        let case = *self.dice.pick(&cases)?;
        let report = world.model.report_of(case.incident)?;
        let (action, person) = match self.dice.one_in(8) {
            true => (*self.dice.pick(&Action::ALL)?, self.anybody(world)?),
            false => self.sensible(world, case)?,
        };
        let seen = self.dice.one_in(4).then_some(case.revision);
        Some(Acted { report, person, action, seen })
    }

    /// What somebody does who has read the case, and may.
    fn sensible(&mut self, world: &World, case: &Case) -> Option<(Action, PersonId)> {
        let back = Action::Return(ReturnReason::WrongArea);
        let likely: &[(usize, Action)] = match &case.state {
            State::Dispatched | State::Offered { .. } => &[(5, Action::Sign), (2, back)],
            State::Handling { .. } => &[(5, Action::Answer), (2, Action::Stage), (2, back)],
            State::Checking { passed: None, .. } => &[(4, Action::Pass), (2, Action::Fail)],
            State::Checking { passed: Some(_), .. } => &[(4, Action::Close), (1, Action::Fail)],
            State::Closed { .. } => &[(1, Action::Close), (1, Action::Sign)],
        };
        let action = self.dice.weighted(likely)?;
        let people = match action {
            Action::Pass | Action::Fail | Action::Close => checkers(world, case),
            _ => holders(world, case),
        };
        let person = self.dice.pick(&people).cloned();
        Some((action, person.or_else(|| self.anybody(world))?))
    }

    fn anybody(&mut self, world: &World) -> Option<PersonId> {
        let all: Vec<PersonId> = world.office.pack.people.iter().map(|person| person.id.clone()).collect();
        self.dice.pick(&all).cloned()
    }

    fn partner(&mut self, world: &World) -> Option<Event> {
        let (to, fault) = (self.dice.below(2), self.fault());
        let (organisation, _) = *self.dice.pick(&ORGANISATIONS)?;
        if self.dice.one_in(8) {
            let standing = if self.dice.one_in(2) { Standing::Active } else { Standing::Suspended };
            return Some(Event::Partner { to, ask: PartnerAsk::Standing { organisation, standing }, fault });
        }
        let cases = world.model.cases();
        let offered: Vec<&Case> =
            cases.iter().copied().filter(|case| case.category.0 == "clean-up").collect();
        let case = *self.dice.pick(&offered)?;
        let report = world.model.report_of(case.incident)?;
        let ask = if matches!(case.state, State::Offered { .. }) || self.dice.one_in(4) {
            let says = match self.dice.one_in(3) {
                true => Said::Decline(DeclineReason::NotNow),
                false => Said::Accept,
            };
            PartnerAsk::Answer { report, organisation, says }
        } else {
            let people = holders(world, case);
            let person = self.dice.pick(&people).cloned().unwrap_or_else(|| DESK.into());
            let organisations = if self.dice.one_in(2) { vec![organisation] } else { Vec::new() };
            PartnerAsk::Order { report, person, organisations }
        };
        Some(Event::Partner { to, ask, fault })
    }

    /// Each partition is somebody's; one may be thought of as their own by both, or by nobody for a while.
    fn share(&mut self, world: &World) -> Event {
        let part = Part::ALL[self.dice.between(1, Part::ALL.len() - 1)];
        let mut shares = [Vec::new(), Vec::new()];
        for partition in 0..world.broker.partitions() {
            match self.dice.below(8) {
                0 => {}
                1 | 2 => shares.iter_mut().for_each(|share| share.push(partition)),
                n => shares[n % 2].push(partition),
            }
        }
        Event::Share { part, shares }
    }

    fn again(&mut self, world: &World) -> Option<Event> {
        let part = *self.dice.pick(&Part::ALL)?;
        let partitions = usize::try_from(world.broker.partitions()).unwrap_or(1);
        let partition = i32::try_from(self.dice.below(partitions)).unwrap_or(0);
        let source = Source { topic: part.writes(), partition };
        let there = usize::try_from(world.broker.last(source)).unwrap_or(0);
        (there > 0).then(|| Event::Again { source, position: self.dice.below(there) })
    }
}

impl Swarm {
    fn draw(dice: &mut Dice) -> Self {
        let weights = USUALLY.map(|(weight, choice)| {
            let often = match choice {
                // Without these nothing would ever happen.
                Choice::Facts | Choice::Relay | Choice::Start | Choice::Report => dice.between(1, 2),
                _ => [0, 1, 1, 3][dice.below(4)],
            };
            (weight * often, choice)
        });
        let mut kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|_| dice.one_in(2)).collect();
        let faulty = if dice.one_in(6) { 0 } else { dice.between(2, 30) };
        if kinds.is_empty() {
            kinds.push(Kind::Crash);
        }
        let minute = 60_000;
        let scales =
            [(1, 2_000), (2_000, 2 * minute), (minute, 30 * minute), (30 * minute, 20 * 60 * minute)];
        let mut passes: Vec<(i64, i64)> = scales.into_iter().filter(|_| dice.one_in(2)).collect();
        if passes.is_empty() {
            passes.push(scales[2]);
        }
        let mut categories: Vec<&str> = CATEGORIES.into_iter().filter(|_| dice.one_in(2)).collect();
        if categories.is_empty() {
            categories.push("gas");
        }
        let mut spots: Vec<usize> = (0..SPOTS.len()).filter(|_| dice.one_in(3)).collect();
        if spots.is_empty() {
            spots.push(0);
        }
        Self {
            weights: weights.to_vec(),
            kinds,
            faulty,
            passes,
            categories,
            spots,
            reports: dice.between(1, 4),
            left: dice.between(40, 140),
        }
    }
}

/// Who works on what this case's holder holds.
fn holders(world: &World, case: &Case) -> Vec<PersonId> {
    match case.holder.partner() {
        Some(organisation) => vec![member(&organisation.0)],
        None => world.office.pack.people.working_for(&case.holder).map(|person| person.id.clone()).collect(),
    }
}

/// Who judges what is done there.
fn checkers(world: &World, case: &Case) -> Vec<PersonId> {
    let people = &world.office.pack.people;
    let checkers = people.with_role_over(Role::Checker, &case.area);
    checkers
        .chain(people.with_role_over(Role::StreetDesk, &case.area))
        .map(|person| person.id.clone())
        .collect()
}
