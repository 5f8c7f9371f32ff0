//! What an audit found, for people and for machines.

use std::fmt;

use serde::Serialize;

/// A step that is not done by so many milliseconds after it was due is late.
const LATE_AFTER: u64 = 60_000;

/// The outcome of one audit.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// No check found a fault.
    pub clean: bool,
    pub checks: Vec<Check>,
    /// Reports that are not a case yet because a fact of theirs waits to be read, is parked or dead.
    pub on_the_way: u64,
    pub dead_letters: u64,
    pub parked: u64,
    pub due_steps: DueSteps,
    /// What lies on the topics; `None` in a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topics: Option<OnTopics>,
    /// The first of those on the way, and what each waits for.
    pub waiting: Vec<Fault>,
    /// The first steps that are late.
    pub late: Vec<Fault>,
    /// Incidents with facts that nobody wrote, and that somebody has taken note of.
    pub noted: u64,
    /// The first of them: who noted what, and which checks find something there. It counts as no fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Fault>,
    /// What only a quick audit tells; `None` after the walk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quick: Option<Quick>,
}

/// That an audit was the quick one, and how long its queries took.
#[derive(Clone, Debug, Serialize)]
pub struct Quick {
    pub zh: &'static str,
    pub en: &'static str,
    /// The checks that only the walk makes.
    pub unseen: Vec<&'static str>,
    /// In the order they were asked, by service.
    pub queries: Vec<Query>,
    /// From the first question to the last answer.
    pub seconds: f64,
}

/// One query of a quick audit.
#[derive(Clone, Debug, Serialize)]
pub struct Query {
    pub service: &'static str,
    /// What it looks at.
    pub of: String,
    /// How often: once, or of so many ranges of incidents.
    pub times: u64,
    /// All of them together.
    pub seconds: f64,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Short and stable.
    pub name: &'static str,
    pub zh: &'static str,
    pub en: &'static str,
    pub looked_at: u64,
    /// How many faults there are; `faults` names the first of them.
    pub found: u64,
    pub faults: Vec<Fault>,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The incident, or the row where no incident is concerned.
    pub id: String,
    pub what: String,
}

/// What became of the steps that fell due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DueSteps {
    /// Facts of steps that took effect.
    pub effected: u64,
    /// Before they were due.
    pub early: u64,
    /// More than once.
    pub doubled: u64,
    /// Passed over by a later change of their case.
    pub missed: u64,
    /// Due more than a minute ago and not done yet. One that is done by now is none, however long it took.
    pub late: u64,
    /// How long after it counts a step took effect, by the clock: the hours that nothing ran, or that a demo's clock left
    /// out, are in it. `None` where clocks were driven, or none has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag: Option<Lag>,
}

/// How long after its time a step took effect, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Lag {
    pub p50: u64,
    pub p99: u64,
    pub max: u64,
}

/// What lies on the topics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OnTopics {
    pub records: u64,
    /// Records that say the same as another one: a relay began again. Readers drop them.
    pub copies: u64,
    /// Published facts that a broker lost.
    pub lost: u64,
}

impl DueSteps {
    pub(super) fn add(&mut self, other: Self) {
        self.effected += other.effected;
        self.early += other.early;
        self.doubled += other.doubled;
        self.missed += other.missed;
        self.late += other.late;
    }
}

impl Report {
    pub fn is_clean(&self) -> bool {
        self.clean
    }

    /// The check of this name.
    pub fn check(&self, name: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(quick) = &self.quick {
            quick.fmt(f)?;
        }
        for check in &self.checks {
            check.fmt(f)?;
        }
        let DueSteps { effected, early, doubled, missed, late, lag } = self.due_steps;
        write!(f, "steps 动作: {effected} effected 已生效, {early} early 提前, ")?;
        if self.quick.is_none() {
            write!(f, "{doubled} doubled 重复, {missed} missed 遗漏, ")?;
        }
        writeln!(f, "{late} late 逾期未生效")?;
        list(f, &self.late, late)?;
        if let Some(Lag { p50, p99, max: longest }) = lag {
            let [p50, p99, max] = [p50, p99, longest].map(length);
            writeln!(
                f,
                "steps took effect after their time by 动作延迟: half within 半数 {p50}, 99 % within {p99}, at most 最长 {max}"
            )?;
            if longest > LATE_AFTER {
                writeln!(
                    f,
                    "         by the clock, with the hours that nothing ran or a demo's clock leaves out; these are done, and \
                     late above counts those that are not / \
                     按钟面时间，含停机和演示时钟跳过的时段；这些动作均已生效，上面的逾期只计尚未生效的"
                )?;
            }
        }
        if let Some(OnTopics { records, copies, lost }) = self.topics {
            writeln!(
                f,
                "topics 主题: {records} records 条记录, {copies} copies 重复, {lost} lost by a broker 消息服务丢失"
            )?;
        }
        writeln!(
            f,
            "on the way 在途: {} (parked 挂起 {}, dead letters 死信 {})",
            self.on_the_way, self.parked, self.dead_letters
        )?;
        list(f, &self.waiting, self.on_the_way)?;
        if self.dead_letters > 0 {
            writeln!(
                f,
                "{0} facts were set aside and wait for somebody: `gridward dead-letters list` names them / \
                 {0} 条事实已搁置，待人工处理：用 gridward dead-letters list 查看",
                self.dead_letters
            )?;
        }
        if self.noted > 0 {
            writeln!(
                f,
                "incidents with noted facts that nobody wrote 含已登记无主事实的事件: {}",
                self.noted
            )?;
            list(f, &self.known, self.noted)?;
        }
        let faults: u64 = self.checks.iter().map(|check| check.found).sum();
        let failed = self.checks.iter().filter(|check| check.found > 0).count();
        match faults {
            0 if self.quick.is_some() => write!(
                f,
                "nothing found by the quick audit; the whole audit sees more / 快速核查未发现问题；完整核查范围更广"
            ),
            0 => write!(f, "clean: nothing lost, doubled, early or missed / 无误：无丢失、重复、提前或遗漏"),
            _ => write!(f, "{faults} faults in {failed} checks / {failed} 项核查发现 {faults} 处问题"),
        }
    }
}

impl fmt::Display for Quick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}", self.zh, self.en)?;
        writeln!(f, "not looked at 未核查: {}", self.unseen.join(", "))?;
        for Query { service, of, times, seconds } in &self.queries {
            let often = if *times > 1 { format!(" ({times} times 次)") } else { String::new() };
            writeln!(f, "       {seconds:>8.2} s  {service}  {of}{often}")?;
        }
        let (asked, all) = (self.queries.iter().map(|query| query.times).sum::<u64>(), self.seconds);
        writeln!(f, "       {all:>8.2} s  in all 合计 ({asked} queries 次查询)")
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { zh, en, looked_at, found, .. } = self;
        match found {
            0 => writeln!(f, "ok     {zh}  {en}: {looked_at}"),
            _ => writeln!(f, "FAULT  {zh}  {en}: {looked_at}, {found} faults 处问题"),
        }?;
        list(f, &self.faults, *found)
    }
}

/// A length of time as people say it, from milliseconds: `0.034 s`, `12.3 s`, `2 min 5 s`, `3 h 12 min`.
fn length(millis: u64) -> String {
    let (seconds, minutes) = (millis / 1_000, millis / 60_000);
    match seconds {
        0 => format!("0.{millis:03} s"),
        1..60 => format!("{seconds}.{} s", millis % 1_000 / 100),
        60..3_600 => format!("{minutes} min {} s", seconds % 60),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

fn list(f: &mut fmt::Formatter<'_>, named: &[Fault], found: u64) -> fmt::Result {
    for fault in named {
        writeln!(f, "         {}  {}", fault.id, fault.what)?;
    }
    let more = found.saturating_sub(named.len() as u64);
    if more > 0 { writeln!(f, "         … {more} more / 另有 {more} 处") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lags_are_told_in_the_unit_a_person_would_use() {
        let told = [0, 34, 999, 1_000, 12_345, 59_999, 60_000, 125_000, 3_599_999, 3_600_000, 11_520_000]
            .map(length);
        assert_eq!(
            told,
            [
                "0.000 s",
                "0.034 s",
                "0.999 s",
                "1.0 s",
                "12.3 s",
                "59.9 s",
                "1 min 0 s",
                "2 min 5 s",
                "59 min 59 s",
                "1 h 0 min",
                "3 h 12 min"
            ]
        );
    }
}
