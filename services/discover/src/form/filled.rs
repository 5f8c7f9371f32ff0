//! A form as it was filled in: read, and made into a report, or into what is wrong beside each field.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::place::{BY_HAND, Datum, Place};
use domain::text::Text;
use platform::http::html::Language;

use super::choices::Choices;
use crate::submit::NewReport;

/// Characters of an address line.
pub(crate) const LONGEST_ADDRESS: usize = 120;

/// What was typed and chosen, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filled {
    pub category: String,
    pub text: String,
    /// Code of the community in which the person it concerns is registered.
    pub registered_area: String,
    /// Code of the grid that was chosen by name.
    pub area: String,
    pub address: String,
    /// From the device, where a script could ask it.
    pub lon: String,
    pub lat: String,
    pub accuracy: String,
    /// Seconds after the form was handed out, as the device counted them.
    pub after: String,
}

/// What is wrong, and beside which field it is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldFault {
    pub field: &'static str,
    pub text: Text,
}

/// What a report is made of beside what was filled in.
pub(crate) struct Wanted<'a> {
    pub client_id: &'a str,
    pub choices: &'a Choices<'a>,
    pub captured_at: Option<DateTime<Utc>>,
    /// Of the form: what it adds to the reporter's words is in the same.
    pub language: Language,
}

impl Filled {
    pub fn of(mut sent: BTreeMap<String, String>) -> Self {
        let mut take = |name: &str| sent.remove(name).unwrap_or_default();
        Self {
            category: take("category"),
            // A browser sends both marks at the end of a line, and counts one.
            text: take("text").replace("\r\n", "\n"),
            registered_area: take("registered_area"),
            area: take("area"),
            address: take("address").trim().to_owned(),
            lon: take("lon"),
            lat: take("lat"),
            accuracy: take("accuracy"),
            after: take("after"),
        }
    }

    /// How long after it was handed out the form says it was filled in.
    pub fn after(&self) -> Option<TimeDelta> {
        self.after.parse::<u32>().ok().map(|seconds| TimeDelta::seconds(seconds.into()))
    }

    /// Whether the device told where it is.
    pub fn is_located(&self) -> bool {
        !self.lon.is_empty() || !self.lat.is_empty()
    }

    /// The report that this is. What it says is checked again where reports of all devices are.
    ///
    /// # Errors
    /// Everything that is wrong here, each beside its field.
    pub fn report(&self, wanted: &Wanted<'_>) -> Result<NewReport, Vec<FieldFault>> {
        let mut faults = Vec::new();
        if self.category.is_empty() {
            faults.push(fault("category", "请选择问题类别", "choose what kind of problem it is"));
        }
        let place = self.place(wanted).map_err(|fault| faults.push(fault)).ok();
        if !self.is_located() && self.text.trim().is_empty() && self.address.is_empty() {
            let zh = "没有定位时，请写明地址或现场情况，否则承办人找不到";
            let en = "without a position, give an address or say what is wrong: or nobody will find it";
            faults.push(fault("address", zh, en));
        }
        if self.address.chars().count() > LONGEST_ADDRESS {
            faults.push(fault("address", "地址最长 120 字", "an address has at most 120 characters"));
        }
        if self.address.contains('\0') || self.text.contains('\0') {
            faults.push(fault(
                "text",
                "含有无法保存的字符，请去掉",
                "it holds a character that cannot be kept",
            ));
        }
        match place {
            Some(place) if faults.is_empty() => Ok(NewReport {
                client_id: wanted.client_id.to_owned(),
                category: self.category.clone(),
                place,
                registered_area: self.registered_area(wanted.choices),
                description: self.description(wanted.language),
            }),
            _ => Err(faults),
        }
    }

    /// Kept only where it is needed: where somebody is registered is nobody's business otherwise.
    fn registered_area(&self, choices: &Choices<'_>) -> Option<String> {
        let is_asked_for = choices.registration.is_asked_for(&self.category);
        Some(self.registered_area.clone()).filter(|code| is_asked_for && !code.is_empty())
    }

    /// The address is the first line of what the reporter says.
    fn description(&self, language: Language) -> String {
        let text = self.text.trim();
        let place = match language {
            Language::Chinese => "地点：",
            Language::English => "Place: ",
        };
        match (self.address.as_str(), text) {
            ("", text) => text.to_owned(),
            (address, "") => format!("{place}{address}"),
            (address, text) => format!("{place}{address}\n{text}"),
        }
    }

    /// How exact the device says its position is; `None` where it says nothing.
    fn metres(&self) -> Result<Option<f64>, FieldFault> {
        if self.accuracy.is_empty() {
            return Ok(None);
        }
        let metres = number(&self.accuracy).filter(|metres| *metres >= 0.0);
        metres.map(Some).ok_or_else(|| {
            let zh = "定位精度 accuracy 须为 0 或更大的米数，请重新定位";
            let en = "the accuracy of the position must be a number of metres, 0 or more: find your position again";
            fault("accuracy", zh, en)
        })
    }

    fn place(&self, wanted: &Wanted<'_>) -> Result<Place, FieldFault> {
        let captured_at = wanted.captured_at;
        if self.is_located() {
            let (Some(lon), Some(lat)) = (number(&self.lon), number(&self.lat)) else {
                return Err(fault(
                    "area",
                    "定位无法读取，请改选所在网格",
                    "the position cannot be read: choose the grid",
                ));
            };
            let accuracy_m = self.metres()?;
            // A browser's positions are on WGS-84 (Geolocation, W3C).
            let source = Some("gps".to_owned());
            return Ok(Place { lon, lat, datum: Datum::Wgs84, accuracy_m, source, captured_at, area: None });
        }
        if self.area.is_empty() {
            return Err(fault("area", "请选择所在网格", "choose the grid it is in"));
        }
        let Some(choice) = wanted.choices.grid(&self.area) else {
            return Err(fault(
                "area",
                "这个网格不在您的上报范围内",
                "that grid is not among those you report from",
            ));
        };
        Ok(Place {
            lon: choice.inside.lon,
            lat: choice.inside.lat,
            datum: choice.datum,
            accuracy_m: Some(choice.inside.radius_m.ceil()),
            source: Some(BY_HAND.to_owned()),
            captured_at,
            area: None,
        })
    }
}

/// A plain number, as a device or a hand writes one.
fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

fn fault(field: &'static str, zh: &str, en: &str) -> FieldFault {
    FieldFault { field, text: Text::new(zh, en) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::choices::{GridChoice, Registration};
    use domain::area::{Area, Areas, Level};
    use domain::calendar::Limit;
    use domain::category::Category;
    use domain::place::Inside;

    fn grid() -> Area {
        Area { path: "s/c/g1".parse().unwrap(), level: Level::Grid, name: Text::new("一", "one") }
    }

    /// The one category that goes by registration.
    fn share() -> Category {
        Category {
            code: "share".into(),
            name: Text::new("股权核定", "Village shareholding"),
            handle_limit: Limit::parse("15wd").unwrap(),
            sensitive: false,
            stages: Vec::new(),
            offer_to: Vec::new(),
            conditions: None,
        }
    }

    fn report(filled: &Filled) -> Result<NewReport, Vec<&'static str>> {
        report_in(Language::Chinese, filled)
    }

    fn report_in(language: Language, filled: &Filled) -> Result<NewReport, Vec<&'static str>> {
        let (grid, areas, share) = (grid(), Areas::default(), share());
        let inside = Inside { lon: 121.8, lat: 29.9, radius_m: 786.2 };
        let choices = Choices {
            groups: Vec::new(),
            grids: vec![GridChoice { grid: &grid, community: None, inside, datum: Datum::Cgcs2000 }],
            registration: Registration { categories: vec![&share], streets: Vec::new() },
            areas: &areas,
        };
        let wanted = Wanted { client_id: "f-1", choices: &choices, captured_at: None, language };
        filled.report(&wanted).map_err(|faults| faults.into_iter().map(|fault| fault.field).collect())
    }

    fn by_hand() -> Filled {
        Filled {
            category: "rubbish".into(),
            area: "g1".into(),
            address: "富春江路 5 号".into(),
            ..Filled::default()
        }
    }

    #[test]
    fn a_grid_chosen_by_name_is_a_point_in_it_that_says_how_little_it_knows() {
        let report = report(&by_hand()).unwrap();
        assert_eq!((report.place.lon, report.place.datum), (121.8, Datum::Cgcs2000));
        assert_eq!(report.place.accuracy_m, Some(787.0));
        assert_eq!(report.place.source.as_deref(), Some("area chosen by hand"));
        assert_eq!(report.description, "地点：富春江路 5 号");
    }

    #[test]
    fn the_address_is_the_first_line_in_the_language_of_the_form() {
        let filled = Filled { text: "堆在楼道口".into(), ..by_hand() };
        let told = |language| report_in(language, &filled).unwrap().description;
        assert_eq!(told(Language::Chinese), "地点：富春江路 5 号\n堆在楼道口");
        assert_eq!(told(Language::English), "Place: 富春江路 5 号\n堆在楼道口");
    }

    #[test]
    fn what_the_device_says_goes_before_a_name() {
        let located =
            Filled { lon: "121.85".into(), lat: "29.93".into(), accuracy: "12".into(), ..by_hand() };
        let place = report(&located).unwrap().place;
        assert_eq!((place.lon, place.datum, place.accuracy_m), (121.85, Datum::Wgs84, Some(12.0)));
        assert_eq!(place.source.as_deref(), Some("gps"));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once_beside_its_field() {
        assert_eq!(report(&Filled::default()).unwrap_err(), ["category", "area", "address"]);
        let foreign = Filled { area: "g2".into(), ..by_hand() };
        assert_eq!(report(&foreign).unwrap_err(), ["area"], "a grid of the next street");
        for accuracy in ["-1", "NaN", "inf", "1e999", "twelve", " "] {
            let located = Filled { lon: "121.85".into(), lat: "29.93".into(), ..by_hand() };
            let odd = Filled { accuracy: accuracy.into(), ..located };
            assert_eq!(report(&odd).unwrap_err(), ["accuracy"], "{accuracy}");
        }
        let odd = Filled { lon: "NaN".into(), lat: "29.9".into(), ..by_hand() };
        assert_eq!(report(&odd).unwrap_err(), ["area"]);
        let long = Filled { address: "长".repeat(121), ..by_hand() };
        assert_eq!(report(&long).unwrap_err(), ["address"]);
    }

    #[test]
    fn where_somebody_is_registered_is_kept_only_for_what_goes_by_it() {
        let registered = |category: &str, code: &str| {
            let filled = Filled { category: category.into(), registered_area: code.into(), ..by_hand() };
            report(&filled).unwrap().registered_area
        };
        assert_eq!(registered("share", "330481004201").as_deref(), Some("330481004201"));
        assert_eq!(registered("share", ""), None);
        assert_eq!(registered("rubbish", "330481004201"), None);
    }

    #[test]
    fn lines_are_counted_as_the_browser_counts_them() {
        let sent = BTreeMap::from([("text".to_owned(), "a\r\nb".to_owned())]);
        assert_eq!(Filled::of(sent).text, "a\nb");
    }
}
