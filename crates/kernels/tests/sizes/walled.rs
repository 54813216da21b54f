//! Slices between walls: elements that are NaN, so that a result shows if one was read, and
//! that are compared afterwards, so that it shows if one was written.

/// Elements on either side of a slice.
const WALL: usize = if cfg!(miri) { 16 } else { 512 };
/// Value of each element inside of a slice.
pub(crate) const INSIDE: f32 = 1.0;

/// A slice between two walls.
pub(crate) struct Walled {
    all: Vec<f32>,
}

impl Walled {
    pub(crate) fn new(len: usize) -> Self {
        let mut all = vec![f32::NAN; len + 2 * WALL];
        all[WALL..][..len].fill(INSIDE);
        Self { all }
    }

    pub(crate) fn inside(&self) -> &[f32] {
        &self.all[WALL..self.all.len() - WALL]
    }

    pub(crate) fn inside_mut(&mut self) -> &mut [f32] {
        let end = self.all.len() - WALL;
        &mut self.all[WALL..end]
    }

    pub(crate) fn walls_stand(&self) -> bool {
        let (left, right) = (&self.all[..WALL], &self.all[self.all.len() - WALL..]);
        left.iter().chain(right).all(|x| x.to_bits() == f32::NAN.to_bits())
    }
}

/// Whether nothing of a wall is among the elements.
pub(crate) fn is_inside(elements: &[f32]) -> bool {
    elements.iter().all(|x| *x == INSIDE)
}
