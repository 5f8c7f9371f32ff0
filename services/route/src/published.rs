//! The boundaries of a pack: its files read, put on WGS-84, checked, and searchable.

use domain::place::{Datum, to_wgs84};
use geo::MapCoords;
use platform::pack::Pack;

use crate::boundaries::{
    Accepted, Boundaries, BoundaryFault, BoundaryFile, BoundaryReport, Layer, check, read,
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
            read(&file.text, &declared).map(on_wgs84)
        })
        .collect()
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
