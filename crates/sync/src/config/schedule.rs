//! When a sync runs by itself.

use std::str::FromStr as _;

use croner::Cron;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Result, SyncError};

/// The longest time between two runs, in minutes: a year.
const LONGEST: u32 = 366 * 24 * 60;

/// When a sync runs by itself: exactly one of the ways.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// Minutes between the beginnings of two runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_minutes: Option<u32>,
    /// Five fields of cron.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// The time zone of `cron`, by its IANA name; UTC when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tz: Option<String>,
    /// The sync after whose success it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Schedule {
    /// Checks the schedule of the sync `name` among all syncs.
    pub(super) fn check<'a>(&self, name: &str, mut syncs: impl Iterator<Item = &'a String>) -> Result<()> {
        let refuse =
            |setting: &str, problem: String| Err(SyncError::config(format!("schedule{setting}"), problem));
        let ways = [
            self.every_minutes.is_some(),
            self.cron.is_some(),
            self.after.is_some(),
        ];
        if ways.iter().filter(|way| **way).count() != 1 {
            return refuse(
                "",
                "needs exactly one of `every_minutes`, `cron` and `after`".to_owned(),
            );
        }
        if self
            .every_minutes
            .is_some_and(|minutes| !(1..=LONGEST).contains(&minutes))
        {
            return refuse(".every_minutes", format!("is from 1 to {LONGEST}"));
        }
        if self.tz.is_some() && self.cron.is_none() {
            return refuse(".tz", "belongs to `cron`".to_owned());
        }
        if let Some(after) = &self.after {
            if after == name {
                return refuse(".after", "a sync can't run after itself".to_owned());
            }
            if !syncs.any(|sync| sync == after) {
                return refuse(".after", format!("there is no sync {after:?}"));
            }
        }
        self.next_by_clock(0).map(drop)
    }

    /// When the clock has it run next, strictly after a moment; both in microseconds since 1970. `None` when no clock does.
    ///
    /// Fails when `cron` or `tz` can't be read.
    pub fn next_by_clock(&self, after: i64) -> Result<Option<i64>> {
        let Some(text) = &self.cron else {
            return Ok(None);
        };
        let bad = |setting: &str, told: String| SyncError::config(format!("schedule.{setting}"), told);
        let zone = match &self.tz {
            Some(name) => TimeZone::get(name).map_err(|error| bad("tz", error.to_string()))?,
            None => TimeZone::UTC,
        };
        if text.split_whitespace().count() != 5 {
            return Err(bad(
                "cron",
                "needs five fields: minute, hour, day of month, month, day of week".to_owned(),
            ));
        }
        let cron = Cron::from_str(text).map_err(|error| bad("cron", error.to_string()))?;
        let moment = Timestamp::from_microsecond(after).map_err(|error| bad("cron", error.to_string()))?;
        let begin: Zoned = moment.to_zoned(zone);
        let next = cron
            .find_next_occurrence(&begin, false)
            .map_err(|error| bad("cron", error.to_string()))?;
        Ok(Some(next.timestamp().as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cron(text: &str, tz: Option<&str>) -> Schedule {
        Schedule {
            cron: Some(text.to_owned()),
            tz: tz.map(ToOwned::to_owned),
            ..Schedule::default()
        }
    }

    fn next(schedule: &Schedule, after: &str) -> String {
        let after: Timestamp = after.parse().unwrap();
        let next = schedule.next_by_clock(after.as_microsecond()).unwrap().unwrap();
        Timestamp::from_microsecond(next).unwrap().to_string()
    }

    #[test]
    fn the_clock_of_its_zone_counts_also_when_summer_begins() {
        let daily = cron("30 6 * * *", Some("Europe/Berlin"));
        assert_eq!(next(&daily, "2027-03-27T12:00:00Z"), "2027-03-28T04:30:00Z");
        assert_eq!(next(&daily, "2027-03-26T12:00:00Z"), "2027-03-27T05:30:00Z");
        assert_eq!(
            next(&cron("*/15 * * * *", None), "2027-03-27T12:00:00Z"),
            "2027-03-27T12:15:00Z"
        );
    }

    #[test]
    fn what_no_clock_understands_is_refused_by_its_setting() {
        for (schedule, setting) in [
            (cron("every day", None), "schedule.cron"),
            (cron("61 * * * *", None), "schedule.cron"),
            (cron("* * * * * *", None), "schedule.cron"),
            (cron("0 6 * * *", Some("Europe/Atlantis")), "schedule.tz"),
            (Schedule::default(), "schedule: needs exactly one"),
        ] {
            let error = schedule.check("daily", [].iter()).unwrap_err().to_string();
            assert!(error.starts_with(setting), "{error}");
        }
        let names = ["daily".to_owned(), "base".to_owned()];
        let after = |name: &str| Schedule {
            after: Some(name.to_owned()),
            ..Schedule::default()
        };
        assert!(after("base").check("daily", names.iter()).is_ok());
        assert!(after("daily").check("daily", names.iter()).is_err());
        assert!(after("nobody").check("daily", names.iter()).is_err());
    }
}
