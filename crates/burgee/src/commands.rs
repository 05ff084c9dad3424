//! One file per command: `Args` for its part of the command line, `run` for what it does.

mod beside;
pub mod config;
pub mod evaluate;
pub mod export;
pub mod flags;
pub mod import;
mod import_flagsmith;
pub mod influx;
pub mod openapi;
pub mod reset_link;
pub mod serve;
pub mod sync;
pub mod tasks;
pub mod telemetry;
pub mod worker;
