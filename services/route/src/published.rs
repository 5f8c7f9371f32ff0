//! The boundaries of a pack: its files read, put on WGS-84, checked, and searchable.

use std::collections::BTreeSet;

use domain::area::{Area, Level};
use domain::place::{Datum, to_wgs84};
use domain::text::Text;
use geo::MapCoords;
use platform::pack::Pack;

use crate::boundaries::{
    Accepted, Area as Outlined, Boundaries, BoundaryFault, BoundaryFile, BoundaryReport, FeatureFault, Layer,
    check, read,
};

/// Reads and checks the pack's boundary files, finest level first.
///
/// # Errors
/// The first file or feature that cannot be used, or a report of faults that nobody has accepted.
pub fn boundaries(pack: &Pack) -> Result<Boundaries, BoundaryFault> {
    Boundaries::build(layers(pack)?, &Accepted { digest: pack.accepted_boundary_report.clone() })
}

/// What is wrong with the pack's boundaries, accepted or not.
///
/// # Errors
/// The first file or feature that cannot be read.
pub fn report(pack: &Pack) -> Result<BoundaryReport, BoundaryFault> {
    Ok(check(&layers(pack)?))
}

/// So many areas without an outline are named one by one.
const NAMED: usize = 10;

/// Areas of the pack that no file outlines, though there are files for their level: nothing will ever be found there.
///
/// # Errors
/// The first file or feature that cannot be read.
pub fn without_outline(pack: &Pack) -> Result<Vec<Text>, BoundaryFault> {
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

fn layers(pack: &Pack) -> Result<Vec<Layer>, BoundaryFault> {
    let mut files: Vec<_> = pack.boundaries.iter().collect();
    files.sort_by_key(|file| file.level);
    files
        .into_iter()
        .map(|file| {
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
            let layer = read(&file.text, &declared)?;
            layer.areas.iter().try_for_each(|area| listed(pack, file, area))?;
            Ok(on_wgs84(layer))
        })
        .collect()
}

/// That the pack lists the area a feature outlines, and at the level of its file.
fn listed(
    pack: &Pack,
    file: &platform::pack::BoundaryFile,
    outlined: &Outlined,
) -> Result<(), BoundaryFault> {
    let listed = pack.areas.by_code(&outlined.code).map(|area| area.level);
    if listed == Some(file.level) {
        return Ok(());
    }
    let fault = FeatureFault::NotListed { level: file.level, listed };
    let code = Some(outlined.code.clone());
    Err(BoundaryFault::Feature { file: file.name.clone(), feature: outlined.feature, code, fault })
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
