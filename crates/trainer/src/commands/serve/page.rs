//! The page at `/`.

use crate::model::Model;

/// The page, as one file. It learns of the model by `/api/model`.
pub(super) fn html(_model: &Model) -> String {
    include_str!("placeholder.html").to_owned()
}
