//! What the product does, told through its API: a module per noun, each story on both databases.

mod layers;
mod management;
mod openapi;
mod sdk;
