//! What a report must be to be taken, and what it means to send one twice. Pure.

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use domain::area::Areas;
use domain::category::Categories;
use domain::id::{CategoryCode, IncidentId, PersonId};
use domain::place::{Datum, Place};
use domain::report::{Promise, Report};
use domain::text::Text;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

/// A report as a person's device sends it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    /// Made by the device, once for each report: the same id from the same person is the same incident,
    /// so double taps, retries and offline resends make no copies. 1 to 64 letters, digits, `-`, `_`, `.`.
    pub client_id: String,
    /// Code of a category of the pack.
    pub category: String,
    /// The place, always with its datum.
    #[serde(deserialize_with = "sent")]
    #[schema(value_type = NewPlace)]
    pub place: Place,
    /// Where the person it concerns is registered (户籍地、登记地): code or path of an area of the pack. For categories
    /// that go by registration (`by_registration` of `GET /api/v1/categories`); without it the community of the place
    /// looks into the matter first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_area: Option<String>,
    /// What is wrong, in the reporter's words; at most 2,000 characters. Stays in this service.
    #[serde(default)]
    pub description: String,
}

/// A place as a person's device sends it: a [`Place`], and nothing else. A field that is not known is a
/// misspelt one, and what it says would be lost unnoticed.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPlace {
    /// Degrees east, −180 to 180.
    pub lon: f64,
    /// Degrees north, −90 to 90.
    pub lat: f64,
    /// `WGS-84`, `CGCS2000`, `GCJ-02` or `BD-09`.
    #[schema(value_type = String)]
    pub datum: Datum,
    /// Radius in metres the device vouches for, if it says.
    #[serde(default)]
    pub accuracy_m: Option<f64>,
    /// Where the point comes from: `gps`, `map`, `address` …; at most 64 characters.
    #[serde(default)]
    pub source: Option<String>,
    /// When the device took it.
    #[serde(default)]
    pub captured_at: Option<DateTime<Utc>>,
}

impl From<NewPlace> for Place {
    fn from(new: NewPlace) -> Self {
        let NewPlace { lon, lat, datum, accuracy_m, source, captured_at } = new;
        Self { lon, lat, datum, accuracy_m, source, captured_at, area: None }
    }
}

fn sent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Place, D::Error> {
    NewPlace::deserialize(deserializer).map(Place::from)
}

/// What can be submitted.
#[derive(Clone, Debug)]
pub enum Reported {
    /// By a person, now.
    Now(NewReport),
    /// From a recorded file, with the due time it was promised then.
    Recorded { report: NewReport, due_at: Option<DateTime<Utc>> },
}

impl Reported {
    pub fn client_id(&self) -> &str {
        &self.new_report().client_id
    }

    fn new_report(&self) -> &NewReport {
        match self {
            Self::Now(report) | Self::Recorded { report, .. } => report,
        }
    }
}

/// The command: this report, as this incident if it is new.
#[derive(Clone, Debug)]
pub struct Submit {
    pub incident: IncidentId,
    pub report: Reported,
}

/// The report was taken, now or before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    pub incident: IncidentId,
    /// `false`: the same client id came before, and this is its incident.
    pub fresh: bool,
}

/// Why a report is not taken. Nothing was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFault {
    /// Short and stable: `unknown_category`.
    pub code: &'static str,
    pub field: &'static str,
    pub text: Text,
}

/// A report that passed.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub client_id: String,
    pub digest: String,
    pub description: String,
    pub report: Report,
}

const LONGEST_CLIENT_ID: usize = 64;
const LONGEST_DESCRIPTION: usize = 2_000;

/// No device that sends one has a time before this year; a clock that was never set shows 1970.
const EARLIEST_CAPTURE: i32 = 1970;

/// A device's clock may be this far ahead before its time is not believed.
const DEVICE_AHEAD: TimeDelta = TimeDelta::minutes(5);

/// What the pack lists: whatever a report names is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lists<'a> {
    pub categories: &'a Categories,
    pub areas: &'a Areas,
    /// What a recorded report of a category that is not listed counts as.
    pub unlisted: Option<&'a CategoryCode>,
}

pub(crate) fn check(
    reported: &Reported,
    filed_at: DateTime<Utc>,
    lists: Lists<'_>,
    reporter: &PersonId,
) -> Result<Checked, ReportFault> {
    let Lists { categories, areas, unlisted } = lists;
    let new = reported.new_report();
    check_client_id(&new.client_id)?;
    let category = match reported {
        Reported::Now(_) => listed(&new.category, categories)?,
        // A file of another year may name a category the pack has not heard of; the pack may say where it goes.
        Reported::Recorded { .. } => {
            listed(&new.category, categories).or_else(|fault| unlisted.cloned().ok_or(fault))?
        }
    };
    let registered_area =
        new.registered_area.as_deref().map(|text| registered_area(text, areas)).transpose()?;
    check_place(&new.place, filed_at)?;
    check_description(&new.description)?;
    let promise = match reported {
        Reported::Now(_) => Promise::Category,
        Reported::Recorded { due_at, .. } => Promise::Recorded(*due_at),
    };
    let place = new.place.clone();
    let report = Report { reporter: reporter.clone(), category, place, registered_area, promise };
    let description = new.description.clone();
    Ok(Checked {
        client_id: new.client_id.clone(),
        digest: digest(&report, &description),
        description,
        report,
    })
}

/// The same client id came before: the same report is answered as it was, another one is refused.
pub(crate) fn again(incident: IncidentId, digest: &str, checked: &Checked) -> Result<Submitted, ReportFault> {
    if digest == checked.digest {
        return Ok(Submitted { incident, fresh: false });
    }
    Err(ReportFault {
        code: "client_id_taken",
        field: "client_id",
        text: Text::new(
            "这个 client_id 已用于另一份内容不同的上报；新的上报请用新的 client_id",
            "this client_id was used for a different report: give a new report a new client_id",
        ),
    })
}

fn check_client_id(id: &str) -> Result<(), ReportFault> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if !id.is_empty() && id.len() <= LONGEST_CLIENT_ID && id.bytes().all(plain) {
        return Ok(());
    }
    Err(ReportFault {
        code: "wrong_client_id",
        field: "client_id",
        text: Text::new(
            "client_id 须为 1 到 64 个字母、数字、-、_ 或 .",
            "client_id must be 1 to 64 letters, digits, `-`, `_` or `.`",
        ),
    })
}

fn listed(code: &str, categories: &Categories) -> Result<CategoryCode, ReportFault> {
    let category = CategoryCode(code.to_owned());
    if categories.contains_key(&category) {
        return Ok(category);
    }
    let shown: String = code.chars().take(60).collect();
    Err(ReportFault {
        code: "unknown_category",
        field: "category",
        text: Text::new(
            format!("事项类别「{shown}」不在本辖区的清单中"),
            format!("category `{shown}` is not on this jurisdiction's list"),
        ),
    })
}

/// The code of an area that is named by its code or by its path.
fn registered_area(text: &str, areas: &Areas) -> Result<String, ReportFault> {
    let code = text.rsplit('/').next().unwrap_or(text);
    let area = areas.by_code(code).filter(|area| code == text || area.path.as_str() == text);
    if area.is_some() {
        return Ok(code.to_owned());
    }
    let shown: String = text.chars().take(60).collect();
    Err(ReportFault {
        code: "unknown_registered_area",
        field: "registered_area",
        text: Text::new(
            format!(
                "户籍地「{shown}」不在本辖区的区域表中；请填户籍所在村（社区）的区域代码，不清楚时请留空"
            ),
            format!(
                "registered_area `{shown}` is not on this jurisdiction's list of areas: give the code of the village or \
                 community where the person is registered, or leave it out"
            ),
        ),
    })
}

fn check_place(place: &Place, filed_at: DateTime<Utc>) -> Result<(), ReportFault> {
    if let Err(fault) = place.check() {
        let field = match fault.field() {
            "lon" => "place.lon",
            "lat" => "place.lat",
            _ => "place.accuracy_m",
        };
        return Err(ReportFault {
            code: "wrong_place",
            field,
            text: Text::new(fault.zh(), fault.to_string()),
        });
    }
    if place.source.as_ref().is_some_and(|source| source.chars().count() > LONGEST_CLIENT_ID) {
        let text = Text::new("place.source 最长 64 个字符", "place.source has at most 64 characters");
        return Err(ReportFault { code: "wrong_place", field: "place.source", text });
    }
    match place.captured_at {
        Some(captured_at) if captured_at.year() < EARLIEST_CAPTURE => Err(ReportFault {
            code: "captured_long_ago",
            field: "place.captured_at",
            text: Text::new(
                format!("拍摄时间早于 {EARLIEST_CAPTURE} 年，请检查手机时间"),
                format!("captured_at is before {EARLIEST_CAPTURE}: check the clock of the device"),
            ),
        }),
        Some(captured_at) if captured_at > filed_at + DEVICE_AHEAD => Err(ReportFault {
            code: "captured_in_future",
            field: "place.captured_at",
            text: Text::new(
                format!("拍摄时间 {captured_at} 晚于现在，请检查手机时间"),
                format!("captured_at {captured_at} is in the future: check the clock of the device"),
            ),
        }),
        _ => Ok(()),
    }
}

fn check_description(description: &str) -> Result<(), ReportFault> {
    if description.chars().count() <= LONGEST_DESCRIPTION {
        return Ok(());
    }
    Err(ReportFault {
        code: "description_too_long",
        field: "description",
        text: Text::new("说明最长 2000 字", "the description has at most 2,000 characters"),
    })
}

/// What tells two reports apart: everything that was sent but the client id.
fn digest(report: &Report, description: &str) -> String {
    let content = serde_json::to_vec(&(report, description)).expect("a report is plain data with text keys");
    Sha256::digest(content).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
