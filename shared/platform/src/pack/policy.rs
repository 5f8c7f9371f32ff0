//! The `policy` of `pack.json`: limits and ladders.

use domain::area::Level;
use domain::calendar::Limit;
use domain::policy::{Ladder, Policy, Rung};
use domain::text::Text;

use super::areas::{AreaBook, no_area_at};
use super::categories::{granted, limit};
use super::fault::Fault;
use super::lengths::{LONGEST_CODE, within};
use super::main_file::{LadderEntry, MainFile, RungEntry, UrgentEntry, filled, level};

pub(super) fn read(main: &MainFile, areas: &AreaBook, faults: &mut Vec<Fault>) -> Option<Policy> {
    let entry = &main.file.policy;
    let version = filled(&entry.version).and_then(|()| within(LONGEST_CODE, &entry.version));
    main.check("policy/version", version, faults);
    let sign_limit = optional_limit(main, "policy/sign_limit", entry.sign_limit.as_deref(), faults);
    let check_limit = optional_limit(main, "policy/check_limit", entry.check_limit.as_deref(), faults);
    let offer_limit = optional_limit(main, "policy/offer_limit", entry.offer_limit.as_deref(), faults);
    let sign = ladder(main, "policy/sign", &entry.sign, Begins::AtTheGrid, areas, faults);
    let handle = ladder(main, "policy/handle", &entry.handle, Begins::AtTheGrid, areas, faults);
    let check = ladder(main, "policy/check", &entry.check, Begins::Anywhere, areas, faults);
    let version = entry.version.clone();
    let ordinary = Policy {
        version,
        sign_limit,
        check_limit,
        offer_limit,
        sign: sign?,
        handle: handle?,
        check: check?,
        urgent: None,
    };
    match &entry.urgent {
        Some(entry) => {
            let urgent = Some(Box::new(urgent(main, entry, &ordinary, areas, faults)?));
            Some(Policy { urgent, ..ordinary })
        }
        None => Some(ordinary),
    }
}

/// What matters go by whose handling is limited around the clock: each of its limits counts so too.
fn urgent(
    main: &MainFile,
    entry: &UrgentEntry,
    ordinary: &Policy,
    areas: &AreaBook,
    faults: &mut Vec<Fault>,
) -> Option<Policy> {
    let mut limit = |field: &str, text: Option<&str>| {
        let path = format!("policy/urgent/{field}");
        let limit = optional_limit(main, &path, text, faults);
        limit.and_then(|limit| main.keep(&path, around_the_clock(limit), faults))
    };
    let sign_limit = limit("sign_limit", entry.sign_limit.as_deref());
    let check_limit = limit("check_limit", entry.check_limit.as_deref());
    let offer_limit = limit("offer_limit", entry.offer_limit.as_deref());
    let mut ladder = |name: &str, entry: &LadderEntry, begins: Begins| {
        let path = format!("policy/urgent/{name}");
        let ladder = ladder(main, &path, entry, begins, areas, faults)?;
        for (n, rung) in ladder.escalate.iter().enumerate() {
            let after = around_the_clock(rung.after).map(drop);
            main.check(&format!("{path}/escalate/{n}/after"), after, faults);
        }
        Some(ladder)
    };
    let sign = ladder("sign", &entry.sign, Begins::AtTheGrid);
    let handle = ladder("handle", &entry.handle, Begins::AtTheGrid);
    let check = ladder("check", &entry.check, Begins::Anywhere);
    Some(Policy {
        version: ordinary.version.clone(),
        sign_limit,
        check_limit,
        offer_limit: offer_limit.or(ordinary.offer_limit),
        sign: sign?,
        handle: handle?,
        check: check?,
        urgent: None,
    })
}

/// One step in working hours would wait for the morning, and all that stand above it with it.
fn around_the_clock(limit: Limit) -> Result<Limit, Text> {
    if limit.is_urgent() {
        return Ok(limit);
    }
    Err(Text::new(
        format!("“{limit}”不是紧急工作时，夜间和周末会停表；请写 30m、2h 之类"),
        format!(
            "`{limit}` does not count around the clock, so a night would stop it: write one such as 30m or 2h"
        ),
    ))
}

fn optional_limit(main: &MainFile, path: &str, text: Option<&str>, faults: &mut Vec<Fault>) -> Option<Limit> {
    main.keep(path, granted(text?), faults)
}

/// What a ladder is for: work lies with a grid to begin with, and what is wrong with it goes up from there; whoever
/// checks stands higher already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    AtTheGrid,
    Anywhere,
}

fn ladder(
    main: &MainFile,
    path: &str,
    entry: &LadderEntry,
    begins: Begins,
    areas: &AreaBook,
    faults: &mut Vec<Fault>,
) -> Option<Ladder> {
    main.check(&format!("{path}/remind_percent"), percent(entry.remind_percent), faults);
    let mut escalate: Vec<Rung> = Vec::new();
    for (n, rung_entry) in entry.escalate.iter().enumerate() {
        let path = format!("{path}/escalate/{n}");
        let Some(rung) = rung(main, &path, rung_entry, areas, faults) else { continue };
        if let Some(below) = escalate.last() {
            main.check(&path, above(below, &rung), faults);
        }
        let below = match escalate.last() {
            Some(below) => Some(below.to),
            None => (n == 0 && begins == Begins::AtTheGrid).then_some(Level::Grid),
        };
        check_gap(main, &path, (below, rung.to), rung_entry, areas, faults);
        escalate.push(rung);
    }
    let whole = escalate.len() == entry.escalate.len();
    whole.then_some(Ladder { remind_percent: entry.remind_percent, escalate })
}

fn percent(percent: Option<u32>) -> Result<(), Text> {
    match percent {
        Some(percent) if !(1..=99).contains(&percent) => Err(Text::new(
            format!("提醒比例 {percent} 不在 1 到 99 之间"),
            format!("{percent} percent is not between 1 and 99"),
        )),
        _ => Ok(()),
    }
}

fn rung(
    main: &MainFile,
    path: &str,
    entry: &RungEntry,
    areas: &AreaBook,
    faults: &mut Vec<Fault>,
) -> Option<Rung> {
    let to = level(&entry.to).and_then(|to| answerable(to, areas));
    let to = main.keep(&format!("{path}/to"), to, faults);
    let after = main.keep(&format!("{path}/after"), limit(&entry.after), faults);
    Some(Rung { to: to?, after: after? })
}

fn answerable(to: Level, areas: &AreaBook) -> Result<Level, Text> {
    if to == Level::Grid {
        return Err(Text::new(
            "网格是最低一级，不能向它升级",
            "a grid is the lowest level: nothing escalates to it",
        ));
    }
    if areas.has_level(to) { Ok(to) } else { Err(no_area_at(to)) }
}

/// That no level between two steps is left out unless the pack says so: whoever stands there would not hear of what
/// was not done below them.
fn check_gap(
    main: &MainFile,
    path: &str,
    (below, to): (Option<Level>, Level),
    entry: &RungEntry,
    areas: &AreaBook,
    faults: &mut Vec<Fault>,
) {
    let between =
        |level: Level| below.is_some_and(|below| below < level) && level < to && areas.has_level(level);
    let mut skips: Vec<Level> = Vec::new();
    for (k, text) in entry.skips.iter().enumerate() {
        let path = format!("{path}/skips/{k}");
        let skipped =
            level(text).and_then(|level| if between(level) { Ok(level) } else { Err(not_skipped(level)) });
        skips.extend(main.keep(&path, skipped, faults));
    }
    let left_out = Level::ALL.into_iter().find(|level| between(*level) && !skips.contains(level));
    // A word in `skips` that is wrong has said so.
    if let (Some(below), Some(left_out), true) = (below, left_out, skips.len() == entry.skips.len()) {
        faults.push(main.fault(&format!("{path}/to"), gap(below, to, left_out)));
    }
}

fn gap(below: Level, to: Level, left_out: Level) -> Text {
    Text::new(
        format!(
            "从{}直接升到{}，漏了{}；应逐级升高，确需越级请写 \"skips\": [\"{left_out}\"]",
            below.zh(),
            to.zh(),
            left_out.zh()
        ),
        format!(
            "from {below} to {to} the {left_out} is left out: go up one level at a time, or say so with \"skips\": \
             [\"{left_out}\"]"
        ),
    )
}

fn not_skipped(level: Level) -> Text {
    Text::new(
        format!("这一步没有越过{}；请删去", level.zh()),
        format!("this step does not leave out a {level}: take the word out"),
    )
}

/// Times in different units are not compared: which is longer depends on the day.
fn above(below: &Rung, rung: &Rung) -> Result<(), Text> {
    if rung.to <= below.to {
        return Err(Text::new(
            format!("{}不高于上一步的{}；应逐级升高", rung.to.zh(), below.to.zh()),
            format!("{} does not stand above {}, the level of the step before: go up", rung.to, below.to),
        ));
    }
    let same_unit = std::mem::discriminant(&rung.after) == std::mem::discriminant(&below.after);
    if same_unit && rung.after < below.after {
        return Err(Text::new(
            format!("{} 早于上一步的 {}；应按时间先后排列", rung.after, below.after),
            format!(
                "{} is sooner than {}, the time of the step before: write steps in order",
                rung.after, below.after
            ),
        ));
    }
    Ok(())
}
