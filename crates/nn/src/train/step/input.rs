//! The input of a batch: gathered from the examples, augmented, with its dropout and noise.

use std::ops::Range;

use kernels::MatMut;

use super::Batch;
use super::plan::share;
use super::signals::{Purpose, SignalPass, Signals};
use crate::{DropoutKind, Executor};

impl SignalPass<'_> {
    /// The input of all rows, some of them by each task.
    pub(super) fn gather_once(&self, signals: &mut Signals<'_>, executor: &impl Executor) {
        let rows = signals.tape.rows();
        let row = |part| self.plan.row(rows, part);
        share(
            0..self.plan.parts,
            signals.inputs.reborrow(),
            &|inputs: MatMut<'_>, parts, at| inputs.split_rows(row(at) - row(parts.start)),
            &|part, inputs| self.gather(self.first + row(part), inputs),
            executor,
        );
    }

    /// The input of the rows that begin at `first` in the batch.
    pub(super) fn gather(&self, first: usize, inputs: MatMut<'_>) {
        self.gather_some(first, 0..inputs.rows(), 0..0, inputs);
    }

    /// The same, but of the rows that are not in `whole` nothing but the numbers in
    /// `columns`, as the examples have them.
    pub(super) fn gather_some(
        &self,
        first: usize,
        whole: Range<usize>,
        columns: Range<usize>,
        mut inputs: MatMut<'_>,
    ) {
        let Batch { examples, positions, .. } = self.batch;
        let isa = self.network.isa;
        let scale = self.network.pixel_scale();
        let width = self.layout.nodes[0].width;
        let positions = &positions[first..first + inputs.rows()];
        let columns = |i| if whole.contains(&i) { 0..width } else { columns.clone() };
        // In a set of megabytes, each row comes from far away.
        const AHEAD: usize = 4;
        let ask = |i: usize| {
            if let Some(position) = positions.get(i) {
                examples.prefetch(isa, *position as usize, columns(i));
            }
        };
        (0..AHEAD).for_each(ask);
        for (i, position) in positions.iter().enumerate() {
            ask(i + AHEAD);
            let (columns, row) = (columns(i), inputs.row_mut(i));
            let x = &mut row[columns.clone()];
            examples.copy_columns(isa, *position as usize, columns, scale, x);
            if whole.contains(&i) {
                self.disturb(first + i, row);
            }
        }
    }

    /// What training does to the input of row `row` of the batch, behind which lies its
    /// mask.
    fn disturb(&self, row: usize, input: &mut [f32]) {
        let Batch { examples, positions, seed, epoch, .. } = self.batch;
        let isa = self.network.isa;
        let node = &self.layout.nodes[0];
        let (x, rest) = input.split_at_mut(node.width);
        examples.augment_row(seed, epoch, positions[row] as usize, x);
        if let Some(mask) = node.mask {
            let mask = &mut rest[mask - node.width..][..node.width];
            let stream = self.stream(Purpose::Dropout, 0, row, 0);
            match self.layout.dropout {
                DropoutKind::Bernoulli => {
                    kernels::dropout_in_place(isa, stream, node.dropout, mask, x);
                }
                DropoutKind::Gaussian => self.gaussian_dropout(stream, node.dropout, mask, x),
            }
        }
        self.add_noise(0, row, 0, x);
    }
}
