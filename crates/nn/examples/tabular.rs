//! A table with missing cells, from rows to predictions: the preparation is learned from the
//! training rows, saved in the model file, and used again after loading.
//!
//! ```sh
//! cargo run -p nn --release --example tabular
//! ```

use std::error::Error;

use nn::{
    Activation, Architecture, Column, Columns, Examples, Fit, Head, Init, Inputs, Mlp, Optimizer,
    OwnedInputs, Preparation, Sequential, Split, Standard, Values,
};

const CITIES: [&str; 3] = ["Oslo", "Rome", "Lima"];

/// What a program has of a flat: its size, where it is, and perhaps its age.
struct Flat {
    square_metres: f64,
    city: &'static str,
    years: Option<f64>,
}

/// The cells of a row: numbers, the index of a category, and NaN where a cell is missing or
/// the city is not known.
fn cells(flat: &Flat) -> [f64; 3] {
    let city = CITIES.iter().position(|city| *city == flat.city);
    let city = city.map_or(f64::NAN, |index| index as f64);
    [flat.square_metres, city, flat.years.unwrap_or(f64::NAN)]
}

/// Flats, with prices in thousands that follow a rule.
fn flats() -> (Vec<Flat>, Vec<f32>) {
    let flat = |i: usize| Flat {
        square_metres: 20.0 + (i * 37 % 100) as f64,
        city: CITIES[i * 7 % 3],
        years: (!i.is_multiple_of(5)).then_some((i * 13 % 60) as f64),
    };
    let price = |flat: &Flat| {
        let per_metre = if flat.city == "Oslo" { 6.0 } else { 4.0 };
        (per_metre * flat.square_metres - flat.years.unwrap_or(30.0)) as f32
    };
    let flats: Vec<_> = (0..600).map(flat).collect();
    let prices = flats.iter().map(price).collect();
    (flats, prices)
}

fn main() -> Result<(), Box<dyn Error>> {
    let (flats, prices) = flats();
    let rows = OwnedInputs::from_rows(flats.iter().map(cells))?;
    let table = rows.values().ok_or("rows of numbers are numbers")?;
    let split = Split::random(flats.len(), 0.2, 1)?;

    // What is learned of the table, mean and deviation of its numbers, is that of the rows
    // that are trained on. A network learns best near 0, so the prices are standardised too.
    let kinds =
        vec![Column::numbers("size"), Column::category("city", CITIES), Column::numbers("years")];
    let trained_on = split.train.iter().map(|row| *row as usize);
    let columns = Columns::fit(kinds, table, trained_on.clone())?;
    let standard = Standard::of(&trained_on.map(|row| prices[row]).collect::<Vec<_>>());
    let columns = columns.with_target("price", Some(standard));

    let mut features = vec![0.0; flats.len() * columns.width()];
    columns.apply(table, &mut features)?;
    let targets: Vec<f32> = prices.iter().map(|price| standard.apply(*price)).collect();
    let all = Examples::new(Inputs::new(&features, columns.width())?, Values::new(&targets, 1)?)?;
    let (train, test) = (all.subset(&split.train)?, all.subset(&split.validation)?);

    let shape = Architecture {
        inputs: columns.width(),
        hidden: vec![32],
        outputs: 1,
        activation: Activation::Tanh,
    };
    let mut network = Mlp::new(shape, Init::Xavier, 1)?.with_head(Head::Squared)?;
    network.set_preparation(Some(Preparation::Columns(columns)))?;
    let optimizer = Optimizer::adam();
    let fit = Fit { epochs: 100, batch_size: 32, optimizer, lr: 0.01, ..Fit::default() };
    fit.train(&mut network, &train, None, &Sequential)?;
    let loss = network.evaluate(&test, &Sequential)?.loss;
    println!("root of the mean squared error {:.1}", loss.sqrt() * standard.deviation);

    // Another program: it has the file, and rows as they come.
    let bytes = network.to_bytes();
    let network = Mlp::from_bytes(&bytes)?;
    let Some(Preparation::Columns(columns)) = network.preparation() else {
        return Err("the model is not one of a table".into());
    };
    let standard = columns.target().and_then(|target| target.standard).ok_or("no target")?;
    let new = [
        Flat { square_metres: 50.0, city: "Oslo", years: Some(10.0) },
        Flat { square_metres: 50.0, city: "Rome", years: None },
    ];
    let rows = OwnedInputs::from_rows(new.iter().map(cells))?;
    let mut features = vec![0.0; new.len() * columns.width()];
    columns.apply(rows.values().unwrap_or_default(), &mut features)?;
    let outputs = network.outputs(&Inputs::new(&features, columns.width())?)?;
    for (flat, (output, expected)) in new.iter().zip(outputs.iter().zip([290.0, 170.0])) {
        let price = standard.invert(*output);
        println!("{} m² in {}: {price:.0} thousand", flat.square_metres, flat.city);
        assert!((price - expected).abs() < 15.0);
    }
    Ok(())
}
