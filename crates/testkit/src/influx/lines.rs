//! Line protocol, read letter by letter.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// A point with its one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    pub measurement: String,
    pub tags: BTreeMap<String, String>,
    pub field: String,
    pub value: i64,
    /// Nanoseconds since 1970.
    pub at: i64,
}

impl Point {
    /// A tag, empty when it has none of that name.
    pub fn tag(&self, name: &str) -> &str {
        self.tags.get(name).map_or("", String::as_str)
    }
}

/// Puts a point into a bucket. One of the same series at the same time is replaced, as InfluxDB does.
pub(super) fn put(bucket: &mut Vec<Point>, point: Point) {
    let is_same = |other: &&mut Point| {
        other.measurement == point.measurement
            && other.tags == point.tags
            && other.field == point.field
            && other.at == point.at
    };
    match bucket.iter_mut().find(is_same) {
        Some(other) => *other = point,
        None => bucket.push(point),
    }
}

/// All points of a text.
pub(super) fn parse(text: &str) -> Result<Vec<Point>, String> {
    text.lines()
        .map(|line| point(line).map_err(|problem| format!("{problem} in {line:?}")))
        .collect()
}

/// A name or value up to one of these letters, which is taken too.
fn part(letters: &mut Peekable<Chars<'_>>, ends: &[char]) -> Result<(String, char), String> {
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek().is_some_and(|next| ",= ".contains(*next)) => text.extend(letters.next()),
            '\\' => return Err("a backslash that escapes nothing".to_owned()),
            end if ends.contains(&end) => {
                if text.is_empty() {
                    return Err(format!("nothing before {end:?}"));
                }
                return Ok((text, end));
            }
            ',' | '=' | ' ' => return Err(format!("{letter:?} is not escaped")),
            letter if letter.is_control() => return Err(format!("{letter:?} in a name or value")),
            letter => text.push(letter),
        }
    }
    Err("the line ends too early".to_owned())
}

fn point(line: &str) -> Result<Point, String> {
    let letters = &mut line.chars().peekable();
    let (measurement, mut end) = part(letters, &[',', ' '])?;
    let (mut tags, mut last) = (BTreeMap::new(), String::new());
    while end == ',' {
        let (name, _) = part(letters, &['='])?;
        let (value, after) = part(letters, &[',', ' '])?;
        if name <= last {
            return Err(format!("tag {name} is not in order"));
        }
        last.clone_from(&name);
        tags.insert(name, value);
        end = after;
    }
    let (field, _) = part(letters, &['='])?;
    let rest: String = letters.collect();
    let (value, at) = rest.split_once(' ').ok_or("no time")?;
    let value = value.strip_suffix('i').ok_or("not a whole number")?;
    Ok(Point {
        measurement,
        tags,
        field,
        value: value.parse().map_err(|_| "not a number")?,
        at: at.parse().map_err(|_| "not a time")?,
    })
}
