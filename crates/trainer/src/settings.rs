//! The settings of a run as one table: `table.rs` has a row for each. Its flag on the
//! command line, its key in recipe files, its range, its errors and its help come
//! from that row.
//!
//! ```text
//! recipe file ── file::check (keys, ranges; errors with their line) ──▶ Config
//! command line ── flags (clap) ──▶ Edits ── apply to the Config's table ──▶ Config
//! ```

mod setting;

mod kind;

mod schedule;

mod table;

mod nearest;

mod file;

mod edits;

mod flags;

pub(crate) use edits::Edits;
pub(crate) use file::{Problem, check};
pub(crate) use flags::suggest;
#[cfg(test)]
pub(crate) use {
    kind::Kind,
    setting::{Presence, Setting},
    table::all,
};
