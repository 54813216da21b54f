//! One training step: rows, then weights.
//!
//! 1. **Rows.** Each task takes some rows of the batch all the way: pixels,
//!    forward through every layer, loss, backward down to the first hidden
//!    layer. No row depends on another, but for those of a shard of batch
//!    normalisation. What is left behind, for the whole batch, is the tape.
//! 2. **Weights.** Each task takes some units of a layer all the way: their
//!    gradient `dzᵀ·a` over the whole batch, then what the [`GradientSink`] does
//!    with it, which is the update, while the gradient is in the cache.
//!
//! Every number is computed by exactly one task, along one fixed chain, so the
//! result has the same bits for any number of threads.

mod clip;
mod rows;
mod tape;
mod weights;

use kernels::{AlignedBuf, MatMut, MatRef, PANEL, RowLoss};

use crate::loss::Loss;
use crate::mlp::Mlp;
use crate::norm::Running;
use crate::{Examples, Executor, Fit};

use clip::{clip_factor, replay};
use rows::{RowPass, Rows};
use tape::{Layout, Shards};
use weights::{CHUNK, WeightPass};
pub(crate) use weights::{Collect, GradientSink, Tile};

/// What a step trains on.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) examples: &'a Examples<'a>,
    /// Which examples, by position; at most as many as the tape has rows.
    pub(crate) positions: &'a [u32],
    /// Seed and index of the step, for random numbers, and of the epoch, for
    /// augmentation.
    pub(crate) seed: u64,
    pub(crate) step: u64,
    pub(crate) epoch: u64,
    pub(crate) loss: &'a Loss,
    /// What the weights of the batch add up to: its samples, if they are all 1.
    /// Rows are taken alone, so it has to be known before them.
    pub(crate) total: f64,
}

/// The memory of a step, and the plan by which its work is cut.
pub(crate) struct Workspace {
    layout: Layout,
    tape: AlignedBuf,
    shards: Shards,
    shard_rows: AlignedBuf,
    /// Gains and biases of each layer, as vectors, where there is batch
    /// normalisation.
    gains: Vec<(Vec<f32>, Vec<f32>)>,
    labels: Vec<u32>,
    losses: Vec<RowLoss>,
    tiles: Vec<Tile>,
    /// Tasks of the second phase, each with its part of the scratch memory.
    weight_tasks: usize,
    /// Threads for which the work is cut.
    threads: usize,
    scratch: AlignedBuf,
    scratch_len: usize,
    /// The gradient of all parameters, where it is clipped, and how long it may be.
    clip: Option<(AlignedBuf, f32)>,
}

impl Workspace {
    /// Rows that a task takes at the most, so that their activations stay in the
    /// L2 cache from the forward pass to the backward pass.
    const ROWS: usize = 128;

    /// Threads for which work is cut.
    const MOST_THREADS: usize = 1024;

    /// For batches of up to `rows` samples, the network as it is in training, and
    /// the tasks of an executor.
    pub(crate) fn new(network: &Mlp, rows: usize, fit: &Fit, executor: &impl Executor) -> Self {
        // What an executor says of itself may be anything; more tasks than this
        // are none the faster.
        let weights: usize = network.layers.iter().map(|l| l.inputs * l.units).sum();
        let operations = weights.saturating_mul(6).saturating_mul(rows);
        let threads = executor.threads_for(operations).clamp(1, Self::MOST_THREADS);
        let layout = Layout::new(network, fit.dropout, fit.noise, fit.batch_norm);
        let shards = Shards::new(network, fit.batch_norm.is_some());
        let shard_count = fit.batch_norm.map_or(0, |norm| rows.div_ceil(norm.rows));
        let normed = network.layers.iter().filter(|layer| layer.gains);
        let gains = normed.map(|layer| (vec![0.0; layer.units], vec![0.0; layer.units]));

        let tiles = Tile::cut(network, threads);
        let weight_tasks = if threads == 1 { 1 } else { tiles.len().min(4 * threads) };
        let scratch_len = (rows + CHUNK) * weights::PANELS * PANEL;
        Self {
            tape: AlignedBuf::zeros(rows * layout.record),
            layout,
            shard_rows: AlignedBuf::zeros(shard_count * shards.record),
            shards,
            gains: gains.collect(),
            labels: vec![0; rows],
            losses: vec![RowLoss::default(); rows],
            tiles,
            weight_tasks,
            threads,
            scratch: AlignedBuf::zeros(weight_tasks * scratch_len),
            scratch_len,
            clip: fit.clip_norm.map(|limit| (AlignedBuf::zeros(network.params.len()), limit)),
        }
    }

    /// Shards of a batch of `rows` samples.
    fn shard_count(&self, rows: usize) -> usize {
        self.layout.norm.map_or(0, |norm| rows.div_ceil(norm.rows))
    }

    /// The first phase: fills the tape. Returns what each row says about its
    /// label, before any update.
    pub(crate) fn rows(
        &mut self,
        network: &Mlp,
        transposed: &[f32],
        batch: Batch<'_>,
        executor: &impl Executor,
    ) -> &[RowLoss] {
        let rows = batch.positions.len();
        for (layer, (gain, bias)) in network.layers.iter().zip(&mut self.gains) {
            for panel in 0..layer.panels() {
                let units = panel * PANEL..(panel * PANEL + PANEL).min(layer.units);
                let len = units.len();
                gain[units.clone()].copy_from_slice(&network.params[layer.gains_of(panel)][..len]);
                bias[units].copy_from_slice(&network.params[layer.biases_of(panel)][..len]);
            }
        }
        let shards = self.shard_count(rows);
        let Self { layout, tape, shard_rows, labels, losses, .. } = self;
        let pass = RowPass {
            network,
            transposed,
            batch,
            layout,
            shards: &self.shards,
            gains: &self.gains,
        };
        let shard = self.shards.record;
        let parts = rows.div_ceil(Self::ROWS).next_multiple_of(self.threads);
        let part = Rows {
            first: 0,
            tape: MatMut::new(&mut tape[..rows * layout.record], rows, layout.record),
            shards: MatMut::new(&mut shard_rows[..shards * shard], shards, shard),
            labels: &mut labels[..rows],
            losses: &mut losses[..rows],
        };
        pass.run(part, parts, executor);
        &self.losses[..rows]
    }

    /// Takes mean and variance of the last batch, of `rows` samples, into the
    /// running averages.
    pub(crate) fn update_running(&self, running: &mut Running, rows: usize) {
        let Some(norm) = self.layout.norm else { return };
        let matrix = self.shard_matrix(rows);
        running.update(|l| {
            (0..matrix.rows()).map(move |i| {
                let shard = self.shards.of(l, matrix.row(i));
                (norm.rows.min(rows - i * norm.rows), shard.mean, shard.inverse)
            })
        });
    }

    fn shard_matrix(&self, rows: usize) -> MatRef<'_> {
        let (shards, record) = (self.shard_count(rows), self.shards.record);
        MatRef::new(&self.shard_rows[..shards * record], shards, record)
    }

    /// The second phase: the gradient of every parameter, averaged over the
    /// `rows` rows of the tape and clipped, if that is wanted, into `sink`, which may
    /// have borrowed the parameters.
    pub(crate) fn update_weights<S: GradientSink>(
        &mut self,
        isa: kernels::Isa,
        layers: &[crate::dense::Dense],
        rows: usize,
        sink: S,
        executor: &impl Executor,
    ) {
        let Some((mut gradient, limit)) = self.clip.take() else {
            return self.weights(isa, layers, rows, sink, executor);
        };
        self.weights(isa, layers, rows, Collect::new(&mut gradient), executor);
        let factor = clip_factor(isa, layers, &gradient, limit, executor);
        let (tiles, parts) = (&self.tiles, self.weight_tasks);
        replay(isa, layers, tiles, (&mut gradient, factor), sink, parts, executor);
        self.clip = Some((gradient, limit));
    }

    /// The same as it is, not clipped.
    pub(crate) fn weights<S: GradientSink>(
        &mut self,
        isa: kernels::Isa,
        layers: &[crate::dense::Dense],
        rows: usize,
        sink: S,
        executor: &impl Executor,
    ) {
        let record = self.layout.record;
        let mut scratch = std::mem::take(&mut self.scratch);
        let pass = WeightPass {
            isa,
            layers,
            layout: &self.layout,
            tape: MatRef::new(&self.tape[..rows * record], rows, record),
            shards: &self.shards,
            shard_rows: self.shard_matrix(rows),
            scratch_len: self.scratch_len,
        };
        pass.run(&self.tiles, sink, &mut scratch, self.weight_tasks, executor);
        self.scratch = scratch;
    }
}
