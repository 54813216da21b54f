//! Points and commas in numbers: which of the two is the decimal mark.

use super::number::Cell;
use super::written::Written;

/// The mark between the whole part of a number and its fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalMark {
    /// `1234.5`; commas are between thousands.
    Point,
    /// `1234,5`; points are between thousands.
    Comma,
}

impl DecimalMark {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Point => Self::Comma,
            Self::Comma => Self::Point,
        }
    }

    pub(crate) fn of(byte: u8) -> Option<Self> {
        match byte {
            b'.' => Some(Self::Point),
            b',' => Some(Self::Comma),
            _ => None,
        }
    }

    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::Point => b'.',
            Self::Comma => b',',
        }
    }
}

/// What is known of points and commas in numbers. One of the two is the decimal mark of a
/// table, and the other stands between thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    known: Known,
    /// The decimal mark, as long as no number shows it.
    assumed: Option<DecimalMark>,
    /// Whether a mark stood between thousands.
    pub(crate) grouped: bool,
}

/// What the numbers so far say of the decimal mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Nothing,
    /// They were read with this one, and each could have thousands instead.
    Open(DecimalMark),
    /// A number shows it.
    Shown(DecimalMark),
    /// The separator says it, because the other mark would separate cells. What has the other
    /// one for its decimal mark is a text.
    Said(DecimalMark),
}

impl Marks {
    pub(crate) const UNKNOWN: Self = Self::assuming(None);

    const fn new(known: Known) -> Self {
        Self { known, assumed: None, grouped: false }
    }

    /// With a decimal mark for numbers of which nothing shows it.
    pub(crate) const fn assuming(assumed: Option<DecimalMark>) -> Self {
        Self { known: Known::Nothing, assumed, grouped: false }
    }

    pub(crate) const fn shown(mark: DecimalMark) -> Self {
        Self::new(Known::Shown(mark))
    }

    pub(crate) const fn said(mark: DecimalMark) -> Self {
        Self::new(Known::Said(mark))
    }

    /// Where commas separate cells, the decimal mark is a point.
    pub(crate) fn of_separator(separator: u8) -> Self {
        if separator == b',' { Self::said(DecimalMark::Point) } else { Self::UNKNOWN }
    }

    /// The decimal mark that numbers were read with.
    pub(crate) fn decimal(&self) -> Option<DecimalMark> {
        match self.known {
            Known::Nothing => None,
            Known::Open(mark) | Known::Shown(mark) | Known::Said(mark) => Some(mark),
        }
    }

    /// Whether numbers were read that could mean something else.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.known, Known::Open(_)) && self.assumed.is_none()
    }

    /// Whether a number of digits and one decimal mark, at `index`, says nothing new.
    #[inline]
    pub(crate) fn expects(&self, digits: &[u8], index: usize) -> bool {
        match self.known {
            Known::Shown(_) | Known::Said(_) => true,
            Known::Open(_) => {
                (1..=3).contains(&index) && digits.len() == index + 4 && digits[0] != b'0'
            }
            Known::Nothing => false,
        }
    }

    /// Whether what [`short`](super::number::short) reads with `others` is what it reads with
    /// these.
    #[inline]
    pub(crate) fn read_as(&self, others: &Self) -> bool {
        let shown = |known| match known {
            Known::Shown(mark) | Known::Said(mark) => Some(mark),
            Known::Nothing | Known::Open(_) => None,
        };
        // Without a mark, it reads digits alone.
        others.known == Known::Nothing
            || shown(others.known).is_some_and(|mark| shown(self.known) == Some(mark))
    }

    #[cold]
    pub(crate) fn take(&mut self, number: &Written) -> Cell {
        match *number {
            Written::Plain(value) => Cell::Number(value),
            Written::Shows { decimal, value, grouped } => self.show(decimal, value, grouped),
            Written::Open { mark, decimal, thousands } => {
                let read = |with| if with == mark { decimal } else { thousands };
                if let Some(with) = self.decimal() {
                    if self.is_open() && with != mark {
                        return Cell::Contrary;
                    }
                    self.grouped |= with != mark;
                    return Cell::Number(read(with));
                }
                let with = self.assumed.unwrap_or(mark);
                self.known = Known::Open(with);
                self.grouped |= with != mark;
                Cell::Marked(read(with))
            }
        }
    }

    fn show(&mut self, decimal: DecimalMark, value: f64, grouped: bool) -> Cell {
        let cell = match self.known {
            Known::Nothing => Cell::Marked(value),
            Known::Open(mark) if mark == decimal => Cell::Marked(value),
            Known::Shown(mark) | Known::Said(mark) if mark == decimal => Cell::Number(value),
            Known::Said(_) => return Cell::Text,
            Known::Shown(_) => return Cell::Contrary,
            Known::Open(_) => Cell::Contrary,
        };
        if !matches!(self.known, Known::Said(_)) {
            self.known = Known::Shown(decimal);
        }
        self.grouped |= grouped;
        cell
    }
}
