//! `day.json` of a pack: what is said in a street's day, how much of it, and when. Beside the pack and not part of it:
//! no service reads it, and nothing is decided by it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, Timelike};
use domain::category::Category;
use domain::text::Text;
use platform::pack::Pack;
use serde::Deserialize;

use super::lives::LIVES;
use crate::demo::highlights::Kind;

/// Its name in the folder of a pack.
pub const NAME: &str = "day.json";

/// Room for a sentence in each of two languages, and for what is filled in.
const LONGEST_SENTENCE: usize = 400;

/// What can be filled in: a road, a spot on it, the community, a number.
const BLANKS: [&str; 4] = ["road", "spot", "community", "n"];

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayFile {
    /// Where its words come from.
    pub source: String,
    /// A working day of a year whose calendar is published.
    pub first_day: NaiveDate,
    pub from: NaiveTime,
    pub until: NaiveTime,
    /// When the page opens: what comes before is past by then.
    pub opens: NaiveTime,
    /// How many times faster than life, unless somebody says otherwise.
    pub speed: f64,
    pub seed: u64,
    /// Reports in each hour from `from` on.
    pub reports: Vec<u32>,
    pub typhoon: Typhoon,
    /// What is announced each day.
    pub news: Vec<Announced>,
    pub roads: Vec<Words>,
    pub spots: Vec<Words>,
    pub sentences: Vec<Sentence>,
    /// What is said at the beginning of a scripted life, in turn.
    pub lives: Vec<LifeSentence>,
}

/// An hour of storm.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typhoon {
    /// On the first day and every so many days after it.
    pub every_days: u32,
    /// A whole hour of the day's.
    pub from: NaiveTime,
    /// As many times as usually.
    pub times: u32,
    pub news: Vec<Announced>,
    pub sentences: Vec<Sentence>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announced {
    pub at: NaiveTime,
    pub zh: String,
    pub en: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    pub zh: String,
    pub en: String,
}

/// What somebody may say of a category, with blanks to fill in: `{road}`, `{spot}`, `{community}`, `{n}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sentence {
    pub category: String,
    /// How often, beside the others.
    #[serde(default = "one")]
    pub weight: u64,
    /// Said only in these hours, if any are given: from and until.
    #[serde(default)]
    pub hours: Vec<(NaiveTime, NaiveTime)>,
    pub zh: String,
    pub en: String,
}

/// What is said where one of the scripted lives begins.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifeSentence {
    /// `handled`, `escalated`, `partner` or `returned`.
    pub life: Kind,
    pub category: String,
    pub zh: String,
    pub en: String,
}

fn one() -> u64 {
    1
}

impl Sentence {
    pub fn is_said(&self, at: NaiveTime) -> bool {
        self.hours.is_empty() || self.hours.iter().any(|(from, until)| (*from..*until).contains(&at))
    }
}

impl DayFile {
    /// The day of a pack, checked against it; `None` for a pack without one.
    ///
    /// # Errors
    /// When the file cannot be read, is not of its form, or does not fit the pack: with everything that does not.
    pub fn of(pack: &Pack) -> anyhow::Result<Option<Self>> {
        let path = pack.folder.join(NAME);
        if !path.is_file() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {0} / 无法读取 {0}", path.display()))?;
        let file = Self::read(&text, &path)?;
        let faults = file.faults(pack);
        if !faults.is_empty() {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            bail!("{} does not fit its pack / 与辖区包不符：\n{}", path.display(), lines.join("\n"));
        }
        Ok(Some(file))
    }

    fn read(text: &str, path: &Path) -> anyhow::Result<Self> {
        serde_json::from_str(text).with_context(|| {
            format!("{0} is not of its form: correct it there / {0} 格式不对，请在该处更正", path.display())
        })
    }

    /// Everything in it that cannot be.
    pub(super) fn faults(&self, pack: &Pack) -> Vec<Text> {
        let mut faults = Vec::new();
        if self.source.trim().is_empty() {
            faults.push(wrong(
                "source",
                "不能为空：请写明词句从何而来",
                "is empty: say where the words come from",
            ));
        }
        self.check_hours(pack, &mut faults);
        self.check_sentences(pack, &mut faults);
        self.check_lives(pack, &mut faults);
        for (list, words) in [("roads", &self.roads), ("spots", &self.spots)] {
            if words.is_empty() {
                faults.push(wrong(list, "是空的", "is empty"));
            }
            for one in words {
                check_words(list, (&one.zh, &one.en), &[], &mut faults);
            }
        }
        for one in self.news.iter().chain(&self.typhoon.news) {
            check_words("news", (&one.zh, &one.en), &[], &mut faults);
            if !(self.from..self.until).contains(&one.at) {
                faults.push(wrong(&format!("news {}", one.at), "不在当日时段内", "is outside of the day"));
            }
        }
        faults
    }

    fn check_hours(&self, pack: &Pack, faults: &mut Vec<Text>) {
        let (calendar, day) = (&pack.calendar, self.first_day);
        if !calendar.is_working_day(day) || calendar.is_provisional(day.year()) {
            faults.push(wrong(
                "first_day",
                "须为已公布日历中的工作日",
                "must be a working day of a year whose calendar is published",
            ));
        }
        let whole = |time: NaiveTime| time.minute() == 0 && time.second() == 0;
        let hours = usize::try_from((self.until - self.from).num_hours()).unwrap_or(0);
        if !whole(self.from) || !whole(self.until) || hours == 0 {
            faults.push(wrong(
                "from, until",
                "须为整点，且先后有序",
                "must be whole hours, one after the other",
            ));
        }
        if self.reports.len() != hours {
            faults.push(wrong(
                "reports",
                &format!("应有 {hours} 个数，每小时一个"),
                &format!("must have {hours} numbers, one for each hour"),
            ));
        }
        if !(self.from..self.until).contains(&self.opens) {
            faults.push(wrong("opens", "不在当日时段内", "is outside of the day"));
        }
        if !(1.0..=1_000_000.0).contains(&self.speed) {
            faults.push(wrong("speed", "应为 1 到 1000000", "must be 1 to 1000000"));
        }
        let storm = &self.typhoon;
        let inside = self.from <= storm.from && storm.from + TimeDelta::hours(1) <= self.until;
        if !whole(storm.from) || !inside || storm.every_days == 0 || storm.times == 0 {
            faults.push(wrong(
                "typhoon",
                "须为当日的一个整点小时，every_days 与 times 不为 0",
                "must be a whole hour of the day, with every_days and times that are not 0",
            ));
        }
        for hour in 0..i64::try_from(hours).unwrap_or(0) {
            let at = self.from + TimeDelta::hours(hour);
            if self.weight_of(&self.sentences, at) == 0 {
                let (zh, en) = (format!("{at} 起的一小时无话可报"), format!("nothing is said at {at}"));
                faults.push(wrong("sentences", &zh, &en));
            }
        }
        if self.weight_of(&storm.sentences, storm.from) == 0 {
            faults.push(wrong("typhoon/sentences", "无话可报", "nothing is said in the storm"));
        }
    }

    fn weight_of(&self, sentences: &[Sentence], at: NaiveTime) -> u64 {
        sentences.iter().filter(|sentence| sentence.is_said(at)).map(|sentence| sentence.weight).sum()
    }

    fn check_sentences(&self, pack: &Pack, faults: &mut Vec<Text>) {
        for said in self.sentences.iter().chain(&self.typhoon.sentences) {
            let name = format!("sentence of {}: {}", said.category, said.zh);
            if category(pack, &said.category).is_none() {
                faults.push(wrong(&name, "类别不在包中", "the pack has no such category"));
            }
            check_words(&name, (&said.zh, &said.en), &BLANKS, faults);
        }
    }

    /// Each kind of life has something to begin with, of a category it can come to its end with.
    fn check_lives(&self, pack: &Pack, faults: &mut Vec<Text>) {
        let mut said: BTreeMap<Kind, u32> = BTreeMap::new();
        for life in &self.lives {
            *said.entry(life.life).or_default() += 1;
            let name = format!("life of {}: {}", life.category, life.zh);
            check_words(&name, (&life.zh, &life.en), &BLANKS, faults);
            let fits = |category: &Category| match life.life {
                Kind::Partner => !category.sensitive && !category.offer_to.is_empty(),
                Kind::Handled | Kind::Escalated | Kind::Returned => {
                    !category.sensitive && category.offer_to.is_empty()
                }
                Kind::Typhoon | Kind::News => false,
            };
            if !category(pack, &life.category).is_some_and(fits) {
                faults.push(wrong(
                    &name,
                    "类别不在包中，或不合此用：partner 须可交社会组织，其余不可，敏感事项均不可",
                    "its category is not in the pack or does not fit: that of partner is offered to organisations, \
                     those of the others are not, and none is sensitive",
                ));
            }
        }
        for life in &LIVES {
            if !said.contains_key(&life.kind) {
                faults.push(wrong(
                    "lives",
                    &format!("缺少 {:?}", life.kind),
                    &format!("{:?} has none", life.kind),
                ));
            }
        }
    }
}

fn category<'a>(pack: &'a Pack, code: &str) -> Option<&'a Category> {
    pack.categories.get(&code.into())
}

fn wrong(place: &str, zh: &str, en: &str) -> Text {
    Text::new(format!("{place}：{zh}"), format!("{place}: {en}"))
}

fn check_words(place: &str, (zh, en): (&str, &str), blanks: &[&str], faults: &mut Vec<Text>) {
    for text in [zh, en] {
        if text.trim().is_empty() || text.chars().count() > LONGEST_SENTENCE {
            faults.push(wrong(
                place,
                &format!("须有中英文，各不超过 {LONGEST_SENTENCE} 字"),
                &format!("must be there in both languages, with at most {LONGEST_SENTENCE} characters each"),
            ));
        }
        let left =
            blanks.iter().fold(text.to_owned(), |text, blank| text.replace(&format!("{{{blank}}}"), ""));
        if left.contains(['{', '}']) {
            let known = BLANKS.join(", ");
            faults.push(wrong(
                place,
                &format!("大括号内只能是 {known}"),
                &format!("only {known} can stand in braces"),
            ));
        }
    }
}
