//! Moments, and the texts the wire wants for them.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// A moment: microseconds since 1970-01-01 UTC, the precision of the Flagsmith API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This very moment by the machine's clock.
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_microsecond())
    }

    /// Reads an RFC 3339 text. A text without a zone is taken as UTC, as Django does; a bare date is refused.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(moment) = text.parse::<jiff::Timestamp>() {
            return Some(Self(moment.as_microsecond()));
        }
        if text.len() <= 10 {
            return None;
        }
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(Self(zoned.timestamp().as_microsecond()))
    }

    /// `2026-11-21T03:36:14.891524Z`; the fraction is left out when it is zero.
    pub fn rest(self) -> String {
        self.iso_with("Z")
    }

    /// `2026-11-21T03:36:14.891524+00:00`, the form of the environment document.
    pub fn iso(self) -> String {
        self.iso_with("+00:00")
    }

    /// `Sat, 21 Nov 2026 03:36:14 GMT`, the form of HTTP headers; whole seconds, rounded down.
    pub fn http_date(self) -> String {
        self.strftime("%a, %d %b %Y %H:%M:%S GMT")
    }

    /// Reads an HTTP date (RFC 9110 §5.6.7, the preferred form and what Python sends).
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let moment = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Some(Self(moment.as_microsecond()))
    }

    /// Seconds since 1970 as Python prints a float (`1795232574.877985`, `1795232306.0`): always with a
    /// fraction, because some SDKs insist on a decimal point.
    pub fn epoch_seconds_text(self) -> String {
        format_float(self.0 as f64 / 1e6)
    }

    /// The whole second this moment lies in, since 1970.
    pub fn epoch_second(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// `2026-11-21`, UTC.
    pub fn date(self) -> String {
        self.strftime("%Y-%m-%d")
    }

    /// `21/11/2026 03:36:14`, UTC, the form of audit lines.
    pub fn log_text(self) -> String {
        self.strftime("%d/%m/%Y %H:%M:%S")
    }

    /// This moment plus a number of seconds.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    fn iso_with(self, zone: &str) -> String {
        let mut text = self.strftime("%Y-%m-%dT%H:%M:%S");
        let micros = self.0.rem_euclid(1_000_000);
        if micros != 0 {
            let _ = write!(text, ".{micros:06}");
        }
        text.push_str(zone);
        text
    }

    fn strftime(self, format: &str) -> String {
        let moment = jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        moment.strftime(format).to_string()
    }
}

/// A float with at least one decimal, the way Python's `repr` shows ordinary magnitudes.
fn format_float(number: f64) -> String {
    let mut text = number.to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_the_wire_wants_it() {
        let moment = Timestamp(1_795_232_174_891_524);
        assert_eq!(moment.rest(), "2026-11-21T03:36:14.891524Z");
        assert_eq!(moment.iso(), "2026-11-21T03:36:14.891524+00:00");
        assert_eq!(moment.http_date(), "Sat, 21 Nov 2026 03:36:14 GMT");
        assert_eq!(moment.epoch_seconds_text(), "1795232174.891524");
        assert_eq!(Timestamp(1_795_232_174_000_000).rest(), "2026-11-21T03:36:14Z");
        assert_eq!(
            Timestamp(1_795_232_174_000_000).epoch_seconds_text(),
            "1795232174.0"
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        let moment = Timestamp(1_795_232_174_891_524);
        assert_eq!(Timestamp::parse(&moment.rest()), Some(moment));
        assert_eq!(Timestamp::parse(&moment.iso()), Some(moment));
        assert_eq!(
            Timestamp::parse("2026-11-21T03:36:14"),
            Some(Timestamp(1_795_232_174_000_000))
        );
        assert_eq!(Timestamp::parse("2026-11-21"), None);
        assert_eq!(Timestamp::parse("soon"), None);
        assert_eq!(
            Timestamp::parse_http_date(&moment.http_date()),
            Some(Timestamp(1_795_232_174_000_000))
        );
    }
}
