//! What was looked at and what was found, check by check.

use super::report::{Check, DueSteps, Fault, Report};

/// How many faults of one check are named; the rest are counted.
const NAMED: usize = 20;

/// The checks, in the order they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Readable,
    Once,
    Said,
    Holder,
    Steps,
    Mirror,
    Sequences,
    Positions,
    Fold,
    Row,
    History,
    Deadlines,
    Verdicts,
    Tallies,
    People,
    Unique,
}

impl Name {
    const ALL: [Self; 16] = [
        Self::Readable,
        Self::Once,
        Self::Said,
        Self::Holder,
        Self::Steps,
        Self::Mirror,
        Self::Sequences,
        Self::Positions,
        Self::Fold,
        Self::Row,
        Self::History,
        Self::Deadlines,
        Self::Verdicts,
        Self::Tallies,
        Self::People,
        Self::Unique,
    ];

    /// For machines, in Chinese, in English.
    fn words(self) -> [&'static str; 3] {
        match self {
            Self::Readable => ["readable", "数据可读", "every row and body can be read"],
            Self::Once => ["once", "一报一案", "every report has one route and one case"],
            Self::Said => ["said", "事实与记录一致", "facts say what their writers keep"],
            Self::Holder => ["holder", "承办唯一", "every case has one holder, above its own place"],
            Self::Steps => ["steps", "时限动作", "every due step took effect once, none early, none missed"],
            Self::Mirror => ["mirror", "督办镜像", "supervise watches what handle keeps"],
            Self::Sequences => ["sequences", "序号连续", "no fact is missing, doubled or taken out of turn"],
            Self::Positions => ["positions", "读取位置", "readers stand on this log, not beyond it"],
            Self::Fold => ["fold", "逐条推演", "each fact follows from the ones before it"],
            Self::Row => ["row", "案卷与推演一致", "the last fact is the case's row"],
            Self::History => ["history", "履历完整", "one line of history for each fact"],
            Self::Deadlines => ["deadlines", "时限不动", "no deadline moved without record"],
            Self::Verdicts => ["verdicts", "按时判定", "on time means met by its due time"],
            Self::Tallies => ["tallies", "统计相符", "the tallies are what the facts add up to"],
            Self::People => ["people", "处核分离", "nobody checked or closed what they handled"],
            Self::Unique => ["unique", "上报不重", "one report for each client id of a person"],
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Entry {
    looked_at: u64,
    found: u64,
    faults: Vec<Fault>,
}

/// Gathers what the checks say.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    pub due_steps: DueSteps,
    pub on_the_way: u64,
    waiting: Vec<Fault>,
    late: Vec<Fault>,
}

impl Ledger {
    pub fn new() -> Self {
        Self {
            entries: vec![Entry::default(); Name::ALL.len()],
            due_steps: DueSteps::default(),
            on_the_way: 0,
            waiting: Vec::new(),
            late: Vec::new(),
        }
    }

    pub fn looked(&mut self, check: Name, things: usize) {
        self.entries[check as usize].looked_at += things as u64;
    }

    pub fn fault(&mut self, check: Name, id: impl std::fmt::Display, what: impl std::fmt::Display) {
        let entry = &mut self.entries[check as usize];
        entry.found += 1;
        name(&mut entry.faults, id, what);
    }

    /// A report that is not a case yet, for a reason.
    pub fn waits(&mut self, id: impl std::fmt::Display, why: impl std::fmt::Display) {
        self.on_the_way += 1;
        name(&mut self.waiting, id, why);
    }

    /// A step that should have taken effect by now.
    pub fn late(&mut self, id: impl std::fmt::Display, what: impl std::fmt::Display) {
        self.due_steps.late += 1;
        name(&mut self.late, id, what);
    }

    pub fn close(self, parked: u64, dead_letters: u64) -> Report {
        let checks: Vec<Check> = Name::ALL
            .into_iter()
            .zip(self.entries)
            .map(|(check, entry)| {
                let [name, zh, en] = check.words();
                Check { name, zh, en, looked_at: entry.looked_at, found: entry.found, faults: entry.faults }
            })
            .collect();
        Report {
            clean: checks.iter().all(|check| check.found == 0),
            checks,
            on_the_way: self.on_the_way,
            dead_letters,
            parked,
            due_steps: self.due_steps,
            waiting: self.waiting,
            late: self.late,
        }
    }
}

fn name(named: &mut Vec<Fault>, id: impl std::fmt::Display, what: impl std::fmt::Display) {
    if named.len() < NAMED {
        named.push(Fault { id: id.to_string(), what: what.to_string() });
    }
}
