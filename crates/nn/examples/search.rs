//! Which network classifies the three species of iris best? A grid search and a random
//! search with five-fold cross-validation, and a test of the winner on rows that were in no
//! fold.
//!
//! ```sh
//! cargo run -p nn --release --example search
//! ```
//!
//! `iris.rs` describes `iris.csv`.

use std::error::Error;

use nn::{
    Activation, Architecture, Candidate, Examples, Executor, Fit, Init, Inputs, Mlp, Split,
    random_candidates, search, vary,
};

const FEATURES: usize = 4;

/// Starts a thread for each second task. That is cheap enough here, because a search cuts its
/// trainings into only a few tasks per thread.
struct Threads(usize);

impl Executor for Threads {
    fn threads(&self) -> usize {
        self.0
    }

    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        std::thread::scope(|scope| {
            scope.spawn(b);
            a();
        });
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for line in include_str!("iris.csv").lines() {
        let fields: Vec<f32> = line.split(',').map(str::parse).collect::<Result<_, _>>()?;
        x.extend_from_slice(&fields[..FEATURES]);
        y.push(fields[FEATURES] as u8);
    }
    // A fifth of each class is kept for the final test. The features are standardised with
    // the mean and deviation of the rest.
    let split = Split::stratified(&y, 0.2, 1)?;
    for j in 0..FEATURES {
        let values = || split.train.iter().map(|&row| x[row as usize * FEATURES + j]);
        let n = split.train.len() as f32;
        let mean = values().sum::<f32>() / n;
        let deviation = (values().map(|v| (v - mean).powi(2)).sum::<f32>() / n).sqrt();
        x.iter_mut().skip(j).step_by(FEATURES).for_each(|v| *v = (*v - mean) / deviation);
    }
    let rows = |indices: &[u32]| -> (Vec<f32>, Vec<u8>) {
        let features = indices.iter().flat_map(|&row| &x[row as usize * FEATURES..][..FEATURES]);
        (features.copied().collect(), indices.iter().map(|&row| y[row as usize]).collect())
    };
    let ((x, y), (test_x, test_y)) = (rows(&split.train), rows(&split.validation));
    let examples = Examples::new(Inputs::new(&x, FEATURES)?, &y)?;
    let folds = Split::stratified_k_fold(&y, 5, 1)?;
    let threads = Threads(2);

    let shape = |hidden| Architecture {
        inputs: FEATURES,
        hidden,
        outputs: 3,
        activation: Activation::Tanh,
    };
    let fit = Fit { epochs: 60, batch_size: 10, seed: 1, ..Fit::default() };

    let grid = vec![Candidate::new("", shape(vec![]), Init::Xavier, fit.clone())];
    let grid = vary(grid, "hidden", [vec![], vec![8], vec![8, 8]], |candidate, hidden| {
        candidate.architecture.hidden = hidden;
    });
    let grid = vary(grid, "lr", [0.001, 0.01, 0.1], |candidate, lr| candidate.fit.lr = lr);
    let mut trials = search(grid, &examples, &folds, &threads)?;
    trials.sort();
    println!("grid\n{trials}\n");

    let random = random_candidates(9, 1, |draw| {
        let units = draw.integer(4, 32);
        let init = draw.pick([Init::Xavier, Init::HeNormal]);
        let (lr, l2) = (draw.log_uniform(1e-3, 0.3), draw.log_uniform(1e-6, 1e-1));
        let name = format!("{units} units, {init}, lr {lr:.4}, l2 {l2:.6}");
        Candidate::new(name, shape(vec![units]), init, Fit { lr, l2, ..fit.clone() })
    });
    let mut others = search(random, &examples, &folds, &threads)?;
    others.sort();
    println!("random\n{others}\n");

    trials.rows.extend(others.rows);
    let winner = &trials.best().ok_or("nothing was tried")?.candidate;
    let mut network = Mlp::new(winner.architecture.clone(), winner.init, winner.fit.seed)?;
    winner.fit.run(&mut network, &examples, None, &threads, ())?;
    let test =
        network.evaluate(&Examples::new(Inputs::new(&test_x, FEATURES)?, &test_y)?, &threads)?;
    println!("{}: {} of {} test rows wrong", winner.name, test.errors, test.samples);
    assert!(test.accuracy >= 0.9);
    Ok(())
}
