//! The one binary: every service in one process on one file, and the tools around it.

pub mod audit;
pub mod commands;
pub mod demo;
pub mod embedded;
pub mod folder_clock;
pub mod http;
pub mod replay;
pub mod settling;
mod store;
