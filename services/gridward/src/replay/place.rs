//! Where a recorded row was: a point by its coordinates, or an area by its name. Pure.
//!
//! A name places a report in that area and in no smaller one; the point beside it is the pack's, and says nothing.
//! The narrowest column that says anything decides; wider ones are looked at only where several areas have the name.

use anyhow::Context;
use csv::ByteRecord;
use domain::area::{AreaPath, Level};
use domain::place::{Datum, Place};
use domain::text::Text;
use platform::pack::{AreaNames, Encoding, NoPoint, Placed};

use super::fields::{At, Fault, shown};

/// The columns of a file that say where.
pub enum Places {
    Point { lon: At, lat: At, datum: Datum },
    Named(Named),
}

/// Columns of area names, the narrowest first.
pub struct Named {
    columns: Vec<(At, Level)>,
    /// Words that mean nothing, such as `-`.
    nothing: Vec<String>,
    point: NoPoint,
    names: AreaNames,
}

/// A place, and the columns by which its area was found; none for a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub place: Place,
    pub named_by: Vec<usize>,
}

impl Places {
    /// # Errors
    /// The column that the header lacks.
    pub fn find(
        placed: &Placed,
        names: &AreaNames,
        needed: impl Fn(&str) -> anyhow::Result<At>,
    ) -> anyhow::Result<Self> {
        match placed {
            Placed::Point { lon, lat, datum } => {
                Ok(Self::Point { lon: needed(lon)?, lat: needed(lat)?, datum: *datum })
            }
            Placed::Named { columns, nothing, point } => {
                let columns = columns.iter().map(|one| Ok((needed(&one.column)?, one.level)));
                let columns = columns.collect::<anyhow::Result<Vec<_>>>()?;
                columns.first().context("the pack names no column of areas / 辖区包没有写明区域名称列")?;
                Ok(Self::Named(Named {
                    columns,
                    nothing: nothing.clone(),
                    point: *point,
                    names: names.clone(),
                }))
            }
        }
    }

    /// # Errors
    /// Why the row has no place.
    pub fn of(&self, record: &ByteRecord, encoding: Encoding) -> Result<Found, Fault> {
        match self {
            Self::Point { lon, lat, datum } => {
                let (lon, lat) = (degrees(record, lon, encoding)?, degrees(record, lat, encoding)?);
                Ok(Found { place: recorded(lon, lat, *datum, None), named_by: Vec::new() })
            }
            Self::Named(named) => named.of(record, encoding),
        }
    }
}

impl Named {
    fn of(&self, record: &ByteRecord, encoding: Encoding) -> Result<Found, Fault> {
        for (n, (column, level)) in self.columns.iter().enumerate() {
            let Some(name) = self.said(record, column, encoding)? else { continue };
            let wider = &self.columns[n + 1..];
            let (area, mut named_by) = self.area(record, encoding, (column, *level, name), wider)?;
            named_by.push(column.index);
            let NoPoint { lon, lat, datum } = self.point;
            let place = recorded(lon, lat, datum, Some(area.code().to_owned()));
            return Ok(Found { place, named_by });
        }
        let columns: Vec<&str> = self.columns.iter().map(|(column, _)| column.name.as_str()).collect();
        let columns = columns.join(", ");
        Err((
            "no_place",
            Text::new(
                format!("{columns} 为空：没有位置无法流转"),
                format!("{columns} is empty: without a place nothing is routed"),
            ),
        ))
    }

    /// The one area of that name; where there are several, the one within what the wider columns say.
    fn area(
        &self,
        record: &ByteRecord,
        encoding: Encoding,
        (column, level, name): (&At, Level, &str),
        wider: &[(At, Level)],
    ) -> Result<(&AreaPath, Vec<usize>), Fault> {
        let mut found = self.names.find(level, name);
        let mut asked = Vec::new();
        for (wide, level) in wider {
            if found.len() < 2 {
                break;
            }
            let Some(name) = self.said(record, wide, encoding)? else { continue };
            let around = self.names.find(*level, name);
            found.retain(|area| around.iter().any(|around| around.contains(area)));
            asked.push(wide.index);
        }
        match found.as_slice() {
            [area] => Ok((*area, asked)),
            [] => Err(unknown(column, name)),
            several => Err(ambiguous(column, name, several)),
        }
    }

    /// What a field says, if it says anything.
    fn said<'a>(
        &self,
        record: &'a ByteRecord,
        column: &At,
        encoding: Encoding,
    ) -> Result<Option<&'a str>, Fault> {
        let text = column.text(record, encoding)?;
        Ok(Some(text).filter(|text| !text.is_empty() && !self.nothing.iter().any(|word| word == text)))
    }
}

fn recorded(lon: f64, lat: f64, datum: Datum, area: Option<String>) -> Place {
    let source = Some("recorded".to_owned());
    Place { lon, lat, datum, accuracy_m: None, source, captured_at: None, area }
}

fn degrees(record: &ByteRecord, column: &At, encoding: Encoding) -> Result<f64, Fault> {
    let given = column.text(record, encoding)?;
    if given.is_empty() {
        return Err(column.empty("no_place", "without a place nothing is routed", "没有位置无法流转"));
    }
    given.parse().map_err(|_| {
        let (name, given) = (&column.name, shown(given));
        let text = Text::new(
            format!("{name}「{given}」不是度数，应形如 121.805"),
            format!("{name} `{given}` is not a number of degrees as in 121.805"),
        );
        ("wrong_place", text)
    })
}

fn unknown(column: &At, name: &str) -> Fault {
    let (column, name) = (&column.name, shown(name));
    let text = Text::new(
        format!(
            "{column}「{name}」不是本辖区的区域；请补入区域表，或在 pack.json 的 recorded.aliases 中写明是哪个区域"
        ),
        format!(
            "{column} `{name}` is no area of this pack: add it to the list of areas, or say in recorded.aliases of \
             pack.json which area it is"
        ),
    );
    ("unknown_area", text)
}

fn ambiguous(column: &At, name: &str, several: &[&AreaPath]) -> Fault {
    let (column, name) = (&column.name, shown(name));
    let codes: Vec<&str> = several.iter().map(|area| area.code()).collect();
    let text = Text::new(
        format!("{column}「{name}」有多个同名区域（{}），须有上级区域一列加以区分", codes.join("、")),
        format!(
            "{column} `{name}` is the name of {}: a column with the area above must tell them apart",
            codes.join(", ")
        ),
    );
    ("ambiguous_area", text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::area::{Areas, CodeScheme};

    fn places(nothing: &[&str]) -> Places {
        let mut areas = Areas::default();
        let listed = [
            ("s", Level::Street, None, "东街道"),
            ("t", Level::Street, None, "西街道"),
            ("c", Level::Community, Some("s"), "中央社区"),
            ("d", Level::Community, Some("t"), "中央社区"),
            ("e", Level::Community, Some("t"), "桥头社区"),
        ];
        for (code, level, parent, name) in listed {
            areas.add(CodeScheme::Opaque, code, level, parent, Text::new(name, name)).unwrap();
        }
        let at = |index, name: &str| At { index, name: name.to_owned() };
        Places::Named(Named {
            columns: vec![(at(0, "community"), Level::Community), (at(1, "street"), Level::Street)],
            nothing: nothing.iter().map(|&word| word.to_owned()).collect(),
            point: NoPoint { lon: 114.35, lat: 22.69, datum: Datum::Cgcs2000 },
            names: AreaNames::of(&areas),
        })
    }

    fn placed(fields: [&str; 2]) -> Result<(Option<String>, Vec<usize>), &'static str> {
        let record = ByteRecord::from(fields.to_vec());
        let found = places(&["-"]).of(&record, Encoding::Utf8).map_err(|(reason, _)| reason)?;
        assert_eq!((found.place.lon, found.place.lat), (114.35, 22.69));
        Ok((found.place.area, found.named_by))
    }

    #[test]
    fn the_narrowest_name_decides_and_a_wider_one_only_where_there_is_no_other() {
        assert_eq!(placed(["桥头居委会", "西街道"]), Ok((Some("e".to_owned()), vec![0])));
        assert_eq!(placed(["桥头社区", "东街道"]), Ok((Some("e".to_owned()), vec![0])));
        assert_eq!(placed(["-", "东街道办事处"]), Ok((Some("s".to_owned()), vec![1])));
        assert_eq!(placed(["", "-"]), Err("no_place"));
    }

    #[test]
    fn of_two_areas_of_one_name_the_one_above_tells_which() {
        assert_eq!(placed(["中央社区", "西街道"]), Ok((Some("d".to_owned()), vec![1, 0])));
        assert_eq!(placed(["中央社区", "-"]), Err("ambiguous_area"));
        assert_eq!(placed(["中央社区", "南街道"]), Err("unknown_area"));
    }

    #[test]
    fn a_name_that_is_not_known_is_refused_and_never_taken_for_the_nearest() {
        assert_eq!(placed(["中心社区", "西街道"]), Err("unknown_area"));
    }
}
