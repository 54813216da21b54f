//! Random values that are functions of their position: of a seed, the row and the
//! element, as a [`Stream`] says.

mod dropout;
mod gaussian;
mod philox;
mod uniform;

pub use dropout::{dropout, dropout_in_place, dropout_mask};
pub use gaussian::{add_gaussian, gaussian_mask};
pub use philox::Stream;
pub use uniform::uniform;

#[cfg(test)]
mod tests {
    use super::{Stream, dropout_mask, gaussian_mask, uniform};
    use crate::isa::Isa;

    #[test]
    fn parts_of_a_row_are_the_row() {
        type Fill = fn(Isa, Stream, &mut [f32]);
        let fills: [Fill; 3] = [
            uniform,
            |isa, stream, row| dropout_mask(isa, stream, 0.5, row),
            |isa, stream, row| gaussian_mask(isa, stream, 0.5, row),
        ];
        let stream = Stream { seed: 7, counter: [1, 2, 3], first: 0 };
        for isa in Isa::available() {
            for fill in fills {
                let mut row = [0.0; 700];
                fill(isa, stream, &mut row);
                for first in [128, 384, 640] {
                    let mut part = vec![0.0; 700 - first];
                    fill(isa, Stream { first, ..stream }, &mut part);
                    assert_eq!(part, row[first..], "{isa}, {first}");
                }
            }
        }
    }

    #[test]
    #[should_panic = "a part of a row that begins at 64"]
    fn parts_begin_at_whole_groups() {
        let stream = Stream { seed: 7, counter: [1, 2, 3], first: 64 };
        uniform(Isa::available()[0], stream, &mut [0.0; 2]);
    }
}
