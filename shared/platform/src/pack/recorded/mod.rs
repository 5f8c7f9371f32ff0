//! The `recorded` of `pack.json`: how a file of past reports of this jurisdiction is read (导入映射), and what it is
//! compared with. Which column is what, how times, places and text are written: all of it data, none of it code.
//!
//! | field | what it is |
//! |---|---|
//! | `file`? | the pack's own file; without one, files are named when they are replayed |
//! | `encoding`? | `UTF-8`, `GB18030` or `Big5`; a file that is neither UTF-8 nor what is said here is refused, never guessed at |
//! | `columns`? | `{id?, opened?, closed?, due?, category?}`: what the file calls them, where it has other words |
//! | `times`? | `{format?, time_of_day?, zone?}`: a format as in `%Y-%m-%d %H:%M`, the time that stands for a whole day, another zone than the calendar's |
//! | `open`? | `{column, values}`: with these words a row is not closed, whatever stands in `closed` |
//! | `place`? | `{lon, lat, datum?}`: columns of degrees; or `{areas: [{column, level}], nothing?, point: {lon, lat, datum}}`: columns of area names, the narrowest first, words that mean nothing, and the point that stands for "no point was given" |
//! | `aliases`? | `{NAME: CODE}`: other names of areas; 社区, 社区居委会 and 居委会 are one without it |
//! | `categories`? | `{WORD: CODE}`: other words for categories |
//! | `unlisted_category`? | what a category that the pack does not list is taken as |
//! | `usable`? | `{column, values}`: only with these words is a row's place compared |
//! | `verdict`? | `{column, on_time, overdue}`: the words of the file's own verdicts |
//! | `truth`? | list of `{name, level, column, pad?, names?}`: areas the file says it was; `names`: by name, not by code |
//! | `units`? | `{column, file}`: disposing units, and the table `category,area,unit` they are put beside |

mod entry;
mod form;
mod names;
mod times;
mod units;

use std::collections::BTreeMap;

use chrono_tz::Tz;
use domain::id::CategoryCode;
use domain::place::Datum;
use domain::text::Text;

use super::areas::{AreaBook, Found, unknown_area};
use super::boundaries::level_in_use;
use super::fault::Fault;
use super::files::Files;
use super::main_file::{MainFile, datum, filled, pad};
use super::routing::{Lists, check_point};

pub(super) use entry::RecordedEntry;
use entry::{AreaColumnEntry, PlaceEntry, PointEntry, TimesEntry, TruthEntry, WordsEntry};
pub use form::{AreaColumn, Column, Columns, Encoding, NoPoint, Placed, Recorded, Truth, Verdicts, Words};
pub use names::AreaNames;
pub use times::Times;
pub use units::Units;

pub(super) fn read(
    main: &MainFile,
    files: &mut Files,
    lists: &Lists,
    faults: &mut Vec<Fault>,
) -> Option<Recorded> {
    let entry = main.file.recorded.as_ref()?;
    if let Some(file) = &entry.file {
        let read = files.note(file, |reason| main.fault("recorded/file", reason));
        faults.extend(read.err());
    }
    let encoding = entry.encoding.as_deref().map(encoding).transpose();
    let encoding = main.keep("recorded/encoding", encoding, faults).flatten();
    let unlisted = entry.unlisted_category.as_deref().map(|code| lists.categories.check(code)).transpose();
    let unlisted_category = main.keep("recorded/unlisted_category", unlisted, faults).flatten();
    let truth = entry.truth.iter().enumerate();
    let truth = truth.filter_map(|(n, one)| truth_column(main, n, one, lists.areas, faults)).collect();
    // A datum that is missing is a fault of its own already.
    let whole = main.file.datum.as_deref().and_then(|text| text.parse().ok()).unwrap_or(Datum::Wgs84);
    let plain = Recorded::plain(whole);
    Some(Recorded {
        file: entry.file.as_ref().and_then(|file| files.path(file)),
        encoding,
        columns: columns(main, entry, plain.columns, faults),
        times: times(main, entry.times.as_ref(), faults),
        placed: placed(main, entry.place.as_ref(), lists.areas, whole, faults).unwrap_or(plain.placed),
        names: area_names(main, entry, lists.areas, faults),
        categories: categories(main, entry, lists, faults),
        unlisted_category,
        usable: entry.usable.as_ref().map(|words| self::words(main, "recorded/usable", words, faults)),
        verdict: verdict(main, entry, faults),
        truth,
        units: units(main, entry, files, lists, faults),
    })
}

fn encoding(text: &str) -> Result<Encoding, Text> {
    Encoding::ALL.into_iter().find(|known| known.as_str() == text).ok_or_else(|| {
        Text::new(
            format!("“{text}”不是可用的编码；请写 UTF-8、GB18030 或 Big5（GBK、GB2312 写 GB18030）"),
            format!("`{text}` is not an encoding: write UTF-8, GB18030 (also for GBK and GB2312) or Big5"),
        )
    })
}

fn columns(main: &MainFile, entry: &RecordedEntry, plain: Columns, faults: &mut Vec<Fault>) -> Columns {
    let given = &entry.columns;
    let all = [
        ("id", &given.id),
        ("opened", &given.opened),
        ("closed", &given.closed),
        ("due", &given.due),
        ("category", &given.category),
    ];
    for (field, column) in all {
        if let Some(column) = column {
            main.check(&format!("recorded/columns/{field}"), filled(column), faults);
        }
    }
    let named = |given: &Option<String>, plain: String| given.clone().unwrap_or(plain);
    let column = |given: &Option<String>, plain: Column| match given {
        Some(name) => Column { name: name.clone(), needed: true },
        None => plain,
    };
    Columns {
        id: named(&given.id, plain.id),
        opened: named(&given.opened, plain.opened),
        category: named(&given.category, plain.category),
        closed: column(&given.closed, plain.closed),
        due: column(&given.due, plain.due),
        open: match &entry.open {
            Some(words) => self::words(main, "recorded/open", words, faults),
            None => plain.open,
        },
    }
}

fn words(main: &MainFile, path: &str, entry: &WordsEntry, faults: &mut Vec<Fault>) -> Words {
    main.check(&format!("{path}/column"), filled(&entry.column), faults);
    main.check(&format!("{path}/values"), some(&entry.values), faults);
    Words { column: Column { name: entry.column.clone(), needed: true }, values: entry.values.clone() }
}

/// A list of words; an empty word is one, since a column may be empty.
fn some(words: &[String]) -> Result<(), Text> {
    if words.is_empty() {
        return Err(Text::new("不能是空清单", "the list must not be empty"));
    }
    Ok(())
}

fn times(main: &MainFile, entry: Option<&TimesEntry>, faults: &mut Vec<Fault>) -> Times {
    let Some(entry) = entry else { return Times::default() };
    let time_of_day = entry.time_of_day.as_deref().map(|text| {
        text.parse().map_err(|_| {
            Text::new(
                format!("“{text}”不是一天中的时刻；请写 HH:MM:SS"),
                format!("`{text}` is not a time of day: write HH:MM:SS"),
            )
        })
    });
    let time_of_day = main.keep("recorded/times/time_of_day", time_of_day.transpose(), faults);
    let zone = entry.zone.as_deref().map(|text| {
        text.parse::<Tz>().map_err(|_| {
            Text::new(
                format!("“{text}”不是时区；请写形如 Asia/Shanghai 的名称"),
                format!("`{text}` is not a zone: write a name as in Asia/Shanghai"),
            )
        })
    });
    let zone = main.keep("recorded/times/zone", zone.transpose(), faults).flatten();
    // A format of days alone is understood with the time of day only.
    let Some(time_of_day) = time_of_day else { return Times::default() };
    let times = Times::new(entry.format.clone(), time_of_day, zone);
    main.keep("recorded/times/format", times, faults).unwrap_or_default()
}

fn placed(
    main: &MainFile,
    entry: Option<&PlaceEntry>,
    areas: &AreaBook,
    whole: Datum,
    faults: &mut Vec<Fault>,
) -> Option<Placed> {
    let entry = entry?;
    match (&entry.lon, &entry.lat, entry.areas.as_slice(), &entry.point) {
        (Some(lon), Some(lat), [], None) if entry.nothing.is_empty() => {
            main.check("recorded/place/lon", filled(lon), faults);
            main.check("recorded/place/lat", filled(lat), faults);
            let of = Text::new("坐标列", "the columns of degrees");
            let datum = match &entry.datum {
                Some(text) => main.keep("recorded/place/datum", datum(Some(text.as_str()), of), faults)?,
                None => whole,
            };
            Some(Placed::Point { lon: lon.clone(), lat: lat.clone(), datum })
        }
        (None, None, [_, ..], Some(point)) if entry.datum.is_none() => {
            let columns = entry.areas.iter().enumerate();
            let columns = columns.filter_map(|(n, one)| area_column(main, n, one, areas, faults)).collect();
            let point = no_point(main, point, faults)?;
            Some(Placed::Named { columns, nothing: entry.nothing.clone(), point })
        }
        _ => {
            let reason = Text::new(
                "请写 {lon, lat, datum?}（坐标列），或 {areas, nothing?, point}（区域名称列，及没有坐标时记下的点），二者取一",
                "write {lon, lat, datum?} for columns of degrees, or {areas, nothing?, point} for columns of area names \
                 with the point that stands for none: one of the two",
            );
            faults.push(main.fault("recorded/place", reason));
            None
        }
    }
}

fn area_column(
    main: &MainFile,
    n: usize,
    entry: &AreaColumnEntry,
    areas: &AreaBook,
    faults: &mut Vec<Fault>,
) -> Option<AreaColumn> {
    let at = |field: &str| format!("recorded/place/areas/{n}/{field}");
    main.check(&at("column"), filled(&entry.column), faults);
    let level = main.keep(&at("level"), level_in_use(&entry.level, areas), faults)?;
    Some(AreaColumn { column: entry.column.clone(), level })
}

fn no_point(main: &MainFile, entry: &PointEntry, faults: &mut Vec<Fault>) -> Option<NoPoint> {
    let of = Text::new("该点", "the point");
    let datum = main.keep("recorded/place/point/datum", datum(entry.datum.as_deref(), of), faults)?;
    check_point(main, "recorded/place/point", entry.lon, entry.lat, datum, faults);
    Some(NoPoint { lon: entry.lon, lat: entry.lat, datum })
}

fn area_names(
    main: &MainFile,
    entry: &RecordedEntry,
    areas: &AreaBook,
    faults: &mut Vec<Fault>,
) -> AreaNames {
    let mut names = AreaNames::of(&areas.areas);
    for (alias, code) in &entry.aliases {
        match areas.find(code) {
            Found::Area(area) => names.call(alias, area.path.clone()),
            Found::Reported => {}
            Found::Unknown => faults.push(main.fault("recorded/aliases", unknown_area(code))),
        }
    }
    names
}

fn categories(
    main: &MainFile,
    entry: &RecordedEntry,
    lists: &Lists,
    faults: &mut Vec<Fault>,
) -> BTreeMap<String, CategoryCode> {
    let known = |(word, code): (&String, &String)| {
        let code = main.keep("recorded/categories", lists.categories.check(code), faults)?;
        Some((word.clone(), code))
    };
    entry.categories.iter().filter_map(known).collect()
}

fn verdict(main: &MainFile, entry: &RecordedEntry, faults: &mut Vec<Fault>) -> Option<Verdicts> {
    let entry = entry.verdict.as_ref()?;
    main.check("recorded/verdict/column", filled(&entry.column), faults);
    main.check("recorded/verdict/on_time", some(&entry.on_time), faults);
    main.check("recorded/verdict/overdue", some(&entry.overdue), faults);
    let (column, on_time, overdue) = (entry.column.clone(), entry.on_time.clone(), entry.overdue.clone());
    Some(Verdicts { column, on_time, overdue })
}

fn units(
    main: &MainFile,
    entry: &RecordedEntry,
    files: &mut Files,
    lists: &Lists,
    faults: &mut Vec<Fault>,
) -> Option<Units> {
    let entry = entry.units.as_ref()?;
    main.check("recorded/units/column", filled(&entry.column), faults);
    let source = super::text(main, "recorded/units/file", &entry.file, files, faults)?;
    Some(Units::read(&entry.column, &source, lists, faults))
}

fn truth_column(
    main: &MainFile,
    n: usize,
    entry: &TruthEntry,
    areas: &AreaBook,
    faults: &mut Vec<Fault>,
) -> Option<Truth> {
    let at = |field: &str| format!("recorded/truth/{n}/{field}");
    main.check(&at("name"), new_name(main, n, &entry.name), faults);
    main.check(&at("column"), filled(&entry.column), faults);
    main.check(&at("pad"), pad(entry.pad), faults);
    let level = main.keep(&at("level"), level_in_use(&entry.level, areas), faults)?;
    let (name, column) = (entry.name.clone(), entry.column.clone());
    Some(Truth { name, level, column, pad: entry.pad, by_name: entry.names })
}

fn new_name(main: &MainFile, n: usize, name: &str) -> Result<(), Text> {
    filled(name)?;
    let mut earlier = main.file.recorded.iter().flat_map(|recorded| recorded.truth.iter().take(n));
    if earlier.any(|truth| truth.name == name) {
        return Err(Text::new(format!("“{name}”出现两次"), format!("`{name}` is listed twice")));
    }
    Ok(())
}
