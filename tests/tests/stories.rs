//! What the product does, told through its API: a module per noun, each story on both databases.

#![expect(
    clippy::needless_pass_by_value,
    reason = "bodies are written where they are handed over"
)]
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod import;
mod layers;
mod management;
mod openapi;
mod sdk;
