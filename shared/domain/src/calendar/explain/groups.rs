//! Days put together that are told in one line.

use chrono::NaiveDate;

use super::super::Calendar;
use super::super::reckoned::{Day, Sort};

/// How many groups are kept at either end of too many.
const KEPT: usize = 3;

/// What one line tells.
#[derive(Debug)]
pub(super) enum Group<'a> {
    /// A day that counts, in part or alone.
    Day(&'a Day<'a>),
    /// Whole days with the same hours, two or more, and whatever weekends lie between them.
    Run { first: &'a Day<'a>, last: NaiveDate, worked: u32, weekend_days: u32 },
    /// Days that do not count: each reason once, in order.
    Free { first: NaiveDate, last: NaiveDate, reasons: Vec<Sort<'a>>, days: u32 },
    /// The day of a start after its last office hour.
    Over(NaiveDate),
    /// Many days of every kind, one or more.
    Many(Vec<&'a Day<'a>>),
}

impl Group<'_> {
    /// How many days of it count.
    pub(super) fn worked(&self) -> u32 {
        match self {
            Self::Day(_) => 1,
            Self::Run { worked, .. } => *worked,
            Self::Free { .. } | Self::Over(_) => 0,
            Self::Many(days) => {
                let worked = days.iter().filter(|day| !day.counts.is_empty()).count();
                u32::try_from(worked).unwrap_or(u32::MAX)
            }
        }
    }

    /// The first of its days.
    fn first(&self) -> Option<NaiveDate> {
        match self {
            Self::Day(day) | Self::Run { first: day, .. } => Some(day.date),
            Self::Free { first, .. } | Self::Over(first) => Some(*first),
            Self::Many(days) => days.first().map(|day| day.date),
        }
    }

    /// The last of its days.
    fn last(&self) -> Option<NaiveDate> {
        match self {
            Self::Day(day) => Some(day.date),
            Self::Run { last, .. } | Self::Free { last, .. } | Self::Over(last) => Some(*last),
            Self::Many(days) => days.last().map(|day| day.date),
        }
    }
}

/// The groups of `days`, or, where there are more than `most`, the first and last of them with what lies between in one.
pub(super) fn groups<'a>(calendar: &Calendar, days: &'a [Day<'a>], most: usize) -> Vec<Group<'a>> {
    let mut groups = grouped(calendar, days);
    if groups.len() <= most {
        return groups;
    }
    let tail = groups.split_off(groups.len() - KEPT);
    groups.truncate(KEPT);
    let after = groups.last().and_then(Group::last);
    let before = tail.first().and_then(Group::first);
    let between = |day: &&Day<'_>| after < Some(day.date) && Some(day.date) < before;
    groups.push(Group::Many(days.iter().filter(between).collect()));
    groups.extend(tail);
    groups
}

fn grouped<'a>(calendar: &Calendar, days: &'a [Day<'a>]) -> Vec<Group<'a>> {
    let mut groups = Vec::new();
    for day in days {
        if day.counts.is_empty() {
            free(&mut groups, day);
        } else if day.whole {
            whole(&mut groups, calendar, day);
        } else {
            groups.push(Group::Day(day));
        }
    }
    groups
}

fn free<'a>(groups: &mut Vec<Group<'a>>, day: &'a Day<'a>) {
    if matches!(day.sort, Sort::Working | Sort::MakeUp | Sort::Arranged { .. }) {
        return groups.push(Group::Over(day.date));
    }
    if let Some(Group::Free { last, reasons, days, .. }) = groups.last_mut() {
        *last = day.date;
        *days += 1;
        if !reasons.contains(&day.sort) {
            reasons.push(day.sort);
        }
        return;
    }
    groups.push(Group::Free { first: day.date, last: day.date, reasons: vec![day.sort], days: 1 });
}

/// A whole day is told with those before it that are like it, over plain weekends too.
fn whole<'a>(groups: &mut Vec<Group<'a>>, calendar: &Calendar, day: &'a Day<'a>) {
    let alike = |other: &Day<'_>| {
        other.whole
            && other.sort == day.sort
            && calendar.office_on(other.date) == calendar.office_on(day.date)
    };
    let between = match groups.last() {
        Some(Group::Free { reasons, days, .. }) if *reasons == [Sort::Weekend] => Some(*days),
        _ => None,
    };
    let before = groups.len().checked_sub(if between.is_some() { 2 } else { 1 });
    let joined = before.and_then(|at| groups.get(at)).and_then(|group| match group {
        Group::Day(first) if alike(first) => Some((*first, 1, 0)),
        Group::Run { first, worked, weekend_days, .. } if alike(first) => {
            Some((*first, *worked, *weekend_days))
        }
        _ => None,
    });
    let Some((first, worked, weekend_days)) = joined else { return groups.push(Group::Day(day)) };
    groups.truncate(before.unwrap_or(0));
    groups.push(Group::Run {
        first,
        last: day.date,
        worked: worked + 1,
        weekend_days: weekend_days + between.unwrap_or(0),
    });
}
