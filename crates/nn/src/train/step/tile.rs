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
    /// The inputs whose weights it has: all of them, if it has more than one panel.
    pub(super) inputs: Range<usize>,
    /// Its parameters, in the parameter vector. Biases and gains belong to the tile of
    /// the last inputs.
    pub(crate) params: Range<usize>,
}

impl Tile {
    /// The tiles of all parameters of a network, in their order, except for its first
    /// `frozen` layers.
    pub(super) fn cut(network: &Mlp, plan: &Plan, frozen: usize) -> Vec<Self> {
        let layers = network.layers.iter().enumerate().skip(frozen);
        layers.flat_map(|(l, layer)| Self::of_layer(l, layer, plan)).collect()
    }

    fn of_layer(l: usize, layer: &Dense, plan: &Plan) -> Vec<Self> {
        match plan.update(l) {
            Cut::Whole => Self::of_panels((l, layer), 0, 0..layer.panels()).collect(),
            Cut::Inputs => (0..layer.panels())
                .flat_map(|panel| Self::of_inputs((l, layer), panel, plan.parts))
                .collect(),
            Cut::Units | Cut::Rows => (0..plan.parts)
                .flat_map(|part| {
                    let panels = plan.panel(l, part)..plan.panel(l, part + 1);
                    Self::of_panels((l, layer), part, panels)
                })
                .collect(),
        }
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
        let weights = layer.weights_of(first).start;
        let end = if inputs.end == layer.inputs {
            layer.panel(last).end
        } else {
            weights + inputs.end * layer.width
        };
        let params = weights + inputs.start * layer.width..end;
        Self { layer: l, part, panels, inputs, params }
    }

    /// Whether it has the biases and gains of its panels.
    pub(super) fn has_biases(&self, layer: &Dense) -> bool {
        self.inputs.end == layer.inputs
    }
}

/// Runs the tiles, layer by layer, in a task for each part: `run` gets the part's tiles,
/// the parameters of `params` that belong to them, and the part's `scratch_len` elements
/// of `scratch`.
pub(super) fn fork_tiles<E: Executor, P: SplitAt>(
    cx: &Context<'_, E>,
    mut tiles: &[Tile],
    mut params: P,
    (scratch, scratch_len): (&mut [f32], usize),
    run: &(impl Fn(&[Tile], P, &mut [f32]) + Sync),
) {
    for (l, layer) in cx.layers.iter().enumerate() {
        let (of_layer, others) = tiles.split_at(tiles.partition_point(|tile| tile.layer == l));
        let (layer_params, other_params) = params.split_at(layer.range().len());
        if of_layer.is_empty() {
            // The layer is frozen.
            params = other_params;
            continue;
        }
        let parts = if cx.plan.update(l) == Cut::Whole { 1 } else { cx.plan.parts };
        let tile = |part| of_layer.partition_point(|tile| tile.part < part);
        let param = |part| {
            let start = of_layer.get(tile(part)).map(|tile| tile.params.start);
            start.unwrap_or(layer.range().end) - layer.range().start
        };
        let scratch_at = |part| part * scratch_len;
        let work =
            (by(&tile, of_layer), by(&param, layer_params), by(&scratch_at, &mut scratch[..]));
        fork(cx.executor, 0..parts, work, &|_, (tiles, params, scratch)| {
            run(tiles, params, scratch);
        });
        (tiles, params) = (others, other_params);
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
