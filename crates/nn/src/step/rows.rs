//! The first phase of a step: some rows of the batch, all the way.

use kernels::{Gains, GainsGradient, MatMut, Moments, Product, RowLoss, Stream};

use super::Batch;
use super::tape::{Layout, Shards};
use crate::mlp::Mlp;
use crate::tiny::flush_all;
use crate::{Activation, DropoutKind, Executor};

/// Some rows of the batch.
pub(super) struct Rows<'a> {
    /// Index of the first in the batch.
    pub(super) first: usize,
    pub(super) tape: MatMut<'a>,
    /// A row for each shard, where there is batch normalisation.
    pub(super) shards: MatMut<'a>,
    pub(super) labels: &'a mut [u32],
    pub(super) losses: &'a mut [RowLoss],
}

impl Rows<'_> {
    /// `shard` is the number of rows in a shard, of which `row` is a multiple, or
    /// the end, where there are shards.
    fn split_at(self, row: usize, shard: usize) -> (Self, Self) {
        let (tape, tape_right) = self.tape.split_rows(row);
        let shards = row.div_ceil(shard).min(self.shards.rows());
        let (shards, shards_right) = self.shards.split_rows(shards);
        let (labels, labels_right) = self.labels.split_at_mut(row);
        let (losses, losses_right) = self.losses.split_at_mut(row);
        let first = self.first + row;
        (
            Self { first: self.first, tape, shards, labels, losses },
            Self {
                first,
                tape: tape_right,
                shards: shards_right,
                labels: labels_right,
                losses: losses_right,
            },
        )
    }
}

/// What the random numbers of a row are for.
#[derive(Clone, Copy)]
enum Purpose {
    Dropout,
    Noise,
}

/// The first phase.
pub(super) struct RowPass<'a> {
    pub(super) network: &'a Mlp,
    pub(super) transposed: &'a [f32],
    pub(super) batch: Batch<'a>,
    pub(super) layout: &'a Layout,
    pub(super) shards: &'a Shards,
    /// Gains and biases of each layer, as vectors, where there is batch
    /// normalisation.
    pub(super) gains: &'a [(Vec<f32>, Vec<f32>)],
}

impl RowPass<'_> {
    /// Runs the rows in `parts` tasks.
    pub(super) fn run(&self, rows: Rows<'_>, parts: usize, executor: &impl Executor) {
        if rows.labels.is_empty() {
            return;
        }
        // Whole register tiles, as far as there are rows, and whole shards.
        let whole = self.layout.norm.map_or(self.network.isa.tile_rows(), |norm| norm.rows);
        let len = rows.labels.len();
        if parts <= 1 || len <= whole {
            return self.all_the_way(rows);
        }
        let near = parts / 2;
        let middle = (len * near).div_ceil(parts);
        let middle = middle.next_multiple_of(whole).min(len);
        let (left, right) = rows.split_at(middle, whole);
        executor
            .join(|| self.run(left, near, executor), || self.run(right, parts - near, executor));
    }

    fn all_the_way(&self, mut rows: Rows<'_>) {
        self.gather(&mut rows);
        self.forward(&mut rows);
        let logits = &self.layout.nodes[self.network.layers.len()];
        let (_, z) = rows.tape.reborrow().split_cols(logits.z);
        let (z, _) = z.split_cols(logits.units);
        let (isa, Batch { examples, positions, loss, total, .. }) = (self.network.isa, self.batch);
        // The loss is the mean over the batch.
        if loss.is_plain(examples) {
            let factor = 1.0 / positions.len() as f32;
            kernels::cross_entropy_gradient(isa, z, rows.labels, factor, rows.losses);
        } else {
            let first = rows.first;
            let share = |i: usize| {
                let weight = examples.weight(positions[first + i] as usize);
                // A batch of which no sample counts moves nothing.
                if total > 0.0 { weight / total } else { 0.0 }
            };
            loss.gradient(isa, z, rows.labels, share, rows.losses);
        }
        self.backward(&mut rows);
    }

    /// Features and labels of each row.
    fn gather(&self, rows: &mut Rows<'_>) {
        let Batch { examples, positions, seed, epoch, .. } = self.batch;
        let isa = self.network.isa;
        let scale = self.network.pixel_scale();
        let node = &self.layout.nodes[0];
        // In a set of megabytes, each row comes from far away.
        const AHEAD: usize = 4;
        let last = rows.first + rows.labels.len();
        for position in &positions[rows.first..last.min(rows.first + AHEAD)] {
            examples.prefetch_row(isa, *position as usize);
        }
        for (i, label) in rows.labels.iter_mut().enumerate() {
            let row = rows.first + i;
            if row + AHEAD < last {
                examples.prefetch_row(isa, positions[row + AHEAD] as usize);
            }
            let position = positions[row] as usize;
            *label = examples.label(position) as u32;
            let record = rows.tape.row_mut(i);
            let features = &mut record[..node.width];
            examples.copy_row(isa, position, scale, features);
            examples.augment_row(seed, epoch, position, features);
            self.drop_units(0, row, record);
            self.add_noise(0, row, &mut record[node.a..][..node.width]);
        }
    }

    fn forward(&self, rows: &mut Rows<'_>) {
        let len = rows.labels.len();
        let Mlp { isa, params, .. } = self.network;
        for (l, layer) in self.network.layers.iter().enumerate() {
            let (x, node) = (&self.layout.nodes[l], &self.layout.nodes[l + 1]);
            let (before, after) = rows.tape.reborrow().split_cols(node.n.unwrap_or(node.z));
            let x = before.as_ref().sub(0, len, x.a, x.width);
            let (z, _) = after.split_cols(layer.units);
            // Fused with the product, where nothing comes between.
            let fused = node.n.is_none() && node.noise == 0.0 && node.h == node.z;
            if fused {
                layer.forward(*isa, params, x, z);
            } else {
                layer.affine(*isa, params, x, z);
                self.normalise(l, rows);
                self.activate(l, rows);
            }
            if node.mask.is_some() {
                for i in 0..len {
                    self.drop_units(l + 1, rows.first + i, rows.tape.row_mut(i));
                }
            }
        }
    }

    /// From what the affine map of layer `l` gave to z, shard by shard, where
    /// there is batch normalisation.
    fn normalise(&self, l: usize, rows: &mut Rows<'_>) {
        let Some(norm) = self.layout.norm else { return };
        let node = &self.layout.nodes[l + 1];
        let Some(n) = node.n else { return };
        let isa = self.network.isa;
        let (gain, bias) = &self.gains[l];
        let gains = Gains { gain, bias };
        each_shard(rows, norm.rows, |mut tape, shard| {
            let shard = self.shards.of_mut(l, node.units, shard);
            let moments = Moments { mean: shard.mean, inverse: shard.inverse };
            let (_, from_n) = tape.reborrow().split_cols(n);
            let (n, rest) = from_n.split_cols(node.units);
            let (z, _) = rest.split_cols(node.units);
            kernels::batch_norm(isa, norm.epsilon, gains, n, z, moments);
        });
        let Some(noisy) = node.noisy else { return };
        // Noise comes before the gain: what lies in `noisy` is z without it.
        for i in 0..rows.labels.len() {
            let (before, from_noisy) = rows.tape.row_mut(i).split_at_mut(noisy);
            let (noisy, rest) = from_noisy.split_at_mut(node.units);
            noisy.copy_from_slice(&before[n..][..node.units]);
            self.add_noise(l + 1, rows.first + i, noisy);
            kernels::scale_shift(isa, noisy, gains, &mut rest[..node.units]);
        }
    }

    /// From z of layer `l` to h.
    fn activate(&self, l: usize, rows: &mut Rows<'_>) {
        let isa = self.network.isa;
        let node = &self.layout.nodes[l + 1];
        for i in 0..rows.labels.len() {
            let (before, from_h) = rows.tape.row_mut(i).split_at_mut(node.z + node.units);
            let z = &mut before[node.z..];
            if node.noisy.is_none() {
                self.add_noise(l + 1, rows.first + i, z);
            }
            match self.network.layers[l].activation {
                Some(activation) if activation.keeps_z() => {
                    activation.forward(isa, z, &mut from_h[..node.width]);
                }
                Some(activation) => activation.apply(isa, z),
                None => {}
            }
        }
    }

    /// `a = h·mask` in one row of the tape, where the node has dropout.
    fn drop_units(&self, l: usize, row: usize, record: &mut [f32]) {
        let node = &self.layout.nodes[l];
        let Some(mask) = node.mask else { return };
        let stream = self.stream(Purpose::Dropout, l, row);
        let (before, from_mask) = record.split_at_mut(mask);
        let h = &mut before[node.h..][..node.width];
        let (mask, rest) = from_mask.split_at_mut(node.width);
        let (isa, rate) = (self.network.isa, node.dropout);
        match self.layout.dropout {
            DropoutKind::Bernoulli if node.a == node.h => {
                kernels::dropout_in_place(isa, stream, rate, mask, h);
            }
            DropoutKind::Bernoulli => {
                kernels::dropout(isa, stream, rate, h, mask, &mut rest[..node.width]);
            }
            DropoutKind::Gaussian => {
                kernels::gaussian_mask(isa, stream, (rate / (1.0 - rate)).sqrt(), mask);
                let a = if node.a == node.h {
                    h
                } else {
                    let a = &mut rest[..node.width];
                    a.copy_from_slice(h);
                    a
                };
                kernels::zip(isa, Product, a, mask);
            }
        }
    }

    /// Adds the noise of a node to one row.
    fn add_noise(&self, l: usize, row: usize, values: &mut [f32]) {
        let sigma = self.layout.nodes[l].noise;
        if sigma > 0.0 {
            let stream = self.stream(Purpose::Noise, l, row);
            kernels::add_gaussian(self.network.isa, stream, sigma, values);
        }
    }

    /// Random numbers for one row of a node.
    fn stream(&self, purpose: Purpose, l: usize, row: usize) -> Stream {
        // A batch has fewer than 2³² rows and a network fewer than 2³¹ layers;
        // the upper half of the step, which takes years to reach, is left out.
        let node = l as u32 | (purpose as u32) << 31;
        let Batch { seed, step, .. } = self.batch;
        Stream { seed, counter: [row as u32, step as u32, node] }
    }

    /// `dz` of every layer, last to first.
    fn backward(&self, rows: &mut Rows<'_>) {
        for l in (0..self.network.layers.len()).rev() {
            if l + 1 < self.network.layers.len() {
                self.backward_to_z(l, rows);
            }
            self.backward_norm(l, rows);
            let node = &self.layout.nodes[l + 1];
            let (_, dz) = rows.tape.reborrow().split_cols(node.dz);
            let (dz, _) = dz.split_cols(node.units);
            flush_all(self.network.isa, dz);
        }
    }

    /// dz of hidden layer `l`, from that of the layer behind it.
    fn backward_to_z(&self, l: usize, rows: &mut Rows<'_>) {
        let isa = self.network.isa;
        let len = rows.labels.len();
        let (node, behind) = (&self.layout.nodes[l + 1], &self.layout.nodes[l + 2]);
        let next = &self.network.layers[l + 1];
        // dz of this node lies before the one behind it.
        let (before, after) = rows.tape.reborrow().split_cols(behind.dz);
        let dz_behind = after.as_ref().sub(0, len, 0, next.units);
        let (_, da) = before.split_cols(node.da);
        let (da, _) = da.split_cols(node.width);
        next.backward(isa, self.transposed, dz_behind, da);

        let Some(activation) = self.network.layers[l].activation else { return };
        for i in 0..len {
            let (before, da) = rows.tape.row_mut(i).split_at_mut(node.da);
            let da = &mut da[..node.width];
            let mask = node.mask.map(|mask| &before[mask..][..node.width]);
            if node.units == node.width {
                let f = if activation.keeps_z() { node.z } else { node.h };
                activation.backward(isa, da, mask, &before[f..][..node.width]);
            } else {
                if let Some(mask) = mask {
                    kernels::zip(isa, Product, da, mask);
                }
                let (before, from_h) = before.split_at_mut(node.h);
                let z = &mut before[node.z..][..node.units];
                Activation::backward_pieces(z, &from_h[..node.width], da);
            }
        }
    }

    /// From the gradient with respect to z to that with respect to what the affine
    /// map of layer `l` gave, in place, where there is batch normalisation.
    fn backward_norm(&self, l: usize, rows: &mut Rows<'_>) {
        let Some(norm) = self.layout.norm else { return };
        let node = &self.layout.nodes[l + 1];
        let Some(n) = node.n else { return };
        let isa = self.network.isa;
        let (gain, _) = &self.gains[l];
        each_shard(rows, norm.rows, |mut tape, shard| {
            let len = tape.rows();
            let shard = self.shards.of_mut(l, node.units, shard);
            let (before, dz) = tape.reborrow().split_cols(node.dz);
            let before = before.as_ref();
            let (dz, _) = dz.split_cols(node.units);
            let n = before.sub(0, len, n, node.units);
            // The gain multiplied the numbers with their noise.
            let scaled = node.noisy.map_or(n, |noisy| before.sub(0, len, noisy, node.units));
            let gradient = GainsGradient { gain: shard.gain, bias: shard.bias };
            kernels::batch_norm_backward(isa, gain, shard.inverse, n, scaled, dz, gradient);
        });
    }
}

/// Does something with the tape and the row of each shard of `len` rows.
fn each_shard(rows: &mut Rows<'_>, len: usize, mut f: impl FnMut(MatMut<'_>, &mut [f32])) {
    let mut tape = rows.tape.reborrow();
    for shard in 0..rows.shards.rows() {
        let len = len.min(tape.rows());
        let (head, rest) = tape.split_rows(len);
        f(head, rows.shards.row_mut(shard));
        tape = rest;
    }
}
