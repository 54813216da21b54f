//! Some rows of a text, which go from one thread to another.

use std::io::Read;

use super::marks::Marks;
use super::number;
use super::records::{Record, Records};
use crate::error::Error;

/// Whole rows with the ends of their cells, and perhaps with their numbers.
pub(crate) struct Batch {
    rows: Vec<Row>,
    bytes: Vec<u8>,
    /// For each cell, where it ends in the bytes of its row.
    ends: Vec<usize>,
    /// For each cell its number, or NaN if it is none that is short. Empty if they were not
    /// read.
    numbers: Vec<f64>,
    /// What the numbers were read with.
    marks: Marks,
}

struct Row {
    line: u64,
    /// The line of the row after it, or of the end.
    next_line: u64,
    /// Where it ends in `bytes`.
    bytes: usize,
    /// Where it ends in `ends`.
    cells: usize,
    gap: usize,
}

impl Batch {
    /// Without rows. Its numbers will be read with `marks`.
    pub(crate) fn new(marks: Marks) -> Self {
        let (rows, bytes, ends) = (Vec::new(), Vec::new(), Vec::new());
        Self { rows, bytes, ends, numbers: Vec::new(), marks }
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Replaces the rows by the next ones of `records`, of which it takes those that have `size`
    /// bytes with their ends, and one at least. False if they are the last.
    ///
    /// # Errors
    /// As for [`Records::next`]. The rows before the error are here.
    pub(crate) fn fill<R: Read>(
        &mut self,
        records: &mut Records<R>,
        size: usize,
    ) -> Result<bool, Error> {
        self.rows.clear();
        self.bytes.clear();
        self.ends.clear();
        self.numbers.clear();
        while self.bytes.len() + size_of_val(&self.ends[..]) + size_of_val(&self.rows[..]) < size {
            let Some(record) = records.next()? else { return Ok(false) };
            let Record { line, bytes, ends, gap, .. } = record;
            self.bytes.extend_from_slice(bytes);
            self.ends.extend_from_slice(ends);
            let (bytes, cells) = (self.bytes.len(), self.ends.len());
            self.rows.push(Row { line, next_line: records.line(), bytes, cells, gap });
        }
        Ok(true)
    }

    /// Reads the numbers of all cells, which whoever takes the rows need not read then.
    pub(crate) fn read_numbers(&mut self) {
        let mut numbers = std::mem::take(&mut self.numbers);
        numbers.clear();
        for index in 0..self.len() {
            let number = |cell| number::short(cell, &self.marks).unwrap_or(f64::NAN);
            numbers.extend(self.row(index).raw().map(number));
        }
        self.numbers = numbers;
    }

    /// The row at `index`.
    ///
    /// # Panics
    /// If there is no such row.
    pub(crate) fn row(&self, index: usize) -> Record<'_> {
        let Row { line, bytes, cells, gap, .. } = self.rows[index];
        let before = index.checked_sub(1).map(|before| &self.rows[before]);
        let (start, first) = before.map_or((0, 0), |before| (before.bytes, before.cells));
        let numbers = self.numbers.get(first..cells).unwrap_or_default();
        let (bytes, ends) = (&self.bytes[start..bytes], &self.ends[first..cells]);
        Record { line, bytes, ends, gap, numbers, marks: self.marks }
    }

    /// The line of the row after that at `index`, or of the end.
    pub(crate) fn next_line(&self, index: usize) -> u64 {
        self.rows[index].next_line
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::block::Block;
    use super::super::marks::DecimalMark::{Comma, Point};
    use super::*;

    /// What columns may know of their marks.
    fn all_marks() -> Vec<Marks> {
        let mut open = Marks::UNKNOWN;
        let _ = number::read(b"1.234", &mut open);
        let of_decimal = [Point, Comma].map(|decimal| {
            [Marks::shown(decimal), Marks::said(decimal), Marks::assuming(Some(decimal))]
        });
        of_decimal.into_iter().flatten().chain([open, Marks::UNKNOWN]).collect()
    }

    proptest! {
        /// Whatever a batch was read with, and whatever whoever takes it knows by then.
        #[test]
        fn numbers_are_those_of_the_cells(
            rows in vec(vec(prop_oneof!["-?[0-9]{1,4}([.,][0-9]{0,4})?", " ?[0-9a.,-]{0,3}"], 1..4), 1..9),
            quoted in any::<bool>(),
            size in 1..300_usize,
        ) {
            let quote = if quoted { "\"" } else { "" };
            let line = |row: &Vec<String>| format!("{quote}{}{quote}\n", row.join(&format!("{quote};{quote}")));
            let text: String = rows.iter().map(line).collect();
            for with in all_marks() {
                let block = Block::new("text".into(), text.as_bytes()).unwrap();
                let mut records = Records::new(block, b';');
                let mut batch = Batch::new(with);
                let mut more = true;
                while more {
                    more = batch.fill(&mut records, size).unwrap();
                    batch.read_numbers();
                    for index in 0..batch.len() {
                        let row = batch.row(index);
                        for (index, cell) in row.raw().enumerate() {
                            for marks in all_marks() {
                                let found = row.short(index, cell, &marks);
                                let expected = number::short(cell, &marks);
                                prop_assert_eq!(found, expected, "{:?}: {:?}, then {:?}", row, with, marks);
                            }
                        }
                    }
                }
            }
        }
    }
}
