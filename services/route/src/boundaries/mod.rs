//! Which area a point lies in: boundary files read, checked and searched.
//!
//! The steps, in order: [`read`] turns the text of one published file into a [`Layer`], or says
//! what is wrong with which feature; [`check`] lists what is wrong with the shapes themselves;
//! [`Boundaries::build`] refuses such shapes until a person has accepted exactly that list; and
//! [`Boundaries::find`] answers for one point on one day.
//!
//! # Why nothing is repaired
//!
//! Published rings touch and cross themselves, and a repair rewrites the city's data. Here a point
//! belongs to an area by the even-odd rule over all its rings: inside when a ray from it meets the
//! rings an odd number of times, and on the border when it lies on a ring. The usual repair
//! (`ST_MakeValid`, `make_valid` with method *linework*) builds its new rings by the same rule, so
//! wherever rings touch or cross in points, and wherever a spike runs out and back, every point keeps
//! the membership it would have after that repair, without a vertex being moved or invented
//! (`tests/repair.rs`). The two differ only where a ring runs along a ring of the same area
//! ([`Reason::SharesEdge`], [`Reason::RunsBack`]): there an edge drawn twice counts twice, so a hole
//! along the outer ring stays a hole, which *linework* fills, and a ring walked over twice holds
//! nothing ([`Reason::NoGround`]). Accepting the report therefore accepts a way of reading the file,
//! and changes nothing in it.
//!
//! Coordinates are degrees on a plane; an area across the 180th meridian must be cut there into
//! parts, as RFC 7946 §3.1.9 asks.

mod edges;
mod fault;
mod file;
mod find;
mod flaws;
mod ground;
mod lines;
mod overlaps;
mod read;
mod report;
mod shape;
#[cfg(test)]
mod tests;
mod uncovered;

pub use fault::{BoundaryFault, BoundaryFaults, FeatureFault};
pub use file::{Area, BoundaryFile, Layer};
pub use find::{Boundaries, Found};
pub use read::read;
pub(crate) use read::{line_told, read_what_can_be};
pub use report::{
    ACCEPT_KEY, Accepted, AcrossFiles, BoundaryReport, FileReport, Flaw, FlawedFeature, Overlap, Reason,
    check,
};
