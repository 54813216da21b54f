//! One training step: signals, then weights.
//!
//! 1. **Signals.** Layer by layer, forward, then back again from the loss to the first
//!    hidden layer. Each task takes some units of a layer, of all rows of the batch;
//!    of the output layer and the loss, some rows. What is left behind is the tape.
//! 2. **Weights.** Each task takes some units of a layer all the way: their
//!    gradient `dzᵀ·a` over the whole batch, then what the [`GradientSink`] does
//!    with it, which is the update, while the gradient is in the cache.
//!
//! The units of a task are the same in both phases and in every step, so that a core
//! finds their weights in its own cache. A narrow network is cut by rows in the first
//! phase and by inputs in the second: see `plan.rs`.
//!
//! Every number is computed by exactly one task, along one fixed chain, so the
//! result has the same bits for any number of threads.

mod block;
mod clip;
mod input;
mod plan;
mod rows;
mod signals;
mod tape;
mod weights;

use kernels::{AlignedBuf, MatMut, MatRef, PANEL, RowLoss};

use super::norm::Running;
use crate::head::Loss;
use crate::{Examples, Executor, Fit, Mlp};

use clip::{Clipped, clip_factor};
use plan::Plan;
use signals::{SignalPass, Signals};
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
    plan: Plan,
    /// The input, `copies` times.
    inputs: AlignedBuf,
    most_copies: usize,
    /// In the step at hand.
    copies: usize,
    tape: AlignedBuf,
    shards: Shards,
    shard_rows: AlignedBuf,
    /// Gains and biases of each layer, as vectors, where there is batch
    /// normalisation.
    gains: Vec<(Vec<f32>, Vec<f32>)>,
    labels: Vec<u32>,
    losses: Vec<RowLoss>,
    tiles: Vec<Tile>,
    /// Of the second phase, a piece for each part.
    scratch: AlignedBuf,
    scratch_len: usize,
    /// The gradient of all parameters, where it is clipped, and how long it may be.
    clip: Option<(AlignedBuf, f32)>,
}

impl Workspace {
    /// Rows that go forward and back together, so that what is left of them on the way
    /// is still in the L2 cache on the way back.
    const ROWS: usize = 256;

    /// For batches of up to `rows` samples, the network as it is in training, and
    /// the tasks of an executor.
    pub(crate) fn new(network: &Mlp, rows: usize, fit: &Fit, executor: &impl Executor) -> Self {
        let plan = Plan::new(network, rows, fit, executor);
        let layout = Layout::new(network, fit, plan.parts > 1 && !plan.by_rows());
        let shards = Shards::new(network, fit.batch_norm.is_some());
        let shard_count = fit.batch_norm.map_or(0, |norm| rows.div_ceil(norm.rows));
        let normed = network.layers.iter().filter(|layer| layer.gains);
        let gains = normed.map(|layer| (vec![0.0; layer.units], vec![0.0; layer.units]));

        let most_copies = plan.copies(rows, &layout);
        let scratch_len = (rows + CHUNK) * weights::PANELS * PANEL;
        Self {
            inputs: AlignedBuf::zeros(most_copies * rows * layout.input_record),
            most_copies,
            copies: 1,
            tape: AlignedBuf::zeros(rows * layout.record),
            tiles: Tile::cut(network, &plan),
            scratch: AlignedBuf::zeros(plan.parts * scratch_len),
            scratch_len,
            layout,
            plan,
            shard_rows: AlignedBuf::zeros(shard_count * shards.record),
            shards,
            gains: gains.collect(),
            labels: vec![0; rows],
            losses: vec![RowLoss::default(); rows],
            clip: fit.clip_norm.map(|limit| (AlignedBuf::zeros(network.params.len()), limit)),
        }
    }

    /// Shards of a batch of `rows` samples.
    fn shard_count(&self, rows: usize) -> usize {
        self.layout.norm.map_or(0, |norm| rows.div_ceil(norm.rows))
    }

    /// The first phase: fills the tape. Returns what each row says about its
    /// label, before any update.
    pub(crate) fn signals(
        &mut self,
        network: &Mlp,
        batch: Batch<'_>,
        executor: &impl Executor,
    ) -> &[RowLoss] {
        let rows = batch.positions.len();
        for (layer, (gain, bias)) in network.layers.iter().zip(&mut self.gains) {
            for panel in 0..layer.panels() {
                let units = layer.units_of(panel);
                let len = units.len();
                gain[units.clone()].copy_from_slice(&network.params[layer.gains_of(panel)][..len]);
                bias[units].copy_from_slice(&network.params[layer.biases_of(panel)][..len]);
            }
        }
        // To augment an image is more work than that.
        self.copies = if batch.examples.is_augmented() { 1 } else { self.most_copies };
        // Where rows are cut, each part has so many.
        let (whole, by_units) = (self.plan.whole_rows, self.plan.by_units(0));
        let most = if by_units { Self::ROWS } else { Self::ROWS * self.plan.parts };
        let chunk = whole * (most / whole).max(1);
        for first in (0..rows).step_by(chunk) {
            let rows = chunk.min(rows - first);
            self.signals_of_rows(network, batch, first, rows, executor);
        }
        &self.losses[..rows]
    }

    /// The same for the `rows` rows from `first` on.
    fn signals_of_rows(
        &mut self,
        network: &Mlp,
        batch: Batch<'_>,
        first: usize,
        rows: usize,
        executor: &impl Executor,
    ) {
        let (all, copies) = (batch.positions.len(), self.copies);
        let of_shards = self
            .layout
            .norm
            .map_or(0..0, |norm| first / norm.rows..(first + rows).div_ceil(norm.rows));
        let Self { layout, plan, shards, gains, .. } = self;
        let (record, shard, input) = (layout.record, shards.record, layout.input_record);
        let tape = &mut self.tape[first * record..][..rows * record];
        let shard_rows = &mut self.shard_rows[of_shards.start * shard..of_shards.end * shard];
        let (inputs, of_inputs) = match copies {
            1 => (rows, first * input..(first + rows) * input),
            _ => (copies * all, 0..copies * all * input),
        };
        let signals = Signals {
            inputs: MatMut::new(&mut self.inputs[of_inputs], inputs, input),
            tape: MatMut::new(tape, rows, record),
            shards: MatMut::new(shard_rows, of_shards.len(), shard),
            labels: &mut self.labels[first..][..rows],
            losses: &mut self.losses[first..][..rows],
        };
        let alone = false;
        let pass = SignalPass { network, batch, first, layout, plan, copies, alone, shards, gains };
        pass.run(signals, executor);
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
        layers: &[crate::net::dense::Dense],
        rows: usize,
        sink: S,
        executor: &impl Executor,
    ) {
        let Some((mut gradient, limit)) = self.clip.take() else {
            return self.weights(isa, layers, rows, sink, executor);
        };
        self.weights(isa, layers, rows, Collect::new(&mut gradient), executor);
        let factor = clip_factor(isa, layers, &gradient, limit, executor);
        let clipped = Clipped { gradient: &mut gradient, factor, sink };
        clipped.replay(isa, layers, &self.tiles, self.plan.parts, executor);
        self.clip = Some((gradient, limit));
    }

    /// The same as it is, not clipped.
    pub(crate) fn weights<S: GradientSink>(
        &mut self,
        isa: kernels::Isa,
        layers: &[crate::net::dense::Dense],
        rows: usize,
        sink: S,
        executor: &impl Executor,
    ) {
        let (record, input) = (self.layout.record, self.layout.input_record);
        let mut scratch = std::mem::take(&mut self.scratch);
        let pass = WeightPass {
            isa,
            layers,
            layout: &self.layout,
            inputs: MatRef::new(
                &self.inputs[..self.copies * rows * input],
                self.copies * rows,
                input,
            ),
            tape: MatRef::new(&self.tape[..rows * record], rows, record),
            shards: &self.shards,
            shard_rows: self.shard_matrix(rows),
            scratch_len: self.scratch_len,
        };
        pass.run(&self.tiles, sink, &mut scratch, self.plan.parts, executor);
        self.scratch = scratch;
    }
}
