//! The tape: what a step knows of each sample, a row a sample.
//!
//! A row has what belongs to each hidden layer, then the output; in each of these
//! *nodes*, from left to right, those of
//!
//! ```text
//! n      the normalised numbers        with batch normalisation
//! noisy  those with noise              with batch normalisation and noise
//! z      what goes into the activation
//! h      what comes out of it
//! mask   the factors of dropout        with dropout
//! a      h·mask, what the next layer reads
//! da     the gradient with respect to h
//! dz     the gradient with respect to what the affine map gave
//! ```
//!
//! that it needs, and of which none takes the place of another: dz that of da and
//! of z, h that of z, a that of h. Each begins at a cache line, so that to cut a
//! layer is to cut no line. The network's input has a matrix of its own, of which
//! there may be copies.

use kernels::PANEL;

use crate::{BatchNorm, DropoutKind, Fit, Mlp};

/// Where the input, a hidden layer or the output has its columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// Its first.
    pub(super) start: usize,
    /// Columns of h, mask, a and da.
    pub(super) width: usize,
    /// Columns of n, noisy, z and dz.
    pub(super) units: usize,
    pub(super) n: Option<usize>,
    pub(super) noisy: Option<usize>,
    pub(super) z: usize,
    pub(super) h: usize,
    pub(super) mask: Option<usize>,
    pub(super) a: usize,
    pub(super) da: usize,
    pub(super) dz: usize,
    pub(super) dropout: f32,
    pub(super) noise: f32,
}

/// The columns of the tape, and what training puts between the layers.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The input, each hidden layer, the output.
    pub(super) nodes: Vec<Node>,
    /// Numbers in a row of the tape.
    pub(super) record: usize,
    /// Numbers in a row of the input, its mask included.
    pub(super) input_record: usize,
    pub(super) dropout: DropoutKind,
    pub(super) norm: Option<BatchNorm>,
}

impl Layout {
    /// Cache lines between what a core reads of another's and what that core is about to
    /// write: as many as Intel's prefetcher runs ahead, which would fetch them away from it.
    const GAP: usize = 20;

    /// For the hyperparameters of `fit`; with gaps, where cores share rows.
    pub(super) fn new(network: &Mlp, fit: &Fit, shared: bool) -> Self {
        let Fit { dropout, noise, batch_norm: norm, .. } = fit;
        let gap = if shared { Self::GAP * PANEL } else { 0 };
        let inputs = network.architecture().inputs;
        let input_columns = inputs.next_multiple_of(PANEL);
        let input = Node {
            width: inputs,
            mask: (dropout.input > 0.0).then_some(input_columns),
            dropout: dropout.input,
            noise: noise.input,
            // Nobody asks for the input as it was, so h and a are one.
            ..Node::default()
        };
        let input_record = odd_lines(input_columns * if input.mask.is_some() { 2 } else { 1 });

        let mut at = 0;
        let mut take = |width: usize| {
            let start = at;
            at += width.next_multiple_of(PANEL) + gap;
            start
        };
        let mut nodes = vec![input];
        for layer in &network.layers {
            let (units, width) = (layer.units, layer.outputs());
            let mut node = Node { width, units, noise: noise.hidden, ..Node::default() };
            node.n = norm.map(|_| take(units));
            node.noisy = (norm.is_some() && noise.hidden > 0.0).then(|| take(units));
            node.z = take(units);
            node.start = node.n.unwrap_or(node.z);
            match layer.activation {
                Some(activation) => {
                    let keeps_z = activation.keeps_z();
                    node.h = if keeps_z { take(width) } else { node.z };
                    node.dropout = dropout.hidden;
                    node.mask = (dropout.hidden > 0.0).then(|| take(width));
                    node.a = if node.mask.is_some() { take(width) } else { node.h };
                    node.da = take(width);
                    node.dz = if units == width { node.da } else { node.z };
                }
                // The logits become the gradient with respect to them.
                None => (node.h, node.a, node.da, node.dz) = (node.z, node.z, node.z, node.z),
            }
            nodes.push(node);
        }
        Self { nodes, record: odd_lines(at), input_record, dropout: dropout.kind, norm: *norm }
    }
}

/// An odd number of cache lines for so many numbers, so that the rows of a column do
/// not meet in the same set of a cache.
fn odd_lines(numbers: usize) -> usize {
    (numbers.div_ceil(PANEL) | 1) * PANEL
}

/// The columns of the matrix of shards, which has a row for each shard of rows
/// that are normalised together, and in it, for each layer, four numbers a unit.
#[derive(Clone, Debug)]
pub(super) struct Shards {
    /// Where each layer begins, and how long each of its four vectors is.
    layers: Vec<(usize, usize)>,
    pub(super) record: usize,
}

/// What a shard has for each unit of a layer, as views into its row.
pub(super) struct Shard<'a> {
    /// μ.
    pub(super) mean: &'a [f32],
    /// 1/√(σ² + ε).
    pub(super) inverse: &'a [f32],
    /// Σ dz, the gradient of the bias.
    pub(super) bias: &'a [f32],
    /// Σ dz·n, the gradient of the gain.
    pub(super) gain: &'a [f32],
}

impl Shards {
    pub(super) fn new(network: &Mlp, norm: bool) -> Self {
        let mut record = 0;
        let mut layers = Vec::new();
        for layer in network.layers.iter().filter(|_| norm) {
            let len = layer.panels() * layer.width;
            layers.push((record, len));
            record += 4 * len;
        }
        Self { layers, record }
    }

    /// The vectors of layer `l` in a shard's row, padded to whole panels.
    pub(super) fn of<'a>(&self, l: usize, row: &'a [f32]) -> Shard<'a> {
        let (start, len) = self.layers[l];
        let vector = |i: usize| &row[start + i * len..][..len];
        Shard { mean: vector(0), inverse: vector(1), bias: vector(2), gain: vector(3) }
    }

    /// Where the vectors of layer `l` begin, and how long each is.
    pub(super) fn columns(&self, l: usize) -> Option<(usize, usize)> {
        self.layers.get(l).copied()
    }
}
