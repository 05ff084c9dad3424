//! Scratch databases for tests, on the Postgres server that `BURGEE_TEST_POSTGRES_URL` names.

#![expect(clippy::print_stdout, reason = "what is skipped is said")]

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection, PgConnection};

/// An empty database of one test's own, read as its URL.
///
/// It is dropped with this value: a run makes thousands, which would fill the disk.
#[derive(Debug)]
pub struct Scratch {
    url: String,
    server: String,
    name: String,
}

impl Scratch {
    /// A new database; `None`, and a line that says so, when no server was named.
    ///
    /// # Panics
    /// When the server is not there or refuses: a named server is one that works.
    pub async fn new() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var("BURGEE_TEST_POSTGRES_URL") else {
            println!("skipped on Postgres: BURGEE_TEST_POSTGRES_URL is not set");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("burgee_{}_{number}", std::process::id());
        run(&server, format!("CREATE DATABASE {name}"))
            .await
            .expect("a new database");
        let (base, _) = server.rsplit_once('/').expect("a URL with a database");
        Some(Self {
            url: format!("{base}/{name}"),
            server,
            name,
        })
    }
}

impl Deref for Scratch {
    type Target = str;

    fn deref(&self) -> &str {
        &self.url
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let server = self.server.clone();
        // A thread of its own, because a test's runtime can't be waited for from inside.
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(sqlx::Error::Io)
                .and_then(|runtime| runtime.block_on(run(&server, statement)))
        })
        .join();
        // What is left over harms no other test.
        if !matches!(dropped, Ok(Ok(()))) {
            eprintln!("{} is left on the server: {dropped:?}", self.name);
        }
    }
}

async fn run(server: &str, statement: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(server).await?;
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .execute(&mut connection)
        .await?;
    connection.close().await
}
