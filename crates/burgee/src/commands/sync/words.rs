//! Reports in words.

use std::fmt::Write as _;

use burgee_app::audience_syncs::{Report, State};

/// A report as people read it.
pub(super) fn in_words(report: &Report) -> String {
    let counts = &report.plan.counts;
    let mut text = String::new();
    _ = writeln!(text, "{}: {}", report.sync, describe(report));
    _ = writeln!(
        text,
        "  {} rows: {} to add, {} to change, {} to remove, {} unchanged",
        counts.rows, counts.adds, counts.updates, counts.removes, counts.unchanged
    );
    if counts.invalid + counts.duplicates + counts.conflicts > 0 {
        _ = writeln!(
            text,
            "  {} can't be sent, {} twice, {} keys with different values",
            counts.invalid, counts.duplicates, counts.conflicts
        );
    }
    for (what, keys) in [
        ("add", &report.samples.adds),
        ("change", &report.samples.updates),
        ("remove", &report.samples.removes),
    ] {
        if !keys.is_empty() && matches!(report.state, State::Planned | State::Held) {
            let some: Vec<String> = keys.iter().take(5).map(|key| format!("{key:?}")).collect();
            _ = writeln!(
                text,
                "  {what}: {}{}",
                some.join(", "),
                if keys.len() > 5 { ", …" } else { "" }
            );
        }
    }
    for hold in &report.holds {
        _ = writeln!(text, "  held: {hold}");
    }
    if let (State::Held, Some(run)) = (report.state, report.run) {
        _ = writeln!(
            text,
            "  to send exactly this plan: burgee sync approve --run {run} FILE"
        );
    }
    let progress = &report.progress;
    if progress.delivered + progress.rejected > 0 {
        _ = writeln!(
            text,
            "  {} delivered, {} refused, {} requests ({} throttled)",
            progress.delivered, progress.rejected, progress.requests, progress.throttled
        );
    }
    if let (State::Partial | State::Failed | State::Stopped, Some(run)) = (report.state, report.run) {
        _ = writeln!(text, "  refused rows: burgee sync status --errors {run}");
    }
    text
}

fn describe(report: &Report) -> String {
    let run = report.run.map(|run| format!("run {run} ")).unwrap_or_default();
    match (report.state, &report.error) {
        (State::Planned, _) => "would be sent as it is".to_owned(),
        (State::Held, _) if report.run.is_none() => "would be held".to_owned(),
        (State::Held, _) => format!("{run}is held, nothing was sent"),
        (State::Done, _) => format!("{run}is done"),
        (State::Partial, _) => format!("{run}is done, but not all rows were taken"),
        (State::Stopped, _) => format!("{run}was stopped; the next run goes on from here"),
        (State::Failed, error) => format!("{run}failed: {}", error.as_deref().unwrap_or("unknown")),
    }
}
