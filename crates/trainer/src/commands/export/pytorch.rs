//! A safetensors file with the names and shapes of `torch.nn.Sequential`: `0.weight`,
//! `0.bias`, then those of module 2, because the activation is module 1.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Style;
use super::portable::Portable;
use crate::error::Error;

/// A row of the header.
#[derive(Serialize)]
#[serde(untagged)]
enum Row {
    Metadata(BTreeMap<&'static str, String>),
    Tensor { data_offsets: [usize; 2], dtype: &'static str, shape: Vec<usize> },
}

pub(super) fn bytes(portable: &Portable<'_>, _: Style) -> Result<Vec<u8>, Error> {
    let mut header =
        BTreeMap::from([("__metadata__".to_owned(), Row::Metadata(portable.metadata()))]);
    let mut data: Vec<u8> = Vec::with_capacity(4 * portable.parameters());
    let mut tensor = |name: String, shape: Vec<usize>, values: &[f32]| {
        let start = data.len();
        values.iter().for_each(|value| data.extend_from_slice(&value.to_le_bytes()));
        let data_offsets = [start, data.len()];
        header.insert(name, Row::Tensor { data_offsets, dtype: "F32", shape });
    };
    for (l, layer) in portable.layers.iter().enumerate() {
        let module = 2 * l;
        tensor(format!("{module}.weight"), vec![layer.rows, layer.inputs], &layer.weights);
        tensor(format!("{module}.bias"), vec![layer.rows], &layer.biases);
    }
    let mut header = serde_json::to_vec(&header).expect("plain data");
    // Spaces after the header keep the tensors aligned, as the format requires.
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend(data);
    Ok(file)
}
