//! The boundaries of a pack: its files read, put on WGS-84, checked, and searchable.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::area::{Area, AreaPath, Level};
use domain::border::BorderRule;
use domain::place::{Datum, to_wgs84};
use domain::text::Text;
use geo::MapCoords;
use platform::pack::Pack;

use crate::boundaries::{
    Accepted, Area as Outlined, Boundaries, BoundaryFault, BoundaryFaults, BoundaryFile, BoundaryReport,
    FeatureFault, Layer, check, line_told, read_what_can_be,
};

/// So many areas are named one by one.
const NAMED: usize = 10;

/// Reads and checks the pack's boundary files, finest level first.
///
/// # Errors
/// Every file and feature that cannot be read; where all can be, what is twice in force, or a report of faults that nobody
/// has accepted; and where they can be used, each line of the table of borders about two areas that share none.
pub fn boundaries(pack: &Pack) -> Result<Boundaries, BoundaryFaults> {
    let accepted = Accepted { digest: pack.accepted_boundary_report.clone() };
    let boundaries = Boundaries::build(layers(pack)?, &accepted)?;
    let of_borders = pack.borders.iter().filter_map(|rule| has_a_border(pack, &boundaries, rule).err());
    BoundaryFaults::none_or(of_borders.collect())?;
    Ok(boundaries)
}

/// That on `day` the ground of every area which a file outlines is some area's: what is reported there finds one.
///
/// # Errors
/// Every file that is not in force and whose ground nothing else covers, with its place in `pack.json`.
pub fn covered(pack: &Pack, boundaries: &Boundaries, day: NaiveDate) -> Result<(), BoundaryFaults> {
    let uncovered = boundaries.uncovered(day).into_iter();
    BoundaryFaults::none_or(uncovered.map(|(file, areas)| nothing_covers(pack, file, &areas, day)).collect())
}

fn nothing_covers(pack: &Pack, file: &BoundaryFile, areas: &[&Outlined], day: NaiveDate) -> BoundaryFault {
    let declared = pack.boundaries.iter().find(|declared| declared.name == file.file);
    let stands_at = declared.map_or_else(|| file.file.clone(), |declared| declared.stands_at.clone());
    let mut codes = areas.iter().take(NAMED).map(|area| area.code.as_str()).collect::<Vec<_>>().join(", ");
    if areas.len() > NAMED {
        codes += ", …";
    }
    BoundaryFault::NothingCovers { stands_at, file: file.file.clone(), day, areas: codes }
}

/// The files that come into force after `day`.
pub fn to_come(pack: &Pack, day: NaiveDate) -> Vec<Text> {
    let to_come = pack.boundaries.iter().filter(|file| file.valid_from > day);
    let one = |file: &platform::pack::BoundaryFile| {
        let (name, from) = (&file.name, file.valid_from);
        Text::new(
            format!("边界文件 {name} 自 {from} 起生效，此前按其他边界"),
            format!("the boundaries in {name} come into force on {from}: until then the others count"),
        )
    };
    to_come.map(one).collect()
}

/// Outlines that touch are seldom the same to the last decimal.
const TOUCHING_M: f64 = 1.0;

/// That something can lie where the rule looks: the outlines of both sides come as near to each other as it reaches.
fn has_a_border(pack: &Pack, boundaries: &Boundaries, rule: &BorderRule) -> Result<(), BoundaryFault> {
    let (taking, other) =
        (outlines(pack, boundaries, &rule.taken_by), outlines(pack, boundaries, &rule.taken_from));
    for (area, outlines) in [(&rule.taken_by, &taking), (&rule.taken_from, &other)] {
        if outlines.is_empty() {
            let (stands_at, area) = (rule.stands_at.clone(), area.code().to_owned());
            return Err(BoundaryFault::NoOutline { stands_at, area });
        }
    }
    let pairs = taking.iter().flat_map(|one| other.iter().map(move |other| one.distance_m(other)));
    let apart = pairs.fold(f64::INFINITY, f64::min);
    if apart <= f64::from(rule.within_m).max(TOUCHING_M) {
        return Ok(());
    }
    Err(BoundaryFault::NoSharedBorder {
        stands_at: rule.stands_at.clone(),
        area: rule.taken_by.code().to_owned(),
        other: rule.taken_from.code().to_owned(),
        apart: format!("{apart:.0} m"),
    })
}

/// The outlines of an area and of what lies in it, of the finest level that has any.
fn outlines<'a>(pack: &Pack, boundaries: &'a Boundaries, area: &AreaPath) -> Vec<&'a Outlined> {
    let lies_in = |outlined: &&Outlined| {
        pack.areas.by_code(&outlined.code).is_some_and(|listed| area.contains(&listed.path))
    };
    let mut of_layers =
        boundaries.layers().iter().map(|layer| layer.areas.iter().filter(lies_in).collect::<Vec<_>>());
    of_layers.find(|found| !found.is_empty()).unwrap_or_default()
}

/// What is wrong with the pack's boundaries, accepted or not.
///
/// # Errors
/// Every file and feature that cannot be read.
pub fn report(pack: &Pack) -> Result<BoundaryReport, BoundaryFaults> {
    Ok(check(&layers(pack)?))
}

/// Areas of the pack that no file outlines, though there are files for their level: nothing will ever be found there.
///
/// # Errors
/// Every file and feature that cannot be read.
pub fn without_outline(pack: &Pack) -> Result<Vec<Text>, BoundaryFaults> {
    let layers = layers(pack)?;
    let outlined: BTreeSet<&str> =
        layers.iter().flat_map(|layer| layer.areas.iter().map(|area| area.code.as_str())).collect();
    let drawn = |level: Level| layers.iter().any(|layer| layer.file.level == level.as_str());
    let bare = |level: Level| {
        pack.areas
            .iter()
            .filter(move |area| area.level == level)
            .filter(|area| !outlined.contains(area.path.code()))
    };
    let levels = Level::ALL.into_iter().filter(|level| drawn(*level));
    Ok(levels.flat_map(|level| told(level, &bare(level).collect::<Vec<_>>())).collect())
}

fn told(level: Level, bare: &[&Area]) -> Vec<Text> {
    let one = |area: &&Area| {
        let code = area.path.code();
        Text::new(
            format!("{}（{code}）没有边界：不会有地点落在这个{}内", area.name.zh, level.zh()),
            format!("{} ({code}) has no outline: no place will be found in this {level}", area.name.en),
        )
    };
    if bare.len() <= NAMED {
        return bare.iter().map(one).collect();
    }
    let (first, count) = (bare[0], bare.len());
    vec![Text::new(
        format!("{count} 个{}没有边界，如{}（{}）", level.zh(), first.name.zh, first.path.code()),
        format!(
            "{count} areas of level {level} have no outline, such as {} ({})",
            first.name.en,
            first.path.code()
        ),
    )]
}

/// The files as they are searched, finest level first, or all that keeps them from being read.
fn layers(pack: &Pack) -> Result<Vec<Layer>, BoundaryFaults> {
    let mut files: Vec<_> = pack.boundaries.iter().collect();
    files.sort_by_key(|file| file.level);
    let (mut layers, mut faults) = (Vec::new(), Vec::new());
    for file in files {
        match layer(pack, file) {
            Ok((layer, of_features)) => {
                layers.push(layer);
                faults.extend(of_features);
            }
            Err(fault) => faults.push(fault),
        }
    }
    BoundaryFaults::none_or(faults)?;
    Ok(layers.into_iter().map(on_wgs84).collect())
}

/// What can be read of a file, and the faults of its features in their order.
fn layer(
    pack: &Pack,
    file: &platform::pack::BoundaryFile,
) -> Result<(Layer, Vec<BoundaryFault>), BoundaryFault> {
    let declared = BoundaryFile {
        file: file.name.clone(),
        level: file.level.as_str().to_owned(),
        key: file.key.clone(),
        pad: file.pad,
        datum: Some(file.datum),
        valid_from: file.valid_from,
        valid_to: file.valid_to,
        exclusive: file.exclusive,
    };
    let (layer, mut faults) = read_what_can_be(&file.text, &declared)?;
    for area in &layer.areas {
        if let Some(fault) = not_listed(pack, file, area) {
            let line = line_told(&file.text, area.feature, faults.len());
            let (file, feature, code) = (file.name.clone(), area.feature, Some(area.code.clone()));
            faults.push(BoundaryFault::Feature { file, line, feature, code, fault });
        }
    }
    faults.sort_by_key(|fault| match fault {
        BoundaryFault::Feature { feature, .. } => *feature,
        _ => 0,
    });
    Ok((layer, faults))
}

/// That the pack does not list the area a feature outlines, or not at the level of its file.
fn not_listed(pack: &Pack, file: &platform::pack::BoundaryFile, outlined: &Outlined) -> Option<FeatureFault> {
    let listed = pack.areas.by_code(&outlined.code).map(|area| area.level);
    (listed != Some(file.level)).then_some(FeatureFault::NotListed { level: file.level, listed })
}

/// Places are put on WGS-84 before they are searched, so the outlines must be too.
fn on_wgs84(mut layer: Layer) -> Layer {
    if layer.datum.agrees_with(Datum::Wgs84) {
        return layer;
    }
    for area in &mut layer.areas {
        area.shape = area.shape.map_coords(|point| to_wgs84(layer.datum, point.x, point.y).into());
    }
    layer.datum = Datum::Wgs84;
    layer
}
