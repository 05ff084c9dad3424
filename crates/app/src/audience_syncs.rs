//! Audience syncs on this installation's database: where the engine of `burgee-sync` and the store meet.
//!
//! A server and the command line run a sync the same way: [`Runner`] with a sync of a project
//! ([`burgee_sync::config`]), a watcher that is told how far it is, and a signal that stops it. The command line's syncs are
//! files; a server's are the [`objects`] of an organisation, taken out and put in as one [`document`], [`runs`] of them
//! begun by people and by [`schedules`].

mod alerts;
pub mod document;
mod ledger;
pub mod objects;
mod own_lists;
mod report;
mod runner;
pub mod runs;
pub mod schedules;
mod secrets;

use std::fmt::Write as _;

pub use burgee_store::audience_syncs::RefusedRow;
pub use burgee_sync::guard::Hold;
pub use burgee_sync::ledger::Progress;
pub use burgee_sync::plan::{Counts, Samples};
pub use ledger::DbLedger;
pub use report::{Report, State};
pub use runner::{Origin, RunError, Runner};

/// Refused rows as CSV, with a header line.
pub fn errors_as_csv(rows: &[RefusedRow]) -> String {
    let mut text = "key,op,reason\n".to_owned();
    for row in rows {
        let field = |value: &str| format!("\"{}\"", value.replace('"', "\"\""));
        // Writing to a text can't fail.
        _ = writeln!(
            text,
            "{},{},{}",
            field(&row.key),
            field(&row.op),
            field(&row.reason)
        );
    }
    text
}
