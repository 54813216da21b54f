//! The first phase where it is the rows of all layers that are cut: a task takes some of
//! them through all layers and back, and waits for no other.

use std::ops::Range;

use super::plan::{piece_of, share};
use super::signals::{SignalPass, Signals, rows_of};
use crate::{Executor, Sequential};

impl SignalPass<'_> {
    pub(super) fn by_rows(&self, signals: Signals<'_>, executor: &impl Executor) {
        let (all, parts) = (signals.tape.rows(), self.plan.parts);
        let cut = |signals, parts, at| self.cut_rows(all, signals, parts, at);
        let run = |part, signals: Signals<'_>| {
            let Signals { mut inputs, tape, shards, labels, losses } = signals;
            let (rows, first) = (tape.rows(), self.plan.row(all, part));
            if self.copies > 1 {
                // Those of its own rows, and what the second phase wants of the others.
                let columns = piece_of(self.layout.nodes[0].width, part, parts);
                let mut batch = rows_of(inputs, self.first, all);
                self.gather_some(self.first, first..first + rows, columns, batch.reborrow());
                inputs = rows_of(batch, first, rows);
            } else {
                self.gather(self.first + first, inputs.reborrow());
            }
            if rows > 0 {
                let pass =
                    SignalPass { first: self.first + first, copies: 1, alone: true, ..*self };
                let mut signals = Signals { inputs, tape, shards, labels, losses };
                pass.layers(&mut signals, &Sequential);
            }
        };
        share(0..parts, signals, &cut, &run, executor);
    }

    /// What `parts` write of `all` rows, cut in two: those before `at` and the others.
    fn cut_rows<'a>(
        &self,
        all: usize,
        signals: Signals<'a>,
        parts: Range<usize>,
        at: usize,
    ) -> (Signals<'a>, Signals<'a>) {
        let Signals { inputs, tape, shards, labels, losses } = signals;
        let row = self.plan.row(all, at) - self.plan.row(all, parts.start);
        let of_inputs = match self.copies {
            1 => row,
            _ => inputs.rows() / parts.len() * (at - parts.start),
        };
        // A multiple of what a shard has, where there are shards, or the end.
        let of_shards = row.div_ceil(self.plan.whole_rows).min(shards.rows());

        let (inputs, inputs_right) = inputs.split_rows(of_inputs);
        let (tape, tape_right) = tape.split_rows(row);
        let (shards, shards_right) = shards.split_rows(of_shards);
        let (labels, labels_right) = labels.split_at_mut(row);
        let (losses, losses_right) = losses.split_at_mut(row);
        let right = Signals {
            inputs: inputs_right,
            tape: tape_right,
            shards: shards_right,
            labels: labels_right,
            losses: losses_right,
        };
        (Signals { inputs, tape, shards, labels, losses }, right)
    }
}
