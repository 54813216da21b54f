//! The running process, as every command is given it.

use std::time::Instant;

use kernels::Isa;

pub(crate) struct Process {
    pub(crate) isa: Isa,
    /// When the process began.
    pub(crate) started: Instant,
}
