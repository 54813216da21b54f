//! The settings of a run as one table: `table.rs` has a row for each. Its flag on the
//! command line, its key in recipe files, its range, its errors and its help come
//! from that row.
//!
//! ```text
//! recipe file ── file (keys, lines) ──▶ Document ── check (types, ranges) ──▶ Config
//! command line ── flags (clap) ──▶ Edits ──┘
//! ```

mod setting;

mod kind;

mod schedule;

mod table;

mod nearest;

mod file;

mod document;

mod edits;

mod flags;

mod tries;

pub(crate) use document::Document;
pub(crate) use edits::Edits;
pub(crate) use file::{COMPLETE, Source};
pub(crate) use kind::image_size;
pub(crate) use kind::{Interval, Kind, Notation};
pub(crate) use nearest::{names as nearest_names, unknown as unknown_key, unknown_flag};
pub(crate) use setting::{Given, Setting};
pub(crate) use table::usual_rate;
pub(crate) use tries::{check_text, find, is_whole, number_text, text_of};
pub(crate) use {setting::Presence, table::all};
