//! Guard rails: what stops a run before anything is sent.

use serde::{Deserialize, Serialize};

use crate::plan::Counts;

/// When a plan is held for a person to look at it. Each rail can be set; these are the defaults of every sync.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Guards {
    /// The share of the acknowledged members, in per cent, that a run may remove.
    pub max_remove_pct: f64,
    /// Removals up to this number never hold a run, whatever their share.
    pub max_remove_min: u64,
    /// Whether a model without rows may empty the audience.
    pub allow_empty: bool,
    /// The share of the rows, in per cent, that may be invalid.
    pub max_invalid_pct: f64,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            max_remove_pct: 25.0,
            max_remove_min: 100,
            allow_empty: false,
            max_invalid_pct: 5.0,
        }
    }
}

/// One reason why a plan is held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rail", rename_all = "snake_case")]
pub enum Hold {
    /// More would be removed than is allowed.
    Removes { removes: u64, of: u64, allowed_pct: f64 },
    /// The model gave no rows although members are known.
    Empty { acknowledged: u64 },
    /// Too many rows can't be sent.
    Invalid {
        invalid: u64,
        rows: u64,
        allowed_pct: f64,
    },
    /// Members would be removed that this sync did not add.
    Foreign { removes: u64 },
    /// The destination has no room for the result.
    Capacity { adds: u64, removes: u64, room: u64 },
}

impl std::fmt::Display for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Removes {
                removes,
                of,
                allowed_pct,
            } => {
                write!(
                    f,
                    "{removes} of {of} members would be removed; more than {allowed_pct} % needs an approval"
                )
            }
            Self::Empty { acknowledged } => {
                write!(
                    f,
                    "the model returned no rows, but {acknowledged} members are known; was its table rebuilt?"
                )
            }
            Self::Invalid {
                invalid,
                rows,
                allowed_pct,
            } => {
                write!(
                    f,
                    "{invalid} of {rows} rows can't be sent; more than {allowed_pct} % needs an approval"
                )
            }
            Self::Foreign { removes } => {
                write!(f, "{removes} members would be removed that this sync did not add")
            }
            Self::Capacity { adds, removes, room } => write!(
                f,
                "{adds} members are to be added and {removes} removed, but there is room for {room} more only"
            ),
        }
    }
}

impl Hold {
    /// The name of the rail.
    pub fn rail(&self) -> &'static str {
        match self {
            Self::Removes { .. } => "removes",
            Self::Empty { .. } => "empty",
            Self::Invalid { .. } => "invalid",
            Self::Foreign { .. } => "foreign",
            Self::Capacity { .. } => "capacity",
        }
    }

    /// Whether a person may let the plan pass. What has no room has none after an approval either.
    pub fn can_be_approved(&self) -> bool {
        !matches!(self, Self::Capacity { .. })
    }
}

/// Every reason why this plan must not be sent as it is. `foreign` counts removals of members this sync did not add.
pub fn check(guards: &Guards, counts: &Counts, foreign: u64, room: Option<u64>) -> Vec<Hold> {
    let mut holds = Vec::new();
    let over = |part: u64, whole: u64, pct: f64| part as f64 * 100.0 > whole as f64 * pct;
    if counts.rows == 0 && counts.removes > 0 && !guards.allow_empty {
        holds.push(Hold::Empty {
            acknowledged: counts.acknowledged,
        });
    } else if counts.removes > guards.max_remove_min
        && over(counts.removes, counts.acknowledged, guards.max_remove_pct)
    {
        holds.push(Hold::Removes {
            removes: counts.removes,
            of: counts.acknowledged,
            allowed_pct: guards.max_remove_pct,
        });
    }
    if over(
        counts.invalid + counts.conflicts,
        counts.rows,
        guards.max_invalid_pct,
    ) {
        holds.push(Hold::Invalid {
            invalid: counts.invalid + counts.conflicts,
            rows: counts.rows,
            allowed_pct: guards.max_invalid_pct,
        });
    }
    if foreign > 0 {
        holds.push(Hold::Foreign { removes: foreign });
    }
    if let Some(room) = room
        && counts.adds > room + counts.removes
    {
        holds.push(Hold::Capacity {
            adds: counts.adds,
            removes: counts.removes,
            room,
        });
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(counts: Counts) -> Vec<Hold> {
        check(&Guards::default(), &counts, 0, None)
    }

    fn removing(removes: u64, of: u64) -> Counts {
        Counts {
            rows: of - removes,
            acknowledged: of,
            removes,
            ..Counts::default()
        }
    }

    #[test]
    fn a_quarter_and_a_hundred_may_go_and_not_one_more() {
        assert!(held(removing(250, 1_000)).is_empty());
        assert!(matches!(
            held(removing(251, 1_000))[..],
            [Hold::Removes {
                removes: 251,
                of: 1_000,
                ..
            }]
        ));
        assert!(held(removing(100, 110)).is_empty(), "a small audience may change");
        assert!(!held(removing(101, 110)).is_empty());
    }

    #[test]
    fn an_empty_model_is_held_only_where_it_would_empty_something() {
        assert!(matches!(
            held(removing(5, 5))[..],
            [Hold::Empty { acknowledged: 5 }]
        ));
        assert!(held(Counts::default()).is_empty());
        let guards = Guards {
            allow_empty: true,
            ..Guards::default()
        };
        assert!(check(&guards, &removing(5, 5), 0, None).is_empty());
    }

    #[test]
    fn room_is_counted_after_what_leaves() {
        let counts = Counts {
            rows: 20,
            adds: 20,
            removes: 10,
            acknowledged: 100,
            ..Counts::default()
        };
        assert!(check(&Guards::default(), &counts, 0, Some(10)).is_empty());
        let holds = check(&Guards::default(), &counts, 0, Some(9));
        assert!(matches!(holds[..], [Hold::Capacity { room: 9, .. }]) && !holds[0].can_be_approved());
    }

    #[test]
    fn too_many_rows_that_cannot_be_sent_are_a_reason_to_look() {
        let counts = |invalid| Counts {
            rows: 1_000,
            invalid,
            ..Counts::default()
        };
        assert!(held(counts(50)).is_empty());
        assert!(matches!(held(counts(51))[..], [Hold::Invalid { .. }]));
    }
}
