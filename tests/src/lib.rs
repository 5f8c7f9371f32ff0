//! The scenarios: what Gridward promises, tried on the real services. One test binary.
//!
//! [`world`] is one street office in a folder of its own, on a clock that only moves when told to.

#[cfg(test)]
mod world;
