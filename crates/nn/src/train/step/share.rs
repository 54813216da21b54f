//! What the ranks share of a step: the units of wide hidden layers.
//!
//! A rank computes its own units of a shared layer, for all rows of the batch. What travels
//! are columns of the tape:
//!
//! ```text
//! forward    a of the layer    each rank has its units, and gets those of all others
//! backward   dz of the layer   likewise, but for the first layer that is trained
//! ```
//!
//! Weights stay. The forward pass reads the weights of the rank's own units. The backward
//! pass, to the rank's own units of the layer before, reads the weights of *their* outputs to
//! all units. So a rank keeps two slices of a weight matrix up to date, and computes the
//! gradient of both from the columns that it has anyway:
//!
//! ```text
//!              units of this layer
//!            others │ own  │ others
//! inputs    ────────┼──────┼────────
//!   others          │ ████ │            own:  the weights of its units, with their biases
//!   own      ░░░░░░ │ ████ │ ░░░░░░     rows: the weights of its units of the layer before
//!   others          │ ████ │
//! ```
//!
//! Those gradients are computed twice in all, on two ranks, with the same bits. It is a third
//! more arithmetic than without ranks, and the price of not moving the weights, which are far
//! more than the activations. docs/distributed.md has the account. What is in neither slice is
//! out of date until [`Share::settle`] brings the own slices of all ranks together, at the end
//! of an epoch.
//!
//! Max-norm needs all weights of a unit, so with it a rank has no rows, and the weights do
//! move, after each step.
//!
//! Everything else, narrow layers and the output, each rank computes for itself.

use std::ops::Range;

use kernels::MatMut;

use super::Pass;
use super::plan::{groups, operations, whole_panels};
use crate::fork::{Lines, by, fork};
use crate::net::dense::Dense;
use crate::{Executor, Fit, Ranks};

/// What this rank has of each layer.
pub(super) struct Share {
    rank: usize,
    pub(super) ranks: usize,
    /// The first layers that are not trained.
    frozen: usize,
    /// Whether the weights of all ranks are brought together after each step.
    pub(super) moves_weights: bool,
    layers: Vec<Option<Shared>>,
}

/// How the panels of a layer are divided among the ranks.
pub(super) struct Shared {
    /// Where the panels of each rank end.
    ends: Vec<usize>,
    /// The inputs whose weights to the units of other ranks this rank keeps up to date.
    pub(super) rows: Range<usize>,
}

impl Share {
    /// For batches of up to `rows` rows.
    pub(super) fn new(layers: &[Dense], rows: usize, fit: &Fit, ranks: &dyn Ranks) -> Self {
        let (rank, count) = (ranks.rank(), ranks.count().max(1));
        let moves_weights = fit.max_norm.is_some();
        let mut are_shared = vec![false; layers.len()];
        for (l, layer) in layers.iter().enumerate().rev() {
            // Forward, backward and for the gradient.
            let all = operations(layer, rows).saturating_mul(3);
            // After a layer that is not shared, all of the gradient is computed by every rank.
            let before_shared = are_shared.get(l + 1) == Some(&true);
            let pays = before_shared || ranks.shares(all);
            are_shared[l] = count > 1 && groups(layer, fit) > 1 && pays;
        }
        let mut shared: Vec<Option<Shared>> = Vec::new();
        for (l, layer) in layers.iter().enumerate() {
            let (groups, is_shared) = (groups(layer, fit), are_shared[l]);
            // No signal goes back through the first layer, or the first that is trained.
            let goes_back = l > fit.frozen && !moves_weights;
            let rows = match shared.last() {
                _ if !goes_back => 0..0,
                Some(Some(before)) => {
                    let units = before.units(rank, &layers[l - 1]);
                    units.start..units.end
                }
                _ => 0..layer.inputs,
            };
            shared.push(is_shared.then(|| {
                let whole = whole_panels(fit);
                let end = |rank: usize| ((groups * (rank + 1)) / count * whole).min(layer.panels());
                Shared { ends: (0..count).map(end).collect(), rows }
            }));
        }
        let moves_weights = moves_weights && shared.iter().any(Option::is_some);
        Self { rank, ranks: count, frozen: fit.frozen, moves_weights, layers: shared }
    }

    pub(super) fn of(&self, l: usize) -> Option<&Shared> {
        self.layers[l].as_ref()
    }

    pub(super) fn is_any(&self) -> bool {
        self.layers.iter().any(Option::is_some)
    }

    /// The panels of layer `l` that this rank has, where it is shared.
    pub(super) fn panels(&self, l: usize) -> Option<Range<usize>> {
        self.of(l).map(|shared| shared.panels(self.rank))
    }

    /// Whether a signal goes back through layer `l`, and so needs its units of all ranks.
    pub(super) fn goes_back(&self, l: usize) -> bool {
        l > self.frozen
    }

    /// Units of the widest shared layer.
    pub(super) fn widest(&self, layers: &[Dense]) -> usize {
        let shared = layers.iter().zip(&self.layers).filter(|(_, shared)| shared.is_some());
        shared.map(|(layer, _)| layer.units).max().unwrap_or(0)
    }

    /// Brings a vector in the layout of the parameter vector up to date, of which each rank
    /// has its own slices.
    pub(super) fn settle(&self, layers: &[Dense], ranks: &dyn Ranks, vector: &mut [f32]) {
        for (layer, shared) in layers.iter().zip(&self.layers) {
            let Some(shared) = shared else { continue };
            let start = layer.range().start;
            let end = |panel: &usize| match *panel {
                0 => 0,
                panel => layer.panel(panel - 1).end - start,
            };
            let ends: Vec<_> = shared.ends.iter().map(end).collect();
            ranks.all_gather(&mut vector[layer.range()], &ends);
        }
    }

    /// The same for values of the units of layer `l`.
    pub(super) fn settle_units(
        &self,
        l: usize,
        layer: &Dense,
        ranks: &dyn Ranks,
        units: &mut [f32],
    ) {
        if let Some(shared) = self.of(l) {
            ranks.all_gather(units, &shared.unit_ends(layer));
        }
    }

    /// The same for values of the panels of layer `l`, of two words each.
    pub(super) fn settle_panels(&self, l: usize, ranks: &dyn Ranks, panels: &mut [f64]) {
        let Some(shared) = self.of(l) else { return };
        let words = |x: &f64| {
            let bits = x.to_bits();
            [(bits >> 32) as u32, bits as u32].map(f32::from_bits)
        };
        let mut moved: Vec<_> = panels.iter().flat_map(words).collect();
        let ends: Vec<_> = shared.ends.iter().map(|end| 2 * end).collect();
        ranks.all_gather(&mut moved, &ends);
        for (x, [high, low]) in panels.iter_mut().zip(moved.as_chunks::<2>().0) {
            *x = f64::from_bits(u64::from(high.to_bits()) << 32 | u64::from(low.to_bits()));
        }
    }
}

impl Shared {
    fn panels(&self, rank: usize) -> Range<usize> {
        let start = if rank == 0 { 0 } else { self.ends[rank - 1] };
        start..self.ends[rank]
    }

    /// The units of a rank.
    fn units(&self, rank: usize, layer: &Dense) -> Range<usize> {
        let Range { start, end } = self.panels(rank);
        let unit = |panel: usize| (panel * layer.width).min(layer.units);
        unit(start)..unit(end)
    }

    fn unit_ends(&self, layer: &Dense) -> Vec<usize> {
        self.ends.iter().map(|panel| (panel * layer.width).min(layer.units)).collect()
    }
}

/// Gives all ranks the columns of a node of layer `l`, from `column` of `tape` on, of which
/// each rank has those of its own units. `moved` has room for them.
pub(super) fn gather<E: Executor>(
    pass: &Pass<'_, E>,
    l: usize,
    mut tape: MatMut<'_>,
    column: usize,
    moved: &mut [f32],
) {
    let (plan, layer) = (pass.cx.plan, &pass.cx.layers[l]);
    let Some(shared) = plan.share.of(l) else { return };
    let (rows, own) = (tape.rows(), plan.share.rank);
    let ends = shared.unit_ends(layer);
    // A rank's units are a matrix of their own.
    let units = shared.units(own, layer);
    let moved = &mut moved[..rows * layer.units];
    if !units.is_empty() {
        let piece = &mut moved[rows * units.start..rows * units.end];
        for (i, piece) in piece.chunks_exact_mut(units.len()).enumerate() {
            piece.copy_from_slice(&tape.row_mut(i)[column..][units.clone()]);
        }
    }
    let pieces: Vec<_> = ends.iter().map(|end| rows * end).collect();
    pass.cx.executor.ranks().all_gather(moved, &pieces);
    let (moved, row) = (&*moved, |part| plan.row(rows, part));
    let work = by(&row, Lines::Rows(tape));
    fork(pass.cx.executor, 0..pass.parts, work, &|part, tape: Lines<'_>| {
        let mut tape = tape.matrix();
        for i in 0..tape.rows() {
            let (at, to) = (row(part) + i, &mut tape.row_mut(i)[column..][..layer.units]);
            for rank in (0..plan.share.ranks).filter(|rank| *rank != own) {
                let units = shared.units(rank, layer);
                let from = rows * units.start + at * units.len();
                to[units.clone()].copy_from_slice(&moved[from..][..units.len()]);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Architecture, Init, Mlp};

    /// The first of two ranks, which share what has this many operations.
    struct Two(usize);

    impl Ranks for Two {
        fn rank(&self) -> usize {
            0
        }

        fn count(&self) -> usize {
            2
        }

        fn shares(&self, operations: usize) -> bool {
            operations >= self.0
        }

        fn all_gather(&self, _: &mut [f32], _: &[usize]) {}
    }

    #[test]
    fn a_layer_before_a_shared_one_is_shared_if_it_can_be() {
        let shared = |hidden: &[usize], from: usize| {
            let (inputs, outputs, activation) = (10, 10, Activation::Tanh);
            let shape = Architecture { inputs, hidden: hidden.to_vec(), outputs, activation };
            let network = Mlp::new(shape, Init::Xavier, 1).unwrap();
            let share = Share::new(&network.layers, 1, &Fit::default(), &Two(from));
            (0..network.layers.len()).map(|l| share.of(l).is_some()).collect::<Vec<_>>()
        };
        // Operations of the layers: 6000, 60,000, 30,000 and 3000.
        let hidden = [100, 100, 50];
        assert_eq!(shared(&hidden, 0), [true, true, true, false]);
        assert_eq!(shared(&hidden, 30_001), [true, true, false, false]);
        assert_eq!(shared(&hidden, 60_001), [false; 4]);
        // One panel cannot be divided.
        assert_eq!(shared(&[40, 100, 16], 1), [false, true, false, false]);
    }
}
