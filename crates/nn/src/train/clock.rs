//! The seconds that steps take, where the platform has a clock.

use std::time::Instant;

/// WebAssembly outside of WASI has no clock: there, `Instant::now` panics.
const THERE_IS_ONE: bool = !cfg!(all(target_family = "wasm", target_os = "unknown"));

/// A moment to measure from.
pub(super) struct Started(Option<Instant>);

impl Started {
    pub(super) fn now() -> Self {
        Self(THERE_IS_ONE.then(Instant::now))
    }

    /// Seconds since then; 0 without a clock.
    pub(super) fn seconds(&self) -> f64 {
        self.0.map_or(0.0, |moment| moment.elapsed().as_secs_f64())
    }
}
