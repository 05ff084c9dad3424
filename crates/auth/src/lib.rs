//! How Burgee proves who is asking: passwords, tokens, reset links, second factors and throttling.
//!
//! Protocols only: no endpoints, no SQL, no HTTP types of the server. Times are passed in by the caller, so that every
//! rule about time can be tested. Functions that are slow on purpose (all of [`passwords`] that hash) say
//! so; call them through a blocking pool.

pub mod django;
pub mod jwt;
pub mod passwords;
pub mod providers;
pub mod reset;
pub mod saml;
pub mod signatures;
pub mod signed;
pub mod throttle;
pub mod tokens;
pub mod totp;
