//! Reading a file: the document, then the identities a piece at a time.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use serde::de::DeserializeOwned;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Document, EndLine, IdentityLine, ORGANISATION_FORMAT, PROJECT_FORMAT, VERSION, checksum};
use crate::{Error, Result};

/// Bytes of a document: far more than the limits of a project let it have.
const DOCUMENT_BYTES: u64 = 256 * 1024 * 1024;
/// Bytes of a line about an identity: all its traits as long as they may be, and more.
const LINE_BYTES: u64 = 64 * 1024 * 1024;

/// A file that has been looked through once: its document is whole and its checksums are right.
#[derive(Debug)]
pub struct Reading {
    pub document: Document,
    file: BufReader<File>,
    /// Identities that are still to be read.
    left: i64,
}

fn wrong(text: impl Into<String>) -> Error {
    Error::Rejected(json!({ "detail": text.into() }))
}

fn unreadable(error: &std::io::Error) -> Error {
    Error::Internal(error.to_string())
}

/// Looks through a file from its beginning.
pub fn read(file: File) -> Result<Reading> {
    let mut file = BufReader::new(file);
    file.seek(SeekFrom::Start(0))
        .map_err(|error| unreadable(&error))?;
    let mut text = Vec::new();
    if !line(&mut file, &mut text, DOCUMENT_BYTES)? {
        return Err(wrong("The file is empty."));
    }
    if serde_json::from_slice::<serde::de::IgnoredAny>(&text).is_err_and(|e| e.is_eof()) {
        // A document that people have laid out over several lines; then it is all there is.
        let mut rest = file.by_ref().take(DOCUMENT_BYTES);
        rest.read_to_end(&mut text).map_err(|error| unreadable(&error))?;
    }
    if text.windows(6).any(|bytes| bytes == br"\u0000") {
        return Err(wrong("Null characters are not allowed."));
    }
    let document: Document = parse(&text)?;
    verify(&document)?;
    let begin = file.stream_position().map_err(|error| unreadable(&error))?;
    let left = count_identities(&mut file)?;
    file.seek(SeekFrom::Start(begin))
        .map_err(|error| unreadable(&error))?;
    Ok(Reading { document, file, left })
}

/// Reads a line; false at the end.
fn line(file: &mut BufReader<File>, text: &mut Vec<u8>, limit: u64) -> Result<bool> {
    text.clear();
    loop {
        let read = file
            .by_ref()
            .take(limit)
            .read_until(b'\n', text)
            .map_err(|error| unreadable(&error))?;
        if read == 0 {
            return Ok(false);
        }
        if text.len() as u64 >= limit {
            return Err(wrong("A line of the file is too long."));
        }
        if !text.trim_ascii().is_empty() {
            return Ok(true);
        }
        text.clear();
    }
}

/// Reads JSON; what is wrong is said of the place where it stands.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    let mut input = serde_json::Deserializer::from_slice(text);
    serde_path_to_error::deserialize(&mut input).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { "detail".to_owned() } else { path };
        Error::Rejected(json!({ path: [error.inner().to_string()] }))
    })
}

fn verify(document: &Document) -> Result<()> {
    let part = match document.format.as_str() {
        PROJECT_FORMAT => &document.project,
        ORGANISATION_FORMAT => &document.organisation,
        other => return Err(Error::field("format", format!("{other:?} is not known here."))),
    };
    if document.version > VERSION || document.version < 1 {
        let text = format!(
            "This is version {}; version {VERSION} is the newest known here.",
            document.version
        );
        return Err(Error::field("version", text));
    }
    let Some(part) = part else {
        return Err(wrong("The file does not hold what its format says."));
    };
    match &document.checksum {
        Some(expected) if *expected != checksum(part.get().as_bytes()) => Err(Error::field(
            "checksum",
            "The file is not as it was written. If it was changed on purpose, take the checksum out.",
        )),
        _ => Ok(()),
    }
}

fn count_identities(file: &mut BufReader<File>) -> Result<i64> {
    let (mut text, mut count, mut digest) = (Vec::new(), 0, Sha256::new());
    while line(file, &mut text, LINE_BYTES)? {
        if let Ok(end) = serde_json::from_slice::<EndLine>(&text) {
            let found = format!("sha256:{}", burgee_model::keys::hex(&digest.finalize()));
            if end.identities != count || end.checksum != found {
                return Err(wrong("The identities are not as they were written."));
            }
            return Ok(count);
        }
        digest.update(&text);
        count += 1;
    }
    if count == 0 {
        Ok(0)
    } else {
        Err(wrong(
            "The file breaks off: the line that ends the identities is missing.",
        ))
    }
}

impl Reading {
    /// The next identities, at most so many; none at the end.
    pub(crate) fn identities(&mut self, at_most: usize) -> Result<Vec<IdentityLine>> {
        let (mut lines, mut text) = (Vec::new(), Vec::new());
        while lines.len() < at_most && self.left > 0 && line(&mut self.file, &mut text, LINE_BYTES)? {
            if text.windows(6).any(|bytes| bytes == br"\u0000") {
                return Err(wrong("Null characters are not allowed."));
            }
            lines.push(parse(&text)?);
            self.left -= 1;
        }
        Ok(lines)
    }
}
