//! Where in a street something can be reported: a place within each of its grids, and whoever walks there. Pure.

use std::f64::consts::TAU;

use anyhow::bail;
use chrono::{NaiveDate, NaiveDateTime};
use domain::area::{AreaPath, Level};
use domain::holder::{Holder, Post};
use domain::id::PersonId;
use domain::place::{Datum, Inside, Place};
use domain::rights::Role;
use domain::text::Text;
use platform::pack::{GridPoints, Pack};
use route::boundaries::Boundaries;

use super::dice::Dice;

/// How much of the way to its farthest corner a report lies off the middle of its grid, at most.
const SPREAD: f64 = 0.3;
/// In so many directions it is tried whether that is still the same grid.
const DIRECTIONS: u32 = 12;
/// Metres in one degree of latitude, near enough for a report.
const METRES_PER_DEGREE: f64 = 111_195.0;
/// Of a coordinate; a decimetre.
const DECIMALS: f64 = 1e6;

/// A grid where somebody reports.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub path: AreaPath,
    pub name: Text,
    /// What the community is called in a sentence.
    pub community: Text,
    pub worker: PersonId,
    inside: Inside,
    datum: Datum,
    /// How far off its middle a report may lie, in metres.
    spread_m: f64,
}

/// The grids of a street.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// Those that alone hold the middle of theirs; not empty.
    pub plain: Vec<Grid>,
    /// Those whose middle another grid holds too (专属网格); not empty.
    pub shared: Vec<Grid>,
}

impl Places {
    /// Those of the pack's own street, as they are on `day`.
    ///
    /// # Errors
    /// When its boundaries cannot be used, or it has no grids of both kinds with somebody who walks there.
    pub fn of(pack: &Pack, day: NaiveDate) -> anyhow::Result<Self> {
        let boundaries = route::published::boundaries(pack).map_err(|fault| anyhow::anyhow!("{fault}"))?;
        let points = GridPoints::of(pack);
        let street = &pack.routing.fallback.area;
        let (mut plain, mut shared) = (Vec::new(), Vec::new());
        let own = |path: &AreaPath| street.contains(path);
        for area in pack.areas.iter().filter(|area| area.level == Level::Grid && own(&area.path)) {
            let Some((inside, datum)) = points.on(area.path.code(), day) else { continue };
            let Some(worker) = pack.people.with_role_over(Role::GridWorker, &area.path).next() else {
                continue;
            };
            let community = pack.areas.at_level(&area.path, Level::Community);
            let mut grid = Grid {
                path: area.path.clone(),
                name: area.name.clone(),
                community: community.map_or_else(|| area.name.clone(), |area| in_a_sentence(&area.name)),
                worker: worker.id.clone(),
                inside,
                datum,
                spread_m: inside.radius_m * SPREAD,
            };
            while grid.spread_m > 1.0 && !grid.holds_around(&boundaries, day) {
                grid.spread_m /= 2.0;
            }
            let (lon, lat) = grid.off(0.0, 0.0, 0.0).wgs84();
            let found = boundaries.find(lon, lat, day);
            let alone = found.is_none_or(|found| found.other_codes().is_empty());
            if alone { plain.push(grid) } else { shared.push(grid) }
        }
        if plain.is_empty() || shared.is_empty() {
            bail!(
                "a day is played where grids of a street have workers, and exclusive grids lie over ordinary ones: the pack \
                 {0} has {1} of the first kind and {2} of the second / \
                 演示需要有网格员的网格和与普通网格重叠的专属网格：辖区包 {0} 分别有 {1} 个和 {2} 个",
                pack.code,
                plain.len(),
                shared.len()
            );
        }
        Ok(Self { plain, shared })
    }
}

impl Grid {
    /// The place so many metres off its middle.
    fn off(&self, metres: f64, angle: f64, accuracy_m: f64) -> Place {
        let squeeze = self.inside.lat.to_radians().cos().max(0.01);
        let lon = self.inside.lon + metres * angle.cos() / (METRES_PER_DEGREE * squeeze);
        let lat = self.inside.lat + metres * angle.sin() / METRES_PER_DEGREE;
        Place {
            lon: (lon * DECIMALS).round() / DECIMALS,
            lat: (lat * DECIMALS).round() / DECIMALS,
            datum: self.datum,
            accuracy_m: Some(accuracy_m),
            source: Some("gps".to_owned()),
            captured_at: None,
            area: None,
        }
    }

    /// Whether all around, as far as reports lie off its middle, is the same grid.
    fn holds_around(&self, boundaries: &Boundaries, day: NaiveDate) -> bool {
        (0..DIRECTIONS).all(|n| {
            let angle = TAU * f64::from(n) / f64::from(DIRECTIONS);
            let (lon, lat) = self.off(self.spread_m, angle, 0.0).wgs84();
            boundaries.find(lon, lat, day).is_some_and(|found| found.code() == self.path.code())
        })
    }

    /// Some place in it, as a phone gives it.
    pub fn somewhere(&self, dice: &mut Dice) -> Place {
        let (angle, part) = (dice.part() * TAU, dice.part().sqrt());
        let accuracy_m = 4.0 + (dice.part() * 16.0).floor();
        self.off(self.spread_m * part, angle, accuracy_m)
    }

    /// Whether its leader is there at `local`, and so holds what is reported.
    pub fn is_led(&self, pack: &Pack, local: NaiveDateTime) -> bool {
        let leader = Holder { post: Post::GridLeader, area: self.path.clone() };
        pack.people.on_duty(&leader, local).is_some()
    }
}

/// 大路村委会 is 大路村 where somebody speaks of it.
fn in_a_sentence(name: &Text) -> Text {
    let zh = name.zh.strip_suffix("居委会").or_else(|| name.zh.strip_suffix("委会")).unwrap_or(&name.zh);
    Text::new(zh, &name.en)
}
