//! `report.html`: a run as a page that a person looks at. Its directory tells the facts, its
//! network and its data the findings, and the page is both as one file.
//!
//! ```text
//! config · metrics · summary ──▶ Facts ────┐
//!                                          ├──▶ page ──▶ report.html
//! network · samples ──▶ Findings ──────────┘
//! ```

mod chart;

mod compare;

mod facts;

mod findings;

mod html;

mod page;

mod picture;

pub(crate) use chart::{Axis, MOST_LINES};
pub(crate) use compare::compare;
pub(crate) use facts::Facts;
pub(crate) use findings::{Findings, Seen, Tested};
pub(crate) use html::MARK;
pub(crate) use page::page;
