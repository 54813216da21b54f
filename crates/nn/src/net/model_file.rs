//! The file format of a network: safetensors, with the architecture in the metadata.
//!
//! The tensors are `layer.<l>.weight` (units × inputs, as in PyTorch's `Linear`) and
//! `layer.<l>.bias`, in f32. The metadata has `format`, `version`, `architecture` (JSON),
//! `pixel_scale`, and, where they were set, `head`, `class_names` (JSON) and `preparation`.
//! So the file alone is enough to predict.

use std::path::Path;

use super::dense::Dense;
use crate::tensor_file::{self, Reader, Writer, one_line};
use crate::{Architecture, Error, Head, Mlp, Preparation, files};

const FORMAT: &str = "nn.mlp";
/// The version of a file without `head`, whose head is softmax. Every version of this crate
/// reads it.
const VERSION: &str = "1";
/// The version of a file with `head`.
const VERSION_WITH_HEAD: &str = "2";

impl Mlp {
    /// Writes the network to `path`, whole or not at all, as [`files::write`] does.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        files::write(path, &self.to_bytes()).map_err(Error::io(path))
    }

    /// Reads a network that [`Mlp::save`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Model`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let found = tensor_file::read(path, FORMAT).map_err(Error::io(path))?;
        Self::parsed(found.and_then(|bytes| read(&bytes)), &path.display().to_string())
    }

    /// The network in the safetensors format.
    ///
    /// ```
    /// # use nn::{Activation, Architecture, Init, Mlp};
    /// let shape =
    ///     Architecture { inputs: 4, hidden: vec![3], outputs: 2, activation: Activation::Relu };
    /// let network = Mlp::new(shape, Init::He, 7)?;
    /// let same = Mlp::from_bytes(&network.to_bytes())?;
    /// assert_eq!(same.layer(0), network.layer(0));
    /// # Ok::<(), nn::Error>(())
    /// ```
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let plain = self.head() == Head::Softmax;
        let mut file = Writer::new(FORMAT, if plain { VERSION } else { VERSION_WITH_HEAD });
        self.describe(&mut file);
        self.write_parameters(&mut file, "", &self.params);
        file.finish()
    }

    /// Writes everything but the parameters into the metadata.
    pub(crate) fn describe(&self, file: &mut Writer) {
        file.json("architecture", self.architecture());
        file.note("pixel_scale", self.pixel_scale().to_string());
        if self.head() != Head::Softmax {
            file.note("head", self.head().to_string());
        }
        if let Some(names) = self.class_names() {
            file.json("class_names", &names);
        }
        if let Some(preparation) = self.preparation() {
            file.note("preparation", preparation.to_string());
        }
    }

    /// Writes a vector in the layout of the parameter vector: the tensors of each layer,
    /// their names after `prefix`.
    pub(crate) fn write_parameters(&self, file: &mut Writer, prefix: &str, vector: &[f32]) {
        for (l, dense) in self.layers.iter().enumerate() {
            let each = |at: fn(&Dense, usize) -> usize| {
                (0..dense.units).map(move |unit| vector[at(dense, unit)])
            };
            let weights = (0..dense.units).flat_map(|unit| dense.row(unit, vector)).copied();
            let shape = [dense.units, dense.inputs];
            file.tensor(format!("{prefix}layer.{l}.weight"), &shape, weights);
            let shape = [dense.units];
            file.tensor(format!("{prefix}layer.{l}.bias"), &shape, each(Dense::bias_at));
            if dense.gains {
                file.tensor(format!("{prefix}layer.{l}.gain"), &shape, each(Dense::gain_at));
            }
        }
    }

    /// Reads what [`write_parameters`](Self::write_parameters) wrote.
    pub(crate) fn read_parameters(
        &self,
        file: &Reader<'_>,
        prefix: &str,
        vector: &mut [f32],
    ) -> Result<(), String> {
        for (l, dense) in self.layers.iter().enumerate() {
            let weights =
                file.tensor(&format!("{prefix}layer.{l}.weight"), &[dense.units, dense.inputs])?;
            for (unit, row) in weights.chunks_exact(dense.inputs).enumerate() {
                dense.row_mut(unit, vector).zip(row).for_each(|(to, from)| *to = *from);
            }
            let mut each = |name: &str, at: fn(&Dense, usize) -> usize| {
                let values = file.tensor(&format!("{prefix}layer.{l}.{name}"), &[dense.units])?;
                for (unit, value) in values.into_iter().enumerate() {
                    vector[at(dense, unit)] = value;
                }
                Ok::<(), String>(())
            };
            each("bias", Dense::bias_at)?;
            if dense.gains {
                each("gain", Dense::gain_at)?;
            }
        }
        Ok(())
    }

    /// Reads a network from the bytes that [`Mlp::to_bytes`] returned.
    ///
    /// # Errors
    /// [`Error::Model`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::parsed(read(bytes), "the input")
    }

    fn parsed(found: Result<Self, String>, origin: &str) -> Result<Self, Error> {
        found
            .map_err(|reason| Error::Model { origin: origin.to_owned(), reason: one_line(&reason) })
    }
}

/// What the metadata of a file says about its network.
pub(crate) struct Description {
    head: Head,
    pub(crate) architecture: Architecture,
    pixel_scale: f32,
    class_names: Vec<String>,
    preparation: Option<Preparation>,
}

impl Description {
    /// Reads what [`Mlp::describe`] wrote.
    pub(crate) fn read(file: &Reader<'_>) -> Result<Self, String> {
        let head = match file.optional("head") {
            Some(head) => head.parse().map_err(|e: Error| e.to_string())?,
            None => Head::Softmax,
        };
        let architecture = serde_json::from_str(file.field("architecture")?)
            .map_err(|e| format!("its architecture: {e}"))?;
        let scale = file.field("pixel_scale")?;
        let pixel_scale = scale.parse().map_err(|_| format!("a pixel scale of `{scale}`"))?;
        let class_names = file.optional("class_names").map(serde_json::from_str).transpose();
        let class_names: Option<Vec<String>> =
            class_names.map_err(|e| format!("its class names: {e}"))?;
        if class_names.as_ref().is_some_and(Vec::is_empty) {
            return Err("its `class_names` is an empty list".into());
        }
        let class_names = class_names.unwrap_or_default();
        let preparation = file.optional("preparation").map(Preparation::parse).transpose();
        let preparation = preparation.map_err(|e| e.to_string())?;
        Ok(Self { head, architecture, pixel_scale, class_names, preparation })
    }

    /// The network, its parameters 0.
    pub(crate) fn build(self) -> Result<Mlp, Error> {
        let mut network = Mlp::zeros(self.architecture)?.with_head(self.head)?;
        network.set_pixel_scale(self.pixel_scale)?;
        network.set_class_names(self.class_names)?;
        network.set_preparation(self.preparation)?;
        Ok(network)
    }
}

/// The network in a file, or why there is none.
fn read(bytes: &[u8]) -> Result<Mlp, String> {
    let file = Reader::parse(bytes, FORMAT)?;
    match file.field("version")? {
        VERSION if file.optional("head").is_some() => {
            return Err(format!("its version is `{VERSION}`, which has no `head`"));
        }
        VERSION => (),
        VERSION_WITH_HEAD => file.field("head").map(|_| ())?,
        found => {
            let known = format!("`{VERSION}` or `{VERSION_WITH_HEAD}`");
            return Err(format!("its version is `{found}`, expected {known}"));
        }
    }
    let description = Description::read(&file)?;

    // Read the tensors before allocating the network: a hostile header may name an
    // architecture of any size.
    let mut layers = Vec::new();
    for (l, (inputs, units)) in description.architecture.maps().into_iter().enumerate() {
        let weights = file.finite(&format!("layer.{l}.weight"), &[units, inputs])?;
        let biases = file.finite(&format!("layer.{l}.bias"), &[units])?;
        layers.push((weights, biases));
    }
    let (found, expected) = (file.tensors(), 2 * layers.len());
    if found != expected {
        return Err(format!("it has {found} tensors, expected {expected}"));
    }
    let build = || {
        let mut network = description.build()?;
        for (l, (weights, biases)) in layers.iter().enumerate() {
            network.set_layer(l, weights, biases)?;
        }
        Ok(network)
    };
    build().map_err(|error: Error| error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::{Activation, Architecture, Error, Init, Mlp};

    fn network() -> Mlp {
        let architecture = Architecture {
            inputs: 5,
            hidden: vec![17, 3],
            outputs: 2,
            activation: Activation::Sigmoid,
        };
        let mut network = Mlp::new(architecture, Init::Uniform, 3).unwrap();
        network.set_pixel_scale(0.1).unwrap();
        network
    }

    #[test]
    fn bytes_are_the_same_each_time_and_load_again() {
        let network = network();
        let bytes = network.to_bytes();
        let same = Mlp::from_bytes(&bytes).unwrap();
        assert_eq!(same.architecture(), network.architecture());
        assert_eq!(same.pixel_scale(), 0.1);
        assert_eq!(same.params[..], network.params[..]);
        assert_eq!(same.to_bytes(), bytes);
    }

    #[test]
    fn every_prefix_is_an_error() {
        let bytes = network().to_bytes();
        for len in 0..bytes.len() {
            let error = Mlp::from_bytes(&bytes[..len]).unwrap_err();
            assert!(matches!(error, Error::Model { .. }), "{len}: {error}");
        }
    }

    #[test]
    fn another_architecture_is_an_error_that_names_the_tensor() {
        let bytes = network().to_bytes();
        let at = bytes.windows(6).position(|w| w == b"[17,3]").unwrap();
        let mut other = bytes.clone();
        other[at..at + 6].copy_from_slice(b"[16,3]");
        let error = Mlp::from_bytes(&other).unwrap_err().to_string();
        assert!(error.contains("`layer.0.weight` is F32 [17, 5], expected F32 [16, 5]"), "{error}");
    }
}
