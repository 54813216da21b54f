//! Arguments at the ends of their types: an answer or an error, at once, and never a panic.

use nn::{
    Activation, Architecture, Average, Checkpoint, EarlyStopping, Error, Examples, Fit, Head, Init,
    Inputs, Labels, Mlp, Optimizer, Run, Session, Split, Values, cross_entropy, one_hot,
};

const HUGE: [usize; 6] =
    [usize::MAX, usize::MAX - 1, isize::MAX as usize, 1 << 62, 1 << 40, u32::MAX as usize + 1];

fn shape(inputs: usize, hidden: Vec<usize>, outputs: usize) -> Architecture {
    Architecture { inputs, hidden, outputs, activation: Activation::Relu }
}

#[test]
fn networks_larger_than_memory_are_errors() {
    let mut shapes = Vec::new();
    // 2³⁶ parameters are 256 GiB; up to 2³⁹ the number itself is allowed.
    for bits in 36..64 {
        shapes.push(shape(1 << (bits / 2), vec![], 1 << (bits - bits / 2)));
    }
    for huge in HUGE {
        shapes.extend([shape(huge, vec![], 2), shape(2, vec![huge], 2), shape(2, vec![], huge)]);
        shapes.push(shape(huge, vec![huge; 3], huge));
    }
    for mut shape in shapes {
        for (activation, _) in [(Activation::Relu, ""), (Activation::Maxout { pieces: 3 }, "")] {
            shape.activation = activation;
            for made in [Mlp::zeros(shape.clone()), Mlp::new(shape.clone(), Init::He, 1)] {
                let error = made.unwrap_err();
                assert!(
                    matches!(error, Error::Memory { .. } | Error::TooLarge { .. }),
                    "{shape:?}: {error}"
                );
            }
            assert!(Fit::default().memory(&shape, usize::MAX) > 1 << 37, "{shape:?}");
            let _ = shape.training_flops();
            assert!(shape.parameters() > 0);
        }
    }
}

#[test]
fn a_batch_larger_than_memory_is_an_error_before_a_step() {
    let x = vec![0.5; 4];
    let y = [0u8, 1];
    let train = Examples::new(Inputs::new(&x, 2).unwrap(), &y).unwrap();
    let network = Mlp::zeros(shape(2, vec![3], 2)).unwrap();
    for batch_size in HUGE {
        // No more rows than there are samples.
        let fit = Fit { batch_size, epochs: 1, ..Fit::default() };
        Run::new(network.clone(), &fit, train, None).unwrap();
        Session::new(network.clone(), &fit).unwrap();
    }
    for epochs in HUGE {
        let fit = Fit { epochs, ..Fit::default() };
        let run = Run::new(network.clone(), &fit, train, None).unwrap();
        let mut saved = Checkpoint::from_bytes(&run.to_bytes()).unwrap();
        saved.set_epochs(usize::MAX).unwrap();
        assert!(run.steps_per_epoch() == 1 && run.saved_len() < 1 << 20);
    }
}

/// What a run needs, by its parts.
#[test]
fn memory_counts_what_is_kept_for_each_parameter() {
    let shape = shape(100, vec![50], 10);
    let parameters = shape.parameters() as u64;
    let rows = 4 * 20 * (100 + 2 * (50 + 10));
    let plain =
        Fit { optimizer: Optimizer::Sgd { momentum: 0.0 }, batch_size: 20, ..Fit::default() };
    let adam = Optimizer::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 };
    for (fit, vectors) in [
        (plain.clone(), 2),
        (Fit { optimizer: adam, ..plain.clone() }, 3),
        (Fit { average: Some(Average::default()), ..plain.clone() }, 3),
        (Fit { clip_norm: Some(1.0), ..plain.clone() }, 3),
        (Fit { early_stopping: Some(EarlyStopping::default()), ..plain.clone() }, 3),
    ] {
        assert_eq!(fit.memory(&shape, 1000), 4 * vectors * parameters + rows, "{fit:?}");
    }
    assert_eq!(plain.memory(&shape, 10), 8 * parameters + rows / 2);
}

#[test]
fn splits() {
    for samples in HUGE.into_iter().chain([0, 1]) {
        assert!(Split::random(samples, 0.1, 1).is_err(), "{samples}");
        for k in HUGE.into_iter().chain([0, 1]) {
            assert!(Split::k_fold(samples, k, 1).is_err(), "{k} folds of {samples}");
        }
    }
    // Leave-one-out: four billion lists of four billion numbers.
    let count = u32::MAX as usize >> 4;
    assert!(matches!(Split::k_fold(count, count, 1), Err(Error::Memory { .. })));
    for fraction in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1.0, f64::MIN_POSITIVE / 2.0] {
        let split = Split::stratified(&[0u8, 0, 1, 1][..], fraction, u64::MAX);
        assert_eq!(split.is_ok(), fraction > 0.0 && fraction < 1.0, "{fraction}");
    }
}

#[test]
fn formulas() {
    // The last of them fit into the memory of large machines.
    for classes in HUGE.into_iter().take(4) {
        assert!(one_hot(&[0], classes).is_none());
        assert!(one_hot(&[classes], 2).is_none());
        assert!(cross_entropy(&[0.5; 3], &[0.5; 3], classes).is_none());
    }
    assert!(one_hot(&[0], 0).is_none());
    assert!(cross_entropy(&[0.5], &[1.0], 0).is_none());
}

#[test]
fn data() {
    let x = [0.5; 4];
    for width in HUGE.into_iter().chain([0, 3]) {
        assert!(Inputs::new(&x, width).is_err(), "{width}");
        assert!(Inputs::pixels(&[1; 4], width).is_err(), "{width}");
        assert!(Values::new(&x, width).is_err(), "{width}");
    }
    let labels: Labels<'_> = (&[usize::MAX, 0][..]).into();
    let examples = Examples::new(Inputs::new(&x, 2).unwrap(), labels).unwrap();
    let mut network = Mlp::zeros(shape(2, vec![], 2)).unwrap();
    assert!(matches!(
        network.evaluate(&examples, &nn::Sequential),
        Err(Error::Label { label: usize::MAX, .. })
    ));
    assert!(examples.subset(&[u32::MAX]).is_err());
    for layer in HUGE {
        assert!(network.layer(layer).is_none());
        assert!(network.set_layer(layer, &[], &[]).is_err());
    }
    for scale in [f32::NAN, f32::INFINITY, -1.0, 0.0, f32::MAX] {
        assert!(network.set_pixel_scale(scale).is_err());
    }
    for delta in [f32::NAN, f32::INFINITY, 0.0, -1.0] {
        assert!(network.clone().with_head(Head::Huber { delta }).is_err());
    }
}
