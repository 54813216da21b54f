//! The first phase of a step: what goes forward and backward through the layers.

use std::ops::Range;

use kernels::{Gains, GainsGradient, MatMut, MatRef, Moments, Product, RowLoss, Stream};

use super::Batch;
use super::block::{Block, place_of_dz};
use super::plan::{Plan, share};
use super::tape::{Layout, Shards};
use crate::train::tiny::flush_all;
use crate::{Activation, DropoutKind, Executor, Mlp};

/// What the phase writes, for some rows of the batch.
pub(super) struct Signals<'a> {
    /// The input of the same rows; or of the whole batch, as often as there are copies,
    /// one below the other.
    pub(super) inputs: MatMut<'a>,
    pub(super) tape: MatMut<'a>,
    /// A row for each shard, where there is batch normalisation.
    pub(super) shards: MatMut<'a>,
    pub(super) labels: &'a mut [u32],
    pub(super) losses: &'a mut [RowLoss],
}

/// A part of a layer, and what is done with it.
struct Task<'a> {
    block: Block<'a>,
    /// Copies of the input, one for each part, which are yet to be made.
    inputs: Option<MatMut<'a>>,
    /// Behind the output layer, what each row is and what is said of it.
    outcome: Option<(&'a mut [u32], &'a mut [RowLoss])>,
}

/// What the random numbers of a row are for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Dropout,
    Noise,
}

/// The first phase.
pub(super) struct SignalPass<'a> {
    pub(super) network: &'a Mlp,
    pub(super) batch: Batch<'a>,
    /// Where the rows begin in the batch.
    pub(super) first: usize,
    pub(super) layout: &'a Layout,
    pub(super) plan: &'a Plan,
    /// Copies of the input.
    pub(super) copies: usize,
    /// Whether this is one task by itself, which cuts nothing.
    pub(super) alone: bool,
    pub(super) shards: &'a Shards,
    /// Gains and biases of each layer, as vectors, where there is batch
    /// normalisation.
    pub(super) gains: &'a [(Vec<f32>, Vec<f32>)],
}

impl SignalPass<'_> {
    pub(super) fn run(&self, mut signals: Signals<'_>, executor: &impl Executor) {
        if self.plan.by_rows() {
            return self.by_rows(signals, executor);
        }
        if self.copies == 1 {
            self.gather_once(&mut signals, executor);
        }
        self.layers(&mut signals, executor);
    }

    /// Through all layers and back.
    pub(super) fn layers(&self, signals: &mut Signals<'_>, executor: &impl Executor) {
        let layers = self.network.layers.len();
        for l in 0..layers {
            self.forward(l, signals, executor);
        }
        for l in (0..layers - 1).rev() {
            self.backward(l, signals, executor);
        }
    }

    /// Layer `l`; of the last one the gradient as well.
    fn forward(&self, l: usize, signals: &mut Signals<'_>, executor: &impl Executor) {
        let Signals { inputs, tape, shards, labels, losses } = signals;
        let (rows, x, node) = (tape.rows(), &self.layout.nodes[l], &self.layout.nodes[l + 1]);
        let (before, after) = tape.reborrow().split_cols(node.start);
        let own = l == 0 && self.copies > 1;
        let (x, inputs) = match l {
            0 if own => (None, Some(inputs.reborrow())),
            0 => (Some(inputs.as_ref().sub(0, rows, x.a, x.width)), None),
            _ => (Some(before.as_ref().sub(0, rows, x.a, x.width)), None),
        };
        let last = l + 1 == self.network.layers.len();
        let outcome = last.then_some((&mut **labels, &mut **losses));
        let block = Block::new((l, node), after, self.shards, shards.reborrow());
        self.share(l, Task { block, inputs, outcome }, executor, &|task| {
            let Task { mut block, inputs, outcome } = task;
            let (row, rows) = (block.row, block.rows());
            if let Some(inputs) = inputs {
                let mut inputs = rows_of(inputs, self.first, rows);
                self.gather(self.first, inputs.reborrow());
                let x = inputs.as_ref().sub(0, rows, 0, self.layout.nodes[0].width);
                self.forward_part(l, x, &mut block);
            } else if let Some(x) = x {
                self.forward_part(l, x.sub(row, rows, 0, x.cols()), &mut block);
            }
            if let Some((labels, losses)) = outcome {
                self.loss(&mut block, labels, losses);
                self.backward_to_affine(l, &mut block);
            }
        });
    }

    /// The gradient of layer `l`, from that of the layer behind it.
    fn backward(&self, l: usize, signals: &mut Signals<'_>, executor: &impl Executor) {
        let Signals { tape, shards, .. } = signals;
        let (rows, node, behind) =
            (tape.rows(), &self.layout.nodes[l + 1], &self.layout.nodes[l + 2]);
        let (before, after) = tape.reborrow().split_cols(behind.start);
        let dz = after.as_ref().sub(0, rows, behind.dz - behind.start, behind.units);
        let (_, tape) = before.split_cols(node.start);
        let block = Block::new((l, node), tape, self.shards, shards.reborrow());
        self.share(l, Task { block, inputs: None, outcome: None }, executor, &|task| {
            let mut block = task.block;
            let dz = dz.sub(block.row, block.rows(), 0, dz.cols());
            self.backward_to_z(l, dz, &mut block);
            self.backward_to_affine(l, &mut block);
        });
    }

    /// Does the parts of layer `l`.
    fn share(
        &self,
        l: usize,
        task: Task<'_>,
        executor: &impl Executor,
        run: &(impl Fn(Task<'_>) + Sync),
    ) {
        let run = |_, task: Task<'_>| {
            // There may be fewer rows than parts.
            if task.block.rows() > 0 {
                run(task);
            }
        };
        let rows = task.block.rows();
        let cut = |task, parts, at| self.cut((l, rows), task, parts, at);
        let parts = if self.alone { 1 } else { self.plan.parts };
        share(0..parts, task, &cut, &run, executor);
    }

    /// The task of `parts` of layer `l`, cut in two: those before `at` and the others.
    fn cut<'a>(
        &self,
        (l, rows): (usize, usize),
        task: Task<'a>,
        parts: Range<usize>,
        at: usize,
    ) -> (Task<'a>, Task<'a>) {
        let Task { block, inputs, outcome } = task;
        if self.plan.by_units(l) {
            let unit = |part| self.plan.panel(l, part) * self.network.layers[l].width;
            let (left, right) = block.split_units(unit(at) - unit(parts.start));
            let copy = inputs.as_ref().map_or(0, |inputs| inputs.rows() / parts.len());
            let rows = (at - parts.start) * copy;
            let (inputs, inputs_right) = inputs.map(|inputs| inputs.split_rows(rows)).unzip();
            let right = Task { block: right, inputs: inputs_right, outcome: None };
            (Task { block: left, inputs, outcome }, right)
        } else {
            let row = |part| self.plan.row(rows, part);
            let row = row(at) - row(parts.start);
            let (left, right) = block.split_rows(row, self.plan.whole_rows);
            let (outcome, outcome_right) = outcome
                .map(|(labels, losses)| {
                    let (labels, labels_right) = labels.split_at_mut(row);
                    let (losses, losses_right) = losses.split_at_mut(row);
                    ((labels, losses), (labels_right, losses_right))
                })
                .unzip();
            let right = Task { block: right, inputs: None, outcome: outcome_right };
            (Task { block: left, inputs, outcome }, right)
        }
    }

    /// z of layer `l`, or what the activation makes of it, and what comes behind it.
    fn forward_part(&self, l: usize, x: MatRef<'_>, block: &mut Block<'_>) {
        let Mlp { isa, params, layers, .. } = self.network;
        let node = &self.layout.nodes[l + 1];
        let width = layers[l].width;
        let first = block.unit / width;
        let layer = layers[l].part(first..first + block.units().div_ceil(width));
        // Fused with the product, where nothing comes between.
        if node.n.is_none() && node.noise == 0.0 && node.h == node.z {
            layer.forward(*isa, params, x, block.z.reborrow());
        } else if node.n.is_some() {
            layer.affine(*isa, params, x, block.n.reborrow());
            self.normalise(l, block);
            self.activate(l, block);
        } else {
            layer.affine(*isa, params, x, block.z.reborrow());
            self.activate(l, block);
        }
        if node.mask.is_some() {
            self.drop_units(l + 1, block);
        }
    }

    /// From n, which is what the affine map gave, to z, shard by shard, where there is
    /// batch normalisation.
    fn normalise(&self, l: usize, block: &mut Block<'_>) {
        let Some(norm) = self.layout.norm else { return };
        let isa = self.network.isa;
        let gains = self.gains_of(l, block);
        let Block { n, noisy, z, shards, .. } = block;
        for shard in 0..shards.mean.rows() {
            let (n, z) = (shard_of(n, shard, norm.rows), shard_of(z, shard, norm.rows));
            let moments = Moments {
                mean: shards.mean.row_mut(shard),
                inverse: shards.inverse.row_mut(shard),
            };
            kernels::batch_norm(isa, norm.epsilon, gains, n, z, moments);
        }
        if self.layout.nodes[l + 1].noisy.is_none() {
            return;
        }
        // Noise comes before the gain: what lies in `noisy` is z without it.
        let (row, unit) = (block.row, block.unit);
        for i in 0..n.rows() {
            let noisy = noisy.row_mut(i);
            noisy.copy_from_slice(n.row_mut(i));
            self.add_noise(l + 1, self.first + row + i, unit, noisy);
            kernels::scale_shift(isa, noisy, gains, z.row_mut(i));
        }
    }

    /// From z of layer `l` to h.
    fn activate(&self, l: usize, block: &mut Block<'_>) {
        let isa = self.network.isa;
        let node = &self.layout.nodes[l + 1];
        let (row, unit) = (block.row, block.unit);
        let Block { z, h, .. } = block;
        for i in 0..z.rows() {
            let z = z.row_mut(i);
            if node.noisy.is_none() {
                self.add_noise(l + 1, self.first + row + i, unit, z);
            }
            match self.network.layers[l].activation {
                Some(activation) if activation.keeps_z() => {
                    activation.forward(isa, z, h.row_mut(i));
                }
                Some(activation) => activation.apply(isa, z),
                None => {}
            }
        }
    }

    /// `a = h·mask`, where node `l` has dropout.
    fn drop_units(&self, l: usize, block: &mut Block<'_>) {
        let node = &self.layout.nodes[l];
        let (isa, rate) = (self.network.isa, node.dropout);
        let (row, unit) = (block.row, block.unit);
        let Block { z, h, mask, a, .. } = block;
        for i in 0..z.rows() {
            let h = if node.h == node.z { z.row_mut(i) } else { h.row_mut(i) };
            let (mask, a) = (mask.row_mut(i), a.row_mut(i));
            let stream = self.stream(Purpose::Dropout, l, self.first + row + i, unit);
            match self.layout.dropout {
                DropoutKind::Bernoulli => kernels::dropout(isa, stream, rate, h, mask, a),
                DropoutKind::Gaussian => {
                    a.copy_from_slice(h);
                    self.gaussian_dropout(stream, rate, mask, a);
                }
            }
        }
    }

    /// `a ← a·mask`, where the mask has the mean and the variance of one that drops
    /// the share `rate`.
    pub(super) fn gaussian_dropout(
        &self,
        stream: Stream,
        rate: f32,
        mask: &mut [f32],
        a: &mut [f32],
    ) {
        let isa = self.network.isa;
        kernels::gaussian_mask(isa, stream, (rate / (1.0 - rate)).sqrt(), mask);
        kernels::zip(isa, Product, a, mask);
    }

    /// Adds the noise of node `l` to a row of the batch, from unit `unit` on.
    pub(super) fn add_noise(&self, l: usize, row: usize, unit: usize, values: &mut [f32]) {
        let sigma = self.layout.nodes[l].noise;
        if sigma > 0.0 {
            let stream = self.stream(Purpose::Noise, l, row, unit);
            kernels::add_gaussian(self.network.isa, stream, sigma, values);
        }
    }

    /// Random numbers for a row of node `l`, from unit `unit` on.
    pub(super) fn stream(&self, purpose: Purpose, l: usize, row: usize, unit: usize) -> Stream {
        // A batch has fewer than 2³² rows and a network fewer than 2³¹ layers;
        // the upper half of the step, which takes years to reach, is left out.
        let node = l as u32 | (purpose as u32) << 31;
        let Batch { seed, step, .. } = self.batch;
        Stream { seed, counter: [row as u32, step as u32, node], first: unit }
    }

    /// Labels, losses, and the logits' gradient in place of the logits.
    fn loss(&self, block: &mut Block<'_>, labels: &mut [u32], losses: &mut [RowLoss]) {
        let Batch { examples, positions, loss, total, .. } = self.batch;
        let isa = self.network.isa;
        let positions = &positions[self.first + block.row..][..labels.len()];
        for (label, position) in labels.iter_mut().zip(positions) {
            *label = examples.label(*position as usize) as u32;
        }
        let z = block.z.reborrow();
        // The loss is the mean over the batch.
        if loss.is_plain(examples) {
            let factor = 1.0 / self.batch.positions.len() as f32;
            kernels::cross_entropy_gradient(isa, z, labels, factor, losses);
        } else {
            let share = |i: usize| {
                let weight = examples.weight(positions[i] as usize);
                // A batch of which no sample counts moves nothing.
                if total > 0.0 { weight / total } else { 0.0 }
            };
            loss.gradient(isa, z, labels, share, losses);
        }
    }

    /// dz of hidden layer `l`, from that of the layer behind it.
    fn backward_to_z(&self, l: usize, dz_behind: MatRef<'_>, block: &mut Block<'_>) {
        let isa = self.network.isa;
        let node = &self.layout.nodes[l + 1];
        let next = &self.network.layers[l + 1];
        next.backward(isa, &self.network.params, dz_behind, block.unit, block.da.reborrow());

        let Some(activation) = self.network.layers[l].activation else { return };
        let Block { z, h, mask, da, .. } = block;
        for i in 0..z.rows() {
            let da = da.row_mut(i);
            let mask = node.mask.map(|_| &*mask.row_mut(i));
            if node.units == node.width {
                let of_z = activation.keeps_z() || node.h == node.z;
                let f = if of_z { z.row_mut(i) } else { h.row_mut(i) };
                activation.backward(isa, da, mask, f);
            } else {
                if let Some(mask) = mask {
                    kernels::zip(isa, Product, da, mask);
                }
                Activation::backward_pieces(z.row_mut(i), h.row_mut(i), da);
            }
        }
    }

    /// From the gradient with respect to z to that with respect to what the affine
    /// map of layer `l` gave, in place.
    fn backward_to_affine(&self, l: usize, block: &mut Block<'_>) {
        let isa = self.network.isa;
        if let Some(norm) = self.layout.norm {
            let gain = self.gains_of(l, block).gain;
            let noisy = self.layout.nodes[l + 1].noisy.is_some();
            for shard in 0..block.shards.mean.rows() {
                let n = shard_of(&mut block.n, shard, norm.rows);
                // The gain multiplied the numbers with their noise.
                let scaled = noisy.then(|| shard_of(&mut block.noisy, shard, norm.rows));
                let scaled = scaled.as_ref().map_or(n.as_ref(), MatMut::as_ref);
                let dz = place_of_dz(&mut block.z, &mut block.da);
                let shards = &mut block.shards;
                let inverse = shards.inverse.as_ref().row(shard);
                let gradient = GainsGradient {
                    gain: shards.gain.row_mut(shard),
                    bias: shards.bias.row_mut(shard),
                };
                let dz = shard_of(dz, shard, norm.rows);
                kernels::batch_norm_backward(isa, gain, inverse, n.as_ref(), scaled, dz, gradient);
            }
        }
        flush_all(isa, place_of_dz(&mut block.z, &mut block.da).reborrow());
    }

    /// Gains and biases of the units of a block of layer `l`.
    fn gains_of(&self, l: usize, block: &Block<'_>) -> Gains<'_> {
        let (gain, bias) = &self.gains[l];
        let units = block.unit..block.unit + block.units();
        Gains { gain: &gain[units.clone()], bias: &bias[units] }
    }
}

/// Rows `first..first + rows` of a matrix.
pub(super) fn rows_of(matrix: MatMut<'_>, first: usize, rows: usize) -> MatMut<'_> {
    matrix.split_rows(first).1.split_rows(rows).0
}

/// The rows of shard `shard`, where each has `len`, and the last may have fewer.
fn shard_of<'a>(matrix: &'a mut MatMut<'_>, shard: usize, len: usize) -> MatMut<'a> {
    let first = shard * len;
    let rows = len.min(matrix.rows() - first);
    rows_of(matrix.reborrow(), first, rows)
}
