//! "Did you mean …?" for mistyped names.

/// The name among `known` that `given` was probably meant to be, if one is near.
///
/// The same key in another section counts as near: people remember the key and guess the section.
pub(super) fn closest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_ascii_lowercase();
    let given_key = given.rsplit('.').next().unwrap_or_default();
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        let key = name.rsplit('.').next().unwrap_or_default();
        let distance = if key == given_key {
            1
        } else {
            distance(&given, name)
        };
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
    }
    let allowed = (given_key.len() / 3).clamp(1, 3);
    best.filter(|(distance, _)| *distance <= allowed)
        .map(|(_, name)| name)
}

/// Number of single-letter edits between two short names (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    const KNOWN: [&str; 3] = ["server.listen", "server.data_dir", "database.url"];

    #[test]
    fn a_slip_finds_the_setting_meant() {
        assert_eq!(closest("server.listn", KNOWN.into_iter()), Some("server.listen"));
        assert_eq!(closest("sever.listen", KNOWN.into_iter()), Some("server.listen"));
        assert_eq!(closest("listen", KNOWN.into_iter()), Some("server.listen"));
        assert_eq!(closest("databse.ulr", KNOWN.into_iter()), None);
    }

    #[test]
    fn something_else_altogether_finds_nothing() {
        assert_eq!(closest("colour.scheme", KNOWN.into_iter()), None);
        assert_eq!(closest("", KNOWN.into_iter()), None);
    }
}
