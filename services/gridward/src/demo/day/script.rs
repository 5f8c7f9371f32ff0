//! Everything that happens in a day: what is reported, what is done about it, what is announced. The same day every time,
//! and another one each day. Pure.

use std::sync::Arc;

use anyhow::Context;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use discover::NewReport;
use domain::area::{AreaPath, Level};
use domain::case::Case;
use domain::deadline::{DeadlineKind, Does as StepDoes};
use domain::id::{IncidentId, PersonId};
use domain::text::Text;
use platform::pack::Pack;

use super::deeds::Deed;
use super::dice::Dice;
use super::file::{DayFile, Sentence};
use super::habits::habits;
use super::hours::{Hours, Shown};
use super::lives::{LIVES, Life, Since, expected, happened, has_happened};
use super::places::{Grid, Places};
use crate::demo::highlights::{Kind, Showing};

/// Something that happens, and when.
#[derive(Clone, Debug)]
pub struct Cue {
    pub at: DateTime<Utc>,
    pub does: Does,
}

#[derive(Clone, Debug)]
pub enum Does {
    Reports(Box<Reports>),
    Deed(IncidentId, Deed),
    /// Something is to be seen of this case, about now.
    Expects(Box<Expected>),
    Announces(Box<Showing>),
}

/// Somebody reports something.
#[derive(Clone, Debug)]
pub struct Reports {
    pub incident: IncidentId,
    pub by: PersonId,
    pub report: NewReport,
}

/// What is to be seen of a case.
#[derive(Clone, Debug)]
pub struct Expected {
    pub kind: Kind,
    pub incident: IncidentId,
    pub at: DateTime<Utc>,
    /// Where it is reported.
    pub grid: AreaPath,
    category: Text,
    area: Text,
}

impl Expected {
    pub fn before(&self) -> Showing {
        let text = expected(self.kind, &self.category, &self.area);
        Showing { kind: self.kind, at: self.at, incident: Some(self.incident), text }
    }

    /// It as it was seen, if by `now` it has happened to the case.
    pub fn seen(&self, case: &Case, now: DateTime<Utc>, pack: &Pack) -> Option<Showing> {
        let text = || happened(self.kind, &self.category, &self.area, case, pack);
        has_happened(self.kind, case).then(|| Showing {
            kind: self.kind,
            // By whatever it has just come about, that was its last change.
            at: case.last_at.min(now),
            incident: Some(self.incident),
            text: text(),
        })
    }
}

/// What the dice of a day are for.
#[derive(Clone, Copy)]
enum Of {
    Grids = 1,
    Hour,
    Storm,
    Life,
}

/// A day of a pack, again and again.
#[derive(Clone, Debug)]
pub struct Script {
    pack: Arc<Pack>,
    file: DayFile,
    hours: Hours,
    places: Places,
}

impl Script {
    /// The days of `pack`; `None` for a pack without a `day.json`.
    ///
    /// # Errors
    /// When the file or the pack's boundaries cannot be used for it.
    pub fn of(pack: &Arc<Pack>) -> anyhow::Result<Option<Self>> {
        let Some(file) = DayFile::of(pack)? else { return Ok(None) };
        let hours = Hours::of(&pack.calendar, file.first_day, file.from, file.until);
        let hours = hours.context("the first day has no hours / 首日没有时段")?;
        let places = Places::of(pack, file.first_day)?;
        Ok(Some(Self { pack: pack.clone(), file, hours, places }))
    }

    pub fn hours(&self) -> &Hours {
        &self.hours
    }

    /// How many times faster than life.
    pub fn speed(&self) -> f64 {
        self.file.speed
    }

    /// When the page opens, on the first day.
    pub fn opens(&self) -> DateTime<Utc> {
        self.on(self.hours.first(), self.file.opens)
    }

    /// The grid where the first case that is settled within its grid is reported after the page opens.
    pub fn first_grid(&self) -> Option<AreaPath> {
        let opens = self.opens();
        self.day(0)?.into_iter().find_map(|cue| match cue.does {
            Does::Expects(one) if cue.at >= opens && one.kind == Kind::Handled => Some(one.grid),
            _ => None,
        })
    }

    /// A report as somebody might send it from a terminal.
    pub fn example(&self) -> Reports {
        let mut dice = self.dice(0, Of::Life, u64::MAX);
        let (life, grid) = (&LIVES[2], &self.places.plain[0]);
        self.life_report(life, 0, grid, self.opens(), &mut dice)
    }

    /// Everything that begins on the day of that number, from 0, in the order of its times. None after the last.
    pub fn day(&self, number: usize) -> Option<Vec<Cue>> {
        let day = self.hours.day(number)?;
        let mut cues = Vec::new();
        self.reports_of(day, number, &mut cues);
        self.lives_of(day, number, &mut cues);
        self.announcements_of(day, number, &mut cues);
        cues.sort_by_key(|cue| cue.at);
        Some(cues)
    }

    /// Whether there is a storm on the day of that number.
    pub fn has_storm(&self, number: usize) -> bool {
        u32::try_from(number).is_ok_and(|number| number.is_multiple_of(self.file.typhoon.every_days))
    }

    fn on(&self, day: Shown, time: NaiveTime) -> DateTime<Utc> {
        self.pack.calendar.instant(day.date.and_time(time))
    }

    fn dice(&self, number: usize, of: Of, which: u64) -> Dice {
        Dice::new(self.file.seed, &[number as u64, of as u64, which])
    }

    fn reports_of(&self, day: Shown, number: usize, cues: &mut Vec<Cue>) {
        let mut walk = Walk::new(&self.places, self.dice(number, Of::Grids, 0));
        let mut hour = self.file.from;
        for (n, count) in self.file.reports.iter().enumerate() {
            let mut dice = self.dice(number, Of::Hour, n as u64);
            for which in 0..*count {
                let told =
                    Told { name: format!("{n:02}-{which}"), at: hour, sentences: &self.file.sentences };
                self.report(day, &told, walk.next_grid(), &mut dice, cues);
            }
            let storm = &self.file.typhoon;
            if storm.from == hour && self.has_storm(number) {
                let mut dice = self.dice(number, Of::Storm, 0);
                for which in 0..*count * (storm.times - 1) {
                    let told = Told { name: format!("storm-{which}"), at: hour, sentences: &storm.sentences };
                    self.report(day, &told, walk.next_grid(), &mut dice, cues);
                }
            }
            hour += TimeDelta::hours(1);
        }
    }

    /// One report within an hour, and what becomes of it.
    fn report(&self, day: Shown, told: &Told<'_>, grid: &Grid, dice: &mut Dice, cues: &mut Vec<Cue>) {
        let at = self.on(day, told.at) + TimeDelta::seconds(dice.between(0, 3_599));
        let said = |sentence: &Sentence| if sentence.is_said(told.at) { sentence.weight } else { 0 };
        let Some(sentence) = dice.weighed(told.sentences, said) else { return };
        let Some(category) = self.pack.categories.get(&sentence.category.as_str().into()) else { return };
        let incident = IncidentId::new(at, dice.bytes());
        let reports = Reports {
            incident,
            by: grid.worker.clone(),
            report: NewReport {
                client_id: format!("day-{}-{}", day.date, told.name),
                category: sentence.category.clone(),
                place: grid.somewhere(dice),
                registered_area: None,
                description: self.fill((&sentence.zh, &sentence.en), grid, dice),
            },
        };
        cues.push(Cue { at, does: Does::Reports(Box::new(reports)) });
        for (after, deed) in habits(dice, category) {
            cues.push(Cue { at: self.hours.after(at, after), does: Does::Deed(incident, deed) });
        }
    }

    fn lives_of(&self, day: Shown, number: usize, cues: &mut Vec<Cue>) {
        for (n, life) in LIVES.iter().enumerate() {
            let mut dice = self.dice(number, Of::Life, n as u64);
            let at = self.on(day, life.time());
            let local = day.date.and_time(life.time());
            let grids = if life.kind == Kind::Returned { &self.places.shared } else { &self.places.plain };
            let led: Vec<&Grid> = grids.iter().filter(|grid| grid.is_led(&self.pack, local)).collect();
            let Some(grid) = dice.pick(&led).copied() else { continue };
            // Each of a kind begins with other words than the one before it.
            let turn = LIVES[..n].iter().filter(|earlier| earlier.kind == life.kind).count() + number;
            let reports = self.life_report(life, turn, grid, at, &mut dice);
            let Some(since) = self.since(life, &reports.report.category, at) else { continue };
            let expected = self.expected(life, &reports, grid, since);
            let incident = reports.incident;
            cues.push(Cue { at, does: Does::Reports(Box::new(reports)) });
            cues.push(Cue { at, does: Does::Expects(Box::new(expected)) });
            for (after, deed) in life.deeds {
                let at = self.hours.after(since, TimeDelta::minutes(*after));
                cues.push(Cue { at, does: Does::Deed(incident, *deed) });
            }
        }
    }

    fn expected(&self, life: &Life, reports: &Reports, grid: &Grid, since: DateTime<Utc>) -> Expected {
        let code = &reports.report.category;
        let category = self.pack.categories.get(&code.as_str().into());
        Expected {
            kind: life.kind,
            incident: reports.incident,
            at: self.hours.after(since, TimeDelta::minutes(life.shows)),
            category: category.map_or_else(|| Text::new(code, code), |category| category.name.clone()),
            grid: grid.path.clone(),
            area: grid.name.clone(),
        }
    }

    /// What the minutes of a life are counted from; none where the policy lets nothing climb.
    fn since(&self, life: &Life, category: &str, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if life.since == Since::Report {
            return Some(at);
        }
        let (policy, calendar) = (&self.pack.policy, &self.pack.calendar);
        let policy = policy.of(Some(self.pack.categories.get(&category.into())?.handle_limit));
        let sign = policy.deadline(calendar, DeadlineKind::Sign, 1, at, policy.sign_limit?);
        let street = sign.steps.iter().find(|step| step.does == StepDoes::Escalate(Level::Street));
        street.map(|step| step.due_at)
    }

    fn life_report(
        &self,
        life: &Life,
        turn: usize,
        grid: &Grid,
        at: DateTime<Utc>,
        dice: &mut Dice,
    ) -> Reports {
        let said: Vec<_> = self.file.lives.iter().filter(|said| said.life == life.kind).collect();
        // The file is checked to have some of each kind.
        let said = said[turn % said.len()];
        let (hour, minute) = life.at;
        Reports {
            incident: IncidentId::new(at, dice.bytes()),
            by: grid.worker.clone(),
            report: NewReport {
                client_id: format!("day-{}-life-{hour:02}{minute:02}", at.date_naive()),
                category: said.category.clone(),
                place: grid.somewhere(dice),
                registered_area: None,
                description: self.fill((&said.zh, &said.en), grid, dice),
            },
        }
    }

    fn announcements_of(&self, day: Shown, number: usize, cues: &mut Vec<Cue>) {
        let storm = &self.file.typhoon.news;
        let first = storm.first().map(|one| one.at);
        let storm = storm.iter().filter(|_| self.has_storm(number)).map(|one| (Kind::Typhoon, one));
        for (kind, one) in self.file.news.iter().map(|one| (Kind::News, one)).chain(storm) {
            let at = self.on(day, one.at);
            let mut text = Text::new(&one.zh, &one.en);
            if kind == Kind::Typhoon && Some(one.at) == first {
                // Whoever watches for longer sees it come again.
                let days = self.file.typhoon.every_days;
                text = Text::new(
                    format!("{}（演示中每 {days} 个工作日来一次）", one.zh),
                    format!("{} (in this demo once in {days} working days)", one.en),
                );
            }
            let showing = Showing { kind, at, incident: None, text };
            cues.push(Cue { at, does: Does::Announces(Box::new(showing)) });
        }
    }

    /// The words, in Chinese and below it in English: whoever handles it may read either.
    fn fill(&self, (zh, en): (&str, &str), grid: &Grid, dice: &mut Dice) -> String {
        let road = dice.pick(&self.file.roads);
        let spot = dice.pick(&self.file.spots);
        let number = dice.between(1, 398).to_string();
        let filled = |text: &str, of: fn(&super::file::Words) -> &str, community: &str| {
            text.replace("{road}", road.map_or("", of))
                .replace("{spot}", spot.map_or("", of))
                .replace("{community}", community)
                .replace("{n}", &number)
        };
        let zh = filled(zh, |words| &words.zh, &grid.community.zh);
        let en = filled(en, |words| &words.en, &grid.community.en);
        format!("{zh}\n{en}")
    }
}

/// What one report of an hour is made of.
struct Told<'a> {
    name: String,
    at: NaiveTime,
    sentences: &'a [Sentence],
}

/// One grid after the other, in an order of its own each time, so that each has its share of the day.
struct Walk<'a> {
    grids: Vec<&'a Grid>,
    next: usize,
    dice: Dice,
}

impl<'a> Walk<'a> {
    fn new(places: &'a Places, dice: Dice) -> Self {
        let grids: Vec<&Grid> = places.plain.iter().chain(&places.shared).collect();
        Self { next: grids.len(), grids, dice }
    }

    fn next_grid(&mut self) -> &'a Grid {
        if self.next >= self.grids.len() {
            self.dice.shuffle(&mut self.grids);
            self.next = 0;
        }
        self.next += 1;
        self.grids[self.next - 1]
    }
}
