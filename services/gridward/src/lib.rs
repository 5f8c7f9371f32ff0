//! The one binary: every service in one process on one file, and the tools around it.

pub mod audit;
pub mod bench;
pub mod commands;
pub mod demo;
pub mod embedded;
pub mod folder_clock;
pub mod http;
pub mod in_force;
pub mod own_topic;
pub mod replay;
pub mod running;
pub mod servers;
pub mod settings;
pub mod settling;
pub mod simulate;
mod store;
