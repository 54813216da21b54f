//! Backward through a layer: dropout, activation, normalisation.

use kernels::{GainsGradient, MatMut, MatRef, Product};

use super::Pass;
use super::forward::gains_of;
use super::memory::Signals;
use super::node::{NodeMut, dz_of, shard_of, stage};
use super::share;
use crate::train::tiny::flush_all;
use crate::{Activation, Executor};

/// dz of hidden layer `l`, from dz of the layer after it.
pub(super) fn layer<E: Executor>(pass: &Pass<'_, E>, l: usize, signals: &mut Signals<'_>) {
    let Signals { tape, shards, moved, .. } = signals;
    let (node, next) = (&pass.cx.layout.nodes[l + 1], &pass.cx.layout.nodes[l + 2]);
    let rows = tape.rows();
    let (before, after) = tape.reborrow().split_cols(next.start);
    let dz = after.as_ref().sub(0, rows, next.dz - next.start, next.units);
    let (_, columns) = before.split_cols(node.start);
    stage(pass, l, (columns, shards.reborrow()), (), &|_, mut node, ()| {
        let dz = dz.sub(node.row, node.rows(), 0, dz.cols());
        to_z(pass, l, dz, &mut node);
        to_affine(pass, l, &mut node);
    });
    if pass.cx.plan.share.goes_back(l) {
        share::gather(pass, l, tape.reborrow(), node.dz, moved);
    }
}

/// From `dz_next`, dz of layer `l + 1`, to the gradient with respect to z of layer `l`.
///
/// Shapes: dz_next is rows × units of the next layer; the matrices of the node are
/// rows × units.
fn to_z<E>(pass: &Pass<'_, E>, l: usize, dz_next: MatRef<'_>, node: &mut NodeMut<'_>) {
    let isa = pass.cx.isa;
    let columns = &pass.cx.layout.nodes[l + 1];
    pass.layer(l + 1).backward(dz_next, node.unit, node.da.reborrow());

    let Some(activation) = pass.cx.layers[l].activation else { return };
    let NodeMut { z, h, mask, da, .. } = node;
    for i in 0..z.rows() {
        let da = da.row_mut(i);
        let mask = columns.mask.map(|_| &*mask.row_mut(i));
        if columns.units == columns.width {
            let of_z = activation.keeps_z() || columns.h == columns.z;
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

/// Turns the gradient with respect to z into dz, that with respect to what the affine map
/// of layer `l` gave, in place; tiny values become 0.
pub(super) fn to_affine<E>(pass: &Pass<'_, E>, l: usize, node: &mut NodeMut<'_>) {
    let isa = pass.cx.isa;
    if let Some(norm) = pass.cx.layout.norm {
        let gain = gains_of(pass, l, node).gain;
        let noisy = pass.cx.layout.nodes[l + 1].noisy.is_some();
        for shard in 0..node.shards.mean.rows() {
            let n = shard_of(&mut node.n, shard, norm.rows);
            // The gain multiplied n with its noise.
            let scaled = noisy.then(|| shard_of(&mut node.noisy, shard, norm.rows));
            let scaled = scaled.as_ref().map_or(n.as_ref(), MatMut::as_ref);
            let dz = shard_of(dz_of(&mut node.z, &mut node.da), shard, norm.rows);
            let inverse = node.shards.inverse.as_ref().row(shard);
            let gradient = GainsGradient {
                gain: node.shards.gain.row_mut(shard),
                bias: node.shards.bias.row_mut(shard),
            };
            kernels::batch_norm_backward(isa, gain, inverse, n.as_ref(), scaled, dz, gradient);
        }
    }
    flush_all(isa, dz_of(&mut node.z, &mut node.da).reborrow());
}
