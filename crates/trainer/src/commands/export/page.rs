//! The page that stands alone.

use super::Style;
use super::portable::Portable;
use crate::error::Error;
use crate::page;

pub(super) fn bytes(portable: &Portable<'_>, _: Style) -> Result<Vec<u8>, Error> {
    Ok(page::alone(portable.model).into_bytes())
}
