//! Where a report belongs: its place by the boundaries and the table of borders, and the areas it names.

use std::iter;

use chrono::NaiveDate;
use domain::area::{Area, AreaPath};
use domain::id::CategoryCode;
use domain::text::Text;
use platform::turn::Undecided;

use crate::borders::{Near, settle};
use crate::boundaries::Found;
use crate::choose::{ByBorder, Located};
use crate::ground::Ground;

/// A point on WGS-84: longitude and latitude in degrees.
type Point = (f64, f64);

impl Ground {
    /// The smallest area in force on `day` that has a point, for matters of `category`: the one that holds it, or that
    /// takes it by the table of borders.
    pub(crate) fn locate(
        &self,
        point: Point,
        day: NaiveDate,
        category: &CategoryCode,
    ) -> Result<Option<Located>, String> {
        let Some(found) = self.boundaries.find(point.0, point.1, day) else { return Ok(None) };
        if let Some(located) = self.by_border(&found, point, day, category)? {
            return Ok(Some(located));
        }
        let area = self.outlined(found.code())?;
        Ok(Some(Located {
            area: area.path.clone(),
            level: area.level,
            others: found.other_codes().into_iter().map(str::to_owned).collect(),
            border_m: Some(found.border_distance_m()),
            by_border: None,
        }))
    }

    /// What the table of borders makes of a point, if it says anything. 专属网格 keep what lies in them.
    fn by_border(
        &self,
        found: &Found<'_>,
        point: Point,
        day: NaiveDate,
        category: &CategoryCode,
    ) -> Result<Option<Located>, String> {
        if self.pack.borders.is_empty() || found.file.exclusive {
            return Ok(None);
        }
        let holds = iter::once(found.code()).chain(found.other_codes());
        let holds: Vec<AreaPath> =
            holds.map(|code| Ok(self.outlined(code)?.path.clone())).collect::<Result<_, String>>()?;
        let near = |metres: f64| -> Vec<Near> {
            let near = self.boundaries.near(&found.file.level, point, day, metres).into_iter();
            near.filter_map(|(area, metres)| {
                Some(Near { area: self.pack.areas.by_code(&area.code)?.path.clone(), metres })
            })
            .collect()
        };
        let Some(settled) = settle(&self.pack.borders, category, &holds, near) else { return Ok(None) };
        let area = self.outlined(settled.area.code())?;
        let others = holds.iter().filter(|area| **area != settled.area);
        let others = others.map(|area| area.code().to_owned()).collect();
        let by_border =
            ByBorder { name: settled.rule.name.clone(), from: settled.from, metres: settled.metres };
        Ok(Some(Located {
            area: settled.area,
            level: area.level,
            others,
            border_m: Some(by_border.metres),
            by_border: Some(by_border),
        }))
    }

    fn outlined(&self, code: &str) -> Result<&Area, String> {
        let area = self.pack.areas.by_code(code);
        area.ok_or_else(|| format!("the boundaries name area `{code}`, which the pack does not list"))
    }

    /// The area a report names in the place of a point. Whoever took it may go by a later version.
    pub(crate) fn stated(&self, code: &str) -> Result<Located, Undecided> {
        let area = self.pack.areas.by_code(code);
        let area = area.ok_or_else(|| {
            Undecided::NotYet(format!("the report names area `{code}`, which the pack does not list"))
        })?;
        Ok(Located {
            area: area.path.clone(),
            level: area.level,
            others: Vec::new(),
            border_m: None,
            by_border: None,
        })
    }

    /// The area in which the report says somebody is registered.
    pub(crate) fn registered(&self, code: Option<&str>) -> Result<Option<&AreaPath>, Undecided> {
        let Some(code) = code else { return Ok(None) };
        let area = self.pack.areas.by_code(code).map(|area| &area.path);
        let area = area.ok_or_else(|| {
            let why =
                format!("the report names `{code}` as an area of registration, which the pack does not list");
            Undecided::NotYet(why)
        })?;
        Ok(Some(area))
    }

    /// A category by its name; by its code where the pack has none.
    pub(crate) fn matter(&self, category: &CategoryCode) -> Text {
        let named = self.pack.categories.get(category).map(|category| category.name.clone());
        named.unwrap_or_else(|| Text::new(&category.0, &category.0))
    }
}
