//! A reader of ONNX files that knows protobuf and no more, and the operators in plain `f64`.

use std::collections::{HashMap, HashSet};

/// The value of a field.
#[derive(Clone, Copy)]
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    fn number(self) -> u64 {
        let Field::Number(number) = self else { panic!("no number") };
        number
    }

    fn bytes(self) -> &'a [u8] {
        let Field::Bytes(bytes) = self else { panic!("no bytes") };
        bytes
    }

    fn text(self) -> String {
        String::from_utf8(self.bytes().to_vec()).unwrap()
    }
}

/// The fields of a message, with their numbers.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut bytes)),
            2 => {
                let len = varint(&mut bytes) as usize;
                Field::Bytes(bytes.split_off(..len).unwrap())
            }
            5 => {
                let word = bytes.split_off(..4).unwrap();
                Field::Number(u32::from_le_bytes(word.try_into().unwrap()).into())
            }
            kind => panic!("wire type {kind}"),
        };
        found.push((key >> 3, field));
    }
    found
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = *bytes.split_off_first().unwrap();
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return value;
        }
    }
}

/// All fields of this number.
fn all<'a>(message: &'a [u8], number: u64) -> impl Iterator<Item = Field<'a>> {
    fields(message).into_iter().filter(move |(n, _)| *n == number).map(|(_, field)| field)
}

fn one(message: &[u8], number: u64) -> Field<'_> {
    all(message, number).next().unwrap_or_else(|| panic!("no field {number}"))
}

struct Node {
    op: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
    /// The bits of a float, or an integer.
    attributes: HashMap<String, u64>,
}

/// A file.
pub(super) struct Model {
    pub(super) ir_version: u64,
    pub(super) opset: u64,
    /// Names, and numbers of columns.
    pub(super) inputs: Vec<(String, u64)>,
    pub(super) metadata: HashMap<String, String>,
    nodes: Vec<Node>,
    constants: HashMap<String, Vec<f64>>,
    outputs: Vec<String>,
}

impl Model {
    pub(super) fn parse(file: &[u8]) -> Self {
        let graph = one(file, 7).bytes();
        let node = |node: Field<'_>| {
            let node = node.bytes();
            let attribute = |attribute: Field<'_>| {
                let attribute = attribute.bytes();
                let value = match one(attribute, 20).number() {
                    1 => one(attribute, 2),
                    2 => one(attribute, 3),
                    kind => panic!("an attribute of type {kind}"),
                };
                (one(attribute, 1).text(), value.number())
            };
            Node {
                op: one(node, 4).text(),
                inputs: all(node, 1).map(Field::text).collect(),
                outputs: all(node, 2).map(Field::text).collect(),
                attributes: all(node, 5).map(attribute).collect(),
            }
        };
        let input = |input: Field<'_>| {
            let (name, of) = (one(input.bytes(), 1).text(), one(input.bytes(), 2).bytes());
            let shape = one(one(of, 1).bytes(), 2).bytes();
            let dims: Vec<_> = all(shape, 1).map(Field::bytes).collect();
            assert_eq!((dims.len(), one(dims[0], 2).text()), (2, "batch".to_owned()));
            (name, one(dims[1], 1).number())
        };
        let pair = |pair: Field<'_>| (one(pair.bytes(), 1).text(), one(pair.bytes(), 2).text());
        let model = Self {
            ir_version: one(file, 1).number(),
            opset: one(one(file, 8).bytes(), 2).number(),
            inputs: all(graph, 11).map(input).collect(),
            metadata: all(file, 14).map(pair).collect(),
            nodes: all(graph, 1).map(node).collect(),
            constants: all(graph, 5).map(|tensor| constant(tensor.bytes())).collect(),
            outputs: all(graph, 12).map(|output| one(output.bytes(), 1).text()).collect(),
        };
        // A name has one value.
        let mut names: HashSet<&str> = model.constants.keys().map(String::as_str).collect();
        names.extend(model.inputs.iter().map(|(name, _)| name.as_str()));
        for name in model.nodes.iter().flat_map(|node| &node.outputs) {
            assert!(names.insert(name), "{name} is there twice");
        }
        model
    }

    /// The outputs for one row.
    pub(super) fn run(&self, row: &[f32]) -> HashMap<String, Vec<f64>> {
        let mut values = self.constants.clone();
        values.insert(self.inputs[0].0.clone(), row.iter().map(|x| f64::from(*x)).collect());
        for node in &self.nodes {
            let inputs: Vec<&[f64]> = node.inputs.iter().map(|name| &values[name][..]).collect();
            let outputs = node.run(&inputs);
            assert_eq!(outputs.len(), node.outputs.len());
            values.extend(node.outputs.iter().cloned().zip(outputs));
        }
        let output = |name: &String| (name.clone(), values[name].clone());
        self.outputs.iter().map(output).collect()
    }
}

/// A tensor of the file, by its name.
fn constant(tensor: &[u8]) -> (String, Vec<f64>) {
    let raw = one(tensor, 9).bytes();
    let elements: Vec<f64> = match one(tensor, 2).number() {
        1 => raw.chunks(4).map(|x| f32::from_le_bytes(x.try_into().unwrap()).into()).collect(),
        7 => raw.chunks(8).map(|x| i64::from_le_bytes(x.try_into().unwrap()) as f64).collect(),
        9 => raw.iter().map(|x| f64::from(*x)).collect(),
        11 => raw.chunks(8).map(|x| f64::from_le_bytes(x.try_into().unwrap())).collect(),
        kind => panic!("elements of type {kind}"),
    };
    // Dimensions are packed.
    let dims: Vec<u64> = all(tensor, 1)
        .flat_map(|field| {
            let (mut bytes, mut dims) = (field.bytes(), Vec::new());
            while !bytes.is_empty() {
                dims.push(varint(&mut bytes));
            }
            dims
        })
        .collect();
    assert_eq!(elements.len() as u64, dims.iter().product::<u64>());
    (one(tensor, 8).text(), elements)
}

impl Node {
    fn float(&self, name: &str) -> f64 {
        f32::from_bits(self.attributes[name] as u32).into()
    }

    /// One row: a tensor is its elements, and one element stands for any number of them.
    fn run(&self, inputs: &[&[f64]]) -> Vec<Vec<f64>> {
        let each = |f: &dyn Fn(f64) -> f64| vec![inputs[0].iter().map(|x| f(*x)).collect()];
        let at = |tensor: &[f64], i: usize| tensor[if tensor.len() == 1 { 0 } else { i }];
        let len = inputs.iter().map(|tensor| tensor.len()).max().unwrap();
        let pairs = |f: &dyn Fn(f64, f64) -> f64| {
            vec![(0..len).map(|i| f(at(inputs[0], i), at(inputs[1], i))).collect()]
        };
        let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
        match self.op.as_str() {
            "Cast" => each(&|x| x),
            "IsNaN" => each(&|x| f64::from(u8::from(x.is_nan()))),
            "Tanh" => each(&f64::tanh),
            "Sigmoid" => each(&sigmoid),
            "Relu" => each(&|z| z.max(0.0)),
            "LeakyRelu" => each(&|z| if z > 0.0 { z } else { self.float("alpha") * z }),
            "Elu" => each(&|z| if z > 0.0 { z } else { self.float("alpha") * z.exp_m1() }),
            "Erf" => each(&erf),
            "Add" => pairs(&|a, b| a + b),
            "Sub" => pairs(&|a, b| a - b),
            "Mul" => pairs(&|a, b| a * b),
            "Div" => pairs(&|a, b| a / b),
            "Equal" => pairs(&|a, b| f64::from(u8::from(a == b))),
            "Where" => {
                let choose = |i| at(inputs[if at(inputs[0], i) != 0.0 { 1 } else { 2 }], i);
                vec![(0..len).map(choose).collect()]
            }
            "Gather" => vec![inputs[1].iter().map(|i| inputs[0][*i as usize]).collect()],
            "Gemm" => {
                assert_eq!(self.attributes["transB"], 1);
                let [x, w, b] = inputs else { panic!() };
                let rows = w.chunks(x.len()).zip(*b);
                vec![
                    rows.map(|(w, b)| b + w.iter().zip(*x).map(|(w, x)| w * x).sum::<f64>())
                        .collect(),
                ]
            }
            "Split" => {
                let mut rest = inputs[0].iter().copied();
                inputs[1].iter().map(|len| rest.by_ref().take(*len as usize).collect()).collect()
            }
            "Max" => {
                let largest = |i| inputs.iter().map(|piece| piece[i]).fold(f64::MIN, f64::max);
                vec![(0..len).map(largest).collect()]
            }
            "Concat" => vec![inputs.concat()],
            "Softmax" => {
                let sum: f64 = inputs[0].iter().map(|z| z.exp()).sum();
                each(&|z| z.exp() / sum)
            }
            "ArgMax" => {
                let best = |best, i| if inputs[0][i] > inputs[0][best] { i } else { best };
                vec![vec![(0..len).fold(0, best) as f64]]
            }
            op => panic!("the operator {op}"),
        }
    }
}

/// erf(t) = 2/√π·e^(−t²)·(t + 2t³/3 + 4t⁵/15 + …); beyond 6 it is ±1 in f64.
fn erf(t: f64) -> f64 {
    if t.abs() > 6.0 {
        return t.signum();
    }
    let (mut term, mut sum, mut n) = (t, t, 0.0);
    while term.abs() > 1e-18 {
        n += 1.0;
        term *= 2.0 * t * t / (2.0 * n + 1.0);
        sum += term;
    }
    2.0 / std::f64::consts::PI.sqrt() * (-t * t).exp() * sum
}
