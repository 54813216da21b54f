//! Which cells show the decimal mark of a table.

use super::error::{TableError, shown};
use super::facts::{Place, Undecided};
use super::marks::{DecimalMark, Marks};
use super::number::Cell;
use super::written::Written;

/// The first cells of a column that say something of the decimal mark, for either mark.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Cells that show that it is this one.
    shows: [Option<Place>; 2],
    /// Cells that have this mark, which may be between thousands.
    open: [Option<Place>; 2],
}

impl Seen {
    /// Adds a cell of a column of numbers.
    #[cold]
    pub(crate) fn add(&mut self, line: u64, cell: &[u8]) {
        let first = match Written::of(cell) {
            Some(Written::Shows { decimal, .. }) => &mut self.shows[decimal as usize],
            Some(Written::Open { mark, .. }) => &mut self.open[mark as usize],
            _ => return,
        };
        first.get_or_insert_with(|| Place { line, value: shown(cell) });
    }

    /// Whether cells were read as fractions that have thousands, if this is the decimal mark.
    pub(crate) fn is_misread(&self, decimal: DecimalMark) -> bool {
        self.open[decimal.other() as usize].is_some()
    }
}

/// The decimal mark of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decided {
    /// `None` if no number has a point or a comma.
    pub(crate) decimal: Option<DecimalMark>,
    pub(crate) undecided: Option<Undecided>,
}

/// The decimal mark of a table whose columns of numbers have these cells: the one that a cell
/// shows. If none does it is the one that is there; if both are, the comma if semicolons
/// separate cells, as Excel writes them where the comma is the decimal mark.
///
/// # Errors
/// If one cell shows a point, and another a comma.
pub(crate) fn decide<'a>(
    columns: impl Iterator<Item = (&'a str, &'a Seen)>,
    separator: u8,
    assumed: Option<DecimalMark>,
) -> Result<Decided, TableError> {
    let marks = [DecimalMark::Point, DecimalMark::Comma];
    let (mut shows, mut open) = ([None, None], [None, None]);
    for (column, seen) in columns {
        for mark in marks {
            earlier(&mut shows[mark as usize], column, seen.shows[mark as usize].as_ref());
            earlier(&mut open[mark as usize], column, seen.open[mark as usize].as_ref());
        }
    }
    match shows {
        [Some(point), Some(comma)] => {
            let mut both = [(point, DecimalMark::Point), (comma, DecimalMark::Comma)];
            both.sort_by_key(|((_, place), _)| place.line);
            let [((_, first), of_first), ((column, found), of_found)] = both;
            Err(contrary(column, found, of_found, first, of_first))
        }
        [Some(_), None] => Ok(Decided { decimal: Some(DecimalMark::Point), undecided: None }),
        [None, Some(_)] => Ok(Decided { decimal: Some(DecimalMark::Comma), undecided: None }),
        [None, None] => {
            let there = match open {
                [None, None] => return Ok(Decided::default()),
                [Some(_), None] => DecimalMark::Point,
                [None, Some(_)] => DecimalMark::Comma,
                [Some(_), Some(_)] if separator == b';' => DecimalMark::Comma,
                [Some(_), Some(_)] => DecimalMark::Point,
            };
            let decimal = assumed.unwrap_or(there);
            let first = open.into_iter().flatten().min_by_key(|(_, place)| place.line);
            let undecided = first.filter(|_| assumed.is_none());
            let undecided = undecided.map(|(_, place)| Undecided { place: place.clone(), decimal });
            Ok(Decided { decimal: Some(decimal), undecided })
        }
    }
}

/// Replaces a cell by one that is in an earlier line.
fn earlier<'a>(first: &mut Option<(&'a str, &'a Place)>, column: &'a str, new: Option<&'a Place>) {
    if let Some(new) = new
        && first.is_none_or(|(_, place)| new.line < place.line)
    {
        *first = Some((column, new));
    }
}

fn contrary(
    column: &str,
    found: &Place,
    of_found: DecimalMark,
    other: &Place,
    of_other: DecimalMark,
) -> TableError {
    let (new, old) = (&found.value, &other.value);
    let (new_has, old_has) = (has(new, of_found), has(old, of_other));
    let (line, column) = (found.line, shown(column.as_bytes()));
    let found = format!("`{new}` has {new_has}, but `{old}` in line {} {old_has}", other.line);
    TableError::DecimalMarks { line, column, found }
}

/// What a number has, if this is its decimal mark.
fn has(number: &str, decimal: DecimalMark) -> &'static str {
    match (decimal, number.bytes().any(|byte| byte == decimal.byte())) {
        (DecimalMark::Point, true) => "a decimal point",
        (DecimalMark::Comma, true) => "a decimal comma",
        (DecimalMark::Point, false) => "a comma between thousands",
        (DecimalMark::Comma, false) => "a point between thousands",
    }
}

/// The marks of rows that are read one after another: those of all columns are one.
pub(crate) struct Running {
    pub(crate) marks: Marks,
    /// The cell that says the most of them so far.
    first: Option<Place>,
}

impl Running {
    pub(crate) fn new(marks: Marks) -> Self {
        Self { marks, first: None }
    }

    /// The number of a cell that says something of the marks; `None` if it has none.
    ///
    /// # Errors
    /// If it contradicts a cell before it, whose number is gone already.
    #[cold]
    pub(crate) fn take(
        &mut self,
        said: Cell,
        column: &str,
        line: u64,
        cell: &[u8],
    ) -> Result<Option<f64>, TableError> {
        let place = Place { line, value: shown(cell) };
        match said {
            Cell::Marked(value) => {
                self.first = Some(place);
                Ok(Some(value))
            }
            Cell::Contrary => {
                let of_found = match Written::of(cell) {
                    Some(Written::Shows { decimal, .. }) => decimal,
                    Some(Written::Open { mark, .. }) => mark,
                    _ => return Ok(None),
                };
                let Some(first) = &self.first else { return Ok(None) };
                Err(contrary(column, &place, of_found, first, of_found.other()))
            }
            _ => Ok(None),
        }
    }

    /// A number that was read as it stands, though nothing says what its mark is.
    pub(crate) fn undecided(&self) -> Option<Undecided> {
        let place = self.first.clone().filter(|_| self.marks.is_open())?;
        Some(Undecided { place, decimal: self.marks.decimal()? })
    }
}
