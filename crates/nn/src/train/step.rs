//! One training step: forward, the head's loss, backward, update.
//!
//! 1. **The pass** goes forward layer by layer, to the loss, and back to the first hidden
//!    layer. Each task takes some units of a layer, for all rows of the batch, or some
//!    rows through all layers: see `plan.rs`. What the pass writes is the *tape*: a row
//!    for each sample, with all that the step knows of it.
//! 2. **The update** takes the gradient `dzᵀ·a` of each weight over the whole batch, tile
//!    by tile, and gives it to a [`GradientSink`] while it is in the cache.
//!
//! Every element is computed by exactly one task, along one fixed chain, so the result
//! has the same bits for any number of threads.

mod backward;
mod clip;
mod forward;
mod input;
mod memory;
mod node;
mod output;
mod plan;
mod random;
mod shards;
mod share;
mod sink;
mod tape;
mod tile;
mod update;

use kernels::{Isa, MatMut, RowLoss};

use crate::fork::{Lines, by, fork};
use crate::head::{Objective, Positions, Rows};
use crate::net::dense::{Dense, Layer};
use crate::{Evaluation, Examples, Executor};

pub(crate) use memory::Memory;
use memory::{Inputs, Signals, UnitGains};
use plan::{Cut, Plan};
pub(crate) use shards::Moments;
use shards::ShardLayout;
pub(crate) use sink::{Collect, GradientSink};
use tape::Layout;
pub(crate) use tile::Tile;

/// One step on a batch. Returns the loss and the accuracy of the batch before the update.
pub(crate) fn step<E: Executor>(
    batch: &Batch<'_>,
    memory: &mut Memory,
    learner: &mut impl Learner,
    executor: &E,
) -> Evaluation {
    memory.begin(batch, learner.params());
    let frozen = memory.frozen;
    for first in (0..batch.len()).step_by(memory.plan.chunk()) {
        let (pass, signals) = memory.pass(batch, learner.params(), first, executor);
        fork_rows(&pass, signals, &|pass: &Pass<'_, E>, mut signals: Signals<'_>| {
            input::gather(pass, &mut signals);
            let hidden = 0..pass.cx.layers.len() - 1;
            for l in hidden.clone() {
                forward::layer(pass, l, &mut signals);
            }
            output::layer(pass, &mut signals);
            // No gradient is needed before the first layer that is trained.
            for l in hidden.skip(frozen).rev() {
                backward::layer(pass, l, &mut signals);
            }
        });
    }
    let outcome = batch.outcome(memory.outcome(batch.len()));
    if learner.accepts(&outcome) {
        if let Some(moments) = memory.moments(batch.len()) {
            learner.observe(&moments);
        }
        update::gradient(memory, batch.len(), learner.sink(), executor);
    }
    outcome
}

/// The owner of the parameters: the pass reads them, and their gradient comes back.
pub(crate) trait Learner {
    /// The parameters, in the order that [`Dense`] describes.
    fn params(&self) -> &[f32];

    /// Whether a batch with this outcome is learnt from.
    fn accepts(&self, outcome: &Evaluation) -> bool;

    /// Takes note of what batch normalisation found.
    fn observe(&mut self, moments: &Moments<'_>);

    /// Where the gradient goes.
    fn sink(&mut self) -> impl GradientSink;
}

/// What a step trains on.
pub(crate) struct Batch<'a> {
    pub(crate) examples: &'a Examples<'a>,
    /// The batch, as positions in `examples`; no more than the memory has rows.
    pub(crate) positions: &'a [u32],
    /// What a byte of the examples is multiplied by.
    pub(crate) pixel_scale: f32,
    /// With `step`, the key of the random numbers.
    pub(crate) seed: u64,
    /// Index of the step in the run.
    pub(crate) step: u64,
    /// Index of the epoch, for augmentation.
    pub(crate) epoch: u64,
    pub(crate) objective: &'a Objective,
    /// The sum of the weights of the batch, by which the gradient of each row is divided.
    pub(crate) total: f64,
}

impl Batch<'_> {
    fn len(&self) -> usize {
        self.positions.len()
    }

    /// Some rows of the batch, as the head sees them.
    fn rows<'a>(&'a self, isa: Isa, positions: &'a [u32]) -> Rows<'a> {
        let positions = Positions::Of(positions);
        Rows { isa, examples: self.examples, positions, total: self.total }
    }

    /// Sums up what the rows say.
    fn outcome(&self, rows: &[RowLoss]) -> Evaluation {
        if self.objective.is_plain(self.examples) {
            return Evaluation::from_rows(rows);
        }
        // The loss of a row includes the weight of its class.
        let weight = |row: usize| self.examples.weight(self.positions[row] as usize);
        Evaluation::weighted(rows, weight, self.total)
    }
}

/// What every stage of every step needs.
struct Context<'a, E> {
    isa: Isa,
    layers: &'a [Dense],
    layout: &'a Layout,
    shards: &'a ShardLayout,
    plan: &'a Plan,
    executor: &'a E,
}

impl<E> Clone for Context<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Context<'_, E> {}

/// The way of some rows through the layers and back.
struct Pass<'a, E> {
    cx: Context<'a, E>,
    batch: &'a Batch<'a>,
    params: &'a [f32],
    gains: &'a [UnitGains],
    /// How the input is gathered.
    input: Cut,
    /// The first row, and the number of rows, that are in the cache together.
    chunk: (usize, usize),
    /// The part whose rows these are, where the pass is cut by rows.
    part: usize,
    /// Tasks that each stage of the pass is cut into.
    parts: usize,
}

impl<E> Pass<'_, E> {
    /// Layer `l` with its parameters.
    fn layer(&self, l: usize) -> Layer<'_> {
        Layer::new(self.cx.isa, self.cx.layers[l], self.params)
    }
}

/// Runs the whole pass: in one go, or, where it is cut by rows, in a task for the rows of
/// each part. Stages within such a task are not cut further.
fn fork_rows<E: Executor>(
    pass: &Pass<'_, E>,
    signals: Signals<'_>,
    run: &(impl Fn(&Pass<'_, E>, Signals<'_>) + Sync),
) {
    let Pass { cx, chunk, .. } = *pass;
    if cx.plan.pass != Cut::Rows {
        return run(pass, signals);
    }
    let Signals { first, inputs, tape, shards, outcome, .. } = signals;
    let (rows, own_copy) = (tape.rows(), inputs.copies > 1);
    let copy = inputs.matrix.rows() / inputs.copies;
    let row = |part| cx.plan.row(rows, part);
    let shard = |part| row(part).div_ceil(cx.plan.whole_rows);
    let input = |part| if own_copy { part * copy } else { row(part) };
    let work = (
        (by(&row, Lines::Rows(tape)), by(&shard, Lines::Rows(shards))),
        by(&input, Lines::Rows(inputs.matrix)),
        by(&row, outcome),
    );
    fork(cx.executor, 0..cx.plan.parts, work, &|part, ((tape, shards), matrix, outcome)| {
        let first = first + row(part);
        let start = if own_copy { first } else { 0 };
        let signals = Signals {
            first,
            inputs: Inputs { matrix: matrix.matrix(), copies: 1, start },
            tape: tape.matrix(),
            shards: shards.matrix(),
            outcome,
            // Where the pass is cut by rows, no layer is shared.
            moved: &mut [],
        };
        run(&Pass { chunk, part, parts: 1, ..*pass }, signals);
    });
}

/// Rows `first..first + rows` of a matrix.
fn rows_of(matrix: MatMut<'_>, first: usize, rows: usize) -> MatMut<'_> {
    matrix.split_rows(first).1.split_rows(rows).0
}
