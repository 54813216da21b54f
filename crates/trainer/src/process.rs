//! The running process, as every command is given it.

use std::time::Instant;

use kernels::Isa;

use crate::ranks::Ranks;

pub(crate) struct Process {
    pub(crate) isa: Isa,
    /// When the process began.
    pub(crate) started: Instant,
    /// The processes that it trains with.
    pub(crate) ranks: &'static Ranks,
}
