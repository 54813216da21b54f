//! The network that a run begins with.

use mnist_io::{ClassNames, Classes, Samples};
use nn::{Architecture, Columns, Fit, Head, Mlp, Preparation};

use crate::config::Config;
use crate::error::Error;
use crate::look::Look;
use crate::ranks::Ranks;
use crate::sets::Sets;
use crate::{data, limits};

/// The network before training.
///
/// # Errors
/// A network that the machine has not the memory for.
pub(crate) fn new(config: &Config, sets: &Sets, ranks: &Ranks) -> Result<Mlp, Error> {
    let on_host = ranks.on_this_host();
    for_samples(config, &sets.training, sets.columns.as_ref(), &sets.look, on_host)
}

/// The network before training, for these samples, which `columns` made of a table. `ranks` is how
/// many on this host train one like it.
///
/// # Errors
/// As for [`new`].
pub(crate) fn for_samples(
    config: &Config,
    training: &Samples,
    columns: Option<&Columns>,
    look: &Look,
    ranks: usize,
) -> Result<Mlp, Error> {
    let classes = data::classes(training);
    let outputs = classes.map_or(1, Classes::count);
    let shape = config.architecture(training.width(), outputs);
    check_memory(&config.training, &shape, training.len(), ranks)?;
    let mut network = Mlp::new(shape, config.network.init, config.training.seed)?;
    if classes.is_none() {
        network = network.with_head(Head::Squared)?;
    }
    if let Some(ClassNames { path, names }) = classes.and_then(Classes::names).cloned() {
        network.set_class_names(names).map_err(|source| Error::ClassNames { path, source })?;
    }
    if let Some(columns) = columns {
        network.set_preparation(Some(Preparation::Columns(columns.clone())))?;
    }
    look.apply(config, &mut network)?;
    Ok(network)
}

/// Bytes for all that does not grow with the network: code, stacks, buffers.
const PROGRAM: u64 = 32 << 20;

/// Bytes that a run takes while it trains and is saved, without the samples.
pub(crate) fn memory(fit: &Fit, shape: &Architecture, samples: usize) -> u64 {
    // A save copies the network, and has the checkpoint as tensors and as the file.
    let network = (shape.parameters() as u64).saturating_mul(size_of::<f32>() as u64);
    let saving = fit.memory(shape, 0).saturating_add(network).saturating_mul(2);
    fit.memory(shape, samples).saturating_add(saving)
}

/// Checks that the machine has the memory that a run needs, before it is requested.
fn check_memory(
    fit: &Fit,
    shape: &Architecture,
    samples: usize,
    ranks: usize,
) -> Result<(), Error> {
    let needed = memory(fit, shape, samples).saturating_add(PROGRAM);
    let free = limits::memory(ranks);
    if needed > free {
        let layers = shape.layers().iter().map(usize::to_string).collect::<Vec<_>>().join("-");
        let (needed, mut free) = (limits::bytes(needed), limits::bytes(free));
        if ranks > 1 {
            free += &format!(" for each of the {ranks} ranks on this host");
        }
        return Err(Error::NoMemory { layers, parameters: shape.parameters(), needed, free });
    }
    Ok(())
}
