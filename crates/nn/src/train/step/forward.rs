//! Forward through a layer: affine map, normalisation, activation, dropout.

use kernels::{Gains, MatRef, Moments};

use super::Pass;
use super::memory::{Signals, UnitGains};
use super::node::{NodeMut, shard_of, stage};
use super::random::{Purpose, add_noise, gaussian_dropout, stream};
use super::share;
use crate::{DropoutKind, Executor};

/// Computes hidden layer `l`, from what it reads to what the next layer reads.
pub(super) fn layer<E: Executor>(pass: &Pass<'_, E>, l: usize, signals: &mut Signals<'_>) {
    let Signals { first, inputs, tape, shards, moved, .. } = signals;
    let (rows, width) = (tape.rows(), pass.cx.layout.nodes[l].width);
    let (before, node) = tape.reborrow().split_cols(pass.cx.layout.nodes[l + 1].start);
    let x = |part| match l {
        0 => inputs.of(part, rows, width),
        _ => before.as_ref().sub(0, rows, pass.cx.layout.nodes[l].a, width),
    };
    stage(pass, l, (node, shards.reborrow()), (), &|part, mut node, ()| {
        let x = x(part).sub(node.row, node.rows(), 0, width);
        units(pass, l, *first, x, &mut node);
    });
    share::gather(pass, l, tape.reborrow(), pass.cx.layout.nodes[l + 1].a, moved);
}

/// Computes some rows and units of layer `l` from their input `x`, up to what the next
/// layer reads; `first` is the pass's first row in the batch.
///
/// Shapes: x is rows × inputs; the matrices of the node are rows × units.
pub(super) fn units<E: Executor>(
    pass: &Pass<'_, E>,
    l: usize,
    first: usize,
    x: MatRef<'_>,
    node: &mut NodeMut<'_>,
) {
    let columns = &pass.cx.layout.nodes[l + 1];
    let units = node.units();
    let width = pass.cx.layers[l].width;
    let layer = pass.layer(l).panels(units.start / width..units.end.div_ceil(width));
    // Where nothing comes between the product and the activation, they are fused.
    if columns.n.is_none() && columns.noise == 0.0 && columns.h == columns.z {
        layer.forward(x, node.z.reborrow());
    } else if columns.n.is_some() {
        layer.affine(x, node.n.reborrow());
        normalise(pass, l, first, node);
        activate(pass, l, first, node);
    } else {
        layer.affine(x, node.z.reborrow());
        activate(pass, l, first, node);
    }
    if columns.mask.is_some() {
        drop_units(pass, l, first, node);
    }
}

/// Gains and biases of the units of a node.
pub(super) fn gains_of<'a, E>(pass: &Pass<'a, E>, l: usize, node: &NodeMut<'_>) -> Gains<'a> {
    let UnitGains { gain, bias } = &pass.gains[l];
    Gains { gain: &gain[node.units()], bias: &bias[node.units()] }
}

/// Batch normalisation, shard by shard. Before it, n holds what the affine map gave; after
/// it, n is normalised, and z is gain·n + bias.
fn normalise<E>(pass: &Pass<'_, E>, l: usize, first: usize, node: &mut NodeMut<'_>) {
    let Some(norm) = pass.cx.layout.norm else { return };
    let isa = pass.cx.isa;
    let gains = gains_of(pass, l, node);
    let NodeMut { row, unit, n, noisy, z, shards, .. } = node;
    for shard in 0..shards.mean.rows() {
        let (n, z) = (shard_of(n, shard, norm.rows), shard_of(z, shard, norm.rows));
        let moments =
            Moments { mean: shards.mean.row_mut(shard), inverse: shards.inverse.row_mut(shard) };
        kernels::batch_norm(isa, norm.epsilon, gains, n, z, moments);
    }
    if pass.cx.layout.nodes[l + 1].noisy.is_none() {
        return;
    }
    // Noise comes before the gain, so z is computed again from n with noise.
    for i in 0..n.rows() {
        let noisy = noisy.row_mut(i);
        noisy.copy_from_slice(n.row_mut(i));
        add_noise(pass, l + 1, first + *row + i, *unit, noisy);
        kernels::scale_shift(isa, noisy, gains, z.row_mut(i));
    }
}

/// From z to h, with the noise that comes before the activation.
fn activate<E>(pass: &Pass<'_, E>, l: usize, first: usize, node: &mut NodeMut<'_>) {
    let isa = pass.cx.isa;
    let columns = &pass.cx.layout.nodes[l + 1];
    let NodeMut { row, unit, z, h, .. } = node;
    for i in 0..z.rows() {
        let z = z.row_mut(i);
        if columns.noisy.is_none() {
            add_noise(pass, l + 1, first + *row + i, *unit, z);
        }
        match pass.cx.layers[l].activation {
            Some(activation) if activation.keeps_z() => activation.forward(isa, z, h.row_mut(i)),
            Some(activation) => activation.apply(isa, z),
            None => {}
        }
    }
}

/// `a = h·mask`.
fn drop_units<E>(pass: &Pass<'_, E>, l: usize, first: usize, node: &mut NodeMut<'_>) {
    let columns = &pass.cx.layout.nodes[l + 1];
    let (isa, rate) = (pass.cx.isa, columns.dropout);
    let NodeMut { row, unit, z, h, mask, a, .. } = node;
    for i in 0..z.rows() {
        let h = if columns.h == columns.z { z.row_mut(i) } else { h.row_mut(i) };
        let (mask, a) = (mask.row_mut(i), a.row_mut(i));
        let stream = stream(pass.batch, Purpose::Dropout, l + 1, first + *row + i, *unit);
        match pass.cx.layout.dropout {
            DropoutKind::Bernoulli => kernels::dropout(isa, stream, rate, h, mask, a),
            DropoutKind::Gaussian => {
                a.copy_from_slice(h);
                gaussian_dropout(isa, stream, rate, mask, a);
            }
        }
    }
}
