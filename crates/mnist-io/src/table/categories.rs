//! The values of a category.

use std::collections::HashMap;

use super::marks::Marks;
use super::number::read;

/// The most values of a column that is found to be a category.
pub(crate) const MOST_FOUND: usize = 1000;

/// The most values of a column that is said to be one. An f32 holds the index.
pub(crate) const MOST_SAID: usize = 1 << 16;

/// Collects the values of a column, and gives each an index by its first cell.
pub(crate) struct Dictionary {
    indexes: HashMap<Box<[u8]>, u32>,
    most: usize,
}

impl Dictionary {
    pub(crate) fn new(most: usize) -> Self {
        Self { indexes: HashMap::new(), most }
    }

    /// The number of values, and one more if there are too many.
    pub(crate) fn len(&self) -> usize {
        self.indexes.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.indexes.len() > self.most
    }

    /// The index of `cell`, and whether it is new. `None` if there are too many values.
    pub(crate) fn add(&mut self, cell: &[u8]) -> Option<(u32, bool)> {
        if self.is_full() {
            return None;
        }
        if let Some(index) = self.indexes.get(cell) {
            return Some((*index, false));
        }
        let index = self.indexes.len() as u32;
        self.indexes.insert(cell.into(), index);
        Some((index, true))
    }

    /// The values in their order, and for each index the position of its value in it.
    ///
    /// Numbers are ordered by size, if all values are numbers, and what is the same number
    /// is one value: the shortest text. Other values are ordered by their text. So the
    /// order of the rows does not matter. All cells are UTF-8.
    pub(crate) fn finish(self, marks: Marks) -> (Vec<String>, Vec<u32>) {
        let mut texts: Vec<(String, u32)> = self
            .indexes
            .into_iter()
            .map(|(text, index)| (String::from_utf8_lossy(&text).into_owned(), index))
            .collect();
        texts.sort_unstable();
        let numbers = numbers(texts.iter().map(|(text, _)| &text[..]), marks);
        let mut order: Vec<usize> = (0..texts.len()).collect();
        if let Some(numbers) = &numbers {
            order.sort_by(|&a, &b| {
                let len = |index: usize| texts[index].0.len();
                numbers[a].total_cmp(&numbers[b]).then(len(a).cmp(&len(b)))
            });
        }
        let mut values: Vec<String> = Vec::new();
        let mut places = vec![0; texts.len()];
        let mut last = None;
        for index in order {
            let number = numbers.as_ref().map(|numbers| numbers[index]);
            let (text, first) = &texts[index];
            if number.is_none() || number != last {
                values.push(text.clone());
                last = number;
            }
            places[*first as usize] = values.len() as u32 - 1;
        }
        (values, places)
    }
}

/// The values as numbers, if all are: with points, or all with commas where these do not
/// separate cells. A zero has no sign.
fn numbers<'a>(texts: impl Iterator<Item = &'a str>, mut marks: Marks) -> Option<Vec<f64>> {
    let number = |text: &str| read(text.as_bytes(), &mut marks).number().map(|value| value + 0.0);
    texts.map(number).collect()
}

/// Finds the values of a known category.
pub(crate) struct Lookup {
    indexes: HashMap<Box<[u8]>, u32>,
    /// The same by size, if all values are numbers.
    numbers: Option<Vec<(f64, u32)>>,
}

impl Lookup {
    pub(crate) fn new(values: &[String]) -> Self {
        let indexes = values.iter().zip(0..).map(|(value, index)| (value.as_bytes().into(), index));
        let numbers = numbers(values.iter().map(|value| &value[..]), Marks::UNKNOWN);
        let numbers = numbers.map(|numbers| {
            let mut numbers: Vec<_> = numbers.into_iter().zip(0..).collect();
            numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
            numbers
        });
        Self { indexes: indexes.collect(), numbers }
    }

    /// The index of the value that `cell` says: by its text, or where all values are
    /// numbers by its size, because a program may write 1 as 1.0.
    pub(crate) fn find(&self, cell: &[u8]) -> Option<u32> {
        if let Some(index) = self.indexes.get(cell) {
            return Some(*index);
        }
        match read(cell, &mut { Marks::UNKNOWN }).number() {
            Some(value) => self.find_number(value),
            None => self.find_truth(cell),
        }
    }

    /// `True` is `true`, because each program writes them in its own way.
    fn find_truth(&self, cell: &[u8]) -> Option<u32> {
        let truth = ["true", "false"].iter().find(|t| cell.eq_ignore_ascii_case(t.as_bytes()))?;
        let mut alike =
            self.indexes.iter().filter(|(v, _)| v.eq_ignore_ascii_case(truth.as_bytes()));
        match (alike.next(), alike.next()) {
            (Some((_, index)), None) => Some(*index),
            _ => None,
        }
    }

    pub(crate) fn find_number(&self, value: f64) -> Option<u32> {
        let numbers = self.numbers.as_ref()?;
        let found = numbers.binary_search_by(|(number, _)| number.total_cmp(&(value + 0.0)));
        found.ok().map(|place| numbers[place].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(cells: &[&str]) -> (Vec<String>, Vec<u32>) {
        let mut dictionary = Dictionary::new(100);
        for cell in cells {
            dictionary.add(cell.as_bytes()).unwrap();
        }
        dictionary.finish(Marks::UNKNOWN)
    }

    #[test]
    fn values_are_in_their_order() {
        assert_eq!(
            values(&["red", "blue", "red"]),
            (vec!["blue".into(), "red".into()], vec![1, 0])
        );
        // Numbers by size; as texts, 10 would be before 9.
        assert_eq!(values(&["10", "9", "-1"]).0, ["-1", "9", "10"]);
        assert_eq!(values(&["10", "9", "x"]).0, ["10", "9", "x"]);
        // What is the same number is one value, whichever comes first.
        for cells in [["1.0", "0", "1", "-0"], ["-0", "1", "1.0", "0"]] {
            let (values, places) = values(&cells);
            assert_eq!(values, ["0", "1"]);
            let number = |cell: &str| cell.parse::<f64>().unwrap() as u32;
            assert_eq!(places, cells.map(number));
        }
        assert_eq!(values(&["1,5", "0,5"]).0, ["0,5", "1,5"]);
    }

    #[test]
    fn a_dictionary_that_is_full() {
        let mut dictionary = Dictionary::new(2);
        assert_eq!(dictionary.add(b"a"), Some((0, true)));
        assert_eq!(dictionary.add(b"b"), Some((1, true)));
        assert_eq!(dictionary.add(b"a"), Some((0, false)));
        assert!(!dictionary.is_full());
        dictionary.add(b"c");
        assert!(dictionary.is_full());
        assert_eq!((dictionary.add(b"a"), dictionary.len()), (None, 3));
    }

    #[test]
    fn known_values() {
        let lookup = Lookup::new(&["no".into(), "yes".into()]);
        let found = ["yes", "no", "Yes", "1", ""].map(|cell| lookup.find(cell.as_bytes()));
        assert_eq!(found, [Some(1), Some(0), None, None, None]);
        let lookup = Lookup::new(&["-1".into(), "0".into(), "2".into()]);
        let found = ["2.0", "-0", "-1,0", "3", "x", "0"].map(|cell| lookup.find(cell.as_bytes()));
        assert_eq!(found, [Some(2), Some(1), Some(0), None, None, Some(1)]);
    }
}
