//! Prediction and training allocate nothing after the first call.
//!
//! A binary of its own, because a global allocator is that of the whole program, and
//! because `unsafe`, which an allocator needs, is forbidden in the other tests.

#[path = "it/common/seeded.rs"]
mod seeded;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::ControlFlow;

use nn::{
    Activation, Augment, BatchNorm, Draw, Dropout, DropoutKind, EpochReport, Examples, Fit, Inputs,
    Mlp, Noise, Optimizer, Predictor, Sequential, Session,
};
use seeded::{examples, labels, network, uniform};

thread_local! {
    /// Of this thread only: other tests and the test harness allocate at the same time.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// Bytes that are allocated, and the most since the measurement began.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

fn resized(old: usize, new: usize) {
    LIVE.set(LIVE.get() + new as isize - old as isize);
    PEAK.set(PEAK.get().max(LIVE.get()));
}

// SAFETY: every call is passed on to `System` unchanged. Counting allocates nothing: the
// counter is initialised at compile time and has no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        resized(0, layout.size());
        // SAFETY: the caller keeps to the same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        resized(0, layout.size());
        // SAFETY: the caller keeps to the same contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        resized(layout.size(), size);
        // SAFETY: the caller keeps to the same contract, and `old` is from `System`.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        resized(layout.size(), 0);
        // SAFETY: the caller keeps to the same contract, and `old` is from `System`.
        unsafe { System.dealloc(old, layout) }
    }
}

/// The number of allocations that `work` makes on this thread.
fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// The most bytes that `work` has allocated at one time on this thread, beside those before.
fn peak(work: impl FnOnce()) -> isize {
    let before = LIVE.get();
    PEAK.set(before);
    work();
    PEAK.get() - before
}

#[test]
fn allocations_are_counted() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1, 2, 3]))), 1);
    assert_eq!(allocations(|| ()), 0);
    let boxes = |bytes| drop(std::hint::black_box(vec![1u8; bytes]));
    assert_eq!(peak(|| [1000, 3000, 2000].into_iter().for_each(boxes)), 3000);
}

const SIZES: [usize; 4] = [50, 33, 17, 10];

#[test]
fn a_predictor_allocates_nothing_from_the_second_call_on() {
    for (activation, _) in Activation::ALL {
        let network = network(&SIZES, activation, 1);
        // One and several passes of 128 rows.
        for rows in [1, 100, 300] {
            let (x, bytes) = (uniform(2, rows * 50), vec![7; rows * 50]);
            let mut predictor = Predictor::new(&network);
            let (mut numbers, mut classes) = (vec![0.0; rows * 10], vec![0; rows]);
            let mut predict = |rows: usize| {
                let (numbers, classes) = (&mut numbers[..rows * 10], &mut classes[..rows]);
                for inputs in [
                    Inputs::new(&x[..rows * 50], 50).unwrap(),
                    Inputs::pixels(&bytes[..rows * 50], 50).unwrap(),
                ] {
                    predictor.logits(&inputs, numbers).unwrap();
                    predictor.probabilities(&inputs, numbers).unwrap();
                    predictor.classes(&inputs, classes).unwrap();
                }
            };
            predict(rows);
            assert_eq!(allocations(|| predict(rows)), 0, "{activation}, {rows} rows");
            assert_eq!(allocations(|| predict(rows.div_ceil(3))), 0, "{activation}, {rows} rows");
        }
    }
}

struct Mirror;

impl Augment for Mirror {
    fn augment(&self, _: Draw, features: &mut [f32]) {
        features.reverse();
    }
}

/// Every optimizer, and every combination of what a step can have between the layers.
fn fits() -> Vec<Fit> {
    let fit = Fit { epochs: 1, batch_size: 20, lr: 1e-3, l2: 1e-3, ..Fit::default() };
    let mut fits: Vec<_> =
        Optimizer::ALL.map(|(optimizer, _)| Fit { optimizer, ..fit.clone() }).into();
    let noise = Noise { input: 0.1, hidden: 0.1 };
    let norm = BatchNorm { rows: 7, ..BatchNorm::default() };
    for kind in [DropoutKind::Bernoulli, DropoutKind::Gaussian] {
        let dropout = Dropout { input: 0.1, hidden: 0.2, kind };
        for batch_norm in [None, Some(norm)] {
            fits.push(Fit { dropout, noise, batch_norm, ..fit.clone() });
        }
    }
    fits
}

/// Calls `check` with every activation and every `Fit` of [`fits`], on 200 samples.
fn each(check: impl Fn(&Mlp, &Examples<'_>, &Fit)) {
    let (x, y) = (uniform(2, 200 * 50), labels(3, 200, 10));
    for (activation, _) in Activation::ALL {
        let network = network(&SIZES, activation, 1);
        let all = examples(&network, &x, &y);
        for fit in fits() {
            check(&network, &all, &fit);
            check(&network, &all.augmented(&Mirror), &fit);
        }
    }
}

#[test]
fn a_run_of_more_steps_allocates_no_more() {
    let positions: Vec<u32> = (0..200).collect();
    each(|network, all, fit| {
        let run = |steps: usize| {
            let train = all.subset(&positions[..steps * fit.batch_size]).unwrap();
            let mut network = network.clone();
            let go_on = |_: &EpochReport| ControlFlow::Continue(());
            allocations(|| {
                fit.run(&mut network, &train, None, &Sequential, go_on).unwrap();
            })
        };
        run(2); // The first run also allocates the buffers of products on this thread.
        assert_eq!(run(2), run(10), "{fit:?}");
        assert!(run(2) > 0);
    });
}

#[test]
fn a_session_allocates_nothing_from_the_second_step_on() {
    let fewer: Vec<u32> = (0..90).collect();
    each(|network, all, fit| {
        let few = all.subset(&fewer).unwrap();
        let mut session = Session::new(network.clone(), fit).unwrap();
        let mut step = |examples| {
            session.step(examples, 1e-3, &Sequential).unwrap();
        };
        step(all);
        assert_eq!(allocations(|| [all, &few, all].into_iter().for_each(step)), 0, "{fit:?}");
    });
}

/// Two hundred batches need the memory of two: each is gone before the next one is made.
#[test]
fn a_stream_is_trained_on_in_the_memory_of_a_batch() {
    let network = network(&SIZES, Activation::Relu, 1);
    let samples = 1000;
    let train = |batches: u64| {
        peak(|| {
            let mut session = Session::new(network.clone(), &Fit::default()).unwrap();
            let stream = (0..batches).map(|i| (uniform(i, samples * 50), labels(i, samples, 10)));
            for (x, y) in stream {
                session.step(&examples(&network, &x, &y), 0.01, &Sequential).unwrap();
            }
        })
    };
    let batch = (samples * 50 * size_of::<f32>()) as isize;
    let few = train(2);
    // The session has the activations of a batch too.
    assert!(few > batch && few < 20 * batch, "{few} bytes for a batch of {batch}");
    // The first run also has what the process allocates once.
    let many = train(200);
    assert!(many <= few, "{many} bytes for 200 batches, {few} for two");
}
