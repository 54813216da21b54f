//! Tiles: the pieces of the parameters that the update takes one after the other.

use std::ops::Range;

use super::Context;
use super::plan::{Cut, Plan, piece_of};
use crate::fork::{SplitAt, by, fork};
use crate::net::dense::Dense;
use crate::{Executor, Mlp};

/// Panels of the widest tile. The input of a layer is read, and searched for zeros, once
/// for each tile.
pub(super) const PANELS: usize = 16;

/// Inputs whose weights get their gradient in one product: 64 × 256 elements are 64 KiB,
/// which the sink finds in the L2 cache.
pub(super) const CHUNK: usize = 64;

/// Some panels of a layer, or some inputs of one panel.
#[derive(Clone, Debug)]
pub(crate) struct Tile {
    pub(super) layer: usize,
    /// The part that updates it.
    pub(super) part: usize,
    pub(crate) panels: Range<usize>,
    /// The inputs whose weights it has.
    pub(super) inputs: Range<usize>,
    /// The slice of the parameter vector that has its parameters, and no others, but for a
    /// tile with some inputs of several panels. Biases and gains belong to the tile of the
    /// last inputs.
    pub(crate) params: Range<usize>,
    /// Which of the forks of the update it is in.
    fork: usize,
    /// Whether they are this rank's own units: see `share.rs`.
    pub(super) own: bool,
}

impl Tile {
    /// The tiles of all parameters of a network, in their order, except for its first
    /// `frozen` layers.
    pub(super) fn cut(network: &Mlp, plan: &Plan, frozen: usize) -> Vec<Self> {
        let layers = network.layers.iter().enumerate().skip(frozen);
        let mut tiles: Vec<_> =
            layers.flat_map(|(l, layer)| Self::of_layer(l, layer, plan)).collect();
        let mut forks = 0;
        for i in 1..tiles.len() {
            let (before, tile) = (&tiles[i - 1], &tiles[i]);
            forks += usize::from(before.layer != tile.layer || before.own != tile.own);
            tiles[i].fork = forks;
        }
        tiles
    }

    fn of_layer(l: usize, layer: &Dense, plan: &Plan) -> Vec<Self> {
        match plan.update(l) {
            Cut::Whole => Self::of_panels((l, layer), 0, 0..layer.panels()).collect(),
            Cut::Inputs => (0..layer.panels())
                .flat_map(|panel| Self::of_inputs((l, layer), panel, plan.parts))
                .collect(),
            Cut::Units | Cut::Rows => {
                let own = (0..plan.parts).flat_map(|part| {
                    let panels = plan.panel(l, part)..plan.panel(l, part + 1);
                    Self::of_panels((l, layer), part, panels)
                });
                let end = plan.panel(l, plan.parts)..layer.panels();
                let before = Self::of_rows((l, layer), 0..plan.panel(l, 0), plan);
                let after = Self::of_rows((l, layer), end, plan);
                before.into_iter().chain(own).chain(after).collect()
            }
        }
    }

    /// Tiles with some inputs of the panels of other ranks.
    fn of_rows((l, layer): (usize, &Dense), panels: Range<usize>, plan: &Plan) -> Vec<Self> {
        let rows = plan.share.of(l).map_or(0..0, |shared| shared.rows.clone());
        if rows.is_empty() {
            return Vec::new();
        }
        let first = |part| panels.start + panels.len() * part / plan.parts;
        let of_part = |part| {
            let pieces = (first(part)..first(part + 1)).step_by(PANELS);
            let rows = rows.clone();
            pieces.map(move |panel: usize| {
                let panels = panel..first(part + 1).min(panel + PANELS);
                Self { own: false, ..Self::new((l, layer), part, panels, rows.clone()) }
            })
        };
        (0..plan.parts).flat_map(of_part).collect()
    }

    /// Tiles with all inputs of some panels.
    fn of_panels(
        (l, layer): (usize, &Dense),
        part: usize,
        panels: Range<usize>,
    ) -> impl Iterator<Item = Self> {
        panels.clone().step_by(PANELS).map(move |first| {
            let panels = first..panels.end.min(first + PANELS);
            Self::new((l, layer), part, panels, 0..layer.inputs)
        })
    }

    /// Tiles with some inputs of a panel each, where a layer has fewer panels than there
    /// are parts.
    fn of_inputs(
        (l, layer): (usize, &Dense),
        panel: usize,
        parts: usize,
    ) -> impl Iterator<Item = Self> {
        let part = |panel| panel * parts / layer.panels();
        let (first, count) = (part(panel), part(panel + 1) - part(panel));
        let pieces = (0..count).map(move |i| (first + i, piece_of(layer.inputs, i, count)));
        pieces
            .filter(|(_, inputs)| !inputs.is_empty())
            .map(move |(part, inputs)| Self::new((l, layer), part, panel..panel + 1, inputs))
    }

    fn new(
        (l, layer): (usize, &Dense),
        part: usize,
        panels: Range<usize>,
        inputs: Range<usize>,
    ) -> Self {
        let (first, last) = (panels.start, panels.end - 1);
        let weights = |panel| layer.weights_of(panel).start;
        let end = if inputs.end == layer.inputs {
            layer.panel(last).end
        } else {
            weights(last) + inputs.end * layer.width
        };
        let params = weights(first) + inputs.start * layer.width..end;
        Self { layer: l, part, panels, inputs, params, fork: 0, own: true }
    }

    /// Whether it has the biases and gains of its panels.
    pub(super) fn has_biases(&self, layer: &Dense) -> bool {
        self.own && self.inputs.end == layer.inputs
    }
}

/// Runs the tiles, fork by fork, in a task for each part: `run` gets the part's tiles,
/// the parameters of `params` that belong to them, and the part's `scratch_len` elements
/// of `scratch`.
pub(super) fn fork_tiles<E: Executor, P: SplitAt>(
    cx: &Context<'_, E>,
    mut tiles: &[Tile],
    mut params: P,
    (scratch, scratch_len): (&mut [f32], usize),
    run: &(impl Fn(&[Tile], P, &mut [f32]) + Sync),
) {
    let mut end = 0;
    while let Some(first) = tiles.first() {
        let (of_fork, others) =
            tiles.split_at(tiles.partition_point(|tile| tile.fork == first.fork));
        let start = first.params.start;
        let fork_end = of_fork.last().map_or(start, |tile| tile.params.end);
        // Between them are parameters that are not trained here.
        let (_, after) = params.split_at(start - end);
        let (fork_params, other_params) = after.split_at(fork_end - start);
        let parts = if cx.plan.update(first.layer) == Cut::Whole { 1 } else { cx.plan.parts };
        let tile = |part| of_fork.partition_point(|tile| tile.part < part);
        let param =
            |part| of_fork.get(tile(part)).map_or(fork_end, |tile| tile.params.start) - start;
        let scratch_at = |part| part * scratch_len;
        let work = (by(&tile, of_fork), by(&param, fork_params), by(&scratch_at, &mut scratch[..]));
        fork(cx.executor, 0..parts, work, &|_, (tiles, params, scratch)| {
            run(tiles, params, scratch);
        });
        (tiles, params, end) = (others, other_params, fork_end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Architecture, Fit, Init};

    struct Threads(usize);

    impl Executor for Threads {
        fn threads(&self) -> usize {
            self.0
        }

        // Small steps are cut too.
        fn threads_for(&self, _: usize) -> usize {
            self.0
        }

        fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
            a();
            b();
        }
    }

    /// Each weight is in one tile, each panel's biases are in one, and the tiles are side by
    /// side in the order of the parts.
    #[test]
    fn tiles_cover_the_parameters_once() {
        let mut seen = Vec::new();
        for (inputs, hidden, outputs) in [
            (784, vec![512, 40, 33], 10),
            (784, vec![30], 10),
            (784, vec![], 10),
            // More panels than a tile has, for one part.
            (70, vec![600], 3),
            // Fewer blocks of inputs than parts.
            (17, vec![512, 5], 3000),
            (3, vec![2], 2),
        ] {
            let shape = Architecture { inputs, hidden, outputs, activation: Activation::Tanh };
            let network = Mlp::new(shape, Init::Xavier, 1).unwrap();
            for threads in [1, 2, 3, 4, 5, 7] {
                let plan = Plan::new(&network, 200, &Fit::default(), &Threads(threads));
                let tiles = Tile::cut(&network, &plan, 0);
                let mut end = 0;
                for tile in &tiles {
                    assert_eq!(tile.params.start, end, "{threads}: {tile:?}");
                    end = tile.params.end;
                    assert!(tile.part < plan.parts && !tile.inputs.is_empty(), "{tile:?}");
                    assert!((1..=PANELS).contains(&tile.panels.len()), "{tile:?}");
                }
                assert_eq!(end, network.params.len());

                for (l, layer) in network.layers.iter().enumerate() {
                    let of_layer: Vec<_> = tiles.iter().filter(|tile| tile.layer == l).collect();
                    assert!(of_layer.is_sorted_by_key(|tile| tile.part), "{of_layer:?}");
                    for panel in 0..layer.panels() {
                        let of_panel = of_layer.iter().filter(|tile| tile.panels.contains(&panel));
                        let inputs = of_panel.clone().flat_map(|tile| tile.inputs.clone());
                        assert!(inputs.eq(0..layer.inputs), "{of_layer:?}");
                        assert_eq!(of_panel.filter(|tile| tile.has_biases(layer)).count(), 1);
                    }
                    let parts = of_layer.iter().map(|tile| tile.part);
                    // Each part works where there are blocks of inputs enough.
                    if plan.update(l) == Cut::Inputs && layer.inputs >= 16 * plan.parts {
                        assert!(parts.eq(0..plan.parts), "{of_layer:?}");
                    }
                    if !seen.contains(&plan.update(l)) {
                        seen.push(plan.update(l));
                    }
                }
            }
        }
        for cut in [Cut::Whole, Cut::Inputs, Cut::Units] {
            assert!(seen.contains(&cut), "{cut:?}");
        }
    }
}
