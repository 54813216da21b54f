//! What ranks move in a step, and in how many messages: the formulas of the cost model in
//! docs/distributed.md, held against what a step gives to `all_gather`.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::meeting::meet;
use crate::common::{examples, go_on, labels, network, uniform};
use nn::{Activation, BatchNorm, Dropout, Fit, Ranks, Sequential, Team};

/// Rows that go forward and back together, each chunk with messages of its own.
const CHUNK: usize = 256;

/// Counts what a rank receives.
struct Counted<R> {
    ranks: R,
    floats: AtomicUsize,
    messages: AtomicUsize,
}

impl<R: Ranks> Ranks for Counted<R> {
    fn rank(&self) -> usize {
        self.ranks.rank()
    }

    fn count(&self) -> usize {
        self.ranks.count()
    }

    fn shares(&self, operations: usize) -> bool {
        self.ranks.shares(operations)
    }

    fn all_gather(&self, all: &mut [f32], ends: &[usize]) {
        let rank = self.rank();
        let start = if rank == 0 { 0 } else { ends[rank - 1] };
        self.floats.fetch_add(all.len() - (ends[rank] - start), Ordering::Relaxed);
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.ranks.all_gather(all, ends);
    }
}

/// Floats that each rank receives in a run of some steps, and its messages.
fn run(sizes: &[usize], fit: &Fit, count: usize, steps: usize) -> Vec<(usize, usize)> {
    let rows = steps * fit.batch_size;
    let data = (uniform(2, rows * sizes[0]), labels(3, rows, sizes[sizes.len() - 1]));
    meet(count, |ranks| {
        let ranks = Counted { ranks, floats: AtomicUsize::new(0), messages: AtomicUsize::new(0) };
        let mut network = network(sizes, Activation::Tanh, 1);
        let examples = examples(&network, &data.0, &data.1);
        let team = Team { executor: Sequential, ranks: &ranks };
        fit.run(&mut network, &examples, None, &team, go_on).unwrap();
        (ranks.floats.into_inner(), ranks.messages.into_inner())
    })
}

/// The same of one step. What an epoch moves at its end is in both runs.
fn step(sizes: &[usize], fit: &Fit, count: usize) -> Vec<(usize, usize)> {
    let (two, three) = (run(sizes, fit, count, 2), run(sizes, fit, count, 3));
    let pairs = two.iter().zip(three);
    pairs.map(|(two, three)| (three.0 - two.0, three.1 - two.1)).collect()
}

fn fit(batch_size: usize) -> Fit {
    Fit { epochs: 1, batch_size, lr: 0.01, dropout: Dropout::default(), ..Fit::default() }
}

/// Units forward, and units backward but for the first layer that is trained, where
/// `shared` are the units of the layers that are shared.
fn columns(shared: &[usize]) -> usize {
    shared.iter().sum::<usize>() + shared[1..].iter().sum::<usize>()
}

/// 12 and 8 panels, which 2 and 4 ranks divide without a rest: (1 − 1/R)·B·columns.
#[test]
fn a_rank_receives_the_activations_of_the_others() {
    let shared = [192, 128];
    let batch_norm = Some(BatchNorm { rows: 32, ..BatchNorm::default() });
    // Both have shards or panels that end with the chunks of 256 rows.
    for (batch_size, batch_norm) in [(64, None), (300, None), (300, batch_norm)] {
        let fit = Fit { batch_norm, ..fit(batch_size) };
        for count in [2, 4] {
            let floats = batch_size * columns(&shared) * (count - 1) / count;
            let messages = batch_size.div_ceil(CHUNK) * (2 * shared.len() - 1);
            let found = step(&[48, 192, 128, 10], &fit, count);
            assert_eq!(found, vec![(floats, messages); count], "{batch_size}, {count} ranks");
        }
    }
}

/// However units are divided, each rank gets what all others have: (R − 1)·B·columns in all.
/// A layer of one panel is not shared, nor, with dropout, one of a single group of 128.
#[test]
fn all_ranks_receive_the_same_whatever_the_division() {
    let dropout = Dropout { hidden: 0.3, ..Dropout::default() };
    let cases: [(&[usize], Fit, &[usize]); 4] = [
        (&[48, 200, 130, 10], fit(50), &[200, 130]),
        (&[48, 200, 16, 130, 10], fit(50), &[200, 130]),
        (&[48, 200, 130, 120, 10], Fit { dropout, ..fit(50) }, &[200, 130]),
        (&[48, 200, 10], fit(50), &[200]),
    ];
    for (sizes, fit, shared) in cases {
        for count in [3, 7] {
            let found = step(sizes, &fit, count);
            let floats: usize = found.iter().map(|(floats, _)| floats).sum();
            assert_eq!(floats, (count - 1) * 50 * columns(shared), "{sizes:?}, {count} ranks");
            let all = found.iter().all(|(_, messages)| *messages == 2 * shared.len() - 1);
            assert!(all, "{sizes:?}, {count} ranks: {found:?}");
        }
    }
}

/// The first layer is not trained: no signal goes back to it, nor through the second.
#[test]
fn a_frozen_layer_needs_no_gradient_from_others() {
    let fit = Fit { frozen: 1, ..fit(64) };
    let found = step(&[48, 192, 128, 64, 10], &fit, 2);
    let (forward, backward) = (192 + 128 + 64, 64);
    assert_eq!(found, [(64 * (forward + backward) / 2, 4); 2]);
}

/// Max-norm moves the weights and biases of shared layers too, after each step.
#[test]
fn max_norm_moves_weights() {
    let fit = Fit { max_norm: Some(0.5), ..fit(64) };
    let found = step(&[48, 192, 128, 10], &fit, 2);
    let weights = 192 * (48 + 1) + 128 * (192 + 1);
    assert_eq!(found, [((64 * columns(&[192, 128]) + weights) / 2, 3 + 2); 2]);
}
