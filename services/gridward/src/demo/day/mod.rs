//! A day in a street office that no file has recorded: what is reported, what its people and the organisations beside it
//! do, and what there is to see of it. Made from a pack's `day.json` and a seed, and the same every time; the days that
//! follow are others. All of it is pure but for `play` and `doors`.
//!
//! - `file`: `day.json`, and what is checked of it
//! - `hours`: the hours that are shown, day after day
//! - `places`, `dice`: where something is reported, and by what chance
//! - `habits`: what usually becomes of a report
//! - `lives`: what a visitor is to see, written down
//! - `script`: all of a day's cues
//! - `deeds`: who of the pack does what, as the case stands
//! - `play`, `doors`: does it, at the services' own desks

mod deeds;
mod dice;
mod doors;
mod file;
mod habits;
mod hours;
mod lives;
mod places;
mod play;
mod script;

#[cfg(test)]
mod tests;

pub use deeds::Deed;
pub use doors::Doors;
pub use hours::Hours;
pub use play::Player;
pub use script::{Cue, Does, Expected, Reports, Script};
