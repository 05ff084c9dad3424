//! `[throttles]`: how often one caller may do what invites abuse.

use std::time::Duration;

use serde::Deserialize;

/// Flagsmith's names for settings of this section.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[
    ("throttles.login", "LOGIN_THROTTLE_RATE"),
    ("throttles.signup", "SIGNUP_THROTTLE_RATE"),
    ("throttles.user", "USER_THROTTLE_RATE"),
    ("throttles.master_api_key", "MASTER_API_KEY_THROTTLE_RATE"),
];

/// How often one caller may do what invites abuse.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throttles {
    /// Attempts to log in, per address.
    pub login: Throttle,
    /// Sign-ups, per address.
    pub signup: Throttle,
    /// Calls of the management API, per user.
    pub user: Throttle,
    /// Calls of the management API, per organisation API key.
    pub master_api_key: Throttle,
}

/// So many calls in so long a time, or no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Throttle(Option<Rate>);

/// So many calls in so long a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At least 1.
    pub calls: u32,
    /// A second, minute, hour or day.
    pub per: Duration,
}

impl Throttle {
    /// The limit, if there is one.
    pub fn rate(self) -> Option<Rate> {
        self.0
    }
}

impl TryFrom<String> for Throttle {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if matches!(text.as_str(), "" | "off") {
            return Ok(Self(None));
        }
        let rate = text.split_once('/').and_then(|(calls, period)| {
            let calls = calls.trim().parse().ok().filter(|calls| *calls > 0)?;
            let per = Duration::from_secs(seconds(period.trim())?);
            Some(Rate { calls, per })
        });
        match rate {
            Some(rate) => Ok(Self(Some(rate))),
            None => Err(format!(
                "must be a rate such as 20/min (sec, min, hour or day), or off, not {text:?}"
            )),
        }
    }
}

/// Length of a period by the names Django REST framework's users write.
fn seconds(period: &str) -> Option<u64> {
    Some(match period.to_ascii_lowercase().as_str() {
        "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 86_400,
        _ => return None,
    })
}
