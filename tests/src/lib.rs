//! The scenarios: what Gridward promises, tried on the real services. One test binary.
//!
//! [`world`] is one street office in a folder of its own, on a clock that only moves when told to.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod dead_letters;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod order;
#[cfg(test)]
mod world;
