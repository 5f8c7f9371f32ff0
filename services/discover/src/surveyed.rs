//! What discover makes of a pack: beside the pack itself a point of each grid, for whoever can name a grid and has no
//! position.

use std::convert::Infallible;
use std::sync::Arc;

use platform::pack::{GridPoints, InForce, Made, Pack};

/// A pack, and a point of each of its grids.
#[derive(Clone, Debug)]
pub struct Surveyed {
    pub pack: Arc<Pack>,
    pub points: Arc<GridPoints>,
}

impl Surveyed {
    /// Of the pack in force, and of each that comes after it.
    pub fn in_force(pack: &InForce) -> Made<Self> {
        match pack.make(|pack, before| Ok::<_, Infallible>(Self::of(pack, before))) {
            Ok(made) => made,
            Err(never) => match never {},
        }
    }

    fn of(pack: &Arc<Pack>, before: Option<&Self>) -> Self {
        // Finding the points takes its time, and other boundaries are published seldom.
        let same = before.filter(|before| before.pack.boundaries == pack.boundaries);
        let points = same.map_or_else(|| Arc::new(GridPoints::of(pack)), |before| before.points.clone());
        Self { pack: pack.clone(), points }
    }
}
