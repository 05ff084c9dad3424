//! Sending a plan: batches, limits, retries, and what becomes of rows that are refused.

pub mod delivery;
pub mod limiter;
pub mod transport;
pub mod windows;
