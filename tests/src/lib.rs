//! The scenarios: what Gridward promises, tried on the real services. One test binary; `accept` and `chaos`
//! run the same at full size.
//!
//! [`world`] is one street office in a folder of its own, on a clock that only moves when told to;
//! [`process`] is a real `gridward all` as a child process, to be killed.

pub mod door;
pub mod faults;
pub mod fleet;
pub mod instance;
pub mod kills;
pub mod marks;
pub mod offers;
pub mod owned;
pub mod pack_copy;
pub mod parsers;
pub mod process;
pub mod published;
pub mod rolling;
pub mod soak;

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod articles;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod dead_letters;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod in_confidence;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod k8s;
#[cfg(test)]
mod life;
#[cfg(test)]
mod order;
#[cfg(test)]
mod over_tls;
#[cfg(test)]
mod partners;
#[cfg(test)]
mod publishing;
#[cfg(test)]
mod register;
#[cfg(test)]
mod same_rows;
#[cfg(test)]
mod signing_in;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod strangers;
#[cfg(test)]
mod strays;
#[cfg(test)]
mod tongxi;
#[cfg(test)]
mod words;
#[cfg(test)]
mod world;
#[cfg(test)]
mod wrong_places;
