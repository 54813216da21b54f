//! Prefetching of memory that the CPU cannot predict.

use crate::isa::Isa;
use crate::simd::{Simd, SimdOp};

/// Prefetches memory that will be read some microseconds later, such as the row of a
/// randomly chosen sample. A hint: it changes nothing but the time a later read takes.
pub fn prefetch<T>(isa: Isa, memory: &[T]) {
    isa.dispatch(Prefetch { memory, access: Access::Read });
}

/// Prefetches memory that will be written and that other cores have read, so that no
/// store has to wait until they give it up.
pub fn prefetch_write<T>(isa: Isa, memory: &[T]) {
    isa.dispatch(Prefetch { memory, access: Access::Write });
}

/// What the memory will be used for.
#[derive(Clone, Copy)]
enum Access {
    Read,
    Write,
}

struct Prefetch<'a, T> {
    memory: &'a [T],
    access: Access,
}

impl<T> SimdOp for Prefetch<'_, T> {
    type Output = ();

    #[inline(always)]
    fn eval<S: Simd>(self, s: S) {
        const LINE: usize = 64;
        let (start, len) = (self.memory.as_ptr().cast::<u8>(), size_of_val(self.memory));
        // `start` may lie in the middle of a line, so the last byte may lie in one more.
        for offset in (0..len).step_by(LINE).chain(len.checked_sub(1)) {
            let line = start.wrapping_add(offset).cast();
            match self.access {
                Access::Read => s.prefetch(line),
                Access::Write => s.prefetch_write(line),
            }
        }
    }
}
