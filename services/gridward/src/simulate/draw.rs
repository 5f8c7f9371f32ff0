//! Chance: what happens next, drawn from the seed, out of what there is in this life ([`Swarm`]).

use chrono::{DateTime, TimeDelta, Utc};
use domain::area::Level;
use domain::case::{Action, Case, FINAL_RETURN, ReturnReason, State};
use domain::holder::{Holder, Post};
use domain::id::PersonId;
use domain::partner::{DeclineReason, Standing};
use domain::rights::{Grant, Role};
use partner::Said;
use platform::pack::Person;
use platform::stream::Source;

use super::dice::Dice;
use super::faults::Fault;
use super::mishaps::Mishap;
use super::office::{DESK, OFFERED, ORGANISATIONS, member};
use super::parts::{Part, Who};
use super::script::{Acted, Event, PartnerAsk, Sent, Setup, Work};
use super::swarm::{Choice, Swarm};
use super::switches::Broken;
use super::world::World;

/// Monday 2026-03-02, 09:00 in Shanghai; a life begins in the two weeks after it.
const FIRST: &str = "2026-03-02T01:00:00Z";
const TWO_WEEKS: usize = 14 * 24 * 60 * 60;

/// The most points a step comes to before a fault that waits for it.
const FARTHEST: usize = 8;

/// A sweep that finds something comes to so many points. There are few of them, and so they are struck oftener than other
/// steps: of a hundred, so many times as many, but not more than most.
const SWEEP: (usize, usize, usize) = (4, 4, 60);

/// By so many milliseconds a clock may be set wrong: ten seconds, ten minutes, an hour, six hours.
const SETTINGS: [i64; 4] = [10_000, 600_000, 3_600_000, 6 * 3_600_000];

/// Draws one life.
pub struct Chance {
    dice: Dice,
    swarm: Swarm,
    /// Category and spot of each report so far, and how often it was sent.
    reports: Vec<(&'static str, usize, u32)>,
    /// An organisation was suspended: what it has is taken back.
    suspended: bool,
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
        (setup, Self { dice, swarm, reports: Vec::new(), suspended: false })
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
            Choice::Sweep => self.sweep(world),
            Choice::Pass => self.pass(),
            Choice::Thaw => self.one_of(|who| world.is_frozen(who)).map(|who| {
                let fault = self.fault();
                Event::Thaw { who, fault }
            }),
            Choice::Start => self.one_of(|who| world.is_dead(who)).map(Event::Start),
            Choice::Die => self.one_of(|who| !world.is_dead(who)).map(Event::Die),
            Choice::Share => Some(self.share(world)),
            Choice::Again => self.again(world),
            Choice::Mishap => self.mishap(world),
            Choice::Mend => self.mend(world),
            Choice::Anything => None,
        };
        Some(event.unwrap_or_else(|| self.anything()))
    }

    fn one_of(&mut self, fits: impl Fn(Who) -> bool) -> Option<Who> {
        let all: Vec<Who> = Who::all().filter(|who| fits(*who)).collect();
        self.dice.pick(&all).copied()
    }

    fn fault(&mut self) -> Option<Fault> {
        // Most steps come to a few points.
        let farthest = if self.dice.one_in(4) { FARTHEST } else { 4 };
        self.fault_within(farthest, self.swarm.faulty)
    }

    /// At one of so many points, in so many steps of a hundred.
    fn fault_within(&mut self, points: usize, percent: usize) -> Option<Fault> {
        if !self.dice.percent(percent) {
            return None;
        }
        let kind = *self.dice.pick(&self.swarm.kinds)?;
        let nth = u32::try_from(self.dice.between(1, points)).unwrap_or(1);
        Some(Fault { nth, kind })
    }

    fn work_of(&mut self, work: Work, fits: impl Fn(Who) -> bool) -> Option<Event> {
        let who = self.one_of(fits)?;
        Some(Event::Work { who, work, fault: self.fault() })
    }

    /// Where there may be something to find; nobody else finds anything.
    fn sweep(&mut self, world: &World) -> Option<Event> {
        let (is_due, suspended) = (world.is_due(), self.suspended);
        let finds = |part| match part {
            Part::Supervise => is_due,
            Part::Partner => suspended,
            Part::Discover | Part::Route | Part::Handle => false,
        };
        let who = self.one_of(|who| !who.relay && finds(who.part))?;
        let (points, oftener, most) = SWEEP;
        let fault = self.fault_within(points, (self.swarm.faulty * oftener).min(most));
        Some(Event::Work { who, work: Work::Sweep, fault })
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
            let other = self.swarm.mishaps.contains(&Mishap::OtherBody) && self.dice.one_in(3);
            sent.push(Sent { report, body: u8::from(other), times: *times, category, spot: *spot, draw });
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
        // 三次退回由街道指定: the desk decides by appointing somebody, who may try to give it back.
        let street_decides = case.returns >= FINAL_RETURN && case.holder.post == Post::StreetDesk;
        let (action, person) = match self.dice.below(8) {
            0 => (self.dice.pick(&Action::ALL)?.clone(), self.anybody(world)?),
            1 if case.level > Level::Grid => self.transfer(world, case)?,
            2..6 if street_decides => self.transfer(world, case)?,
            _ => self.sensible(world, case)?,
        };
        let seen = self.dice.one_in(4).then_some(case.revision);
        Some(Acted { report, person, action, seen })
    }

    /// What somebody does who has read the case, and may.
    fn sensible(&mut self, world: &World, case: &Case) -> Option<(Action, PersonId)> {
        let back = (self.swarm.gives_back, Action::Return(ReturnReason::WrongArea));
        let likely: &[(usize, Action)] = match &case.state {
            State::Dispatched | State::Offered { .. } => &[(5, Action::Sign), back],
            State::Handling { .. } => &[(5, Action::Answer), (2, Action::Stage), back],
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

    /// Somebody who is answerable for a case, or stands above it and is not yet, gives it to a post of their area; now
    /// and then to one of another.
    fn transfer(&mut self, world: &World, case: &Case) -> Option<(Action, PersonId)> {
        let posts = |person: &Person| {
            let of = |grant: &Grant| Some(Holder { post: grant.role.post()?, area: grant.area.clone() });
            person.grants.iter().filter_map(of).collect::<Vec<_>>()
        };
        let people = world.office.pack.people.iter();
        let all: Vec<(PersonId, Holder)> = people
            .flat_map(|person| posts(person).into_iter().map(|post| (person.id.clone(), post)))
            .collect();
        let above = all.iter().filter(|(_, post)| post.area.contains(&case.area));
        let above: Vec<&(PersonId, Holder)> = above.collect();
        let (by, from) = *self.dice.pick(&above)?;
        let elsewhere = self.dice.one_in(8);
        let fits = |(_, post): &&(PersonId, Holder)| elsewhere || from.area.contains(&post.area);
        let to: Vec<&(PersonId, Holder)> = all.iter().filter(fits).collect();
        let (_, to) = *self.dice.pick(&to)?;
        Some((Action::Transfer(to.clone()), by.clone()))
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
            self.suspended |= standing == Standing::Suspended;
            return Some(Event::Partner { to, ask: PartnerAsk::Standing { organisation, standing }, fault });
        }
        let cases = world.model.cases();
        let of_theirs: Vec<&Case> = cases.iter().copied().filter(|case| case.category.0 == OFFERED).collect();
        let is_offered = |case: &&Case| matches!(case.state, State::Offered { .. });
        let on_offer: Vec<&Case> = of_theirs.iter().copied().filter(is_offered).collect();
        let among = if self.dice.one_in(4) { &of_theirs } else { &on_offer };
        let case = *self.dice.pick(among)?;
        let report = world.model.report_of(case.incident)?;
        let ask = if matches!(case.state, State::Offered { .. }) || self.dice.one_in(4) {
            let says = match self.dice.one_in(5) {
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

    /// Something goes wrong that does in this life.
    fn mishap(&mut self, world: &World) -> Option<Event> {
        match *self.dice.pick(&self.swarm.mishaps)? {
            Mishap::TailLost => self.lose(world),
            Mishap::TopicAnew => self.dice.pick(&Part::ALL).map(|part| Event::Anew(part.writes())),
            Mishap::CaughtUp => Some(self.restore(world, Part::Handle)),
            Mishap::NotStarted => Some(self.restore(world, self.swarm.restored)),
            Mishap::DayAway => Some(Event::Away(24)),
            Mishap::ClockAhead => self.set_clock(world, 1),
            Mishap::ClockBack => self.set_clock(world, -1),
            Mishap::Poison => {
                let part = Part::ALL[self.dice.between(1, Part::ALL.len() - 1)];
                let report = u32::try_from(self.dice.below(self.reports.len())).unwrap_or(0);
                Some(Event::Puzzle { part, report })
            }
            Mishap::OtherBody => self.report(),
        }
    }

    /// The end of a partition, a few records of it.
    fn lose(&mut self, world: &World) -> Option<Event> {
        let Event::Again { source, .. } = self.again(world)? else { return None };
        let there = usize::try_from(world.broker.last(source)).unwrap_or(0);
        let records = self.dice.between(1, there.min(6));
        Some(Event::Lose { source, records })
    }

    /// What was copied before is put back now and then.
    fn restore(&mut self, world: &World, part: Part) -> Event {
        if world.has_copy_of(part) && self.dice.one_in(2) {
            Event::Restore(part)
        } else {
            Event::BackUp(part)
        }
    }

    fn set_clock(&mut self, world: &World, sign: i64) -> Option<Event> {
        if !world.is_clock_right() {
            return None;
        }
        self.dice.pick(&SETTINGS).map(|by| Event::SetClock(sign * by))
    }

    /// Somebody sees what is wrong, and does what is to be done.
    fn mend(&mut self, world: &World) -> Option<Event> {
        if world.is_damaged() {
            return Some(Event::Mend);
        }
        if !world.is_clock_right() {
            return Some(Event::SetClock(0));
        }
        if world.is_puzzled() {
            return Some(Event::Solve);
        }
        self.work_of(Work::LookUp, |who| world.has_to_retry(who))
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
