//! Flux, as far as Burgee's queries and tasks use it: one pipe from a bucket, over a range, through filters, groups and
//! windows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use burgee_model::Timestamp;

use super::lines::Point;

type Buckets = BTreeMap<String, Vec<Point>>;
type Problem = String;

/// A row of a table: the columns of its group, when, and how many.
#[derive(Debug, Clone)]
struct Row {
    columns: BTreeMap<String, String>,
    /// The columns that tell its table from others.
    key: BTreeMap<String, String>,
    at: i64,
    value: i64,
}

/// What came out of a pipe.
#[derive(Debug, Default)]
pub(super) struct Made {
    rows: Vec<Row>,
    /// The bucket it was written to, and what.
    pub(super) written: Option<(String, Vec<Point>)>,
}

/// Reads a text from its beginning.
struct Scanner<'a>(&'a str);

impl Scanner<'_> {
    fn skip(&mut self) {
        self.0 = self.0.trim_start();
    }

    /// Takes a text if it is next.
    fn take(&mut self, text: &str) -> bool {
        self.skip();
        match self.0.strip_prefix(text) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, text: &str) -> Result<(), Problem> {
        if self.take(text) {
            return Ok(());
        }
        let rest: String = self.0.chars().take(60).collect();
        Err(format!("expected {text:?} at {rest:?}"))
    }

    /// Letters, digits and what `extra` names.
    fn word(&mut self, extra: &str) -> String {
        self.skip();
        let end = self
            .0
            .find(|c: char| !c.is_ascii_alphanumeric() && !extra.contains(c));
        let (word, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        word.to_owned()
    }

    fn string(&mut self) -> Result<String, Problem> {
        self.expect("\"")?;
        let mut text = String::new();
        let mut letters = self.0.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.0 = &self.0[at + 1..];
                    return Ok(text);
                }
                '\\' => match letters.next().map(|(_, escaped)| escaped) {
                    Some(escaped @ ('"' | '\\')) => text.push(escaped),
                    Some('n') => text.push('\n'),
                    Some('r') => text.push('\r'),
                    Some('x') => {
                        let digits: String = letters.by_ref().take(2).map(|(_, digit)| digit).collect();
                        let code = u8::from_str_radix(&digits, 16).map_err(|_| "not a code")?;
                        text.push(char::from(code));
                    }
                    other => return Err(format!("{other:?} is not to be escaped")),
                },
                '$' if self.0[at..].starts_with("${") => return Err("an expression in a text".to_owned()),
                letter => text.push(letter),
            }
        }
        Err("a text without an end".to_owned())
    }

    fn strings(&mut self) -> Result<Vec<String>, Problem> {
        self.expect("[")?;
        let mut all = Vec::new();
        while !self.take("]") {
            all.push(self.string()?);
            self.take(",");
        }
        Ok(all)
    }

    fn duration(&mut self) -> Result<i64, Problem> {
        let word = self.word("");
        let (number, unit) = word.split_at(word.len() - 1);
        let number: i64 = number.parse().map_err(|_| format!("{word:?} is no duration"))?;
        let seconds = match unit {
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(format!("{word:?} is no duration")),
        };
        Ok(number * seconds * 1_000_000_000)
    }
}

/// The name of a task, of a text that holds one.
pub(super) fn name(text: &str) -> Result<String, Problem> {
    let mut scanner = Scanner(text);
    let (name, _) = options(&mut scanner)?.ok_or("no options of a task")?;
    if name.is_empty() {
        return Err("a task without a name".to_owned());
    }
    Ok(name)
}

/// The name of a task and how often it runs.
fn options(scanner: &mut Scanner<'_>) -> Result<Option<(String, i64)>, Problem> {
    if !scanner.take("option task = {") {
        return Ok(None);
    }
    scanner.expect("name:")?;
    let name = scanner.string()?;
    scanner.expect(", every:")?;
    let every = scanner.duration()?;
    scanner.expect(", offset:")?;
    scanner.duration()?;
    scanner.expect("}")?;
    Ok(Some((name, every)))
}

/// Runs a query or a task, as of a moment.
pub(super) fn run(text: &str, now: i64, buckets: &Buckets) -> Result<Made, Problem> {
    let scanner = &mut Scanner(text);
    let every = options(scanner)?.map(|(_, every)| every);
    scanner.expect("from(bucket:")?;
    let bucket = scanner.string()?;
    scanner.expect(")")?;
    let points = buckets
        .get(&bucket)
        .ok_or_else(|| format!("could not find bucket {bucket:?}"))?;
    scanner.expect("|> range(start:")?;
    let (since, until) = range(scanner, now, every)?;
    let within = points.iter().filter(|point| (since..until).contains(&point.at));
    let mut made = Made {
        rows: within.map(row).collect(),
        written: None,
    };
    while scanner.take("|>") {
        step(scanner, &mut made, since)?;
    }
    scanner.skip();
    if scanner.0.is_empty() {
        Ok(made)
    } else {
        Err(format!("not understood: {:?}", scanner.0))
    }
}

fn range(scanner: &mut Scanner<'_>, now: i64, every: Option<i64>) -> Result<(i64, i64), Problem> {
    if scanner.take("-duration(v: int(v: task.every) *") {
        let times: i64 = scanner.word("").parse().map_err(|_| "not a number")?;
        scanner.expect("))")?;
        let every = every.ok_or("no task")?;
        return Ok((now - times * every, now));
    }
    let moment = |text: &str| {
        let at = Timestamp::parse(text).ok_or_else(|| format!("{text:?} is no time"))?;
        Ok::<i64, Problem>(at.0 * 1_000)
    };
    let since = moment(&scanner.word("-:.T"))?;
    scanner.expect(", stop:")?;
    let until = moment(&scanner.word("-:.T"))?;
    scanner.expect(")")?;
    if since >= until {
        return Err("cannot query an empty range".to_owned());
    }
    Ok((since, until))
}

fn row(point: &Point) -> Row {
    let mut columns = point.tags.clone();
    columns.insert("_measurement".to_owned(), point.measurement.clone());
    columns.insert("_field".to_owned(), point.field.clone());
    Row {
        key: columns.clone(),
        columns,
        at: point.at,
        value: point.value,
    }
}

fn step(scanner: &mut Scanner<'_>, made: &mut Made, since: i64) -> Result<(), Problem> {
    if scanner.take("filter(fn: (r) =>") {
        let filter = filter(scanner)?;
        made.rows.retain(|row| filter(&row.columns));
    } else if scanner.take("group(columns:") {
        let names = scanner.strings()?;
        for row in &mut made.rows {
            row.key = row.columns.clone();
            row.key.retain(|name, _| names.contains(name));
        }
    } else if scanner.take("aggregateWindow(every:") {
        let every = scanner.duration()?;
        scanner.expect(", fn: sum, timeSrc: \"_start\", createEmpty: false")?;
        made.rows = windows(std::mem::take(&mut made.rows), every, since);
    } else if scanner.take("set(key:") {
        let name = scanner.string()?;
        scanner.expect(", value:")?;
        let value = scanner.string()?;
        for row in &mut made.rows {
            row.columns.insert(name.clone(), value.clone());
        }
    } else if scanner.take("to(bucket:") {
        let bucket = scanner.string()?;
        let points: Result<Vec<Point>, Problem> = made.rows.iter().map(point).collect();
        made.written = Some((bucket, points?));
    } else {
        return Err(format!("not understood: {:?}", scanner.0));
    }
    scanner.expect(")")
}

type Filter = Box<dyn Fn(&BTreeMap<String, String>) -> bool>;

/// Equalities, all of them or one of them.
fn filter(scanner: &mut Scanner<'_>) -> Result<Filter, Problem> {
    let (mut tests, mut all, mut any) = (Vec::new(), false, false);
    loop {
        scanner.expect("r.")?;
        let name = scanner.word("_");
        scanner.expect("==")?;
        tests.push((name, scanner.string()?));
        if scanner.take("and ") {
            all = true;
        } else if scanner.take("or ") {
            any = true;
        } else {
            break;
        }
    }
    if all && any {
        return Err("and beside or".to_owned());
    }
    Ok(Box::new(move |columns| {
        let holds = |(name, value): &(String, String)| columns.get(name) == Some(value);
        if any {
            tests.iter().any(holds)
        } else {
            tests.iter().all(holds)
        }
    }))
}

/// Sums of each table over windows; what is not in the key of the table is gone then.
fn windows(rows: Vec<Row>, every: i64, since: i64) -> Vec<Row> {
    let mut sums: BTreeMap<(BTreeMap<String, String>, i64), i64> = BTreeMap::new();
    for row in rows {
        let begins = (row.at - row.at.rem_euclid(every)).max(since);
        *sums.entry((row.key, begins)).or_default() += row.value;
    }
    let rows = sums.into_iter().map(|((key, at), value)| Row {
        columns: key.clone(),
        key,
        at,
        value,
    });
    rows.collect()
}

fn point(row: &Row) -> Result<Point, Problem> {
    let mut tags = row.columns.clone();
    let mut taken = |name: &str| tags.remove(name).ok_or_else(|| format!("no column {name}"));
    Ok(Point {
        measurement: taken("_measurement")?,
        field: taken("_field")?,
        value: row.value,
        at: row.at,
        tags,
    })
}

impl Made {
    /// The tables as annotated CSV, each kind of table with its own header.
    pub(super) fn csv(&self) -> String {
        let mut text = String::new();
        let (mut table, mut last): (usize, Option<&BTreeMap<String, String>>) = (0, None);
        for row in &self.rows {
            if last != Some(&row.key) {
                if last.is_some() {
                    table += 1;
                }
                let same = last.is_some_and(|last| last.keys().eq(row.key.keys()));
                if !same {
                    header(&mut text, row);
                }
                last = Some(&row.key);
            }
            // Writing to a String cannot fail.
            _ = write!(
                text,
                ",,{table},{},{}",
                Timestamp(row.at / 1_000).rest(),
                row.value
            );
            for value in row.key.values() {
                _ = write!(text, ",\"{}\"", value.replace('"', "\"\""));
            }
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        text
    }
}

fn header(text: &mut String, row: &Row) {
    let times = |each: &str| format!(",{each}").repeat(row.key.len());
    let names = row
        .key
        .keys()
        .fold(String::new(), |names, name| names + "," + name);
    if !text.is_empty() {
        text.push_str("\r\n");
    }
    _ = write!(
        text,
        "#datatype,string,long,dateTime:RFC3339,long{}\r\n#group,false,false,false,false{}\r\n\
         #default,_result,,,{}\r\n,result,table,_time,_value{names}\r\n",
        times("string"),
        times("true"),
        times(""),
    );
}
