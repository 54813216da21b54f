//! The threads of rayon: feature `rayon`.

use rayon::ThreadPool;

use super::Executor;

/// With the feature `rayon`. The program makes the pool, so it still knows its threads.
///
/// rayon puts a thread to sleep that has nothing to do, and waking it takes some 50 µs, which
/// is about as long as a task of a small step. Call training within
/// [`ThreadPool::install`], or each step begins by handing the work to the pool. For steps
/// that are smaller still, a pool that keeps its threads awake while it trains is faster:
/// `crates/trainer/src/pool.rs` is one.
///
/// ```
/// # use nn::*;
/// # let x = [0., 0., 0., 1., 1., 0., 1., 1.];
/// # let y = [0u8, 1, 1, 0];
/// # let examples = Examples::new(Inputs::new(&x, 2)?, &y)?;
/// # let shape =
/// #     Architecture { inputs: 2, hidden: vec![8], outputs: 2, activation: Activation::Tanh };
/// # let mut network = Mlp::new(shape, Init::Xavier, 1)?;
/// # let fit = Fit { epochs: 3, ..Fit::default() };
/// let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
/// let history = pool.install(|| fit.train(&mut network, &examples, None, &pool))?;
/// # assert_eq!(history.epochs.len(), 3);
/// # Ok::<(), Error>(())
/// ```
impl Executor for ThreadPool {
    fn threads(&self) -> usize {
        self.current_num_threads()
    }

    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        // The method of the pool, which also works on a thread outside of it.
        ThreadPool::join(self, a, b);
    }
}

#[cfg(test)]
mod tests {
    use rayon::ThreadPoolBuilder;

    use super::*;
    use crate::{Activation, Architecture, Examples, Fit, Init, Inputs, Mlp, Sequential};

    /// The network after an epoch whose steps are large enough to be cut.
    fn trained(executor: &impl Executor) -> Vec<u8> {
        let (inputs, rows) = (200, 128);
        let x: Vec<f32> = (0..rows * inputs).map(|i| (i * 7 % 31) as f32 / 31.0).collect();
        let y: Vec<u8> = (0..128).map(|i| i % 10).collect();
        let examples = Examples::new(Inputs::new(&x, inputs).unwrap(), &y).unwrap();
        let activation = Activation::Tanh;
        let shape = Architecture { inputs, hidden: vec![100], outputs: 10, activation };
        let mut network = Mlp::new(shape, Init::Xavier, 1).unwrap();
        let operations = network.architecture().training_flops() as usize * rows;
        assert_eq!(executor.threads_for(operations), executor.threads());
        let fit = Fit { epochs: 1, ..Fit::default() };
        fit.train(&mut network, &examples, None, executor).unwrap();
        network.to_bytes()
    }

    #[test]
    fn a_pool_trains_the_same_bits_within_and_outside_of_it() {
        let expected = trained(&Sequential);
        let pool = ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        assert_eq!(pool.threads(), 3);
        assert!(pool.install(|| trained(&pool)) == expected);
        assert!(trained(&pool) == expected);
    }
}
