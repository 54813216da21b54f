//! A search trains each candidate on each fold, with the same result for any executor.

use crate::common::{go_on, uniform};
use nn::{
    Activation, Architecture, Candidate, EarlyStopping, Error, Examples, Executor, Fit, Init,
    Inputs, Mlp, Sequential, Split, Trials, random_candidates, search, vary,
};

/// Sixty points of the plane; the label says whether the first coordinate is larger.
fn points() -> (Vec<f32>, Vec<u32>) {
    let x = uniform(1, 120);
    let y = x.chunks(2).map(|pair| u32::from(pair[0] > pair[1])).collect();
    (x, y)
}

fn base() -> Candidate {
    let architecture =
        Architecture { inputs: 2, hidden: vec![4], outputs: 2, activation: Activation::Tanh };
    let fit = Fit { epochs: 5, batch_size: 10, lr: 0.1, seed: 3, ..Fit::default() };
    Candidate::new("base", architecture, Init::Xavier, fit)
}

/// Two good learning rates, and one with which every training diverges.
fn grid() -> Vec<Candidate> {
    vary(vec![base()], "lr", [0.001, f32::MAX, 0.1], |candidate, lr| candidate.fit.lr = lr)
}

fn searched(executor: &impl Executor) -> Trials {
    let (x, y) = points();
    let examples = Examples::new(Inputs::new(&x, 2).unwrap(), &y).unwrap();
    let folds = Split::stratified_k_fold(&y, 4, 1).unwrap();
    search(grid(), &examples, &folds, executor).unwrap()
}

#[test]
fn each_fold_equals_a_training_by_hand() {
    let (x, y) = points();
    let examples = Examples::new(Inputs::new(&x, 2).unwrap(), &y).unwrap();
    let folds = Split::stratified_k_fold(&y, 4, 1).unwrap();
    let trials = searched(&Sequential);
    assert_eq!(trials.rows.len(), 3);
    for (row, candidate) in trials.rows.iter().zip(grid()) {
        assert_eq!(row.candidate, candidate);
        if row.candidate.fit.lr == f32::MAX {
            assert_eq!((row.folds.len(), row.diverged), (0, 4));
            continue;
        }
        assert_eq!((row.folds.len(), row.diverged), (4, 0));
        for (found, fold) in row.folds.iter().zip(&folds) {
            let mut network = Mlp::new(candidate.architecture.clone(), candidate.init, 3).unwrap();
            let train = examples.subset(&fold.train).unwrap();
            candidate.fit.run(&mut network, &train, None, &Sequential, go_on).unwrap();
            let held_out = examples.subset(&fold.validation).unwrap();
            assert_eq!(*found, network.evaluate(&held_out, &Sequential).unwrap());
        }
        let accuracies: Vec<f64> = row.folds.iter().map(|fold| fold.accuracy).collect();
        let mean = accuracies.iter().sum::<f64>() / 4.0;
        let squares: f64 = accuracies.iter().map(|a| (a - mean) * (a - mean)).sum();
        assert!((row.accuracy() - mean).abs() < 1e-12);
        assert!((row.deviation() - (squares / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(row.samples(), 60);
        // Every fold holds out fifteen samples.
        assert!((row.errors() as f64 - 60.0 * (1.0 - mean)).abs() < 1e-9);
    }
}

/// Claims some number of threads, and runs the second task before the first.
struct Backwards(usize);

impl Executor for Backwards {
    fn threads(&self) -> usize {
        self.0
    }

    fn join(&self, a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
        std::thread::scope(|scope| {
            scope.spawn(b).join().unwrap();
            a();
        });
    }
}

#[test]
fn the_executor_changes_nothing() {
    let expected = format!("{:?}", searched(&Sequential));
    for threads in [0, 1, 2, 3, 64, usize::MAX] {
        assert_eq!(format!("{:?}", searched(&Backwards(threads))), expected, "{threads} threads");
    }
}

#[test]
fn the_table_is_sorted_and_says_which_candidates_diverged() {
    let mut trials = searched(&Sequential);
    let best = trials.best().unwrap().candidate.name.clone();
    trials.sort();
    let names: Vec<_> = trials.rows.iter().map(|row| &row.candidate.name[..]).collect();
    assert_eq!(names, ["base, lr 0.1", "base, lr 0.001", "base, lr 3.4028235e38"]);
    assert_eq!(best, names[0]);
    let text = trials.to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0], "candidate              accuracy  deviation    loss  wrong");
    assert_eq!(lines[3], "base, lr 3.4028235e38  diverged in 4 of 4 folds");
    let row = &trials.rows[0];
    let expected = format!(
        "base, lr 0.1             {:.4}     {:.4}  {:.4}  {} of 60",
        row.accuracy(),
        row.deviation(),
        row.loss(),
        row.errors(),
    );
    assert_eq!(lines[1], expected);
    // A good candidate that diverged in one fold comes after one that never did.
    trials.rows[0].diverged = 1;
    trials.sort();
    assert_eq!(trials.rows[1].candidate.name, "base, lr 0.1");
    assert!(trials.to_string().contains("base, lr 0.1           diverged in 1 of 5 folds"));
    assert_eq!(Trials::default().to_string().lines().count(), 1);
    assert!(Trials::default().best().is_none());
}

#[test]
fn with_equal_accuracy_the_lower_loss_comes_first() {
    // The features are all equal, so every sample is predicted as the larger class.
    let (x, y) = ([0.0; 20], [0u8, 0, 0, 1, 0, 0, 0, 1, 0, 0]);
    let examples = Examples::new(Inputs::new(&x, 2).unwrap(), &y).unwrap();
    let split = Split { train: (0..8).collect(), validation: vec![8, 9] };
    let candidates =
        vary(vec![base()], "epochs", [1, 20], |candidate, epochs| candidate.fit.epochs = epochs);
    let trials = search(candidates, &examples, &[split], &Sequential).unwrap();
    let [one, twenty] = &trials.rows[..] else { panic!("two rows") };
    assert_eq!((one.accuracy(), twenty.accuracy()), (1.0, 1.0));
    assert_eq!(one.deviation(), 0.0, "of a single fold");
    assert!(twenty.loss() < one.loss());
    assert_eq!(trials.best().unwrap().candidate, twenty.candidate);
}

#[test]
fn a_grid_has_every_combination_of_values() {
    let mut nameless = base();
    nameless.name.clear();
    let grid = vary(vec![nameless], "lr", [0.5, 0.25], |candidate, lr| candidate.fit.lr = lr);
    let grid = vary(grid, "hidden", vec![vec![3], vec![]], |candidate, hidden| {
        candidate.architecture.hidden = hidden;
    });
    let found = grid.iter().map(|c| (&c.name[..], c.fit.lr, &c.architecture.hidden[..]));
    assert!(found.eq([
        ("lr 0.5, hidden [3]", 0.5, &[3][..]),
        ("lr 0.5, hidden []", 0.5, &[]),
        ("lr 0.25, hidden [3]", 0.25, &[3]),
        ("lr 0.25, hidden []", 0.25, &[]),
    ]));
    assert!(vary(grid, "none", Vec::<f32>::new(), |_, _| ()).is_empty());
}

#[test]
fn random_values_fill_their_ranges_and_depend_only_on_seed_and_index() {
    let draw = |count, seed| {
        random_candidates(count, seed, |draw| {
            let mut candidate = base();
            candidate.fit.lr = draw.log_uniform(0.01, 1.0);
            candidate.fit.l2 = draw.uniform(1.0, 3.0);
            candidate.fit.batch_size = draw.integer(5, 8);
            candidate.init = draw.pick([Init::Xavier, Init::He, Init::Uniform]);
            candidate
        })
    };
    let many = draw(2000, 1);
    assert_eq!(many[..7], draw(7, 1));
    assert_ne!(many[..7], draw(7, 2));

    // The standard deviation of a fraction of 2000 is at most 0.011.
    let share = |what: &dyn Fn(&Candidate) -> bool| {
        many.iter().filter(|candidate| what(candidate)).count() as f64 / 2000.0
    };
    let near = |found: f64, expected: f64| {
        assert!((found - expected).abs() < 0.04, "{found}, expected {expected}");
    };
    assert_eq!(share(&|c| (0.01..=1.0).contains(&c.fit.lr)), 1.0);
    near(share(&|c| c.fit.lr < 0.1), 0.5);
    near(share(&|c| c.fit.lr < 0.031_623), 0.25);
    assert_eq!(share(&|c| (1.0..=3.0).contains(&c.fit.l2)), 1.0);
    near(share(&|c| c.fit.l2 < 1.5), 0.25);
    for size in 5..=8 {
        near(share(&|c| c.fit.batch_size == size), 0.25);
    }
    for init in [Init::Xavier, Init::He, Init::Uniform] {
        near(share(&|c| c.init == init), 1.0 / 3.0);
    }

    random_candidates(1, 1, |draw| {
        for (low, high) in [(0.0, 1.0), (2.0, 1.0), (f32::NAN, 1.0), (1.0, f32::INFINITY)] {
            assert!(draw.log_uniform(low, high).is_nan());
        }
        assert_eq!(draw.log_uniform(2.0, 2.0), 2.0);
        assert_eq!((draw.integer(4, 4), draw.integer(4, 2)), (4, 4));
        base()
    });
}

#[test]
fn an_invalid_candidate_is_an_error_that_names_it() {
    let (x, y) = points();
    let points = Examples::new(Inputs::new(&x, 2).unwrap(), &y).unwrap();
    let folds = Split::k_fold(60, 3, 1).unwrap();
    let fail = |candidate: Candidate, folds: &[Split]| {
        search([base(), candidate], &points, folds, &Sequential).unwrap_err().to_string()
    };
    let with = |name: &str, change: &dyn Fn(&mut Candidate)| {
        let mut candidate = base();
        candidate.name = name.into();
        change(&mut candidate);
        candidate
    };
    for (candidate, expected) in [
        (with("a", &|c| c.fit.lr = 0.0), "candidate `a`: learning rate is 0: expected"),
        (with("b", &|c| c.architecture.hidden = vec![0]), "candidate `b`: units of hidden layer 1"),
        (with("c", &|c| c.architecture.inputs = 3), "candidate `c`: layer 0 takes 3 features"),
        (with("d", &|c| c.architecture.outputs = 1), "candidate `d`: sample "),
        (
            with("e", &|c| c.fit.early_stopping = Some(EarlyStopping::default())),
            "candidate `e`: early stopping watches",
        ),
    ] {
        let error = fail(candidate, &folds);
        assert!(error.starts_with(expected), "{error}");
    }
    assert_eq!(fail(base(), &[]), "number of folds is 0: it must be at least 1");
    let far = Split { train: vec![0, 60], validation: vec![1] };
    assert_eq!(fail(base(), &[far]), "the subset names sample 60 of 60");
    for (train, validation) in [(vec![], vec![1]), (vec![1], vec![])] {
        let error = search([base()], &points, &[Split { train, validation }], &Sequential);
        assert!(matches!(error.unwrap_err(), Error::Empty));
    }
}
