//! What the system says about this process, read from `/proc`; elsewhere than on Linux nothing is reported.
//!
//! The names are those every Prometheus client library uses.

use std::{fmt::Write as _, fs};

/// Clock ticks per second in `/proc`: fixed at 100 towards programs on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Appends the metrics of this process to a page. What cannot be read is left out.
pub(super) fn append(page: &mut String) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let boot = fs::read_to_string("/proc/stat").unwrap_or_default();
    // The directory that is read is itself an open file while it is read.
    let open = fs::read_dir("/proc/self/fd").map(|entries| entries.count().saturating_sub(1) as f64);

    let rows = [
        (
            "process_resident_memory_bytes",
            "gauge",
            "Memory in use, in bytes.",
            kilobytes(&status, "VmRSS:"),
        ),
        (
            "process_virtual_memory_bytes",
            "gauge",
            "Address space in use, in bytes.",
            kilobytes(&status, "VmSize:"),
        ),
        ("process_open_fds", "gauge", "Open file descriptors.", open.ok()),
        (
            "process_max_fds",
            "gauge",
            "Most file descriptors allowed.",
            max_open_files(&limits),
        ),
        (
            "process_cpu_seconds_total",
            "counter",
            "Processor time used, in seconds.",
            cpu_seconds(&stat),
        ),
        (
            "process_start_time_seconds",
            "gauge",
            "When the process started, in seconds since 1970.",
            start_time(&stat, &boot),
        ),
    ];
    for (name, kind, help, value) in rows {
        let Some(value) = value else { continue };
        // Writing to a String cannot fail.
        _ = write!(
            page,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n\n"
        );
    }
}

/// A line such as `VmRSS:      5120 kB`, in bytes.
fn kilobytes(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let number: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(number * 1024.0)
}

fn max_open_files(limits: &str) -> Option<f64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A field of `/proc/self/stat` by its number in proc(5). The second field, the name, may hold anything, so the count starts behind it.
fn field(stat: &str, number: usize) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(number.checked_sub(3)?)?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((field(stat, 14)? + field(stat, 15)?) / TICKS_PER_SECOND)
}

fn start_time(stat: &str, boot: &str) -> Option<f64> {
    let line = boot.lines().find_map(|line| line.strip_prefix("btime "))?;
    let booted: f64 = line.trim().parse().ok()?;
    Some(booted + field(stat, 22)? / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_a_name_with_brackets_and_blanks() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 1000 0 0";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(
            start_time(stat, "cpu 1 2\nbtime 1700000000\n"),
            Some(1_700_000_010.0)
        );
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        assert_eq!(kilobytes("", "VmRSS:"), None);
        assert_eq!(
            max_open_files("Max open files            unlimited            unlimited"),
            None
        );
        assert_eq!(cpu_seconds("garbage"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_started_in_the_past_and_uses_memory() {
        let mut page = String::new();
        append(&mut page);
        for name in [
            "resident_memory_bytes",
            "open_fds",
            "max_fds",
            "cpu_seconds_total",
        ] {
            assert!(page.contains(&format!("\nprocess_{name} ")), "{name} in {page}");
        }
        let started: f64 = page
            .lines()
            .find_map(|line| line.strip_prefix("process_start_time_seconds "))
            .and_then(|value| value.parse().ok())
            .unwrap();
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        assert!((0.0..86_400.0 * 30.0).contains(&(now.as_secs_f64() + 2.0 - started)));
    }
}
