//! Files of members: CSV or a line of JSON each, packed with gzip or not. They are sorted on the way in, in memory that
//! does not grow with them.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};

use burgee_engine::member_hash;
use burgee_model::limits;
use burgee_model::lists::{self, MemberProblem};
use serde_json::Value;

use super::members::too_many;
use super::pages::Member;
use super::replace::Mode;
use crate::pii::{Entrance, Guard, Spot, trait_of_kind};
use crate::{Error, Result};

/// How members are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The first column, or the one whose name says that it is it.
    Csv,
    /// A line of JSON for each: a text, or an object that has one under such a name.
    Ndjson,
}

/// Names under which a member may stand in a file.
const NAMES: &[&str] = &[
    "identifier",
    "member",
    "key",
    "user_id",
    "context_key",
    "user_key",
];

/// Members kept in memory before they are put aside.
const IN_MEMORY: usize = 100_000;
/// Members are put aside in so many files, by the first bits of their hashes.
const PARTS: usize = 1 << PART_BITS;
const PART_BITS: u32 = 7;
/// The longest line of a file, in bytes.
const LINE: u64 = 1024 * 1024;

/// Lines of a file that are no members.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ignored {
    pub empty: usize,
    pub duplicates: usize,
    pub too_long: usize,
}

/// The members of a file, ready to be taken in the order of their hashes.
#[derive(Debug, Default)]
pub struct Upload {
    memory: Vec<Member>,
    parts: Vec<BufWriter<File>>,
    taken: usize,
    count: usize,
    pub ignored: Ignored,
    watch: Option<Watch>,
}

/// What looks for personal data in the members of a file.
#[derive(Debug)]
pub struct Watch {
    pub guard: Guard,
    /// The context kind of the list.
    pub context_kind: String,
    pub mode: Mode,
    pub entrance: Entrance,
}

fn ours(error: &io::Error) -> Error {
    Error::Internal(format!("a file of members: {error}"))
}

fn theirs(text: &str) -> Error {
    Error::field("file", text)
}

/// Reads a file of members. It may take its time: not to be called where requests are waited for.
pub fn read(file: File, format: Option<Format>, watch: Option<Watch>) -> Result<Upload> {
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let packed = reader
        .fill_buf()
        .map_err(|e| ours(&e))?
        .starts_with(&[0x1f, 0x8b]);
    if packed {
        let mut unpacked = flate2::bufread::MultiGzDecoder::new(reader).take(limits::MEMBERS_FILE_BYTES);
        let upload = parse(BufReader::with_capacity(64 * 1024, &mut unpacked), format, watch)?;
        // What was cut off must not be taken for what was never there.
        if unpacked.limit() == 0 {
            return Err(theirs("The file is too large when it is unpacked."));
        }
        Ok(upload)
    } else {
        parse(reader, format, watch)
    }
}

fn parse(mut reader: impl BufRead, format: Option<Format>, watch: Option<Watch>) -> Result<Upload> {
    let unreadable = |_| theirs("The file can't be unpacked.");
    let start = reader.fill_buf().map_err(unreadable)?;
    if start.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    }
    let start = reader.fill_buf().map_err(unreadable)?;
    let looks_like_json = start.trim_ascii_start().first() == Some(&b'{');
    let format = format.unwrap_or(if looks_like_json {
        Format::Ndjson
    } else {
        Format::Csv
    });
    let mut upload = Upload {
        watch,
        ..Upload::default()
    };
    match format {
        Format::Csv => parse_csv(reader, &mut upload)?,
        Format::Ndjson => parse_lines(reader, &mut upload)?,
    }
    for part in &mut upload.parts {
        part.flush().map_err(|e| ours(&e))?;
    }
    Ok(upload)
}

fn parse_csv(reader: impl BufRead, upload: &mut Upload) -> Result<()> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(Bounded {
            inner: reader,
            left: LINE,
        });
    let mut record = csv::StringRecord::new();
    let mut column = 0;
    let mut is_first = true;
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => {
                return Err(theirs(&format!(
                    "The file is no CSV in UTF-8 ({}).",
                    place_of(&error)
                )));
            }
        }
        if std::mem::take(&mut is_first)
            && let Some(named) = record.iter().position(is_name)
        {
            column = named;
            continue;
        }
        upload.push(record.get(column).unwrap_or_default())?;
        reader.get_mut().left = LINE;
    }
}

/// A reader that hands out so many bytes and no more, until it is allowed to: a record is held in memory.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("a record is too long"));
        }
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.inner.read(&mut buffer[..most])?;
        self.left -= read as u64;
        Ok(read)
    }
}

fn place_of(error: &csv::Error) -> String {
    error.position().map_or_else(
        || "at an unknown line".to_owned(),
        |place| format!("line {}", place.line()),
    )
}

fn is_name(cell: &str) -> bool {
    NAMES.iter().any(|name| cell.eq_ignore_ascii_case(name))
}

fn parse_lines(mut reader: impl BufRead, upload: &mut Upload) -> Result<()> {
    let mut line = String::new();
    for number in 1.. {
        line.clear();
        let wrong = |what: &str| theirs(&format!("Line {number} {what}."));
        let length = (&mut reader)
            .take(LINE)
            .read_line(&mut line)
            .map_err(|_| wrong("is no text in UTF-8"))?;
        if length == 0 {
            return Ok(());
        }
        if length as u64 == LINE {
            return Err(wrong("is too long"));
        }
        let text = line.trim();
        if text.is_empty() {
            upload.ignored.empty += 1;
            continue;
        }
        let value: Value = serde_json::from_str(text).map_err(|_| wrong("is no JSON"))?;
        let member = match &value {
            Value::Object(object) => NAMES.iter().find_map(|name| object.get(*name)),
            value => Some(value),
        };
        match member {
            Some(Value::String(text)) => upload.push(text)?,
            Some(Value::Number(number)) => upload.push(&number.to_string())?,
            _ => {
                return Err(wrong(
                    "names no member: it must be a text, or an object with an \"identifier\"",
                ));
            }
        }
    }
    Ok(())
}

impl Upload {
    /// Members that are at hand already.
    pub fn of(members: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut upload = Self::default();
        for member in members {
            upload.push(&member)?;
        }
        Ok(upload)
    }

    /// How many members there are, repeats included that were not found yet.
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn push(&mut self, member: &str) -> Result<()> {
        match lists::check_member(member) {
            Ok(()) => {}
            Err(MemberProblem::Empty | MemberProblem::NotText) => {
                self.ignored.empty += 1;
                return Ok(());
            }
            Err(MemberProblem::TooLong) => {
                self.ignored.too_long += 1;
                return Ok(());
            }
        }
        if let Some(hash) = self.kept(member)? {
            return self.put(&hash);
        }
        self.put(member)
    }

    /// The hash that is kept in place of a member, if one is. Who is to leave the list leaves by either.
    fn kept(&mut self, member: &str) -> Result<Option<String>> {
        let Some(watch) = &self.watch else { return Ok(None) };
        if watch.mode == Mode::Remove {
            let hash = watch.guard.hash_of(trait_of_kind(&watch.context_kind), member);
            if let Some(hash) = hash {
                self.put(&hash)?;
            }
            return Ok(None);
        }
        let spot = Spot {
            entrance: watch.entrance,
            field: "file",
            name: trait_of_kind(&watch.context_kind),
        };
        Ok(match watch.guard.keep(spot, member)? {
            Cow::Owned(hash) => Some(hash),
            Cow::Borrowed(_) => None,
        })
    }

    fn put(&mut self, member: &str) -> Result<()> {
        self.count += 1;
        if self.count > limits::MEMBERS_PER_LIST * 2 {
            return Err(too_many());
        }
        let hash = member_hash(member);
        if !self.parts.is_empty() {
            return self.put_aside(hash, member);
        }
        self.memory.push((hash, member.to_owned()));
        if self.memory.len() > IN_MEMORY {
            for _ in 0..PARTS {
                let file = tempfile::tempfile().map_err(|e| ours(&e))?;
                self.parts.push(BufWriter::with_capacity(32 * 1024, file));
            }
            for (hash, member) in std::mem::take(&mut self.memory) {
                self.put_aside(hash, &member)?;
            }
        }
        Ok(())
    }

    fn put_aside(&mut self, hash: i64, member: &str) -> Result<()> {
        let part = (hash as u64 ^ (1 << 63)) >> (u64::BITS - PART_BITS);
        let file = &mut self.parts[part as usize];
        file.write_all(&(member.len() as u32).to_le_bytes())
            .and_then(|()| file.write_all(member.as_bytes()))
            .map_err(|e| ours(&e))
    }

    /// The next members in the order of their hashes, each once, and the last hash that could be among them; `None` when
    /// all were taken.
    pub(crate) fn next_part(&mut self) -> Result<Option<(Vec<Member>, i64)>> {
        let part = self.taken;
        self.taken += 1;
        let (mut members, end) = if self.parts.is_empty() {
            if part > 0 {
                return Ok(None);
            }
            (std::mem::take(&mut self.memory), i64::MAX)
        } else {
            let Some(file) = self.parts.get_mut(part) else {
                return Ok(None);
            };
            let end = u64::MAX >> PART_BITS | (part as u64) << (u64::BITS - PART_BITS);
            (read_part(file).map_err(|e| ours(&e))?, (end ^ (1 << 63)) as i64)
        };
        let before = members.len();
        members.sort_unstable_by_key(|(hash, _)| *hash);
        members.dedup_by_key(|(hash, _)| *hash);
        self.ignored.duplicates += before - members.len();
        self.count -= before - members.len();
        Ok(Some((members, end)))
    }
}

fn read_part(file: &mut BufWriter<File>) -> io::Result<Vec<Member>> {
    file.flush()?;
    let file = file.get_mut();
    file.rewind()?;
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    let mut members = Vec::new();
    let mut length = [0; 4];
    while !reader.fill_buf()?.is_empty() {
        reader.read_exact(&mut length)?;
        let mut member = vec![0; u32::from_le_bytes(length) as usize];
        reader.read_exact(&mut member)?;
        let member = String::from_utf8(member).map_err(io::Error::other)?;
        members.push((member_hash(&member), member));
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &[u8], format: Option<Format>) -> (Vec<String>, Ignored) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        file.rewind().unwrap();
        let mut upload = read(file, format, None).unwrap();
        let mut members = Vec::new();
        let mut last = i64::MIN;
        while let Some((part, end)) = upload.next_part().unwrap() {
            assert!(part.iter().all(|(hash, _)| (last..=end).contains(hash)));
            assert!(part.is_sorted_by(|a, b| a.0 < b.0));
            last = end;
            members.extend(part.into_iter().map(|(_, member)| member));
        }
        members.sort();
        (members, upload.ignored)
    }

    #[test]
    fn a_csv_is_read_with_and_without_names_of_columns() {
        let (members, ignored) = taken(b"\xef\xbb\xbfplan,User_ID\npro,b\nfree, a \n,\npro,b\n", None);
        assert_eq!(members, ["a", "b"]);
        assert_eq!((ignored.empty, ignored.duplicates, ignored.too_long), (1, 1, 0));
        assert_eq!(taken(b"u1\n\"u,2\"\r\n", None).0, ["u,2", "u1"]);
        assert_eq!(taken(b"", None).0, [""; 0]);
    }

    #[test]
    fn lines_of_json_are_read_and_packed_files_unpacked() {
        let lines = b"{\"identifier\": \"a\", \"x\": 1}\n\n{\"key\": 7}\n";
        assert_eq!(taken(lines, None).0, ["7", "a"]);
        assert_eq!(taken(b"\"a\"\n\"b\"", Some(Format::Ndjson)).0, ["a", "b"]);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(lines).unwrap();
        assert_eq!(taken(&packed.finish().unwrap(), None).0, ["7", "a"]);
    }

    #[test]
    fn what_does_not_fit_in_memory_comes_back_sorted_all_the_same() {
        let names = (0..IN_MEMORY + 5_000).map(|n| format!("user-{}", n % (IN_MEMORY + 1_000)));
        let text = names.collect::<Vec<_>>().join("\n");
        let (members, ignored) = taken(text.as_bytes(), Some(Format::Csv));
        assert_eq!(members.len(), IN_MEMORY + 1_000);
        assert_eq!(ignored.duplicates, 4_000);
    }

    #[test]
    fn a_file_that_can_t_be_read_is_refused_with_its_line() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"{\"identifier\": \"a\"}\nnonsense\n").unwrap();
        file.rewind().unwrap();
        let refused = read(file, None, None).unwrap_err();
        assert!(refused.to_string().contains("Line 2 is no JSON"), "{refused}");
    }

    #[test]
    fn a_record_without_an_end_does_not_fill_memory() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"a\n\"").unwrap();
        file.write_all(&vec![b'x'; 2 * LINE as usize]).unwrap();
        file.rewind().unwrap();
        assert!(read(file, Some(Format::Csv), None).is_err());
        let long = format!("a\n{}\nb\n", "x".repeat(500_000));
        assert_eq!(taken(long.as_bytes(), Some(Format::Csv)).1.too_long, 1);
    }
}
