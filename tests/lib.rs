//! Stories that mirror the API; see `tests/stories.rs`.
