//! What an import did, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

/// How many rows of one kind there were and what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// In the source.
    pub found: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    /// No longer in the source.
    pub removed: u64,
    /// Left out, each with a note that says why.
    pub not_taken: u64,
}

impl Count {
    fn add(&mut self, other: &Self) {
        self.found += other.found;
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.removed += other.removed;
        self.not_taken += other.not_taken;
    }

    /// Whether every row that was found is accounted for.
    pub fn adds_up(&self) -> bool {
        self.found == self.created + self.updated + self.unchanged + self.not_taken
    }
}

/// Something that could not be taken as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// `segment`, `feature`, …
    pub noun: String,
    /// Its id in the source, when it is about one object.
    pub id: Option<i64>,
    pub text: String,
}

/// What was compared after the import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// Kinds of rows of which the database has not as many as the source has, less those with a note.
    pub wrong_counts: Vec<String>,
    /// Identities whose flags were evaluated from the source's rows and from the imported ones.
    pub identities_compared: u64,
    /// Flags that came out differently; there should be none.
    pub differences: Vec<String>,
}

/// What an import did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    pub source: String,
    /// Nothing was written.
    pub dry_run: bool,
    /// A run that was cut off was continued.
    pub resumed: bool,
    /// Whether objects have the ids they had.
    pub ids_kept: bool,
    pub counts: BTreeMap<String, Count>,
    /// What there is in the source that Burgee has no place for: how many, by what it is called.
    pub no_place: BTreeMap<String, i64>,
    pub notes: Vec<Note>,
    /// Notes beyond those that are listed.
    pub more_notes: u64,
    pub checks: Checks,
    pub seconds: f64,
    pub identities_per_second: f64,
}

/// The most notes that are listed.
const NOTES: usize = 5000;

impl Report {
    /// Counts rows of a kind.
    pub fn count(&mut self, noun: &str, count: &Count) {
        self.counts.entry(noun.to_owned()).or_default().add(count);
    }

    /// Notes something about an object of the source.
    pub fn note(&mut self, noun: &str, id: impl Into<Option<i64>>, text: impl Into<String>) {
        if self.notes.len() < NOTES {
            self.notes.push(Note {
                noun: noun.to_owned(),
                id: id.into(),
                text: text.into(),
            });
        } else {
            self.more_notes += 1;
        }
    }

    /// Notes that an object was left out, and why.
    pub fn leave_out(&mut self, noun: &str, id: i64, why: &str) {
        let count = self.counts.entry(noun.to_owned()).or_default();
        count.found += 1;
        count.not_taken += 1;
        self.note(noun, id, format!("not taken: {why}"));
    }

    /// Whether everything came out as it must.
    pub fn is_good(&self) -> bool {
        self.checks.wrong_counts.is_empty() && self.checks.differences.is_empty()
    }

    /// Whether anything was written.
    pub fn changed_anything(&self) -> bool {
        self.counts
            .values()
            .any(|count| count.created + count.updated + count.removed > 0)
    }

    /// The report as text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let title = if self.dry_run {
            "What an import would do"
        } else {
            "Imported"
        };
        let _ = writeln!(text, "{title} (source {:?})", self.source);
        let _ = writeln!(
            text,
            "  {:<26}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "", "found", "new", "changed", "same", "removed", "left out"
        );
        for (noun, c) in &self.counts {
            let _ = writeln!(
                text,
                "  {noun:<26}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
                c.found, c.created, c.updated, c.unchanged, c.removed, c.not_taken
            );
        }
        let ids = if self.ids_kept {
            "kept"
        } else {
            "new ones (buckets stay)"
        };
        let _ = writeln!(text, "Ids: {ids}");
        for (what, count) in &self.no_place {
            let _ = writeln!(text, "Not taken: {what} ({count})");
        }
        for note in self.notes.iter().take(50) {
            let id = note.id.map(|id| format!(" {id}")).unwrap_or_default();
            let _ = writeln!(text, "Note: {}{id}: {}", note.noun, note.text);
        }
        let hidden = self.notes.len().saturating_sub(50) as u64 + self.more_notes;
        if hidden > 0 {
            let _ = writeln!(text, "… and {hidden} more notes (see --report FILE)");
        }
        self.write_checks(&mut text);
        text
    }

    fn write_checks(&self, text: &mut String) {
        if !self.dry_run {
            let _ = writeln!(
                text,
                "Compared: {} identities, {} flags differ",
                self.checks.identities_compared,
                self.checks.differences.len()
            );
        }
        for wrong in self.checks.wrong_counts.iter().chain(&self.checks.differences) {
            let _ = writeln!(text, "WRONG: {wrong}");
        }
        let _ = writeln!(
            text,
            "{:.1} s, {:.0} identities/s",
            self.seconds, self.identities_per_second
        );
    }
}
