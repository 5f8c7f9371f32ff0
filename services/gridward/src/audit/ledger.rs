//! What was looked at and what was found, check by check.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::lags::Lags;
use super::report::{Check, DueSteps, Fault, OnTopics, Report};
use super::snapshot::Setting;
use super::whole::Whole;

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
    Sent,
    Written,
    Same,
    Placed,
    Relay,
}

impl Name {
    const ALL: [Self; 21] = [
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
        Self::Sent,
        Self::Written,
        Self::Same,
        Self::Placed,
        Self::Relay,
    ];

    /// The name for machines.
    pub fn name(self) -> &'static str {
        self.words()[0]
    }

    /// Whether there is something to look at in this setting: in a file writing is publishing.
    fn applies(self, setting: Setting) -> bool {
        setting == Setting::Servers
            || !matches!(self, Self::Sent | Self::Written | Self::Same | Self::Placed | Self::Relay)
    }

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
            Self::Sent => ["sent", "已发未失", "every published fact lies on its topic"],
            Self::Written => ["written", "来源可查", "every record on a topic was written by its service"],
            Self::Same => ["same", "内容唯一", "one fact says one thing, in its outbox and on its topic"],
            Self::Placed => ["placed", "分区正确", "every record lies in the partition of its incident"],
            Self::Relay => ["relay", "发送及时", "no fact waits to be sent for more than a minute"],
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Entry {
    looked_at: u64,
    found: u64,
    faults: Vec<Fault>,
}

/// Some of the checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Checks(u32);

impl Checks {
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in both.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn has(self, check: usize) -> bool {
        self.0 & (1 << check) != 0
    }
}

/// Gathers what the checks say.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    setting: Setting,
    entries: Vec<Entry>,
    pub due_steps: DueSteps,
    pub lags: Lags,
    pub on_the_way: u64,
    waiting: Vec<Fault>,
    late: Vec<Fault>,
    /// Rows of outboxes that a broker lost.
    lost: Rows,
    /// Rows that lie on their topic, behind the position of a reader that has not taken them.
    passed_over: Rows,
    /// Incidents with facts that nobody wrote, of which somebody has taken note: what is found in them is no fault.
    pub noted: Arc<Noted>,
    /// Which checks find something in them.
    known: BTreeMap<String, BTreeSet<&'static str>>,
}

/// What somebody has noted of an incident, by its id.
pub(super) type Noted = BTreeMap<String, String>;

/// Rows of outboxes, by their service.
pub(super) type Rows = BTreeMap<&'static str, Vec<i64>>;

impl Ledger {
    pub fn new(setting: Setting) -> Self {
        Self {
            setting,
            entries: vec![Entry::default(); Name::ALL.len()],
            due_steps: DueSteps::default(),
            lags: Lags::default(),
            on_the_way: 0,
            waiting: Vec::new(),
            late: Vec::new(),
            lost: Rows::new(),
            passed_over: Rows::new(),
            noted: Arc::default(),
            known: BTreeMap::new(),
        }
    }

    /// For a part of what is looked at with `whole`.
    pub fn of(whole: &Whole) -> Self {
        Self { noted: whole.noted.clone(), ..Self::new(whole.setting()) }
    }

    /// The checks that found something.
    pub fn at_fault(&self) -> Checks {
        let found = self.entries.iter().enumerate().filter(|(_, entry)| entry.found > 0);
        Checks(found.fold(0, |checks, (check, _)| checks | 1 << check))
    }

    /// Takes over what `other` has looked at, and of its faults those of `checks`.
    pub fn absorb(&mut self, other: Self, checks: Checks) {
        for (check, (entry, more)) in self.entries.iter_mut().zip(other.entries).enumerate() {
            entry.looked_at += more.looked_at;
            if checks.has(check) {
                entry.found += more.found;
                let room = NAMED - entry.faults.len();
                entry.faults.extend(more.faults.into_iter().take(room));
            }
        }
        self.due_steps.add(other.due_steps);
        self.lags.add(other.lags);
        self.on_the_way += other.on_the_way;
        for (id, checks) in other.known {
            self.known.entry(id).or_default().extend(checks);
        }
        for (mine, others) in [(&mut self.waiting, other.waiting), (&mut self.late, other.late)] {
            let room = NAMED - mine.len();
            mine.extend(others.into_iter().take(room));
        }
        for (check, mine, others) in [
            (Name::Sent, &mut self.lost, other.lost),
            (Name::Sequences, &mut self.passed_over, other.passed_over),
        ] {
            for (service, rows) in others.into_iter().filter(|_| checks.has(check as usize)) {
                mine.entry(service).or_default().extend(rows);
            }
        }
    }

    /// A broker lost this row of the outbox of `service`.
    pub fn lose(&mut self, service: &'static str, row: i64) {
        self.lost.entry(service).or_default().push(row);
    }

    /// A reader has passed over this row of the outbox of `service`.
    pub fn pass_over(&mut self, service: &'static str, row: i64) {
        self.passed_over.entry(service).or_default().push(row);
    }

    /// What a broker lost, and what readers have passed over.
    pub fn take_unsent(&mut self) -> [Rows; 2] {
        [&mut self.lost, &mut self.passed_over].map(std::mem::take)
    }

    pub fn looked(&mut self, check: Name, things: usize) {
        self.entries[check as usize].looked_at += things as u64;
    }

    pub fn fault(&mut self, check: Name, id: impl std::fmt::Display, what: impl std::fmt::Display) {
        if !self.noted.is_empty() && self.noted.contains_key(&id.to_string()) {
            self.known.entry(id.to_string()).or_default().insert(check.name());
            return;
        }
        let entry = &mut self.entries[check as usize];
        entry.found += 1;
        name(&mut entry.faults, id, what);
    }

    /// So many more faults of a check, which are not named.
    pub fn more(&mut self, check: Name, faults: u64) {
        self.entries[check as usize].found += faults;
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

    /// What was noted, and what that has led to.
    fn known(&self) -> Vec<Fault> {
        let of_one = |(id, what): (&String, &String)| {
            let checks: Vec<&str> = self.known.get(id).into_iter().flatten().copied().collect();
            let found =
                if checks.is_empty() { String::new() } else { format!("; found: {}", checks.join(", ")) };
            Fault { id: id.clone(), what: format!("{what}{found}") }
        };
        self.noted.iter().take(NAMED).map(of_one).collect()
    }

    pub fn close(self, parked: u64, dead_letters: u64, topics: Option<OnTopics>) -> Report {
        let (noted, known) = (self.noted.len() as u64, self.known());
        let checks: Vec<Check> = Name::ALL
            .into_iter()
            .zip(self.entries)
            .filter(|(check, _)| check.applies(self.setting))
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
            due_steps: DueSteps { lag: self.lags.lag(), ..self.due_steps },
            topics,
            waiting: self.waiting,
            late: self.late,
            noted,
            known,
            quick: None,
        }
    }
}

fn name(named: &mut Vec<Fault>, id: impl std::fmt::Display, what: impl std::fmt::Display) {
    if named.len() < NAMED {
        named.push(Fault { id: id.to_string(), what: what.to_string() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_in_an_incident_that_was_noted_is_told_and_is_no_fault() {
        let noted = Arc::new(Noted::from([("one".to_owned(), "reported/1 was not written".to_owned())]));
        let mut ledger = Ledger { noted: noted.clone(), ..Ledger::new(Setting::Servers) };
        let mut page = Ledger { noted, ..Ledger::new(Setting::Servers) };
        page.fault(Name::Written, "one", "nobody wrote it");
        page.fault(Name::Once, "one", "it was never reported");
        page.fault(Name::Once, "another", "it was never reported");
        let found = page.at_fault();
        ledger.absorb(page, found);
        let report = ledger.close(0, 0, None);
        assert_eq!((report.noted, report.is_clean()), (1, false));
        let of = |check: &str| report.check(check).unwrap().faults.clone();
        assert!(of("written").is_empty() && of("once").len() == 1 && of("once")[0].id == "another");
        let Fault { id, what } = &report.known[0];
        assert_eq!((id.as_str(), what.as_str()), ("one", "reported/1 was not written; found: once, written"));
    }
}
