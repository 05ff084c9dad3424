//! How long an audience sync takes end to end, and how much memory: Postgres → `burgee sync run` → a double.
//!
//! `cargo build --release -p burgee -p burgee-doubles && cargo run --release -p burgee-benches --bin sync -- 1000000`. The
//! Postgres server is the one `BURGEE_TEST_POSTGRES_URL` names; the state is kept in SQLite, or there too with `--postgres`.
//! The first run sends every row, the second one in a hundred (a third of it each: gone, changed, new), the third nothing.

#![expect(clippy::print_stdout, reason = "figures are printed")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Anything that keeps the measurement from being made.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let rows: u64 = arguments.next().ok_or("how many rows?")?.parse()?;
    let flags: Vec<String> = arguments.collect();
    let server = std::env::var("BURGEE_TEST_POSTGRES_URL")?;
    let programs = std::env::current_exe()?.parent().ok_or("no folder")?.to_owned();
    let folder = tempfile::tempdir()?;
    let source = database(&server, "source")?;
    let state = if flags.iter().any(|flag| flag == "--postgres") {
        database(&server, "state")?
    } else {
        format!("sqlite:{}", folder.path().join("state.db").display())
    };
    psql(
        &source,
        &format!(
            "CREATE TABLE audience AS SELECT md5(n::text)::uuid AS id, n % 7 AS tier, n FROM generate_series(1, {rows}) n"
        ),
    )?;
    for destination in ["flagsmith", "launchdarkly"] {
        measure(&programs, folder.path(), destination, (&source, &state), rows)?;
    }
    Ok(())
}

fn measure(
    programs: &Path,
    folder: &Path,
    destination: &str,
    (source, state): (&str, &str),
    rows: u64,
) -> Outcome<()> {
    let double = Double::start(programs, destination)?;
    let (to, sync) = if destination == "flagsmith" {
        (
            format!("{{type: flagsmith, url: {:?}, key: ser.demo}}", double.url),
            "mode: upsert, map: {identifier: id, tier: tier}",
        )
    } else {
        (
            format!(
                "{{type: launchdarkly, instance: {:?}, token: api-demo, project: shop, environment: production}}",
                double.url
            ),
            "mode: mirror, segment: high-value",
        )
    };
    let file = folder.join(format!("{destination}.yaml"));
    let yaml = format!(
        "sources: {{db: {{driver: postgres, url: {source:?}}}}}\n\
         models: {{audience: {{source: db, key: id, sql: \"SELECT id, tier FROM audience WHERE n > 0\"}}}}\n\
         destinations: {{to: {to}}}\nsyncs: {{{destination}: {{model: audience, to: to, {sync}}}}}\n"
    );
    std::fs::write(&file, yaml)?;
    let third = (rows / 300).max(1);
    let churn = format!(
        "UPDATE audience SET n = -n WHERE n BETWEEN 1 AND {third};
         UPDATE audience SET tier = tier + 1 WHERE n BETWEEN {third} + 1 AND {third} * 2;
         INSERT INTO audience SELECT md5('new' || n)::uuid, 1, {rows} + n FROM generate_series(1, {third}) n"
    );
    let back = format!(
        "UPDATE audience SET n = -n WHERE n < 0; DELETE FROM audience WHERE n > {rows};
         UPDATE audience SET tier = n % 7; VACUUM ANALYZE audience"
    );
    println!("{destination}, {rows} rows");
    run(programs, folder, &file, state, "first run")?;
    for statement in churn.split(';') {
        psql(source, statement)?;
    }
    run(programs, folder, &file, state, "one per cent changed")?;
    run(programs, folder, &file, state, "nothing changed")?;
    for statement in back.split(';') {
        psql(source, statement)?;
    }
    Ok(())
}

/// Runs the syncs of a file and prints what it took.
fn run(programs: &Path, folder: &Path, file: &Path, state: &str, what: &str) -> Outcome<()> {
    let out = folder.join("report.json");
    let began = Instant::now();
    let mut child = Command::new(programs.join("burgee"))
        .args(["sync", "run", "--json", "--database-url", state])
        .arg(file)
        .stdout(std::fs::File::create(&out)?)
        .spawn()?;
    let (mut peak, mut own) = (0, 0);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        peak = peak.max(resident_peak(&child));
        own = own.max(memory(&child, "RssAnon:"));
        std::thread::sleep(Duration::from_millis(10));
    };
    let took = began.elapsed();
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&out)?)?;
    if !status.success() {
        return Err(format!("{what}: {status}: {report}").into());
    }
    let (plan, progress) = (&report["plan"]["counts"], &report["progress"]);
    println!(
        "  {what:<22} {:>7.2} s  {:>4} MiB, {:>3} of its own  +{} ~{} -{}  {} requests",
        took.as_secs_f64(),
        peak / 1024,
        own / 1024,
        plan["adds"],
        plan["updates"],
        plan["removes"],
        progress["requests"]
    );
    Ok(())
}

/// The most memory the process has held so far, in KiB: its own, and what it has mapped of its program.
fn resident_peak(child: &Child) -> u64 {
    memory(child, "VmHWM:")
}

/// A line of what the kernel says of the process's memory, in KiB.
fn memory(child: &Child, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

/// The double of a destination, as a program of its own; it ends with the measurement.
struct Double {
    child: Child,
    url: String,
}

impl Double {
    fn start(programs: &Path, destination: &str) -> Outcome<Self> {
        let mut command = Command::new(PathBuf::from(programs).join("burgee-doubles"));
        command.args(["--listen", "127.0.0.1:0", destination]);
        if destination == "launchdarkly" {
            command.arg("--big");
        }
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut out = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut line = String::new();
        out.read_line(&mut line)?;
        // What it says later is not of interest, but must have somewhere to go.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        let url = line.split_whitespace().nth(1).ok_or("no address")?.to_owned();
        Ok(Self { child, url })
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Makes a database for this measurement; returns its URL.
fn database(server: &str, name: &str) -> Outcome<String> {
    let name = format!("burgee_bench_{name}_{}", std::process::id());
    psql(server, &format!("CREATE DATABASE {name}"))?;
    let (base, _) = server.rsplit_once('/').ok_or("a URL with a database")?;
    Ok(format!("{base}/{name}"))
}

fn psql(url: &str, statement: &str) -> Outcome<()> {
    let done = Command::new("psql")
        .args([
            "--no-psqlrc",
            "--quiet",
            "--set",
            "ON_ERROR_STOP=1",
            url,
            "--command",
            statement,
        ])
        .status()?;
    if done.success() {
        Ok(())
    } else {
        Err(format!("psql: {done}").into())
    }
}
