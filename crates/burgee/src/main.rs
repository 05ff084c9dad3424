//! The `burgee` program.

use std::process::ExitCode;

/// Answers are many small allocations on many threads; the allocator of some C libraries, musl's above all, is slow at it.
#[cfg(not(debug_assertions))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    burgee::cli::run()
}
