//! Databases that have a driver for ADBC: Snowflake, `BigQuery`, Redshift, Databricks, `DuckDB`, whatever else has one.
//!
//! A driver is native code of somebody else. It is loaded only from the folder that the operator has set, by its plain name,
//! and only in a process of its own, which is this program again ([`child`]): what a driver breaks, or keeps in memory, goes
//! with that process. The two talk by the frames of [`wire`].

#[cfg(feature = "adbc")]
mod cells;
pub mod child;
mod wire;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::{Loads, Row, RowStream};
use crate::error::{Result, SyncError};
use wire::{Ask, Frame};

/// How much of what a driver says on its standard error is kept.
const KEPT_WORDS: usize = 2_000;

/// What to start in order to have a driver in a process of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extractor {
    pub program: PathBuf,
    pub arguments: Vec<String>,
}

impl Default for Extractor {
    /// This program, as `burgee extract`.
    fn default() -> Self {
        Self {
            program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("burgee")),
            arguments: vec!["extract".to_owned()],
        }
    }
}

/// A driver, and what it is told to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adbc {
    pub library: PathBuf,
    pub entrypoint: Option<String>,
    /// What the library must be, in hexadecimal.
    pub sha256: Option<String>,
    pub options: BTreeMap<String, String>,
    pub extractor: Extractor,
}

/// The library of a driver in the operator's folder.
pub fn find(folder: Option<&Path>, name: &str) -> Result<PathBuf> {
    let folder = folder.ok_or_else(|| {
        SyncError::config(
            "library",
            "no folder of drivers is set: put the library in one and name it with audience_sync.drivers or \
             BURGEE_AUDIENCE_SYNC_DRIVERS",
        )
    })?;
    let plain = !name.is_empty()
        && !name.starts_with('.')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if !plain {
        let problem = format!("{name:?} is no plain name of a library");
        return Err(SyncError::config("library", problem));
    }
    let suffix = std::env::consts::DLL_SUFFIX;
    let names = [
        name.to_owned(),
        format!("lib{name}{suffix}"),
        format!("{name}{suffix}"),
        format!("libadbc_driver_{name}{suffix}"),
    ];
    let found = names
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file());
    found.ok_or_else(|| {
        let problem = format!("there is no {} in {}", names[1..].join(", no "), folder.display());
        SyncError::config("library", problem)
    })
}

/// Begins to read what a statement returns.
pub(super) async fn open(adbc: &Adbc, sql: String) -> Result<RowStream> {
    let adbc = adbc.clone();
    let task = tokio::task::spawn_blocking(move || {
        let mut session = Session::connect(&adbc, true)?;
        let columns = session.query(&sql)?;
        let (mut loads, rows) = Loads::new();
        tokio::task::spawn_blocking(move || {
            loop {
                match session.rows() {
                    Ok(Some(rows)) => {
                        for row in rows {
                            if !loads.push_blocking(row) {
                                return;
                            }
                        }
                    }
                    Ok(None) => return loads.end_blocking(Ok(())),
                    Err(error) => return loads.end_blocking(Err(error)),
                }
            }
        });
        Ok(RowStream { columns, rows })
    });
    task.await.map_err(|error| SyncError::Source(error.to_string()))?
}

/// A driver at work. Its process ends with it.
#[derive(Debug)]
pub(crate) struct Session {
    process: std::process::Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    words: Arc<Mutex<String>>,
    columns: usize,
    /// Values of options that no error may show.
    secrets: Vec<String>,
}

impl Drop for Session {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

impl Session {
    /// Starts the process and connects. Blocks.
    pub(crate) fn connect(adbc: &Adbc, read_only: bool) -> Result<Self> {
        check_hash(adbc)?;
        let told = |error: std::io::Error| {
            SyncError::Source(format!("{}: {error}", adbc.extractor.program.display()))
        };
        let mut command = Command::new(&adbc.extractor.program);
        command
            .args(&adbc.extractor.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Our own settings, secrets among them, are none of the driver's business.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BURGEE_") {
                command.env_remove(name);
            }
        }
        let mut process = command.spawn().map_err(told)?;
        let pipes = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let (Some(input), Some(output), Some(mut errors)) = pipes else {
            return Err(SyncError::Source("the driver's process has no pipes".to_owned()));
        };
        let words: Arc<Mutex<String>> = Arc::default();
        let heard = words.clone();
        std::thread::spawn(move || {
            let mut some = [0; 512];
            while let Ok(read @ 1..) = errors.read(&mut some) {
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                if heard.len() < KEPT_WORDS {
                    heard.push_str(&String::from_utf8_lossy(&some[..read]));
                }
            }
        });
        let mut session = Self {
            process,
            input,
            output: BufReader::with_capacity(1 << 16, output),
            words,
            columns: 0,
            secrets: secrets(&adbc.options),
        };
        session.ask(&Ask::Connect {
            library: adbc.library.clone(),
            entrypoint: adbc.entrypoint.clone(),
            options: adbc.options.clone(),
            read_only,
        })?;
        session.done()?;
        Ok(session)
    }

    /// Runs a statement that returns nothing.
    pub(crate) fn execute(&mut self, sql: &str) -> Result<()> {
        self.ask(&Ask::Execute(sql.to_owned()))?;
        self.done()
    }

    /// Begins a statement; returns the names of its columns. Its rows are to be read to their end.
    pub(crate) fn query(&mut self, sql: &str) -> Result<Vec<String>> {
        self.ask(&Ask::Query(sql.to_owned()))?;
        match self.frame()? {
            Frame::Columns(columns) => {
                self.columns = columns.len();
                Ok(columns)
            }
            Frame::Error(error) => Err(self.told(&error)),
            Frame::Rows(_) | Frame::Done => Err(self.broken()),
        }
    }

    /// The next rows; `None` after the last.
    pub(crate) fn rows(&mut self) -> Result<Option<Vec<Row>>> {
        match self.frame()? {
            Frame::Rows(rows) => Ok(Some(rows)),
            Frame::Done => Ok(None),
            Frame::Error(error) => Err(self.told(&error)),
            Frame::Columns(_) => Err(self.broken()),
        }
    }

    fn ask(&mut self, ask: &Ask) -> Result<()> {
        let mut line = serde_json::to_vec(ask).unwrap_or_default();
        line.push(b'\n');
        let sent = self.input.write_all(&line).and_then(|()| self.input.flush());
        sent.map_err(|_| self.broken())
    }

    fn done(&mut self) -> Result<()> {
        match self.frame()? {
            Frame::Done => Ok(()),
            Frame::Error(error) => Err(self.told(&error)),
            Frame::Columns(_) | Frame::Rows(_) => Err(self.broken()),
        }
    }

    fn frame(&mut self) -> Result<Frame> {
        match wire::read(&mut self.output, self.columns) {
            Ok(frame) => Ok(frame),
            Err(_) => Err(self.broken()),
        }
    }

    /// What a driver says, without what it was told in confidence.
    fn told(&self, text: &str) -> SyncError {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.as_str(), "********");
        }
        SyncError::Source(text)
    }

    /// The process is gone, or says what nobody understands.
    fn broken(&mut self) -> SyncError {
        _ = self.process.kill();
        let ended = self.process.wait();
        let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
        // What it said last may still be on its way.
        std::thread::sleep(std::time::Duration::from_millis(50));
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        self.told(&format!(
            "the driver's process ended while it was needed ({how}). {words}"
        ))
    }
}

/// The values that errors must not show: of options that are secret by their name, and the password in an address.
fn secrets(options: &BTreeMap<String, String>) -> Vec<String> {
    let mut secrets = Vec::new();
    for (name, value) in options {
        if let Ok(url) = url::Url::parse(value)
            && let Some(password) = url.password()
        {
            secrets.push(value.clone());
            secrets.push(password.to_owned());
        }
        let name = name.to_ascii_lowercase();
        let secret = ["password", "token", "secret", "key", "credential", "uri"];
        if secret.iter().any(|part| name.contains(part)) && !value.is_empty() {
            secrets.push(value.clone());
        }
    }
    secrets
}

fn check_hash(adbc: &Adbc) -> Result<()> {
    let Some(wanted) = &adbc.sha256 else {
        return Ok(());
    };
    let told = |error: std::io::Error| SyncError::Source(format!("{}: {error}", adbc.library.display()));
    let mut file = std::fs::File::open(&adbc.library).map_err(told)?;
    let mut hash = Sha256::new();
    let mut some = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut some).map_err(told)?;
        if read == 0 {
            break;
        }
        hash.update(&some[..read]);
    }
    let mut found = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a text can't fail.
        _ = write!(found, "{byte:02x}");
    }
    if found.eq_ignore_ascii_case(wanted) {
        Ok(())
    } else {
        let problem = format!(
            "{} is another library: its SHA-256 is {found}",
            adbc.library.display()
        );
        Err(SyncError::config("sha256", problem))
    }
}
