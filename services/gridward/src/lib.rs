//! The one binary: every service in one process on one file, and the tools around it.

pub mod audit;
pub mod commands;
pub mod demo;
pub mod embedded;
pub mod http;
pub mod replay;
mod store;
