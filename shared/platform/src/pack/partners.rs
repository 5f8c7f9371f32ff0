//! `partners.csv`: the partner organisations (社会组织) an office begins with. Which of them may take a case now is
//! partner's to know: its register begins with these and goes on by itself.

use std::collections::BTreeSet;

use domain::area::Level;
use domain::id::PartnerId;
use domain::partner::{Partner, Standing, Status, filing_faults};
use domain::text::Text;

use super::areas::{AreaBook, Found, unknown_area};
use super::categories::CategoryBook;
use super::fault::Fault;
use super::files::Source;
use super::offers::not_a_class;
use super::table;

const COLUMNS: [&str; 13] = [
    "partner",
    "name_zh",
    "name_en",
    "class",
    "status",
    "office",
    "members",
    "in_charge",
    "charter",
    "fixed_place",
    "coverage",
    "categories",
    "capacity",
];
/// A list in one field: `330206002009 330206002010`.
const BETWEEN: char = ' ';

/// The organisations read, and which ids stand on a line with a fault.
#[derive(Default)]
pub(super) struct PartnerBook {
    pub partners: Vec<Partner>,
    faulty: BTreeSet<String>,
}

impl PartnerBook {
    pub fn read(
        source: &Source,
        areas: &AreaBook,
        categories: &CategoryBook,
        faults: &mut Vec<Fault>,
    ) -> Self {
        let mut book = Self::default();
        for row in table::read(source, COLUMNS, faults).rows {
            let known = faults.len();
            let partner = book.partner(source, &row, areas, categories, faults);
            match partner {
                Some(partner) if faults.len() == known => book.partners.push(partner),
                _ => drop(book.faulty.insert(row.fields[0].clone())),
            }
        }
        book
    }

    fn partner(
        &self,
        source: &Source,
        row: &table::Row<13>,
        areas: &AreaBook,
        categories: &CategoryBook,
        faults: &mut Vec<Fault>,
    ) -> Option<Partner> {
        let [
            id,
            zh,
            en,
            class,
            status,
            office,
            members,
            in_charge,
            charter,
            place,
            coverage,
            takes,
            capacity,
        ] = &row.fields;
        let name = table::name(&source.name, row.line, zh, en, faults);
        let mut fault = |reason| faults.push(Fault::at_line(&source.name, row.line, reason));
        let id = self.new_id(id).map_err(&mut fault).ok();
        let class = not_a_class(class).map_err(&mut fault).ok();
        let status = status_of(status).map_err(&mut fault).ok();
        let office = office_of(office, areas).map_err(&mut fault).ok().flatten();
        let members = number("members", members).map_err(&mut fault).ok();
        let capacity = number("capacity", capacity).map_err(&mut fault).ok();
        let mut said = |field, text| yes_or_no(field, text).map_err(&mut fault).ok();
        let (in_charge, charter, place) =
            (said("in_charge", in_charge), said("charter", charter), said("fixed_place", place));
        let mut coverages = Vec::new();
        for code in coverage.split(BETWEEN).filter(|code| !code.is_empty()) {
            match areas.find(code) {
                Found::Area(area) => coverages.push(area.path.clone()),
                Found::Reported => {}
                Found::Unknown => fault(unknown_area(code)),
            }
        }
        if coverage.is_empty() {
            fault(Text::new("服务范围是空的", "the coverage is empty: name the areas it works in"));
        }
        let mut taken = Vec::new();
        for code in takes.split(BETWEEN).filter(|code| !code.is_empty()) {
            taken.extend(categories.check(code).map_err(&mut fault).ok());
        }
        let partner = Partner {
            id: id?,
            name: name?,
            class: class?,
            status: status?,
            office: office?,
            members: members?,
            in_charge: in_charge?,
            charter: charter?,
            fixed_place: place?,
            coverage: coverages,
            categories: taken,
            capacity: capacity?,
            standing: Standing::Active,
        };
        filing_faults(&partner).into_iter().for_each(&mut fault);
        Some(partner)
    }

    fn new_id(&self, text: &str) -> Result<PartnerId, Text> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || text.len() > 32 || !text.chars().all(plain) {
            return Err(Text::new(
                format!("组织编号“{text}”无效：只能用 1 到 32 个小写字母、数字和连字符"),
                format!(
                    "`{text}` is no id of an organisation: use 1 to 32 lower-case letters, digits and hyphens"
                ),
            ));
        }
        if self.knows(text) {
            return Err(Text::new(
                format!("组织 {text} 出现两次；请删去一行"),
                format!("organisation `{text}` is listed twice: keep one of the two lines"),
            ));
        }
        Ok(PartnerId(text.to_owned()))
    }

    /// Whether there is such an organisation, or may be, on a line that has a fault.
    pub fn knows(&self, id: &str) -> bool {
        self.faulty.contains(id) || self.partners.iter().any(|partner| partner.id.0 == id)
    }
}

fn status_of(text: &str) -> Result<Status, Text> {
    text.parse().map_err(|english: String| {
        Text::new(format!("“{text}”不是登记状态；请写 registered（登记）或 filed（备案）"), english)
    })
}

/// Nothing where the area's own line is at fault and has said so.
fn office_of(code: &str, areas: &AreaBook) -> Result<Option<domain::area::AreaPath>, Text> {
    match areas.find(code) {
        Found::Area(area) if area.level >= Level::Street => Ok(Some(area.path.clone())),
        Found::Area(area) => Err(Text::new(
            format!("{code} 是{}；社会组织在街道备案、在区县登记", area.level.zh()),
            format!(
                "`{code}` is a {}: organisations are filed with a street or registered in a county",
                area.level
            ),
        )),
        Found::Reported => Ok(None),
        Found::Unknown => Err(unknown_area(code)),
    }
}

fn number(field: &str, text: &str) -> Result<u32, Text> {
    text.parse().ok().filter(|number| (1..=1_000_000).contains(number)).ok_or_else(|| {
        Text::new(
            format!("{field} 是“{text}”；请写 1 以上的整数"),
            format!("{field} is `{text}`: write a whole number from 1 on"),
        )
    })
}

fn yes_or_no(field: &str, text: &str) -> Result<bool, Text> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(Text::new(
            format!("{field} 是“{text}”；请写 yes 或 no"),
            format!("{field} is `{text}`: write yes or no"),
        )),
    }
}
