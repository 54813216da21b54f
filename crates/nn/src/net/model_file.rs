//! The file format of a network: safetensors, with the architecture in the metadata.
//!
//! The tensors are `layer.<l>.weight` (units × inputs, as in PyTorch's `Linear`) and
//! `layer.<l>.bias`, in f32. The metadata has `format`, `version`, `architecture` (JSON),
//! `pixel_scale`, and, where they were set, `head`, `class_names` (JSON) and `preparation`.
//! So the file alone is enough to predict.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::{Architecture, Error, Head, Mlp};

const FORMAT: &str = "nn.mlp";
/// The version of a file without `head`, whose head is softmax. Every version of this crate
/// reads it.
const VERSION: &str = "1";
/// The version of a file with `head`.
const VERSION_WITH_HEAD: &str = "2";

impl Mlp {
    /// Writes the network to `path`, completely or not at all: it writes a temporary file in
    /// the same folder and then renames it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let io = |source| Error::Io { path: path.to_owned(), source };
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        let written = fs::write(&part, self.to_bytes()).and_then(|()| fs::rename(&part, path));
        written.map_err(|source| {
            // The first error matters to the caller, not that cleaning up failed too.
            let _ = fs::remove_file(&part);
            io(source)
        })
    }

    /// Reads a network that [`Mlp::save`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Model`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        Self::parse(&bytes, &path.display().to_string())
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
        let bytes = |values: Vec<f32>| values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (l, dense) in self.layers.iter().enumerate() {
            let (weights, biases) = super::unpack(dense, &self.params);
            let shape = vec![dense.units, dense.inputs];
            tensors.push((format!("layer.{l}.weight"), shape, bytes(weights)));
            tensors.push((format!("layer.{l}.bias"), vec![dense.units], bytes(biases)));
        }
        let views = tensors.iter().map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
            (name.as_str(), view.expect("the shape fits the number of bytes"))
        });
        let architecture = serde_json::to_string(self.architecture()).expect("plain data");
        let plain = self.head() == Head::Softmax;
        let version = if plain { VERSION } else { VERSION_WITH_HEAD };
        let mut metadata = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("version".to_owned(), version.to_owned()),
            ("architecture".to_owned(), architecture),
            ("pixel_scale".to_owned(), self.pixel_scale().to_string()),
        ]);
        if !plain {
            metadata.insert("head".to_owned(), self.head().to_string());
        }
        if let Some(names) = self.class_names() {
            let names = serde_json::to_string(names).expect("plain data");
            metadata.insert("class_names".to_owned(), names);
        }
        if let Some(preparation) = self.preparation() {
            metadata.insert("preparation".to_owned(), preparation.to_owned());
        }
        canonical(safetensors::serialize(views, Some(metadata)).expect("plain tensors"))
    }

    /// Reads a network from the bytes that [`Mlp::to_bytes`] returned.
    ///
    /// # Errors
    /// [`Error::Model`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse(bytes, "the input")
    }

    fn parse(bytes: &[u8], origin: &str) -> Result<Self, Error> {
        read(bytes).map_err(|reason| Error::Model { origin: origin.to_owned(), reason })
    }
}

/// What the metadata of a file says about its network.
struct Description {
    head: Head,
    architecture: Architecture,
    pixel_scale: f32,
    class_names: Vec<String>,
    preparation: Option<String>,
}

/// The network in a file, or why there is none.
fn read(bytes: &[u8]) -> Result<Mlp, String> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    let Description { head, architecture, pixel_scale, class_names, preparation } =
        describe(header.metadata().as_ref())?;

    // Read the tensors before allocating the network: a hostile header may name an
    // architecture of any size.
    let mut layers = Vec::new();
    for (l, (inputs, units)) in architecture.maps().into_iter().enumerate() {
        let weights = tensor(&tensors, &format!("layer.{l}.weight"), &[units, inputs])?;
        let biases = tensor(&tensors, &format!("layer.{l}.bias"), &[units])?;
        layers.push((weights, biases));
    }
    let (found, expected) = (tensors.len(), 2 * layers.len());
    if found != expected {
        return Err(format!("it has {found} tensors, expected {expected}"));
    }
    let build = || {
        let mut network = Mlp::zeros(architecture)?.with_head(head)?;
        network.set_pixel_scale(pixel_scale)?;
        network.set_class_names(class_names)?;
        network.set_preparation(preparation);
        for (l, (weights, biases)) in layers.iter().enumerate() {
            network.set_layer(l, weights, biases)?;
        }
        Ok(network)
    };
    build().map_err(|error: Error| error.to_string())
}

/// Reads the metadata.
fn describe(metadata: Option<&HashMap<String, String>>) -> Result<Description, String> {
    let optional = |name: &str| metadata.and_then(|map| map.get(name));
    let field = |name: &str| optional(name).ok_or_else(|| format!("its metadata has no `{name}`"));
    let found = field("format")?;
    if found != FORMAT {
        return Err(format!("its format is `{found}`, expected `{FORMAT}`"));
    }
    let head = match field("version")?.as_str() {
        VERSION if optional("head").is_some() => {
            return Err(format!("its version is `{VERSION}`, which has no `head`"));
        }
        VERSION => Head::Softmax,
        VERSION_WITH_HEAD => field("head")?.parse().map_err(|e: Error| e.to_string())?,
        found => {
            let known = format!("`{VERSION}` or `{VERSION_WITH_HEAD}`");
            return Err(format!("its version is `{found}`, expected {known}"));
        }
    };
    let architecture = serde_json::from_str(field("architecture")?)
        .map_err(|e| format!("its architecture: {e}"))?;
    let scale = field("pixel_scale")?;
    let pixel_scale = scale.parse().map_err(|_| format!("a pixel scale of `{scale}`"))?;
    let class_names = optional("class_names").map(|names| serde_json::from_str(names)).transpose();
    let class_names: Option<Vec<String>> =
        class_names.map_err(|e| format!("its class names: {e}"))?;
    if class_names.as_ref().is_some_and(Vec::is_empty) {
        return Err("its `class_names` is an empty list".into());
    }
    let (class_names, preparation) = (class_names.unwrap_or_default(), optional("preparation"));
    let preparation = preparation.cloned();
    Ok(Description { head, architecture, pixel_scale, class_names, preparation })
}

/// The elements of a tensor of this shape, all of them finite.
fn tensor(tensors: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
    let view = tensors.tensor(name).map_err(|e| format!("`{name}`: {e}"))?;
    if view.dtype() != Dtype::F32 || view.shape() != shape {
        let (dtype, found) = (view.dtype(), view.shape());
        return Err(format!("`{name}` is {dtype:?} {found:?}, expected F32 {shape:?}"));
    }
    let (words, _) = view.data().as_chunks();
    let values: Vec<f32> = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values),
        Some(at) => Err(format!("element {at} of `{name}` is {}", values[at])),
    }
}

/// The file with the keys of its header sorted. The library writes the metadata in the order
/// of a hash map, which differs from run to run, but equal networks should give equal bytes.
fn canonical(bytes: Vec<u8>) -> Vec<u8> {
    let mut len = [0; 8];
    len.copy_from_slice(&bytes[..8]);
    let (header, data) = bytes[8..].split_at(u64::from_le_bytes(len) as usize);
    let header: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(header).expect("the header was just written");
    let mut header = serde_json::to_vec(&header).expect("plain data");
    // Spaces after the header keep the tensors aligned, as the format requires.
    header.resize(header.len().next_multiple_of(8), b' ');
    [&(header.len() as u64).to_le_bytes()[..], &header, data].concat()
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
