//! The statements of a sync whose comparison is made in its warehouse.

use super::{Dialect, Settings};
use crate::plan::Mode;
use crate::source::Query;

/// The rows that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    pub query: Query,
    /// The column of the key.
    pub key: String,
    /// The columns that are sent.
    pub columns: Vec<String>,
}

/// The fingerprint of values nobody is sure of.
const UNKNOWN: &str = "?";

/// Makes the statements of one sync.
#[derive(Debug, Clone)]
pub struct Texts {
    dialect: Dialect,
    mode: Mode,
    model: Model,
    state: String,
    meta: String,
    refused: String,
    snapshot: String,
    plan: String,
}

/// More columns of a list that has some already.
fn listed(columns: impl Iterator<Item = String>) -> String {
    let mut list = String::new();
    for column in columns {
        list.push_str(", ");
        list.push_str(&column);
    }
    list
}

/// A table of a sync. The hash tells syncs apart whose names differ only in what no table name may hold.
fn table(settings: &Settings, sync: &str, what: &str) -> String {
    let plain = sync.chars().filter_map(|c| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9') => Some(c),
        '_' | '-' | ' ' | '.' => Some('_'),
        _ => None,
    });
    let plain: String = plain.take(24).collect();
    let hash = xxhash_rust::xxh3::xxh3_64(sync.as_bytes()) as u32;
    settings
        .dialect
        .name(&format!("{}.s_{plain}_{hash:08x}_{what}", settings.schema))
}

impl Texts {
    /// The statements of a sync; for a look, the plan and the frozen copy are tables of their own.
    pub fn new(settings: &Settings, sync: &str, mode: Mode, model: &Model, look: bool) -> Self {
        let (snapshot, plan) = if look {
            ("look_snapshot", "look_plan")
        } else {
            ("snapshot", "plan")
        };
        Self {
            dialect: settings.dialect,
            mode,
            model: model.clone(),
            state: table(settings, sync, "state"),
            meta: table(settings, sync, "meta"),
            refused: table(settings, sync, "refused"),
            snapshot: table(settings, sync, snapshot),
            plan: table(settings, sync, plan),
        }
    }

    /// The first statement of all: it fails when the schema can't be written to.
    pub fn first(settings: &Settings, sync: &str) -> String {
        let (text, int) = (settings.dialect.text_type(), settings.dialect.int_type());
        let meta = table(settings, sync, "meta");
        format!(
            "CREATE TABLE IF NOT EXISTS {meta} (shape {text}, seal {text}, sent_from {int}, sent_upto {int})"
        )
    }

    /// What is known of the last run: shape, seal, and the window that was under way.
    pub fn read_meta(&self) -> String {
        format!("SELECT shape, seal, sent_from, sent_upto FROM {}", self.meta)
    }

    /// An empty state for what is sent in this shape.
    pub fn reset(&self, shape: &str) -> Vec<String> {
        let (text, int) = (self.dialect.text_type(), self.dialect.int_type());
        let Self {
            state, meta, refused, ..
        } = self;
        let shape = Dialect::text(shape);
        vec![
            format!("DROP TABLE IF EXISTS {state}"),
            format!("DROP TABLE IF EXISTS {refused}"),
            format!("CREATE TABLE {state} (k {text}, vh {text})"),
            format!("CREATE TABLE {refused} (seq {int})"),
            format!("DELETE FROM {meta} WHERE TRUE"),
            format!("INSERT INTO {meta} (shape, seal, sent_from, sent_upto) VALUES ({shape}, '', 0, 0)"),
        ]
    }

    /// A window that may have been sent: its keys are in the state, with values nobody knows.
    pub fn take_open_window(&self, from: u64, upto: u64) -> Vec<String> {
        let Self {
            state, meta, plan, ..
        } = self;
        let window = format!("FROM {plan} WHERE seq > {from} AND seq <= {upto}");
        let mut statements = Vec::new();
        if self.mode != Mode::Remove {
            // Otherwise the state is what was surely removed: what is not in it is simply removed again.
            statements.push(format!("DELETE FROM {state} WHERE k IN (SELECT k {window})"));
            statements.push(format!(
                "INSERT INTO {state} (k, vh) SELECT k, '{UNKNOWN}' {window}"
            ));
        }
        statements.push(format!(
            "UPDATE {meta} SET seal = '', sent_from = 0, sent_upto = 0 WHERE TRUE"
        ));
        statements
    }

    fn rows(&self) -> String {
        match &self.model.query {
            Query::Sql(sql) => format!("({}\n)", sql.trim_end().trim_end_matches(';')),
            Query::Table(name) | Query::File(name) => self.dialect.name(name),
        }
    }

    /// Freezes the model, one scan and one row a key, and plans: updates, then removals, then additions, so that removals
    /// make room under a cap.
    pub fn freeze(&self, seal: &str, look: bool) -> Vec<String> {
        let d = self.dialect;
        let Self {
            state,
            meta,
            refused,
            snapshot,
            plan,
            ..
        } = self;
        let key = format!(
            "COALESCE(CAST(m.{} AS {}), '')",
            d.name(&self.model.key),
            d.text_type()
        );
        let columns: Vec<String> = self
            .model
            .columns
            .iter()
            .map(|c| format!("m.{}", d.name(c)))
            .collect();
        let named = columns.iter().enumerate();
        let named = listed(named.map(|(n, column)| format!("{column} AS c{n}")));
        let kept = listed((0..columns.len()).map(|n| format!("c{n}")));
        let (hash, rows, scratch) = (d.hash(&columns), self.rows(), d.scratch());
        let leaves = if self.mode == Mode::Mirror {
            ""
        } else {
            " AND s.k IS NOT NULL"
        };
        let mut statements = vec![
            format!("DROP TABLE IF EXISTS {plan}"),
            format!("DROP TABLE IF EXISTS {snapshot}"),
            // A key that comes with different values, or none, counts as present: a mirror does not remove it.
            format!(
                "CREATE {scratch}TABLE {snapshot} AS SELECT k, vh, lowest <> highest AS conflict, n{kept} FROM (\
                 SELECT x.*, MIN(vh) OVER (PARTITION BY k) AS lowest, MAX(vh) OVER (PARTITION BY k) AS highest, \
                 COUNT(*) OVER (PARTITION BY k) AS n, ROW_NUMBER() OVER (PARTITION BY k ORDER BY vh) AS place FROM (\
                 SELECT {key} AS k, {hash} AS vh{named} FROM {rows} m) x) y WHERE place = 1"
            ),
        ];
        if look {
            // Before the first run there is none to compare with.
            let text = d.text_type();
            statements.push(format!(
                "CREATE TABLE IF NOT EXISTS {state} (k {text}, vh {text})"
            ));
        }
        statements.push(format!(
            "CREATE {scratch}TABLE {plan} AS SELECT ROW_NUMBER() OVER (ORDER BY op DESC, k) AS seq, k, op, vh FROM (\
             SELECT COALESCE(s.k, t.k) AS k, s.vh, CASE WHEN t.k IS NULL THEN 'A' WHEN s.k IS NULL THEN 'R' ELSE 'U' END AS op \
             FROM {snapshot} s FULL OUTER JOIN {state} t ON s.k = t.k \
             WHERE (t.k IS NULL OR s.k IS NULL OR s.vh <> t.vh) AND NOT COALESCE(s.conflict, FALSE) \
             AND COALESCE(s.k, t.k) <> ''{leaves}) p"
        ));
        if !look {
            statements.push(format!("DELETE FROM {refused} WHERE TRUE"));
            statements.push(format!(
                "UPDATE {meta} SET seal = {}, sent_from = 0, sent_upto = 0 WHERE TRUE",
                Dialect::text(seal)
            ));
        }
        statements
    }

    /// Rows, rows without a key, rows beyond the first of their key, keys with different values, keys that are known.
    pub fn counts(&self) -> String {
        let Self { state, snapshot, .. } = self;
        format!(
            "SELECT COALESCE(SUM(n), 0) AS all_rows, COALESCE(SUM(CASE WHEN k = '' THEN n ELSE 0 END), 0) AS no_key, \
             COALESCE(SUM(CASE WHEN k <> '' AND NOT conflict THEN n - 1 ELSE 0 END), 0) AS more, \
             COALESCE(SUM(CASE WHEN k <> '' AND conflict THEN 1 ELSE 0 END), 0) AS different, \
             (SELECT COUNT(*) FROM {state}) AS known FROM {snapshot}"
        )
    }

    /// How many operations there are of each kind.
    pub fn ops(&self) -> String {
        format!("SELECT op, COUNT(*) AS n FROM {} GROUP BY op", self.plan)
    }

    /// Some keys of a kind of operation.
    pub fn sample(&self, op: &str, count: usize) -> String {
        format!(
            "SELECT k FROM {} WHERE op = {} ORDER BY seq LIMIT {count}",
            self.plan,
            Dialect::text(op)
        )
    }

    /// Some keys that come with different values.
    pub fn conflicts(&self, count: u64) -> String {
        format!(
            "SELECT k FROM {} WHERE conflict AND k <> '' ORDER BY k LIMIT {count}",
            self.snapshot
        )
    }

    /// A window of the plan, with the values that are sent.
    pub fn window(&self, from: u64, upto: u64) -> String {
        let values = listed((0..self.model.columns.len()).map(|n| format!("s.c{n}")));
        format!(
            "SELECT p.seq, p.op, p.k{values} FROM {} p LEFT JOIN {} s ON s.k = p.k \
             WHERE p.seq > {from} AND p.seq <= {upto} ORDER BY p.seq",
            self.plan, self.snapshot
        )
    }

    fn refuse(&self, refused: &[u64]) -> Option<String> {
        let values: Vec<String> = refused.iter().map(|seq| format!("({seq})")).collect();
        (!values.is_empty())
            .then(|| format!("INSERT INTO {} (seq) VALUES {}", self.refused, values.join(", ")))
    }

    /// A window is about to be sent, but for these operations.
    pub fn mark(&self, from: u64, upto: u64, left_out: &[u64]) -> Vec<String> {
        let mark = format!(
            "UPDATE {} SET sent_from = {from}, sent_upto = {upto} WHERE TRUE",
            self.meta
        );
        self.refuse(left_out).into_iter().chain([mark]).collect()
    }

    /// A window was acknowledged, but for these operations and those that were left out. The mark goes last.
    pub fn confirm(&self, from: u64, upto: u64, refused: &[u64]) -> Vec<String> {
        let Self {
            state,
            plan,
            refused: table,
            meta,
            ..
        } = self;
        let taken = format!(
            "FROM {plan} WHERE seq > {from} AND seq <= {upto} AND seq NOT IN (SELECT seq FROM {table})"
        );
        let mut statements: Vec<String> = self.refuse(refused).into_iter().collect();
        statements.push(format!("DELETE FROM {state} WHERE k IN (SELECT k {taken})"));
        statements.push(format!(
            "INSERT INTO {state} (k, vh) SELECT k, vh {taken} AND op <> 'R'"
        ));
        statements.push(format!(
            "UPDATE {meta} SET sent_from = 0, sent_upto = 0 WHERE TRUE"
        ));
        statements
    }

    /// A look is over.
    pub fn clear(&self) -> Vec<String> {
        let Self { plan, snapshot, .. } = self;
        vec![
            format!("DROP TABLE IF EXISTS {plan}"),
            format!("DROP TABLE IF EXISTS {snapshot}"),
        ]
    }

    /// All is sent. Keys that have left a model whose leavers are left alone are forgotten, so that they are new when they
    /// come back; the copy of the rows goes.
    pub fn finish(&self) -> Vec<String> {
        let Self {
            state,
            plan,
            snapshot,
            meta,
            ..
        } = self;
        let mut statements = Vec::new();
        if self.mode != Mode::Mirror {
            statements.push(format!(
                "DELETE FROM {state} WHERE k NOT IN (SELECT k FROM {snapshot})"
            ));
        }
        statements.push(format!("DROP TABLE IF EXISTS {plan}"));
        statements.push(format!("DROP TABLE IF EXISTS {snapshot}"));
        statements.push(format!(
            "UPDATE {meta} SET seal = '', sent_from = 0, sent_upto = 0 WHERE TRUE"
        ));
        statements
    }
}
