//! The list segments of this server as a destination of its own syncs.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use burgee_engine::member_hash;
use burgee_model::lists::{self, MemberProblem, Side};
use burgee_model::{TraitValue, limits};
use burgee_store::Tx;
use burgee_store::list_segments::MemberList;
use burgee_sync::SyncError;
use burgee_sync::destination::Settings;
use burgee_sync::destination::burgee::{List, Lists};
use burgee_sync::watch::Watch;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::list_segments::members::{self, Choice, ListEdit};
use crate::list_segments::{ListSegmentHere, one_here, pages};
use crate::pii::{Entrance, Guard, Refused, Spot, trait_of_kind};
use crate::{App, Author, Error, Place};

/// The lists of one organisation: its syncs write to no other.
#[derive(Debug, Clone)]
pub(super) struct OwnLists {
    pub(super) app: App,
    pub(super) organisation_id: i64,
    /// The user who asked for the run; of a schedule, nobody.
    pub(super) started_by: Option<i64>,
}

type Result<T> = std::result::Result<T, SyncError>;

fn told(error: Error) -> SyncError {
    match error {
        Error::NotFound(_) => SyncError::destination(
            "Segment not found in this environment",
            "Check the client-side key of the environment and the key of the list segment. The segment must exist; it is \
             never created.",
        ),
        Error::Unavailable(why) => SyncError::Unreachable(why),
        other => SyncError::destination(
            other.to_string(),
            "Look at the list segment in the project it belongs to.",
        ),
    }
}

impl OwnLists {
    async fn open(&self, tx: &mut Tx, list: &List) -> std::result::Result<(Place, ListSegmentHere), Error> {
        let place = Place::by_key(tx, &list.environment).await?;
        let own = place.filter(|place| place.project.organisation_id == self.organisation_id);
        let place = own.ok_or_else(Error::not_found)?;
        let here = one_here(tx, &place, &list.segment).await?;
        members::refuse_managed(&here.segment)?;
        Ok((place, here))
    }

    async fn read(&self, list: &List, most: usize) -> std::result::Result<Option<BTreeSet<String>>, Error> {
        let mut tx = self.app.db().read().await?;
        let (_, here) = self.open(&mut tx, list).await?;
        let Some(found) = included(&here, list) else {
            return Ok(Some(BTreeSet::new()));
        };
        if found.members > most as i64 {
            return Ok(None);
        }
        let mut all = BTreeSet::new();
        let mut from = Some(i64::MIN);
        while let Some(start) = from {
            let page = pages::page(&mut tx, found, start).await?;
            all.extend(page.members.into_iter().map(|(_, member)| member));
            from = page.next;
        }
        Ok(Some(all))
    }

    async fn put(&self, list: &List, members: Vec<(String, bool)>) -> std::result::Result<(), Error> {
        let mut tx = self.app.begin().await?;
        let (place, here) = self.open(&mut tx, list).await?;
        let choice = Choice {
            context_kind: Some(list.context_kind.clone()),
            side: Side::Included,
        };
        let edit = ListEdit {
            // Keys go through the guard before they are compared with anything.
            entrance: None,
            choice,
            members,
        };
        let author = Author {
            user_id: self.started_by,
            ..Author::default()
        };
        let (_, change) = members::write(&self.app, &mut tx, author, &place, &here.segment, &[edit]).await?;
        match change {
            Some(change) => self.app.commit(tx, vec![change]).await,
            None => Ok(()),
        }
    }

    async fn look_up(&self, list: &List, keys: &[String]) -> std::result::Result<Vec<bool>, Error> {
        let mut tx = self.app.db().read().await?;
        let (_, here) = self.open(&mut tx, list).await?;
        let Some(found) = included(&here, list) else {
            return Ok(vec![false; keys.len()]);
        };
        let set = self.app.environments().lists().at(&mut tx, found).await?;
        Ok(keys.iter().map(|key| set.contains(member_hash(key))).collect())
    }
}

fn included<'a>(here: &'a ListSegmentHere, list: &List) -> Option<&'a MemberList> {
    let mut lists = here.lists.iter();
    lists.find(|found| found.context_kind == list.context_kind && !found.excluded)
}

impl Lists for OwnLists {
    fn admits(&self, key: &str) -> std::result::Result<(), String> {
        lists::check_member(key).map_err(|problem| match problem {
            MemberProblem::Empty => "the key is empty".to_owned(),
            MemberProblem::NotText => "the key holds a null character".to_owned(),
            MemberProblem::TooLong => {
                format!("the key has more than {} characters", limits::IDENTIFIER_LENGTH)
            }
        })
    }

    fn members<'a>(&'a self, list: &'a List, most: usize) -> BoxFuture<'a, Result<Option<BTreeSet<String>>>> {
        Box::pin(async move { self.read(list, most).await.map_err(told) })
    }

    fn write<'a>(&'a self, list: &'a List, members: Vec<(String, bool)>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.put(list, members).await.map_err(told) })
    }

    fn holds<'a>(&'a self, list: &'a List, keys: Vec<String>) -> BoxFuture<'a, Result<Vec<bool>>> {
        Box::pin(async move { self.look_up(list, &keys).await.map_err(told) })
    }
}

/// The guard of the project here that a sync writes to, if it is one and has one: it looks at what the sync keeps, too.
pub(super) fn watch(app: &App, destination: &Settings) -> Option<Arc<dyn Watch>> {
    let (key, context_kind) = match destination {
        Settings::Burgee(settings) => (&settings.list.environment, settings.list.context_kind.as_str()),
        Settings::Flagsmith(settings) => (&settings.key, lists::USER),
        Settings::LaunchDarkly(_) => return None,
    };
    let (served, _) = app.environments().find(key)?;
    let guard = served.snapshot().guard.clone()?;
    Some(Arc::new(SyncWatch {
        name: trait_of_kind(context_kind).to_owned(),
        guard,
    }))
}

#[derive(Debug)]
struct SyncWatch {
    guard: Guard,
    /// The trait that keys are values of, if they are no identifiers.
    name: String,
}

impl Watch for SyncWatch {
    fn key(&self, key: &str) -> std::result::Result<Option<String>, String> {
        let spot = Spot {
            entrance: Entrance::AudienceSync,
            field: "key",
            name: &self.name,
        };
        match self.guard.keep(spot, key) {
            Ok(Cow::Owned(hash)) => Ok(Some(hash)),
            Ok(Cow::Borrowed(_)) => Ok(None),
            Err(refused) => Err(refused.reason()),
        }
    }

    fn value(&self, name: &str, value: Value) -> std::result::Result<Value, String> {
        let Ok(mut kept) = serde_json::from_value::<TraitValue>(value.clone()) else {
            return Ok(value);
        };
        // The name is that of the configuration, which stays as it is.
        let mut key = name.to_owned();
        let fields = ("trait_key", "trait_value");
        self.guard
            .keep_trait(Entrance::AudienceSync, fields, &mut key, Some(&mut kept))
            .map_err(Refused::reason)?;
        Ok(json!(kept))
    }

    fn shown(&self, key: &str) -> String {
        match self.guard.peek(&self.name, key) {
            Some(hash) => hash,
            None => key.to_owned(),
        }
    }
}
