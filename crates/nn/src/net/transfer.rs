//! What one network has learned, for another one: its hidden layers with new outputs, and
//! what its hidden units say of samples.

use super::dense::Dense;
use crate::{Architecture, Error, Init, Inputs, Mlp, Predictor, Preparation};

impl Mlp {
    /// A network with the hidden layers of this one and a new output layer, whose weights
    /// depend on `init` and `seed`: a start for another task on the same kind of inputs.
    ///
    /// It takes inputs as this one does, so it keeps the pixel scale and the preparation, but
    /// for the target of [`Columns`](crate::Columns). The head is softmax, and classes have no
    /// names, as in a new network.
    ///
    /// ```
    /// use nn::{Activation, Architecture, Head, Init, Mlp};
    /// let shape =
    ///     Architecture { inputs: 2, hidden: vec![8], outputs: 10, activation: Activation::Relu };
    /// let trained = Mlp::new(shape, Init::He, 1)?;
    /// let network = trained.with_outputs(1, Init::He, 2)?.with_head(Head::Logistic)?;
    /// assert_eq!(network.architecture().layers(), [2, 8, 1]);
    /// assert_eq!(network.layer(0), trained.layer(0));
    ///
    /// // The hidden layer can be left as it is, at least at first.
    /// # use nn::{Examples, Fit, Inputs, Sequential};
    /// # let examples = Examples::new(Inputs::new(&[0.1, 0.2, -0.5, 1.0], 2)?, &[0u8, 1])?;
    /// let mut network = network;
    /// let fit = Fit { frozen: 1, epochs: 3, ..Fit::default() };
    /// fit.train(&mut network, &examples, None, &Sequential)?;
    /// assert_eq!(network.layer(0), trained.layer(0));
    /// # Ok::<(), nn::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Mlp::new`].
    pub fn with_outputs(&self, outputs: usize, init: Init, seed: u64) -> Result<Self, Error> {
        let mut network = Self::zeros(Architecture { outputs, ..self.architecture().clone() })?;
        let last = network.layers.len() - 1;
        for l in 0..last {
            if let Some((weights, biases)) = self.layer(l) {
                network.set_layer(l, &weights, &biases)?;
            }
        }
        let Dense { inputs, units, .. } = network.layers[last];
        let (weights, biases) = init.draw(inputs, units, seed, last);
        network.set_layer(last, &weights, &biases)?;
        network.set_pixel_scale(self.pixel_scale())?;
        network.set_preparation(self.preparation().cloned().map(Preparation::without_target))?;
        Ok(network)
    }

    /// What the units of hidden layer `layer` (from 0) say of each sample, after their
    /// activation: samples × units, row-major. It is a representation of the samples, for
    /// plots, nearest neighbours or another model.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] where there is no such hidden layer; [`Error::Width`],
    /// [`Error::NotFinite`] and [`Error::Overflow`], as for [`Mlp::predict`].
    ///
    /// ```
    /// use nn::{Activation, Architecture, Init, Inputs, Mlp};
    /// let shape =
    ///     Architecture { inputs: 2, hidden: vec![8, 3], outputs: 2, activation: Activation::Relu };
    /// let network = Mlp::new(shape, Init::He, 1)?;
    /// let samples = Inputs::new(&[0.1, 0.2, 0.3, 0.4], 2)?;
    /// assert_eq!(network.hidden(&samples, 1)?.len(), 2 * 3);
    /// # Ok::<(), nn::Error>(())
    /// ```
    pub fn hidden(&self, inputs: &Inputs<'_>, layer: usize) -> Result<Vec<f32>, Error> {
        let Some(units) = self.architecture().hidden.get(layer) else {
            let (name, found) = ("hidden layer", layer as f64);
            let expected = "below the number of hidden layers, counted from 0";
            return Err(Error::OutOfRange { name, found, expected });
        };
        let mut hidden = vec![0.0; inputs.len() * units];
        Predictor::until(self, layer + 1).write(inputs, &mut hidden)?;
        Ok(hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Column, Columns, Head, Standard};

    /// The plain formula, in the order of the chains.
    fn hidden(network: &Mlp, x: &[f32], layers: usize) -> Vec<f32> {
        let mut x = x.to_vec();
        for l in 0..layers {
            let (weights, biases) = network.layer(l).unwrap();
            let rows = weights.chunks(x.len()).zip(&biases);
            let chain =
                |row: &[f32], bias: &f32| row.iter().zip(&x).fold(*bias, |z, (w, x)| w * x + z);
            x = rows.map(|(row, bias)| chain(row, bias).max(0.0)).collect();
        }
        x
    }

    #[test]
    fn hidden_units_are_those_of_the_formula() {
        let activation = Activation::Relu;
        let shape = Architecture { inputs: 5, hidden: vec![20, 3], outputs: 2, activation };
        let network = Mlp::new(shape, Init::He, 1).unwrap();
        // More rows than one pass takes.
        let x: Vec<f32> = (0..150 * 5).map(|i| (i * 7 % 31) as f32 / 31.0 - 0.5).collect();
        let inputs = Inputs::new(&x, 5).unwrap();
        for (layer, units) in [(0, 20), (1, 3)] {
            let found = network.hidden(&inputs, layer).unwrap();
            assert!(found.iter().any(|h| *h > 0.0));
            for (x, found) in x.chunks(5).zip(found.chunks(units)) {
                for (expected, found) in hidden(&network, x, layer + 1).iter().zip(found) {
                    assert!((expected - found).abs() < 1e-5, "{expected} {found}");
                }
            }
        }
        let error = network.hidden(&inputs, 2).unwrap_err().to_string();
        assert_eq!(
            error,
            "hidden layer is 2: expected below the number of hidden layers, counted from 0"
        );
    }

    /// A maxout unit is the largest of its pieces.
    #[test]
    fn hidden_units_of_maxout_are_not_its_pieces() {
        let activation = Activation::Maxout { pieces: 2 };
        let shape = Architecture { inputs: 1, hidden: vec![1], outputs: 2, activation };
        let mut network = Mlp::zeros(shape).unwrap();
        network.set_layer(0, &[1.0, -1.0], &[0.0, 0.0]).unwrap();
        let inputs = Inputs::new(&[2.0, -3.0], 1).unwrap();
        assert_eq!(network.hidden(&inputs, 0).unwrap(), [2.0, 3.0]);
    }

    #[test]
    fn another_output_layer_leaves_the_rest() {
        let activation = Activation::Maxout { pieces: 2 };
        let shape = Architecture { inputs: 5, hidden: vec![20, 3], outputs: 2, activation };
        let mut network = Mlp::new(shape, Init::He, 1).unwrap();
        let columns = (0..5).map(|i| Column::numbers(i.to_string())).collect();
        let columns = Columns::new(columns).unwrap();
        let of_old = columns.clone().with_target("price", Some(Standard::NONE));
        network.set_preparation(Some(Preparation::Columns(of_old))).unwrap();
        network.set_pixel_scale(0.5).unwrap();
        network.set_class_names(["no", "yes"]).unwrap();
        let other = network.with_outputs(20, Init::He, 7).unwrap();
        assert_eq!([0, 1].map(|l| other.layer(l)), [0, 1].map(|l| network.layer(l)));
        let weights = other.layer(2).unwrap().0;
        assert!(weights.len() == 60 && weights.iter().any(|w| *w != 0.0));
        assert_eq!(
            (other.head(), other.class_names(), other.pixel_scale()),
            (Head::Softmax, None, 0.5)
        );
        assert_eq!(other.preparation(), Some(&Preparation::Columns(columns)));
        assert!(matches!(network.with_outputs(0, Init::He, 7), Err(Error::Zero { .. })));
    }
}
