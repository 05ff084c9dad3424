//! The process of a driver, for the tests of this crate.

fn main() -> std::process::ExitCode {
    burgee_sync::source::adbc::child::run()
}
