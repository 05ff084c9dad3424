//! Making the rows here equal to those there: which are new, which changed, which are gone.

use std::collections::{HashMap, HashSet};

use burgee_store::Tx;
use burgee_store::bulk::{Cell, Links, Table};
use burgee_store::imports::{self, Import, Origin};

use crate::report::{Count, Report};
use crate::{Error, Result};

/// A row as it is to be.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    /// Its id in the source.
    pub(crate) source: i64,
    /// In the order of the table's columns.
    pub(crate) cells: Vec<Cell>,
    /// A column that is written again only when it changed in the source, with a digest of what it is there: what is
    /// here may be another form of the same secret by now.
    pub(crate) secret: Option<(&'static str, String)>,
}

impl Incoming {
    pub(crate) fn new(source: i64, cells: Vec<Cell>) -> Self {
        Self {
            source,
            cells,
            secret: None,
        }
    }
}

/// A link between two rows as it is to be.
#[derive(Debug, Clone)]
pub(crate) struct IncomingLink {
    pub(crate) source: i64,
    pub(crate) ends: (i64, i64),
    pub(crate) cells: Vec<Cell>,
}

/// How rows of one kind are taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct How {
    /// Whether they keep their ids where everything does.
    pub(crate) keeps_ids: bool,
    /// Whether a row that is here already, and is the same thing, is left as it is.
    pub(crate) leaves_present: bool,
    /// The ids in the source that are looked at: above the first, up to the second.
    pub(crate) range: (i64, i64),
}

impl Default for How {
    fn default() -> Self {
        Self {
            keeps_ids: true,
            leaves_present: false,
            range: (i64::MIN, i64::MAX),
        }
    }
}

/// Stands in the place of a digest: the row was here before and stays as it is.
const LEFT: &str = "left";

/// Takes rows of one kind after the other, in one transaction.
#[derive(Debug)]
pub(crate) struct Taker<'a> {
    pub(crate) tx: &'a mut Tx,
    pub(crate) import: &'a Import,
    pub(crate) report: &'a mut Report,
    /// What became of the rows of each kind: ids there and here.
    pub(crate) ids: HashMap<&'static str, HashMap<i64, i64>>,
    /// How many rows were written.
    pub(crate) written: u64,
    /// How many of those were removed.
    pub(crate) removed: u64,
}

impl<'a> Taker<'a> {
    pub(crate) fn new(tx: &'a mut Tx, import: &'a Import, report: &'a mut Report) -> Self {
        Self {
            tx,
            import,
            report,
            ids: HashMap::new(),
            written: 0,
            removed: 0,
        }
    }

    /// The id here of what has this id there; `None` when it was not taken.
    pub(crate) fn id(&self, noun: &str, source: i64) -> Option<i64> {
        self.ids.get(noun)?.get(&source).copied()
    }

    /// The same for something that need not be there.
    pub(crate) fn id_if(&self, noun: &str, source: Option<i64>) -> Option<i64> {
        source.and_then(|source| self.id(noun, source))
    }

    /// Makes the rows of one kind as they are in the source.
    pub(crate) async fn rows(
        &mut self,
        noun: &'static str,
        table: &Table,
        rows: Vec<Incoming>,
        how: How,
    ) -> Result<()> {
        check_shape(table, &rows)?;
        let known: HashMap<i64, Origin> = self.known(noun, how.range).await?;
        let mut count = Count {
            found: rows.len() as u64,
            ..Count::default()
        };
        let coming: HashSet<i64> = rows.iter().map(|row| row.source).collect();
        for gone in known
            .values()
            .filter(|origin| !coming.contains(&origin.source_id))
        {
            if gone.digest.as_deref() != Some(LEFT) {
                count.removed += table.delete(self.tx, gone.row_id).await?;
            }
            imports::forget(self.tx, self.import.id, noun, gone.source_id).await?;
        }
        let is_empty = table.is_empty(self.tx).await?;
        let (mut old, mut new): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| known.contains_key(&row.source));
        let mut claimed: HashSet<i64> = old.iter().map(|row| known[&row.source].row_id).collect();
        let mut origins: HashMap<i64, Origin> = known;
        let mut fresh = Vec::new();
        let mut keys = HashSet::new();
        for row in new.drain(..) {
            let found = if is_empty {
                None
            } else {
                self.find(table, &row).await?
            };
            let repeated = table.unique.iter().enumerate().any(|(number, columns)| {
                let cells: Vec<_> = columns
                    .iter()
                    .filter_map(|name| Some(&row.cells[table.position(name)?]))
                    .collect();
                !keys.insert(format!("{number} {cells:?}"))
            });
            match found {
                Some(id) if claimed.insert(id) => {
                    let digest = if how.leaves_present {
                        self.report
                            .note(noun, row.source, format!("is here already (as {id})"));
                        Some(LEFT.to_owned())
                    } else {
                        row.secret.as_ref().map(|_| String::new())
                    };
                    let origin = Origin {
                        source_id: row.source,
                        row_id: id,
                        other_id: None,
                        digest,
                    };
                    imports::set_origin(self.tx, self.import.id, noun, &origin).await?;
                    origins.insert(row.source, origin);
                    old.push(row);
                }
                None if !repeated => fresh.push(row),
                _ => {
                    count.found -= 1;
                    self.report
                        .leave_out(noun, row.source, "another one has the same identity");
                }
            }
        }
        self.update(noun, table, old, &origins, &mut count).await?;
        self.insert(noun, table, fresh, how, is_empty, &mut count).await?;
        self.written += count.created + count.updated + count.removed;
        self.removed += count.removed;
        self.report.count(noun, &count);
        Ok(())
    }

    async fn known(&mut self, noun: &str, (after, to): (i64, i64)) -> Result<HashMap<i64, Origin>> {
        let origins = imports::origins(self.tx, self.import.id, noun, after, to).await?;
        Ok(origins
            .into_iter()
            .map(|origin| (origin.source_id, origin))
            .collect())
    }

    /// A row that is here and is the same thing.
    async fn find(&mut self, table: &Table, row: &Incoming) -> Result<Option<i64>> {
        for columns in table.unique {
            if let Some(id) = table.find(self.tx, columns, &row.cells).await? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Rows that were taken before: written where they differ, written anew where they are gone.
    async fn update(
        &mut self,
        noun: &'static str,
        table: &Table,
        rows: Vec<Incoming>,
        origins: &HashMap<i64, Origin>,
        count: &mut Count,
    ) -> Result<()> {
        let ids: Vec<i64> = rows.iter().map(|row| origins[&row.source].row_id).collect();
        let present = table.read(self.tx, &ids).await?;
        let mut missing = Vec::new();
        for mut row in rows {
            let origin = &origins[&row.source];
            let id = origin.row_id;
            self.ids.entry(noun).or_default().insert(row.source, id);
            let Some(before) = present.get(&id) else {
                missing.push((id, row));
                continue;
            };
            if origin.digest.as_deref() == Some(LEFT) {
                count.unchanged += 1;
                continue;
            }
            if let Some((name, digest)) = &row.secret {
                if origin.digest.as_ref() == Some(digest) {
                    if let Some(position) = table.position(name) {
                        row.cells[position] = before[position].clone();
                    }
                } else {
                    let origin = Origin {
                        digest: Some(digest.clone()),
                        ..origin.clone()
                    };
                    imports::set_origin(self.tx, self.import.id, noun, &origin).await?;
                }
            }
            let differs = table
                .columns
                .iter()
                .zip(before.iter().zip(&row.cells))
                .any(|(column, (before, after))| !column.once && before != after);
            if differs {
                count.updated += table.update(self.tx, id, &row.cells).await?;
            } else {
                count.unchanged += 1;
            }
        }
        let rows: Vec<(i64, &[Cell])> = missing
            .iter()
            .map(|(id, row)| (*id, row.cells.as_slice()))
            .collect();
        table.insert_all(self.tx, &rows).await?;
        count.created += rows.len() as u64;
        Ok(())
    }

    async fn insert(
        &mut self,
        noun: &'static str,
        table: &Table,
        rows: Vec<Incoming>,
        how: How,
        is_empty: bool,
        count: &mut Count,
    ) -> Result<()> {
        let Some(last) = rows.iter().map(|row| row.source).max() else {
            return Ok(());
        };
        let keeps = self.import.keeps_ids && how.keeps_ids;
        let mut taken = HashSet::new();
        if keeps {
            let wanted: Vec<i64> = rows.iter().map(|row| row.source).collect();
            if !is_empty {
                taken = table.taken(self.tx, &wanted).await?;
            }
            table.move_on(self.tx, last).await?;
        }
        let without = rows
            .iter()
            .filter(|row| !keeps || taken.contains(&row.source))
            .count();
        let mut new_ids = table.new_ids(self.tx, without).await?.into_iter();
        let mut inserted = Vec::with_capacity(rows.len());
        let mut origins = Vec::with_capacity(rows.len());
        for row in rows {
            let id = if keeps && !taken.contains(&row.source) {
                row.source
            } else {
                let id = new_ids.next().ok_or(Error::NoIds)?;
                if keeps {
                    self.report
                        .note(noun, row.source, format!("its id is taken here: it is {id} now"));
                }
                id
            };
            self.ids.entry(noun).or_default().insert(row.source, id);
            origins.push(Origin {
                source_id: row.source,
                row_id: id,
                other_id: None,
                digest: row.secret.map(|(_, digest)| digest),
            });
            inserted.push((id, row.cells));
        }
        let rows: Vec<(i64, &[Cell])> = inserted
            .iter()
            .map(|(id, cells)| (*id, cells.as_slice()))
            .collect();
        table.insert_all(self.tx, &rows).await?;
        imports::insert_origins(self.tx, self.import.id, noun, &origins).await?;
        count.created += rows.len() as u64;
        Ok(())
    }

    /// Makes the links of one kind as they are in the source.
    pub(crate) async fn links(
        &mut self,
        noun: &'static str,
        links: &Links,
        rows: Vec<IncomingLink>,
    ) -> Result<()> {
        let known = self.known(noun, How::default().range).await?;
        let mut count = Count {
            found: rows.len() as u64,
            ..Count::default()
        };
        let wanted: HashSet<(i64, i64)> = rows.iter().map(|row| row.ends).collect();
        let coming: HashSet<i64> = rows.iter().map(|row| row.source).collect();
        for gone in known
            .values()
            .filter(|origin| !coming.contains(&origin.source_id))
        {
            let ends = (gone.row_id, gone.other_id.unwrap_or_default());
            if !wanted.contains(&ends) {
                count.removed += links.delete(self.tx, ends).await?;
            }
            imports::forget(self.tx, self.import.id, noun, gone.source_id).await?;
        }
        let mut left: Vec<i64> = rows.iter().map(|row| row.ends.0).collect();
        left.sort_unstable();
        left.dedup();
        let present = links.read(self.tx, &left).await?;
        let mut seen = HashSet::new();
        let (mut new, mut origins) = (Vec::new(), Vec::new());
        for row in rows {
            if !seen.insert(row.ends) {
                count.unchanged += 1;
                continue;
            }
            let is_known = known
                .get(&row.source)
                .is_some_and(|origin| (origin.row_id, origin.other_id.unwrap_or_default()) == row.ends);
            if !is_known {
                if known.contains_key(&row.source) {
                    imports::forget(self.tx, self.import.id, noun, row.source).await?;
                }
                origins.push(Origin {
                    source_id: row.source,
                    row_id: row.ends.0,
                    other_id: Some(row.ends.1),
                    digest: None,
                });
            }
            match present.get(&row.ends) {
                Some(cells) if *cells == row.cells => count.unchanged += 1,
                Some(_) => {
                    links.delete(self.tx, row.ends).await?;
                    count.updated += 1;
                    new.push(row);
                }
                None => {
                    count.created += 1;
                    new.push(row);
                }
            }
        }
        let rows: Vec<((i64, i64), &[Cell])> =
            new.iter().map(|row| (row.ends, row.cells.as_slice())).collect();
        links.insert_all(self.tx, &rows).await?;
        imports::insert_origins(self.tx, self.import.id, noun, &origins).await?;
        self.written += count.created + count.updated + count.removed;
        self.removed += count.removed;
        self.report.count(noun, &count);
        Ok(())
    }
}

/// A row that does not fit its table is a fault of this program; it must not end up in other columns.
fn check_shape(table: &Table, rows: &[Incoming]) -> Result<()> {
    let fits = |row: &Incoming| {
        row.cells.len() == table.columns.len()
            && table
                .columns
                .iter()
                .zip(&row.cells)
                .all(|(column, cell)| cell.is(column.kind))
    };
    if rows.iter().all(fits) {
        Ok(())
    } else {
        Err(Error::Shape(table.name))
    }
}
