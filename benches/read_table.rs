//! Reading a table of 100 columns, on one thread, in bytes of text per second: numbers with
//! six decimals, and bytes as an image has them, each of them at random, which no branch
//! predictor likes.
//!
//! ```text
//! cargo bench -p mnist-io --bench read_table
//! ```

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mnist_io::{Rows, Table, TableOptions, Wanted};

const COLUMNS: usize = 100;
const ROWS: usize = 10_000;

/// A header, and rows of cells that `cell` makes of random bits.
fn table(cell: impl Fn(u64) -> String) -> String {
    let mut state = 1_u64;
    let mut text = (0..COLUMNS).map(|c| format!("x{c}")).collect::<Vec<_>>().join(",");
    for _ in 0..ROWS {
        let cells = (0..COLUMNS).map(|_| {
            // Knuth's generator; its upper bits are the good ones.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            cell(state >> 32)
        });
        text += "\n";
        text += &cells.collect::<Vec<_>>().join(",");
    }
    text + "\n"
}

fn tables(c: &mut Criterion) {
    let decimals = table(|bits| format!("{:.6}", bits as f64 / f64::from(u32::MAX) * 20.0 - 10.0));
    let bytes = table(|bits| if bits & 256 == 0 { 0 } else { bits & 255 }.to_string());
    let options = TableOptions::default();
    let mut group = c.benchmark_group("table");
    for (name, text) in [("decimals", decimals), ("bytes", bytes)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        let parse =
            || Table::parse(text.as_bytes(), &options).unwrap_or_else(|error| panic!("{error}"));
        group.bench_function(format!("{name}, whole"), |bencher| {
            bencher.iter(|| black_box(parse()));
        });
        let schema = parse().into_parts().0;
        let wanted = Wanted { columns: &schema.columns, optional: &[] };
        let mut cells = Vec::new();
        group.bench_function(format!("{name}, by rows"), |bencher| {
            bencher.iter(|| {
                let rows = Rows::new(text.as_bytes(), Path::new("text"), wanted, &options);
                let mut rows = rows.unwrap_or_else(|error| panic!("{error}"));
                while rows.next_batch(256, &mut cells).unwrap_or_else(|e| panic!("{e}")) > 0 {
                    black_box(&cells);
                    cells.clear();
                }
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    targets = tables
}
criterion_main!(benches);
