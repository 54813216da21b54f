//! What can be wrong with a table that was read: with what its columns are for.

use mnist_io::Schema;

use super::table::list;
use crate::settings::nearest_names;

/// Why a table cannot be trained on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableFault {
    #[error("its columns are {names}: say with --target which of them is predicted")]
    NoTarget { names: String },
    #[error("{flag}: there is no column `{name}`; {advice}")]
    NoColumn { flag: &'static str, name: String, advice: String },
    #[error(
        "line 1: found a header of {columns} columns and no row, expected a row for each sample; if \
         the first line is a row, say so: --set data.header=no"
    )]
    NoRows { columns: usize },
    #[error("{flag} names the column `{name}`, and --ignore leaves it out: take one of them away")]
    Ignored { flag: &'static str, name: String },
    #[error("the target `{name}` cannot be predicted: {reason}; name another with --target")]
    Target { name: String, reason: String },
    #[error("no row has a value in the target `{name}`: expected one in each row")]
    NoTargets { name: String },
    #[error("beside the target `{target}` no column can be used: expected one at least")]
    NoFeatures { target: String },
    #[error("the column `{name}` of --weight has texts: expected numbers of at least 0")]
    WeightText { name: String },
    #[error(
        "row {} of the column `{name}` of --weight has {found}: expected a number of at least 0",
        .row + 1
    )]
    Weight { name: String, row: usize, found: f32 },
    #[error(
        "row {} has no value in column `{name}`, and --missing is error: fill it in, or take \
         --missing mean",
        .row + 1
    )]
    Missing { row: usize, name: String },
    #[error("the target `{name}` has `{found}`, which training does not have: it has {known}")]
    UnknownClass { name: String, found: String, known: String },
}

impl TableFault {
    /// A flag names a column that is not there.
    pub(super) fn no_column(flag: &'static str, name: &str, schema: &Schema) -> Self {
        let names: Vec<&str> = schema.columns.iter().map(|column| &*column.name).collect();
        let near = nearest_names(name, &names);
        let advice = match near.first() {
            Some(near) => format!("did you mean `{near}`?"),
            None if schema.dialect.header => format!("the columns are {}", list(&names)),
            None => format!(
                "the columns are {}, because the first line is taken for a row; if it has their \
                 names, say so: --set data.header=yes",
                list(&names)
            ),
        };
        Self::NoColumn { flag, name: name.to_owned(), advice }
    }
}
