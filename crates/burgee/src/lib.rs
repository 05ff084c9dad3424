//! The program: command line, configuration, start-up, logs, the server loop, shut-down.
//!
//! It is thin: what the product does is in `burgee-app`, what it says over HTTP in `burgee-api`; here they meet. To add a
//! command: a file in `commands/` with `Args` and `run`, and two lines in `cli.rs`. To add a setting: see [`config`].

pub mod cli;
pub mod commands;
pub mod config;
pub mod demo;
pub mod http;
pub mod logging;
pub mod metrics;
pub mod requests;
pub mod secret;
pub mod shutdown;
pub mod traces;
