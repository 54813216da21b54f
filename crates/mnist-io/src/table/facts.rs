//! What is known of a table after a look at all of its cells.

use super::looks::Looks;
use super::marks::DecimalMark;
use super::number::Cell;

/// Different numbers of a column are counted up to this one, which then means that there
/// are that many or more.
pub const DISTINCT: usize = 257;

/// What is known of a table after a look at all of its cells.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Facts {
    /// The number of rows, without the header.
    pub rows: u64,
    /// Of each column.
    pub columns: Vec<ColumnFacts>,
    /// A number that may mean another one, if no cell says what the marks are.
    pub undecided: Option<Undecided>,
}

/// A number such as `1.234` in a table where nothing says whether its mark is the decimal one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undecided {
    /// The first such cell.
    pub place: Place,
    /// The decimal mark that the table was read with.
    pub decimal: DecimalMark,
}

/// What is known of a column.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ColumnFacts {
    /// The number of cells that have no value.
    pub missing: u64,
    /// The number of different values. Numbers are rounded to f32 and counted up to
    /// [`DISTINCT`]. Texts are counted up to one more than a category may have.
    pub distinct: usize,
    /// Whether counting stopped at a limit, so that there may be more different values.
    pub more: bool,
    /// Whether all values are whole numbers. False for texts.
    pub whole: bool,
    /// The smallest number and the largest one, if there is any.
    pub range: Option<(f64, f64)>,
    /// The first number, if each row has one more than the row before. pandas (from 0)
    /// and R (from 1) write such a column, without a name.
    pub counts_from: Option<f64>,
    /// The first cell that is no number, in a column of texts.
    pub first_text: Option<Place>,
    /// What the cells look like, in a column of texts.
    pub looks: Looks,
    /// Values that a known category does not have, if there is any.
    pub unknown: Option<Unknown>,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The line, from 1.
    pub line: u64,
    /// What it says, shortened if it is long.
    pub value: String,
}

/// Values that a known category does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unknown {
    /// The number of such cells.
    pub count: u64,
    /// The first of them.
    pub first: Place,
}

/// Collects the facts about a column of numbers.
#[derive(Clone, Debug)]
pub(crate) struct NumberFacts {
    pub(crate) missing: u64,
    min: f64,
    max: f64,
    /// Whether a number can say more than the two above.
    learning: bool,
    distinct: Distinct,
    whole: bool,
    /// What the next number is, if the column counts.
    next: Option<f64>,
    first: Option<f64>,
}

impl NumberFacts {
    pub(crate) fn new() -> Self {
        let (min, max) = (f64::INFINITY, f64::NEG_INFINITY);
        let distinct = Distinct::default();
        let (learning, whole, next, first) = (true, true, None, None);
        Self { missing: 0, min, max, learning, distinct, whole, next, first }
    }

    #[inline]
    pub(crate) fn add(&mut self, value: f64) {
        if value < self.min {
            self.min = value;
        }
        if value > self.max {
            self.max = value;
        }
        if self.learning {
            self.learn(value);
        }
    }

    fn learn(&mut self, value: f64) {
        if self.first.is_none() {
            self.first = Some(value);
            self.next = (self.missing == 0).then_some(value);
        }
        if let Some(next) = self.next {
            self.next = (next == value).then_some(value + 1.0);
        }
        self.whole = self.whole && is_whole(value);
        self.distinct.add(value as f32);
        self.learning = self.whole || self.next.is_some() || !self.distinct.is_full();
    }

    pub(crate) fn add_missing(&mut self) {
        self.missing += 1;
        self.next = None;
    }

    pub(crate) fn facts(&self) -> ColumnFacts {
        let some = self.first.is_some();
        ColumnFacts {
            missing: self.missing,
            distinct: self.distinct.count(),
            more: self.distinct.count() >= DISTINCT,
            whole: some && self.whole,
            range: some.then_some((self.min, self.max)),
            counts_from: if self.whole && self.next.is_some() { self.first } else { None },
            ..ColumnFacts::default()
        }
    }
}

/// Whether `value` is a whole number. Most CPUs have an instruction for it that is not
/// in the oldest set of x86-64, so `trunc` is a call. Next to 1.5·2⁵² an f64 has no
/// fraction, so adding it rounds.
#[inline]
fn is_whole(value: f64) -> bool {
    const LARGE: f64 = 1.5 * (1_u64 << 52) as f64;
    const EXACT: f64 = (1_u64 << 51) as f64;
    if value.abs() < EXACT { (value + LARGE) - LARGE == value } else { value.fract() == 0.0 }
}

/// Adds what `cell` says, and gives the number that stands for it: NaN if it is missing.
/// `None` if it is no number, or says something of the marks.
#[inline]
pub(crate) fn number_of(cell: Cell, facts: &mut NumberFacts) -> Option<f32> {
    match cell {
        Cell::Number(value) => {
            facts.add(value);
            Some(value as f32)
        }
        Cell::Missing => {
            facts.add_missing();
            Some(f32::NAN)
        }
        Cell::Marked(_) | Cell::Contrary | Cell::Infinite | Cell::Text => None,
    }
}

/// Counts different numbers up to [`DISTINCT`].
///
/// Bytes, of which many tables consist, set a bit. The others are in a hash table with
/// open addressing, which has twice the slots that its numbers need at the least. An empty slot is
/// NaN.
#[derive(Clone, Debug)]
struct Distinct {
    bytes: [u64; 4],
    slots: Vec<f32>,
    /// The number of values in `slots`.
    count: usize,
    last: f32,
}

impl Default for Distinct {
    fn default() -> Self {
        Self { bytes: [0; 4], slots: vec![f32::NAN; 8], count: 0, last: f32::NAN }
    }
}

impl Distinct {
    /// The number of values, and [`DISTINCT`] if there are more.
    fn count(&self) -> usize {
        let bytes: u32 = self.bytes.iter().map(|bits| bits.count_ones()).sum();
        (self.count + bytes as usize).min(DISTINCT)
    }

    /// Whether there is no need of more numbers. It may be and this say no, where many of
    /// them are bytes.
    fn is_full(&self) -> bool {
        self.count == DISTINCT
    }

    #[inline]
    fn add(&mut self, value: f32) {
        let byte = value as u8;
        if f32::from(byte) == value {
            self.bytes[usize::from(byte >> 6)] |= 1 << (byte & 63);
        } else if !self.is_full() && value != self.last {
            self.last = value;
            self.insert(value);
        }
    }

    #[cold]
    fn insert(&mut self, value: f32) {
        if 2 * self.count >= self.slots.len() {
            let slots = vec![f32::NAN; 2 * self.slots.len()];
            let old = std::mem::replace(&mut self.slots, slots);
            for value in old.into_iter().filter(|value| !value.is_nan()) {
                *self.slot(value) = value;
            }
        }
        let slot = self.slot(value);
        if slot.is_nan() {
            *slot = value;
            self.count += 1;
        }
        if self.count == DISTINCT {
            self.slots = Vec::new();
        }
    }

    /// The slot that has the value, or is to have it.
    fn slot(&mut self, value: f32) -> &mut f32 {
        let mask = self.slots.len() - 1;
        // The golden ratio in 32 bits: Knuth's multiplicative hash, whose upper bits are the
        // good ones.
        let hash = value.to_bits().wrapping_mul(0x9e37_79b9) >> 16;
        let mut index = hash as usize & mask;
        while !self.slots[index].is_nan() && self.slots[index] != value {
            index = (index + 1) & mask;
        }
        &mut self.slots[index]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn facts_of_numbers(values in vec(prop_oneof![-5..300_i32, 0..3_i32, 0..9000_i32], 1..2000), half in any::<bool>()) {
            let mut facts = NumberFacts::new();
            let values: Vec<_> = values.iter().map(|value| f64::from(*value) / if half { 2.0 } else { 1.0 }).collect();
            for value in &values {
                facts.add(*value);
            }
            let facts = facts.facts();
            let distinct: HashSet<_> = values.iter().map(|value| value.to_bits()).collect();
            prop_assert_eq!(facts.distinct, distinct.len().min(DISTINCT));
            prop_assert_eq!(facts.whole, values.iter().all(|value| value.fract() == 0.0));
            let min = values.iter().copied().fold(f64::NAN, f64::min);
            let max = values.iter().copied().fold(f64::NAN, f64::max);
            prop_assert_eq!(facts.range, Some((min, max)));
        }
    }

    #[test]
    fn a_column_that_counts() {
        for (cells, expected) in [
            (&[0.0, 1.0, 2.0][..], Some(0.0)),
            (&[1.0, 2.0], Some(1.0)),
            (&[0.5, 1.5], None),
            (&[0.0, 2.0], None),
            (&[0.0, 1.0, 1.0], None),
            (&[f64::NAN, 0.0, 1.0], None),
            (&[0.0, 1.0, f64::NAN], None),
            (&[0.0, f64::NAN, 2.0], None),
        ] {
            let mut facts = NumberFacts::new();
            for cell in cells {
                let cell = if cell.is_nan() { Cell::Missing } else { Cell::Number(*cell) };
                assert!(number_of(cell, &mut facts).is_some());
            }
            assert_eq!(facts.facts().counts_from, expected, "{cells:?}");
        }
    }

    /// Late numbers, after more different ones than are counted.
    #[test]
    fn what_a_late_number_says() {
        for (late, whole, range) in [
            (1000.0, true, (0.0, 1000.0)),
            (2000.0, true, (0.0, 2000.0)),
            (1000.5, false, (0.0, 1000.5)),
            (-0.5, false, (-0.5, 999.0)),
        ] {
            let mut facts = NumberFacts::new();
            for value in (0..1000).map(f64::from).chain([late]) {
                facts.add(value);
            }
            // Nothing more is learnt of numbers that are not whole.
            let more = [-70.25, 7000.25];
            let before = facts.facts();
            more.iter().for_each(|value| facts.add(*value));
            facts.add_missing();
            let facts = facts.facts();
            assert_eq!((before.whole, before.range), (whole, Some(range)), "{late}");
            assert_eq!(before.counts_from, (late == 1000.0).then_some(0.0), "{late}");
            assert_eq!(facts.range, Some((-70.25, 7000.25)), "{late}");
            assert_eq!((facts.whole, facts.counts_from, facts.missing), (false, None, 1));
            assert_eq!((facts.distinct, facts.more), (DISTINCT, true));
        }
    }

    #[test]
    fn whole_numbers() {
        for value in [0.0, -0.0, 1.0, -7.0, 1e9, -3e9, 2.25e15, 2.26e15, 1e16, 1e300, -1e300] {
            assert!(is_whole(value), "{value}");
        }
        for value in [0.5, -0.5, 1e-300, 0.999_999_999_999_999_9, 2.25e15 - 0.25, 1e9 + 0.1] {
            assert!(!is_whole(value), "{value}");
        }
    }

    #[test]
    fn zero_has_one_value() {
        let mut distinct = Distinct::default();
        for value in [0.0, -0.0, 1.0, -0.0] {
            distinct.add(value);
        }
        assert_eq!(distinct.count(), 2);
    }
}
