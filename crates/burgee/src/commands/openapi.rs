//! `burgee openapi`: the description of the API, without a running server.

use std::process::ExitCode;

use crate::cli::print;

/// Prints the OpenAPI document.
pub fn run() -> anyhow::Result<ExitCode> {
    print(&burgee_api::openapi::text())
}
