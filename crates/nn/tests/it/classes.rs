//! From two classes to three hundred, with labels of every type: train, save, load,
//! predict.

use crate::common::{go_on, uniform};
use nn::{
    Activation, Architecture, Examples, Fit, Init, Inputs, Labels, Mlp, Predictions, Sequential,
    Split,
};

const WIDTH: usize = 12;
/// Samples of each class.
const EACH: usize = 8;

/// Points around one random centre for each class. Sample i has class i modulo the
/// number of classes.
fn clusters(classes: usize) -> (Vec<f32>, Vec<usize>) {
    let centres = uniform(classes as u64, classes * WIDTH);
    let noise = uniform(1, EACH * classes * WIDTH);
    let y: Vec<usize> = (0..EACH * classes).map(|i| i % classes).collect();
    let centre = |i: usize| centres[y[i / WIDTH] * WIDTH + i % WIDTH];
    let x = noise.iter().enumerate().map(|(i, noise)| centre(i) + 0.1 * noise);
    (x.collect(), y)
}

/// Trains on three quarters of the samples, checks the rest, and returns the model as
/// bytes.
fn trained<'a>(x: &'a [f32], labels: impl Into<Labels<'a>>, classes: usize) -> Vec<u8> {
    let labels = labels.into();
    let all = Examples::new(Inputs::new(x, WIDTH).unwrap(), labels).unwrap();
    let split = Split::stratified(labels, 0.25, 1).unwrap();
    let shape = Architecture {
        inputs: WIDTH,
        hidden: vec![24],
        outputs: classes,
        activation: Activation::Relu,
    };
    let mut network = Mlp::new(shape, Init::He, 1).unwrap();
    let fit = Fit { epochs: 60, batch_size: 16, lr: 0.05, ..Fit::default() };
    let (train, held_out) =
        (all.subset(&split.train).unwrap(), all.subset(&split.validation).unwrap());
    let history = fit.run(&mut network, &train, Some(&held_out), &Sequential, go_on).unwrap();
    let first = history.epochs[0].train_loss;
    let last = history.epochs[history.epochs.len() - 1];
    assert!(last.train_loss < first / 4.0, "{classes} classes: from {first} to {last:?}");
    let accuracy = last.validation.unwrap().accuracy;
    assert!(accuracy > 0.95, "{classes} classes: accuracy {accuracy} on the held-out samples");
    network.to_bytes()
}

#[test]
fn two_to_sixty_two_classes_are_learnt_from_labels_of_every_type() {
    for classes in [2, 10, 26, 47, 62] {
        let (x, y) = clusters(classes);
        let bytes: Vec<u8> = y.iter().map(|&label| label as u8).collect();
        let words: Vec<u32> = y.iter().map(|&label| label as u32).collect();
        let model = trained(&x, &bytes, classes);
        assert!(trained(&x, &words, classes) == model, "{classes} classes: u32");
        assert!(trained(&x, &y, classes) == model, "{classes} classes: usize");

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.safetensors");
        let mut network = Mlp::from_bytes(&model).unwrap();
        network.set_class_names((0..classes).map(|class| format!("class {class}"))).unwrap();
        network.save(&path).unwrap();
        let network = Mlp::load(&path).unwrap();
        assert_eq!(network.architecture().outputs, classes);
        assert_eq!(network.class_names().unwrap()[classes - 1], format!("class {}", classes - 1));

        let inputs = Inputs::new(&x, WIDTH).unwrap();
        let predicted = network.predict(&inputs).unwrap();
        let probabilities = network.predict_proba(&inputs).unwrap();
        assert_eq!(probabilities.len(), classes * y.len());
        for row in probabilities.chunks_exact(classes) {
            let sum: f64 = row.iter().map(|&p| f64::from(p)).sum();
            assert!((sum - 1.0).abs() < 1e-5, "{classes} classes: {sum}");
        }
        let predictions = Predictions::new(&probabilities, classes, &words).unwrap();
        let wide: Vec<usize> = predicted.iter().map(|&class| class as usize).collect();
        assert_eq!(predictions.predicted(), wide);
        let right = predicted.iter().zip(&words).filter(|(a, b)| a == b).count();
        let share = right as f64 / y.len() as f64;
        assert!(share > 0.95, "{classes} classes: {share}");
        let examples = Examples::new(inputs, &bytes).unwrap();
        assert_eq!(network.accuracy(&examples).unwrap(), share);

        // The oracle of top-k accuracy sorts the probabilities of each sample.
        for k in [1, 2, 5, classes] {
            let hits = probabilities.chunks_exact(classes).zip(&y).filter(|(row, label)| {
                let mut order: Vec<usize> = (0..classes).collect();
                order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
                order[..k.min(classes)].contains(label)
            });
            let expected = hits.count() as f64 / y.len() as f64;
            assert_eq!(predictions.top_k_accuracy(k), expected, "{classes} classes, top {k}");
        }
        assert_eq!(predictions.confusion().unwrap().scores(classes - 1).unwrap().support, EACH);
        // There is no class with the number `classes`.
        let mut others = words.clone();
        others[3] = classes as u32;
        let wrong = Examples::new(inputs, &others).unwrap();
        let error = network.evaluate(&wrong, &Sequential).unwrap_err().to_string();
        let most = classes - 1;
        let expected =
            format!("sample 3 has label {classes}: the network knows classes 0 to {most}");
        assert_eq!(error, expected);
    }
}

/// Labels that do not fit in a byte.
#[test]
fn three_hundred_classes_are_learnt() {
    let classes = 300;
    let x = uniform(1, classes * WIDTH);
    let y: Vec<u32> = (0..classes as u32).collect();
    let all = Examples::new(Inputs::new(&x, WIDTH).unwrap(), &y).unwrap();
    let shape = Architecture {
        inputs: WIDTH,
        hidden: vec![64],
        outputs: classes,
        activation: Activation::Tanh,
    };
    let mut network = Mlp::new(shape, Init::Xavier, 1).unwrap();
    let fit = Fit { epochs: 100, batch_size: 50, lr: 0.2, ..Fit::default() };
    fit.run(&mut network, &all, None, &Sequential, go_on).unwrap();
    assert!(network.accuracy(&all).unwrap() > 0.95);
    assert_eq!(network.predict(&all.inputs()).unwrap()[299], 299);
}
