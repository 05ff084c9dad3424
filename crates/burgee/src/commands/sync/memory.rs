//! What the memory allocator is told for the time of a run.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Where the allocator reads for how many milliseconds it keeps what was freed; it is a second if nothing is said.
const SETTING: &str = "MIMALLOC_PURGE_DELAY";

/// Has memory given back as soon as it is freed: a run holds much of it for moments only, which a server would keep.
///
/// The allocator reads its settings before anything of ours runs, so the program starts itself anew, in the same process.
/// Where that fails, the run goes on and takes half as much again.
pub(super) fn give_back_early() {
    if cfg!(debug_assertions) || env::var_os(SETTING).is_some() {
        return;
    }
    let mut arguments = env::args_os();
    let (Some(name), Ok(program)) = (arguments.next(), env::current_exe()) else {
        return;
    };
    // It comes back from this only when it could not.
    _ = Command::new(program)
        .arg0(name)
        .args(arguments)
        .env(SETTING, "1")
        .exec();
}
