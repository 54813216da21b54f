//! The memory of a step, and the plan by which its work is cut.

use kernels::{AlignedBuf, Isa, MatMut, MatRef, RowLoss};

use super::clip::Clip;
use super::plan::{Cut, Plan};
use super::shards::{Moments, ShardLayout};
use super::tape::Layout;
use super::tile::Tile;
use super::{Batch, Context, Pass, update};
use crate::net::dense::Dense;
use crate::{Executor, Fit, Mlp, Ranks};

/// What a step needs besides the parameters, for batches of some size.
pub(crate) struct Memory {
    /// Threads, and this rank and all ranks, that it was made for.
    team: (usize, usize, usize),
    isa: Isa,
    layers: Vec<Dense>,
    layout: Layout,
    shards: ShardLayout,
    pub(super) plan: Plan,
    /// Those of the layers that are trained.
    pub(super) tiles: Vec<Tile>,
    /// The first layers that are not trained.
    pub(super) frozen: usize,
    /// The copies of the input, one below the other.
    inputs: AlignedBuf,
    /// Copies in the current step.
    copies: usize,
    tape: AlignedBuf,
    /// What ranks give each other of a layer.
    moved: AlignedBuf,
    shard_rows: AlignedBuf,
    gains: Vec<UnitGains>,
    outcome: Vec<RowLoss>,
    /// For the update, a piece for each part.
    pub(super) scratch: AlignedBuf,
    pub(super) clip: Option<Clip>,
}

/// Gains and biases of a layer with batch normalisation, a vector of its units each.
pub(super) struct UnitGains {
    pub(super) gain: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

/// What the pass writes, for some rows of the batch.
pub(super) struct Signals<'a> {
    /// The first of the rows, in the batch.
    pub(super) first: usize,
    pub(super) inputs: Inputs<'a>,
    pub(super) tape: MatMut<'a>,
    /// A row for each shard, with batch normalisation.
    pub(super) shards: MatMut<'a>,
    /// What each row says about its target.
    pub(super) outcome: &'a mut [RowLoss],
    /// Room for what ranks give each other.
    pub(super) moved: &'a mut [f32],
}

/// The input of some rows: one matrix for all parts, or a copy for each.
pub(super) struct Inputs<'a> {
    /// The copies, one below the other.
    pub(super) matrix: MatMut<'a>,
    pub(super) copies: usize,
    /// The first of the rows, in each copy.
    pub(super) start: usize,
}

impl Inputs<'_> {
    /// `rows` rows of the input, `width` features wide, as part `part` reads them.
    pub(super) fn of(&self, part: usize, rows: usize, width: usize) -> MatRef<'_> {
        let copy = if self.copies == 1 { 0 } else { part };
        let first = copy * (self.matrix.rows() / self.copies) + self.start;
        self.matrix.as_ref().sub(first, rows, 0, width)
    }
}

impl Memory {
    /// The memory in `slot`, if it will do for a batch of `rows` samples and the threads
    /// of `executor`; else new memory.
    pub(crate) fn reserve<'m>(
        slot: &'m mut Option<Self>,
        network: &Mlp,
        rows: usize,
        fit: &Fit,
        executor: &impl Executor,
    ) -> &'m mut Self {
        let team = team(executor);
        if !slot.as_ref().is_some_and(|old| old.outcome.len() >= rows && old.team == team) {
            // The old memory goes first: it may be large.
            *slot = None;
        }
        slot.get_or_insert_with(|| Self::new(network, rows, fit, executor))
    }

    /// For batches of up to `rows` samples, the network as it is in training, and the
    /// threads of an executor.
    fn new(network: &Mlp, rows: usize, fit: &Fit, executor: &impl Executor) -> Self {
        let plan = Plan::new(network, rows, fit, executor);
        let layout = Layout::new(network, fit, plan.parts > 1 && plan.pass != Cut::Rows);
        let shards = ShardLayout::new(network, fit.batch_norm);
        let normed = network.layers.iter().filter(|layer| layer.gains);
        let gains = normed
            .map(|layer| UnitGains { gain: vec![0.0; layer.units], bias: vec![0.0; layer.units] });
        Self {
            team: team(executor),
            isa: network.isa,
            layers: network.layers.clone(),
            inputs: AlignedBuf::zeros(plan.copies(false) * rows * layout.input_record),
            copies: 1,
            tape: AlignedBuf::zeros(rows * layout.record),
            moved: AlignedBuf::zeros(plan.share.widest(&network.layers) * rows),
            tiles: Tile::cut(network, &plan, fit.frozen),
            frozen: fit.frozen,
            scratch: AlignedBuf::zeros(plan.parts * update::scratch_len(rows)),
            shard_rows: AlignedBuf::zeros(layout.shards(rows) * shards.record),
            gains: gains.collect(),
            outcome: vec![RowLoss::default(); rows],
            clip: fit.clip_norm.map(|limit| {
                let gradient = AlignedBuf::zeros(network.params.len());
                Clip { gradient, limit }
            }),
            plan,
            layout,
            shards,
        }
    }

    /// Prepares for a step: gains and biases are copied into vectors.
    pub(super) fn begin(&mut self, batch: &Batch<'_>, params: &[f32]) {
        self.copies = self.plan.copies(batch.examples.is_augmented());
        for (layer, UnitGains { gain, bias }) in self.layers.iter().zip(&mut self.gains) {
            for panel in 0..layer.panels() {
                let units = layer.units_of(panel);
                let len = units.len();
                gain[units.clone()].copy_from_slice(&params[layer.gains_of(panel)][..len]);
                bias[units].copy_from_slice(&params[layer.biases_of(panel)][..len]);
            }
        }
    }

    /// The pass over the next chunk of rows of `batch`, from `first`, and what it writes.
    pub(super) fn pass<'a, E: Executor>(
        &'a mut self,
        batch: &'a Batch<'a>,
        params: &'a [f32],
        first: usize,
        executor: &'a E,
    ) -> (Pass<'a, E>, Signals<'a>) {
        let Self { isa, layers, layout, shards, plan, copies, gains, .. } = self;
        let (all, rows) = (batch.len(), plan.chunk().min(batch.len() - first));
        let of_rows = |record: usize| first * record..(first + rows) * record;
        let (start, input_rows, of_inputs) = if *copies == 1 {
            (0, rows, of_rows(layout.input_record))
        } else {
            (first, *copies * all, 0..*copies * all * layout.input_record)
        };
        let first_shard = layout.norm.map_or(0, |norm| first / norm.rows);
        let end_shard = layout.shards(first + rows);
        let of_shards = first_shard * shards.record..end_shard * shards.record;
        let signals = Signals {
            first,
            inputs: Inputs {
                matrix: MatMut::new(&mut self.inputs[of_inputs], input_rows, layout.input_record),
                copies: *copies,
                start,
            },
            tape: MatMut::new(&mut self.tape[of_rows(layout.record)], rows, layout.record),
            shards: MatMut::new(
                &mut self.shard_rows[of_shards],
                end_shard - first_shard,
                shards.record,
            ),
            outcome: &mut self.outcome[first..first + rows],
            moved: &mut self.moved,
        };
        let input = plan.input(batch.examples.is_augmented());
        let parts = plan.parts;
        let cx = Context { isa: *isa, layers, layout, shards, plan, executor };
        let chunk = (first, rows);
        (Pass { cx, batch, params, gains, input, chunk, part: 0, parts }, signals)
    }

    /// What the pass found out about the first `rows` rows.
    pub(super) fn outcome(&self, rows: usize) -> &[RowLoss] {
        &self.outcome[..rows]
    }

    /// The moments of a batch of `rows` rows, with batch normalisation.
    pub(super) fn moments(&self, rows: usize) -> Option<Moments<'_>> {
        let norm = self.layout.norm?;
        let matrix = self.shard_matrix(rows);
        Some(Moments { layout: &self.shards, matrix, rows, shard_rows: norm.rows })
    }

    /// Brings a vector in the layout of the parameter vector up to date: see `share.rs`.
    pub(crate) fn settle(&self, ranks: &dyn Ranks, vector: &mut [f32]) {
        self.plan.share.settle(&self.layers, ranks, vector);
    }

    /// The same for values of the units of each layer.
    pub(crate) fn settle_units(&self, ranks: &dyn Ranks, layers: &mut [Vec<f32>]) {
        for (l, (layer, units)) in self.layers.iter().zip(layers).enumerate() {
            self.plan.share.settle_units(l, layer, ranks, units);
        }
    }

    /// Whether the parameters have to be brought up to date after each step.
    pub(crate) fn moves_weights(&self) -> bool {
        self.plan.share.moves_weights
    }

    fn shard_matrix(&self, rows: usize) -> MatRef<'_> {
        let (shards, record) = (self.layout.shards(rows), self.shards.record);
        MatRef::new(&self.shard_rows[..shards * record], shards, record)
    }

    /// What the update reads of a batch of `rows` rows.
    pub(super) fn reads<'a, E: Executor>(
        &'a self,
        rows: usize,
        executor: &'a E,
    ) -> update::Reads<'a, E> {
        let Self { isa, layers, layout, shards, plan, copies, .. } = self;
        let (record, input) = (layout.record, layout.input_record);
        update::Reads {
            cx: Context { isa: *isa, layers, layout, shards, plan, executor },
            inputs: MatRef::new(&self.inputs[..copies * rows * input], copies * rows, input),
            tape: MatRef::new(&self.tape[..rows * record], rows, record),
            shard_rows: self.shard_matrix(rows),
        }
    }
}

/// Threads, this rank and all ranks.
fn team(executor: &impl Executor) -> (usize, usize, usize) {
    let ranks = executor.ranks();
    (executor.threads(), ranks.rank(), ranks.count())
}
