//! What is wrong with an input, in the shape Django REST framework gives it.

use serde_json::{Map, Value, json};

/// Field errors of one object: field → list of messages, or nested objects and lists that mirror the input.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Problems(Map<String, Value>);

impl Problems {
    /// Nothing wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One message about one field.
    pub fn field(name: &str, message: impl Into<String>) -> Self {
        let mut problems = Self::new();
        problems.add(name, message);
        problems
    }

    /// One message about the whole body.
    pub fn whole(message: impl Into<String>) -> Self {
        Self::field("non_field_errors", message)
    }

    /// Adds a message to a field.
    pub fn add(&mut self, name: &str, message: impl Into<String>) {
        let message = Value::String(message.into());
        match self.0.get_mut(name) {
            Some(Value::Array(list)) => list.push(message),
            _ => {
                self.0.insert(name.to_owned(), json!([message]));
            }
        }
    }

    /// Sets what is wrong inside a field that is itself an object or a list.
    pub fn nest(&mut self, name: &str, inner: Value) {
        self.0.insert(name.to_owned(), inner);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Err(self)` when anything is wrong.
    pub fn check(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }

    pub fn into_json(self) -> Value {
        Value::Object(self.0)
    }
}
