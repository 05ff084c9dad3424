//! What is known of a number after all, or some, were looked at.

/// How many of all: exactly, or within bounds that hold in 95 of 100 previews.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub count: u64,
    pub low: u64,
    pub high: u64,
}

/// The standard normal's quantile for an interval of 95 %.
const Z: f64 = 1.959_963_985;

/// Of how many it was counted, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basis {
    All,
    /// A uniform sample, drawn with replacement.
    Sample {
        of: u64,
        identities: u64,
    },
}

impl Basis {
    /// What so many of those that were looked at say of all.
    ///
    /// The bounds are Wilson's: they hold for shares near none and near all, where the usual ones do not.
    pub(super) fn count(self, counted: u64) -> Count {
        let (of, identities) = match self {
            Self::All => {
                return Count {
                    count: counted,
                    low: counted,
                    high: counted,
                };
            }
            Self::Sample { of: 0, identities } => {
                return Count {
                    count: 0,
                    low: 0,
                    high: identities,
                };
            }
            Self::Sample { of, identities } => (of as f64, identities),
        };
        let all = identities as f64;
        let share = counted as f64 / of;
        let scale = 1.0 + Z * Z / of;
        let centre = (share + Z * Z / (2.0 * of)) / scale;
        let reach = Z / scale * (share * (1.0 - share) / of + Z * Z / (4.0 * of * of)).sqrt();
        let count = (share * all).round() as u64;
        Count {
            count,
            // What was seen is there.
            low: (((centre - reach) * all).floor().max(0.0) as u64)
                .clamp(u64::from(counted > 0), count.max(1)),
            high: (((centre + reach) * all).ceil() as u64).clamp(count, identities),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(of: u64, counted: u64) -> Count {
        Basis::Sample {
            of,
            identities: 1_000_000,
        }
        .count(counted)
    }

    #[test]
    fn all_is_exact() {
        let seven = Count {
            count: 7,
            low: 7,
            high: 7,
        };
        assert_eq!(Basis::All.count(7), seven);
    }

    #[test]
    fn a_sample_says_how_far_off_it_may_be() {
        // Wilson's interval of 2,000 in 10,000, as statistics packages give it: 0.19228 to 0.20795.
        let fifth = sample(10_000, 2_000);
        assert_eq!(fifth.count, 200_000);
        assert!(
            fifth.low.abs_diff(192_280) < 20 && fifth.high.abs_diff(207_950) < 20,
            "{fifth:?}"
        );
    }

    #[test]
    fn none_of_a_sample_is_not_none_of_all() {
        let none = sample(10_000, 0);
        assert_eq!((none.count, none.low), (0, 0));
        assert!(none.high.abs_diff(384) < 5, "{none:?}");
        let all = sample(10_000, 10_000);
        assert_eq!((all.count, all.high), (1_000_000, 1_000_000));
        assert!(all.low < 1_000_000);
        assert_eq!(sample(0, 0).high, 1_000_000);
    }
}
