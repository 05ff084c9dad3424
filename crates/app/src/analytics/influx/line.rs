//! Points in InfluxDB's line protocol: `measurement,tag=value field=1i 1700000000000000000`.

use std::fmt::Write as _;

/// A count of something, to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Point<'a> {
    pub(super) measurement: &'static str,
    /// In the order of their names, which is the fastest for InfluxDB. Those without a value are left out.
    pub(super) tags: &'a [(&'static str, &'a str)],
    pub(super) field: &'static str,
    pub(super) count: i64,
    /// Nanoseconds since 1970.
    pub(super) at: i64,
}

impl Point<'_> {
    /// The line, with its end.
    pub(super) fn line(&self) -> String {
        let mut line = self.measurement.to_owned();
        for (name, value) in self.tags {
            let value = tag_value(value);
            if value.is_empty() {
                continue;
            }
            line.push(',');
            line.push_str(name);
            line.push('=');
            for letter in value.chars() {
                if matches!(letter, ',' | '=' | ' ') {
                    line.push('\\');
                }
                line.push(letter);
            }
        }
        // Writing to a String cannot fail.
        _ = writeln!(line, " {}={}i {}", self.field, self.count, self.at);
        line
    }
}

/// A text as it is stored in a tag. The protocol knows no line end in one, and a backslash means what follows makes of
/// it, so these are written otherwise; who looks for a value must look for this.
pub(super) fn tag_value(text: &str) -> String {
    let letter = |letter: char| match letter {
        '\\' => '/',
        letter if letter.is_control() => ' ',
        letter => letter,
    };
    text.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(value: &str, count: i64, at: i64) -> String {
        let point = Point {
            measurement: "feature_evaluation",
            tags: &[("environment_id", "3"), ("feature_id", value)],
            field: "request_count",
            count,
            at,
        };
        point.line()
    }

    /// The value of the second tag, and what follows the tags; read letter by letter as the protocol says.
    fn read(line: &str) -> (String, String) {
        let mut letters = line
            .strip_prefix("feature_evaluation,environment_id=3,feature_id=")
            .expect("the tags before it")
            .chars();
        let mut value = String::new();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => value.push(letters.next().expect("what is escaped")),
                ' ' => return (value, letters.collect()),
                ',' | '=' => panic!("{letter:?} is not escaped in {line:?}"),
                letter => value.push(letter),
            }
        }
        panic!("no fields in {line:?}")
    }

    #[test]
    fn a_point_is_one_line() {
        assert_eq!(
            line("new check,out=1", 5, 1_700_000_000_000_000_000),
            "feature_evaluation,environment_id=3,feature_id=new\\ check\\,out\\=1 request_count=5i 1700000000000000000\n"
        );
    }

    #[test]
    fn a_tag_without_a_value_is_left_out() {
        assert_eq!(
            line("", 1, 2),
            "feature_evaluation,environment_id=3 request_count=1i 2\n"
        );
    }

    #[test]
    fn a_backslash_can_escape_nothing_that_follows() {
        assert_eq!(
            read(&line("a\\", 1, 2)),
            ("a/".to_owned(), "request_count=1i 2\n".to_owned())
        );
    }

    proptest! {
        #[test]
        fn whatever_a_name_holds_it_is_read_back_as_it_is_looked_for(name in ".+", count in 1..i64::MAX, at in 0..i64::MAX) {
            let line = line(&name, count, at);
            prop_assert_eq!(line.matches('\n').count(), 1);
            let (value, rest) = read(&line);
            prop_assert_eq!(value, tag_value(&name));
            prop_assert_eq!(rest, format!("request_count={count}i {at}\n"));
        }
    }
}
