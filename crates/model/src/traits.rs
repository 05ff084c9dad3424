//! Traits: what is known of an identity, and how it is kept with it.

use serde::{Deserialize, Serialize};

use crate::limits;

/// A trait's value. Integers are 64-bit, a superset of the 32 bits the Flagsmith API promises.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TraitValue {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl From<&str> for TraitValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl TraitValue {
    /// The name of the type, as the management API spells it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "unicode",
        }
    }
}

/// A trait as it is stored. Written as `[slot, key, value, created_at]`, to keep an identity's row small.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredTrait(
    /// Slot: the place among the traits of the identity, from which the trait's id is made.
    pub i64,
    /// Key.
    pub String,
    /// Value.
    pub TraitValue,
    /// When it was first set, microseconds since 1970.
    pub i64,
);

impl StoredTrait {
    pub fn slot(&self) -> i64 {
        self.0
    }

    pub fn key(&self) -> &str {
        &self.1
    }

    pub fn value(&self) -> &TraitValue {
        &self.2
    }

    pub fn created_at(&self) -> i64 {
        self.3
    }

    /// The id clients know it by: unique over all identities, as long as the trait exists.
    pub fn id(&self, identity_id: i64) -> i64 {
        identity_id * limits::TRAITS_PER_IDENTITY + self.slot()
    }
}

impl FromIterator<StoredTrait> for TraitSet {
    /// Traits as they are stored: each key once, in the order of slots.
    fn from_iter<T: IntoIterator<Item = StoredTrait>>(traits: T) -> Self {
        Self(traits.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a TraitSet {
    type Item = &'a StoredTrait;
    type IntoIter = std::slice::Iter<'a, StoredTrait>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What can be done to one trait.
#[derive(Debug, Clone, PartialEq)]
pub enum TraitChange {
    Set(TraitValue),
    Remove,
    /// Adds to an integer trait, from 0 when it is not set. Saturates at the ends of 64 bits.
    Increment(i64),
}

/// Why a change of traits was refused; the identity is left as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraitError {
    /// [`TraitChange::Increment`] of something else.
    NotAnInteger,
    /// More than [`limits::TRAITS_PER_IDENTITY`].
    TooMany,
}

/// The traits of one identity, in the order in which they were first set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TraitSet(Vec<StoredTrait>);

impl TraitSet {
    /// Reads the stored text.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The text to store.
    pub fn to_text(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_else(|_| "[]".to_owned())
    }

    pub fn iter(&self) -> std::slice::Iter<'_, StoredTrait> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, key: &str) -> Option<&StoredTrait> {
        self.0.iter().find(|t| t.1 == key)
    }

    /// The trait in a slot.
    pub fn in_slot(&self, slot: i64) -> Option<&StoredTrait> {
        self.0.iter().find(|t| t.0 == slot)
    }

    /// Gives the trait in a slot another key and value; its slot and age stay. Nothing happens when the slot is free.
    pub fn edit(&mut self, slot: i64, key: String, value: TraitValue) {
        if let Some(stored) = self.0.iter_mut().find(|t| t.0 == slot) {
            stored.1 = key;
            stored.2 = value;
        }
    }

    /// Whether [`TraitSet::apply`] with these changes would change anything.
    pub fn would_change(&self, changes: &[(String, TraitChange)]) -> bool {
        changes.iter().any(|(key, change)| match (change, self.get(key)) {
            (TraitChange::Set(value), Some(stored)) => stored.2 != *value,
            (TraitChange::Remove, None) => false,
            (TraitChange::Increment(by), Some(_)) => *by != 0,
            (TraitChange::Set(_) | TraitChange::Increment(_), None) | (TraitChange::Remove, Some(_)) => true,
        })
    }

    /// Applies changes in order; all or none. Returns whether anything changed.
    pub fn apply(&mut self, changes: &[(String, TraitChange)], now: i64) -> Result<bool, TraitError> {
        if !self.would_change(changes) {
            return Ok(false);
        }
        let mut after = self.clone();
        for (key, change) in changes {
            after.apply_one(key, change, now)?;
        }
        let differs = *self != after;
        *self = after;
        Ok(differs)
    }

    fn apply_one(&mut self, key: &str, change: &TraitChange, now: i64) -> Result<(), TraitError> {
        let at = self.0.iter().position(|t| t.1 == key);
        let value = match change {
            TraitChange::Remove => {
                self.0.retain(|t| t.1 != key);
                return Ok(());
            }
            TraitChange::Set(value) => value.clone(),
            TraitChange::Increment(by) => match at.map(|i| &self.0[i].2) {
                None => TraitValue::Int(*by),
                Some(TraitValue::Int(old)) => TraitValue::Int(old.saturating_add(*by)),
                Some(_) => return Err(TraitError::NotAnInteger),
            },
        };
        if let Some(at) = at {
            self.0[at].2 = value;
        } else {
            let slot = self.free_slot().ok_or(TraitError::TooMany)?;
            let place = self.0.partition_point(|t| t.0 < slot);
            self.0
                .insert(place, StoredTrait(slot, key.to_owned(), value, now));
        }
        Ok(())
    }

    /// The slot after the last one; when that is used up, the lowest free one.
    fn free_slot(&self) -> Option<i64> {
        let next = self.0.last().map_or(0, |t| t.0 + 1);
        if next < limits::TRAITS_PER_IDENTITY {
            return Some(next);
        }
        (0..limits::TRAITS_PER_IDENTITY)
            .zip(self.0.iter())
            .find(|(slot, t)| *slot != t.0)
            .map(|(slot, _)| slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(key: &str, value: i64) -> (String, TraitChange) {
        (key.to_owned(), TraitChange::Set(TraitValue::Int(value)))
    }

    #[test]
    fn traits_keep_their_place_and_id_when_their_value_changes() {
        let mut traits = TraitSet::default();
        assert_eq!(traits.apply(&[set("a", 1), set("b", 2)], 7), Ok(true));
        assert_eq!(traits.apply(&[set("a", 3)], 8), Ok(true));
        let keys: Vec<_> = traits
            .iter()
            .map(|t| (t.id(5), t.key(), t.created_at()))
            .collect();
        assert_eq!(keys, [(5 * 4096, "a", 7), (5 * 4096 + 1, "b", 7)]);
    }

    #[test]
    fn what_changes_nothing_says_so() {
        let mut traits = TraitSet::default();
        traits.apply(&[set("a", 1)], 0).unwrap();
        assert_eq!(
            traits.apply(&[set("a", 1), ("x".into(), TraitChange::Remove)], 0),
            Ok(false)
        );
        assert!(!traits.would_change(&[set("a", 1)]));
    }

    #[test]
    fn one_refused_change_leaves_everything_as_it_was() {
        let mut traits = TraitSet::default();
        traits
            .apply(&[("t".into(), TraitChange::Set("text".into()))], 0)
            .unwrap();
        let before = traits.clone();
        let changes = [set("new", 1), ("t".into(), TraitChange::Increment(1))];
        assert_eq!(traits.apply(&changes, 0), Err(TraitError::NotAnInteger));
        assert_eq!(traits, before);
    }

    #[test]
    fn the_last_slot_can_be_used_again_and_no_more_than_the_limit_is_taken() {
        let mut traits = TraitSet::default();
        let all: Vec<_> = (0..limits::TRAITS_PER_IDENTITY)
            .map(|i| set(&format!("k{i}"), i))
            .collect();
        traits.apply(&all, 0).unwrap();
        assert_eq!(traits.apply(&[set("one more", 1)], 0), Err(TraitError::TooMany));
        traits
            .apply(&[("k5".into(), TraitChange::Remove), set("one more", 1)], 0)
            .unwrap();
        assert_eq!(traits.get("one more").map(StoredTrait::slot), Some(5));
    }

    #[test]
    fn types_survive_storage() {
        let mut traits = TraitSet::default();
        let values = [
            TraitValue::Int(i64::MAX),
            TraitValue::Float(1.0),
            TraitValue::Bool(true),
            "1".into(),
            TraitValue::Float(1.5e300),
        ];
        for (i, value) in values.iter().enumerate() {
            traits
                .apply(&[(i.to_string(), TraitChange::Set(value.clone()))], 0)
                .unwrap();
        }
        assert_eq!(TraitSet::parse(&traits.to_text()).unwrap(), traits);
    }
}
