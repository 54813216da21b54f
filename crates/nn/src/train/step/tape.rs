//! The tape: what a step knows of each sample, a row for each sample.
//!
//! A row has a *node* for each hidden layer and one for the output. A node has these
//! columns, from left to right, as far as the layer needs them:
//!
//! ```text
//! n      the normalised values         with batch normalisation
//! noisy  n with noise                  with batch normalisation and noise
//! z      what goes into the activation
//! h      what comes out of it
//! mask   the factors of dropout        with dropout
//! a      h·mask, what the next layer reads
//! da     the gradient with respect to h
//! dz     the gradient with respect to what the affine map gave
//! ```
//!
//! Some share a column: h overwrites z unless z is kept; a is h without a mask; dz
//! overwrites da, or z for maxout and for the output. Each column begins at a cache
//! line, so a layer that is cut between panels is cut between lines. The input of the
//! network has a matrix of its own, of which there may be copies.

use kernels::PANEL;

use crate::{BatchNorm, DropoutKind, Fit, Mlp};

/// Where the input, a hidden layer or the output has its columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// Its first column.
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
    /// The rate of dropout.
    pub(super) dropout: f32,
    /// The standard deviation of the noise.
    pub(super) noise: f32,
}

/// The columns of the tape, and what training does between the layers.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The input, each hidden layer, the output.
    pub(super) nodes: Vec<Node>,
    /// Elements in a row of the tape.
    pub(super) record: usize,
    /// Elements in a row of the input, its mask included.
    pub(super) input_record: usize,
    pub(super) dropout: DropoutKind,
    pub(super) norm: Option<BatchNorm>,
}

impl Layout {
    /// Cache lines between what one core reads and what another core is about to write:
    /// Intel's prefetcher runs so far ahead, and would fetch them away.
    const GAP: usize = 20;

    /// For the hyperparameters of `fit`; with gaps if cores `share` rows.
    pub(super) fn new(network: &Mlp, fit: &Fit, share: bool) -> Self {
        let Fit { dropout, noise, batch_norm: norm, .. } = fit;
        let gap = if share { Self::GAP * PANEL } else { 0 };
        let inputs = network.architecture().inputs;
        let input = Node {
            width: inputs,
            mask: (dropout.input > 0.0).then_some(inputs.next_multiple_of(PANEL)),
            dropout: dropout.input,
            noise: noise.input,
            // Nothing reads the input before dropout, so h and a are one.
            ..Node::default()
        };

        let mut end = 0;
        let mut take = |width: usize| {
            let start = end;
            end += width.next_multiple_of(PANEL) + gap;
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
                // The gradient with respect to the logits overwrites them.
                None => (node.h, node.a, node.da, node.dz) = (node.z, node.z, node.z, node.z),
            }
            nodes.push(node);
        }
        let input_record = Self::input_record(inputs, fit);
        Self { nodes, record: odd_lines(end), input_record, dropout: dropout.kind, norm: *norm }
    }

    /// Elements in a row of the input, its mask included.
    pub(super) fn input_record(inputs: usize, fit: &Fit) -> usize {
        let matrices = if fit.dropout.input > 0.0 { 2 } else { 1 };
        odd_lines(inputs.next_multiple_of(PANEL) * matrices)
    }

    /// Shards of a batch of `rows` rows; 0 without batch normalisation.
    pub(super) fn shards(&self, rows: usize) -> usize {
        self.norm.map_or(0, |norm| rows.div_ceil(norm.rows))
    }
}

/// An odd number of cache lines that hold `len` elements, so that the rows of a column
/// do not meet in one set of the cache.
fn odd_lines(len: usize) -> usize {
    (len.div_ceil(PANEL) | 1) * PANEL
}
