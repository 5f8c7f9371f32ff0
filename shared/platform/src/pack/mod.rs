//! A *pack*: a jurisdiction as data. Everything that differs between one street office and the next
//! is in a folder of files and none of it in code.
//!
//! A pack that loads is whole: every code, post and level that one file names is in another, and
//! limits, dates and datums are understood. One that does not is refused with all its faults at once
//! ([`PackFault`]), each with file and line. What is odd but harmless is in [`Pack::warnings`].
//!
//! # `pack.json`
//!
//! Unknown fields are refused; names of files are relative to the folder, or begin with `$DATA/` where a licence does
//! not allow them into it: they are then looked for in the folder of data that is given beside the pack. `?` marks what
//! may be left out.
//!
//! | field | what it is |
//! |---|---|
//! | `code` | lower-case letters, digits, `-` |
//! | `name` | `{"zh": …, "en": …}` |
//! | `source` | where the data comes from, in words |
//! | `codes` | `chinese`: area codes are checked as 6/9/12/15 digits; `opaque`: any |
//! | `datum` | of coordinates of this jurisdiction: `WGS-84`, `CGCS2000`, `GCJ-02`, `BD-09` |
//! | `zone` | must be the calendar's, so that nobody takes the wrong calendar unnoticed |
//! | `areas` | CSV `code,level,parent,name_zh,name_en`, parents first |
//! | `districts`? | CSV `district,name_zh,name_en,communities`: the 片区 of a street; codes of communities with spaces between |
//! | `borders`? | CSV `area,other,taken_by,within_m,categories,name_zh,name_en`: which of two areas takes what lies on their border, or so many metres into the other; `categories` with spaces between, empty for all; the name is that of the road or river |
//! | `categories` | CSV `code,name_zh,name_en,handle_limit,sensitive` (`yes`/`no`) |
//! | `conditions`? | CSV `category,filing_zh,filing_en,closing_zh,closing_en`: when a category is taken up (立案条件), and when it is done (结案标准) |
//! | `stages`? | CSV `category,name_zh,name_en,limit`: what must be done before the whole is (分段时限), in order |
//! | `offers`? | CSV `category,class`: which class of organisation is offered which category |
//! | `partners`? | CSV, an organisation a line; `coverage` and `categories` are codes with spaces between; with `policy.offer_limit` |
//! | `people` | CSV `person,name_zh,name_en,role,area`, a line for each role of a person; for the role `partner`, `area` is the organisation's id |
//! | `leave`? | CSV `person,from,to`: who is away (请假) from a local day or time until another |
//! | `shifts`? | CSV `person,days,from,to`: who is there only then (值班); days `all`, `mon-fri`, `sat sun` |
//! | `calendar` | a calendar file, such as `../calendars/us.json` |
//! | `overlays`? | what is done otherwise here than in the calendar: list of `{from, to, office?, days?, why, why_en?}`, days `open` or `closed` |
//! | `boundaries` | list of `{file, level, key, pad?, datum, valid_from, valid_to?, exclusive?}` |
//! | `accepted_boundary_report`? | digest of the boundary report a person has accepted |
//! | `policy` | `{version, sign_limit?, check_limit?, offer_limit?, sign, handle, check}`; each of the last three a ladder `{remind_percent?, escalate: [{to, after, skips?}]}`; one level at a time, but for those in `skips` |
//! | `policy.urgent`? | `{sign_limit?, check_limit?, offer_limit?, sign, handle, check}`: what goes instead for categories whose `handle_limit` counts around the clock (紧急工作时); every limit and `after` in it counts so too, and without an `offer_limit` the ordinary one goes |
//! | `routing` | `{fallback, rounded_decimals?, placeholders?, rules}` |
//! | `routing.fallback` | `street_desk:CODE` |
//! | `routing.placeholders` | list of `{lon, lat, datum, name}` |
//! | `routing.rules` | list of `{name, flag?, categories?, by?, within?, to}`; `flag` is `placeholder`, `rounded`, `stated_area`, `chosen_area` or `no_registration`, `by` is `place` (when left out) or `registration`, `within` a code, `to` a post |
//! | `recorded`? | how files of past reports are read: the table at the head of `recorded/mod.rs` |
//!
//! Limits are written as [`Limit::parse`](domain::calendar::Limit::parse) reads them: `4wh`, `3wd`,
//! `0h`. `level` is `grid`, `community`, `street` or `county`; `key` the GeoJSON property with the
//! area's code, filled up with zeros to `pad` digits; `valid_to` the first day no longer in force.
//!
//! How long names, codes and sentences may be stands in `lengths.rs`.
//!
//! CSV files are UTF-8, with or without a byte order mark; columns may stand in any order, blank lines
//! are skipped, and every field is text: `0101` stays `0101`.

mod areas;
mod borders;
mod boundaries;
mod calendar;
mod categories;
mod conditions;
mod districts;
mod duty;
mod fault;
mod files;
mod form;
mod gone;
mod in_force;
mod lengths;
mod locate;
mod main_file;
mod offers;
mod partners;
mod people;
mod points;
mod policy;
mod recorded;
mod routing;
mod succession;
mod table;
mod warnings;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use domain::area::Areas;
use domain::border::BorderRule;
use domain::calendar::{Calendar, OverlayFault};
use domain::category::Categories;
use domain::district::Districts;
use domain::partner::Partner;
use domain::place::Datum;
use domain::policy::Policy;
use domain::routing::Routing;
use domain::text::Text;

pub use boundaries::BoundaryFile;
pub use fault::{Fault, PackFault};
pub use files::PackFiles;
pub(crate) use files::sha256;
pub use gone::OpenCases;
pub use in_force::{InForce, Made, Prepared};
pub use lengths::LONGEST_NAME;
pub use people::{OnDuty, People, Person};
pub use points::GridPoints;
pub use recorded::{
    AreaColumn, AreaNames, Column, Columns, Encoding, NoPoint, Placed, Recorded, Times, Truth, Units,
    Verdicts, Words,
};
pub use succession::Dropping;

use areas::AreaBook;
use categories::CategoryBook;
use files::{Files, Source};
use lengths::{LONGEST_CODE, LONGEST_SENTENCE, within};
use main_file::{MainFile, filled, named};
use partners::PartnerBook;

/// A jurisdiction. Made by [`Pack::load`] only, so it is whole.
#[derive(Clone, Debug)]
pub struct Pack {
    pub code: String,
    pub name: Text,
    pub source: String,
    /// SHA-256 in hex of every file `pack.json` names and of itself, by name and content.
    pub digest: String,
    /// Where it lies; empty, if it was published.
    pub folder: PathBuf,
    pub datum: Datum,
    pub areas: Areas,
    pub districts: Districts,
    /// Who takes what lies on a shared border; the first that fits decides.
    pub borders: Vec<BorderRule>,
    pub categories: Categories,
    /// The organisations the register begins with.
    pub partners: Vec<Partner>,
    pub people: People,
    pub calendar: Calendar,
    pub policy: Policy,
    pub routing: Routing,
    pub boundaries: Vec<BoundaryFile>,
    pub accepted_boundary_report: Option<String>,
    pub recorded: Option<Recorded>,
    /// What an operator should look at, such as posts without anybody.
    pub warnings: Vec<Text>,
}

impl Pack {
    /// Reads and checks the pack in `folder`.
    ///
    /// # Errors
    /// Every fault of every file. Only a `pack.json` that cannot be read hides the others, or one that is not of its form
    /// in another way than by a field that is unknown or missing.
    pub fn load(folder: &Path) -> Result<Self, PackFault> {
        Self::load_with(folder, None)
    }

    /// Reads a pack some of whose files, named `$DATA/…`, lie in the folder `data`.
    ///
    /// # Errors
    /// As [`load`](Self::load), and where such a file is named and there is no such folder.
    pub fn load_with(folder: &Path, data: Option<&Path>) -> Result<Self, PackFault> {
        whole(&mut Files::new(folder, data), folder)
    }

    /// Reads a pack, and answers its files too, as they are to be published.
    ///
    /// # Errors
    /// As [`load_with`](Self::load_with).
    pub fn load_to_publish(folder: &Path, data: Option<&Path>) -> Result<(Self, PackFiles), PackFault> {
        let mut files = Files::keeping(folder, data);
        let pack = whole(&mut files, folder)?;
        Ok((pack, files.into_kept()))
    }

    /// Reads a pack from the files it was published as.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn of_published(files: PackFiles) -> Result<Self, PackFault> {
        whole(&mut Files::published(files), Path::new(""))
    }

    /// What names it where a line is short: in facts, and in the log. The first twelve digits of its digest.
    pub fn version(&self) -> &str {
        self.digest.get(..12).unwrap_or(&self.digest)
    }

    /// Whether the office works with partner organisations: without a limit for their answer nothing is offered.
    pub fn has_partners(&self) -> bool {
        self.policy.offer_limit.is_some()
    }

    /// How a recorded file of this jurisdiction is read; plainly, where the pack says nothing of it.
    pub fn form_of_records(&self) -> Recorded {
        self.recorded.clone().unwrap_or_else(|| Recorded::plain(self.datum))
    }
}

fn whole(files: &mut Files, folder: &Path) -> Result<Pack, PackFault> {
    let mut faults = Vec::new();
    match read(files, folder, &mut faults) {
        Some(pack) if faults.is_empty() => Ok(pack),
        _ => Err(PackFault::new(faults, main_file::NAME)),
    }
}

/// The pack, whole only if `faults` stays empty.
fn read(files: &mut Files, folder: &Path, faults: &mut Vec<Fault>) -> Option<Pack> {
    let main = read_main(files, faults)?;
    check_labels(&main, faults);
    let of = Text::new("本包", "the pack");
    let datum = main.keep("datum", main_file::datum(main.file.datum.as_deref(), of), faults);
    let calendar = read_calendar(&main, files, faults);
    let areas = read_areas(&main, files, faults);
    let categories = read_categories(&main, files, faults);
    let partners = read_partners(&main, files, &areas, &categories, faults);
    let people = read_people(&main, files, &areas, &partners, faults);
    let boundaries = boundaries::read(&main, files, &areas, faults);
    let policy = policy::read(&main, &areas, faults);
    let lists = routing::Lists { areas: &areas, categories: &categories };
    let districts = optional(&main, "districts", main.file.districts.as_ref(), files, faults);
    let districts = districts.map(|source| districts::read(&source, &areas, faults)).unwrap_or_default();
    let borders = optional(&main, "borders", main.file.borders.as_ref(), files, faults);
    let borders = borders.map(|source| borders::read(&source, &lists, faults)).unwrap_or_default();
    let routing = routing::read(&main, &lists, faults);
    let recorded = recorded::read(&main, files, &lists, faults);
    faults.retain(|fault| !main.of_stand_in(fault));
    Some(Pack {
        name: Text::new(main.file.name.zh, main.file.name.en),
        code: main.file.code,
        source: main.file.source,
        digest: files.digest(),
        folder: folder.to_owned(),
        datum: datum?,
        warnings: warnings::list(&areas.areas, &districts, &people, &boundaries),
        areas: areas.areas,
        districts,
        borders,
        categories: categories.categories,
        partners: partners.partners,
        people,
        calendar: calendar?,
        policy: policy?,
        routing: routing?,
        boundaries,
        accepted_boundary_report: main.file.accepted_boundary_report,
        recorded,
    })
}

fn read_main(files: &mut Files, faults: &mut Vec<Fault>) -> Option<MainFile> {
    let source = files.text(main_file::NAME, |reason| Fault::of_file(main_file::NAME, reason));
    MainFile::read(source.map_err(|fault| faults.push(fault)).ok()?, faults)
}

fn check_labels(main: &MainFile, faults: &mut Vec<Fault>) {
    let file = &main.file;
    main.check("code", pack_code(&file.code), faults);
    main.check("name/zh", named(&file.name.zh), faults);
    main.check("name/en", named(&file.name.en), faults);
    main.check("source", filled(&file.source).and_then(|()| within(LONGEST_SENTENCE, &file.source)), faults);
}

fn pack_code(code: &str) -> Result<(), Text> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !code.is_empty() && code.chars().all(allowed) {
        return within(LONGEST_CODE, code);
    }
    Err(Text::new(
        format!("“{code}”不是包代码；只能用小写字母、数字和连字符"),
        format!("`{code}` is not the code of a pack: use lower-case letters, digits and hyphens"),
    ))
}

/// The text of a file `pack.json` names in `field`, or nothing and a fault.
fn text(
    main: &MainFile,
    field: &str,
    name: &str,
    files: &mut Files,
    faults: &mut Vec<Fault>,
) -> Option<Source> {
    let read = files.text(name, |reason| main.fault(field, reason));
    read.map_err(|fault| faults.push(fault)).ok()
}

fn read_calendar(main: &MainFile, files: &mut Files, faults: &mut Vec<Fault>) -> Option<Calendar> {
    let source = text(main, "calendar", &main.file.calendar, files, faults)?;
    let calendar = calendar::read(&source).map_err(|fault| faults.push(fault)).ok()?;
    main.check("zone", same_zone(&main.file.zone, &calendar), faults);
    let here = calendar.with_overlays(&main.file.overlays);
    here.map_err(|fault| faults.push(overlay_fault(main, &fault))).ok()
}

fn overlay_fault(main: &MainFile, fault: &OverlayFault) -> Fault {
    let (n, field) = fault.place();
    let path = format!("overlays/{n}/{field}");
    main.fault(path.trim_end_matches('/'), Text::new(fault.zh(), fault.to_string()))
}

fn same_zone(zone: &str, calendar: &Calendar) -> Result<(), Text> {
    let calendars = calendar.zone_name();
    if zone == calendars {
        return Ok(());
    }
    let code = calendar.code();
    Err(Text::new(
        format!("本包时区是“{zone}”，日历 {code} 的时区是 {calendars}；请换日历或改时区"),
        format!(
            "the pack's zone is `{zone}`, but that of its calendar {code} is {calendars}: take another calendar or correct the zone"
        ),
    ))
}

fn read_areas(main: &MainFile, files: &mut Files, faults: &mut Vec<Fault>) -> AreaBook {
    match text(main, "areas", &main.file.areas, files, faults) {
        Some(source) => AreaBook::read(&source, main.file.codes, faults),
        None => AreaBook::unread(),
    }
}

fn read_categories(main: &MainFile, files: &mut Files, faults: &mut Vec<Fault>) -> CategoryBook {
    match text(main, "categories", &main.file.categories, files, faults) {
        Some(source) => {
            let mut book = CategoryBook::read(&source, faults);
            if let Some(source) = optional(main, "stages", main.file.stages.as_ref(), files, faults) {
                offers::read_stages(&source, &mut book, faults);
            }
            if let Some(source) = optional(main, "offers", main.file.offers.as_ref(), files, faults) {
                offers::read_offers(&source, &mut book, faults);
            }
            let conditions = optional(main, "conditions", main.file.conditions.as_ref(), files, faults);
            if let Some(source) = conditions {
                conditions::read(&source, &mut book, faults);
            }
            book
        }
        None => CategoryBook::unread(),
    }
}

/// The text of a file that `pack.json` may name in `field`.
fn optional(
    main: &MainFile,
    field: &str,
    name: Option<&String>,
    files: &mut Files,
    faults: &mut Vec<Fault>,
) -> Option<Source> {
    text(main, field, name?, files, faults)
}

fn read_partners(
    main: &MainFile,
    files: &mut Files,
    areas: &AreaBook,
    categories: &CategoryBook,
    faults: &mut Vec<Fault>,
) -> PartnerBook {
    let source = optional(main, "partners", main.file.partners.as_ref(), files, faults);
    let book = source.map(|source| PartnerBook::read(&source, areas, categories, faults));
    let no_limit = main.file.policy.offer_limit.is_none() && !main.is_missing("policy");
    if book.is_some() && no_limit {
        let reason = Text::new(
            "有社会组织而没有接单时限，无法下单；请写 policy/offer_limit",
            "there are organisations but no limit for their answer, so nothing can be offered: write policy/offer_limit",
        );
        faults.push(main.fault("partners", reason));
    }
    book.unwrap_or_default()
}

fn read_people(
    main: &MainFile,
    files: &mut Files,
    areas: &AreaBook,
    partners: &PartnerBook,
    faults: &mut Vec<Fault>,
) -> People {
    match text(main, "people", &main.file.people, files, faults) {
        Some(source) => {
            let people = People::read(&source, areas, partners, faults);
            let leave = optional(main, "leave", main.file.leave.as_ref(), files, faults);
            let shifts = optional(main, "shifts", main.file.shifts.as_ref(), files, faults);
            people.with_duty(|duty, knows| {
                if let Some(source) = leave {
                    duty.read_leave(&source, knows, faults);
                }
                if let Some(source) = shifts {
                    duty.read_shifts(&source, knows, faults);
                }
            })
        }
        None => People::default(),
    }
}
