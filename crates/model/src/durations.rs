//! Lengths of time as clients write them.

/// Reads a length of time, in whole seconds: `[D ]HH:MM:SS` with an optional fraction, as Django writes it, also with
/// `days,`, or ISO 8601 (`P1DT2H`).
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.starts_with('P') {
        let span: jiff::Span = text.parse().ok()?;
        let day = jiff::SpanRelativeTo::days_are_24_hours();
        return span
            .total((jiff::Unit::Second, day))
            .ok()
            .map(|seconds| seconds as i64);
    }
    let (days, clock) = match text.split_once(' ') {
        None => (0, text),
        Some((days, rest)) => {
            let clock = rest.trim_start();
            let clock = clock
                .strip_prefix("days,")
                .or_else(|| clock.strip_prefix("day,"))
                .unwrap_or(clock);
            (number(days)?, clock.trim_start())
        }
    };
    let whole = clock.split_once('.').map_or(clock, |(whole, _)| whole);
    let mut seconds: i64 = 0;
    for part in whole.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(number(part)?)?;
    }
    // A lone number would be seconds; with days before it, it must be a time of day.
    (whole.split(':').count() <= 3)
        .then(|| days.checked_mul(86_400)?.checked_add(seconds))
        .flatten()
}

/// A length of time in words, from whole seconds: `1 day 2 hours`.
pub fn words(seconds: i64) -> String {
    let mut left = seconds.max(0);
    let mut parts = Vec::new();
    for (unit, name) in [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")] {
        let count = left / unit;
        left %= unit;
        match count {
            0 => {}
            1 => parts.push(format!("1 {name}")),
            _ => parts.push(format!("{count} {name}s")),
        }
    }
    if parts.is_empty() {
        return "0 seconds".to_owned();
    }
    parts.join(" ")
}

/// Digits only, and not so many that anything could overflow.
fn number(text: &str) -> Option<i64> {
    let plausible = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    plausible.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_told_in_words() {
        assert_eq!(words(93_600), "1 day 2 hours");
        assert_eq!(words(61), "1 minute 1 second");
        assert_eq!(words(0), "0 seconds");
    }

    #[test]
    fn lengths_of_time_are_read_in_every_spelling() {
        assert_eq!(parse("00:30:00"), Some(1800));
        assert_eq!(parse("2 01:00:00"), Some(2 * 86_400 + 3600));
        assert_eq!(parse("1 day, 0:00:05"), Some(86_405));
        assert_eq!(parse("3 days, 0:00:00.500000"), Some(3 * 86_400));
        assert_eq!(parse("90"), Some(90));
        assert_eq!(parse("05:00"), Some(300));
        assert_eq!(parse("P1DT2H"), Some(86_400 + 7200));
        for wrong in [
            "",
            "soon",
            "1:2:3:4",
            "-1",
            "1 2 3",
            "99999999999",
            "P",
            "1.5 days",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
