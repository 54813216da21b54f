//! A graph in the making.

use super::proto::{
    Attribute, Dimension, Element, Graph, Node, Shape, Size, Tensor, TensorType, Type, ValueInfo,
};

/// Nodes in the order in which they run. A name is given once.
#[derive(Default)]
pub(super) struct Builder {
    graph: Graph,
}

/// The elements of a tensor.
pub(super) enum Constant<'a> {
    Float(&'a [f32]),
    Double(&'a [f64]),
    Int64(&'a [i64]),
    Bool(&'a [bool]),
}

impl Constant<'_> {
    fn element(&self) -> Element {
        match self {
            Self::Float(_) => Element::Float,
            Self::Double(_) => Element::Double,
            Self::Int64(_) => Element::Int64,
            Self::Bool(_) => Element::Bool,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Float(values) => {
                values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
            }
            Self::Double(values) => {
                values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
            }
            Self::Int64(values) => {
                values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
            }
            Self::Bool(values) => bytes.extend(values.iter().map(|value| u8::from(*value))),
        }
        bytes
    }
}

impl Builder {
    /// An input of the graph: batch × `width`.
    pub(super) fn input(
        &mut self,
        name: &str,
        element: Element,
        width: usize,
        about: &str,
    ) -> String {
        self.graph.input.push(value_info(name, element, Some(width), about));
        name.to_owned()
    }

    /// An output of the graph, which a node gives: batch × `width`, or batch.
    pub(super) fn output(
        &mut self,
        name: &str,
        element: Element,
        width: Option<usize>,
        about: &str,
    ) {
        self.graph.output.push(value_info(name, element, width, about));
    }

    /// A tensor of the file; without a dimension it is one number.
    pub(super) fn constant(&mut self, name: &str, dims: &[usize], values: Constant<'_>) -> String {
        self.graph.initializer.push(Tensor {
            dims: dims.iter().map(|dim| *dim as i64).collect(),
            data_type: values.element() as i32,
            name: name.to_owned(),
            raw_data: values.bytes(),
        });
        name.to_owned()
    }

    /// A node with one output, whose name it returns.
    pub(super) fn node(
        &mut self,
        op: &str,
        inputs: &[&str],
        output: &str,
        attributes: &[Attribute],
    ) -> String {
        self.push(op, inputs, &[output.to_owned()], attributes);
        output.to_owned()
    }

    pub(super) fn cast(&mut self, input: &str, to: Element, output: &str) -> String {
        self.node("Cast", &[input], output, &[Attribute::int("to", to as i64)])
    }

    /// Cuts the columns of a tensor into parts of these sizes.
    pub(super) fn split(&mut self, input: &str, sizes: &str, outputs: &[String]) -> Vec<String> {
        self.push("Split", &[input, sizes], outputs, &[Attribute::int("axis", 1)]);
        outputs.to_vec()
    }

    fn push(&mut self, op: &str, inputs: &[&str], outputs: &[String], attributes: &[Attribute]) {
        self.graph.node.push(Node {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: outputs.to_vec(),
            name: format!("make_{}", outputs.first().map_or("", String::as_str)),
            op_type: op.to_owned(),
            attribute: attributes.to_vec(),
        });
    }

    pub(super) fn finish(self, name: &str) -> Graph {
        Graph { name: name.to_owned(), ..self.graph }
    }
}

fn value_info(name: &str, element: Element, width: Option<usize>, about: &str) -> ValueInfo {
    let sizes = [Some(Size::Named("batch".into())), width.map(|width| Size::Known(width as i64))];
    let dim = sizes.into_iter().flatten().map(|size| Dimension { size: Some(size) }).collect();
    let tensor_type = TensorType { elem_type: element as i32, shape: Some(Shape { dim }) };
    ValueInfo {
        name: name.to_owned(),
        r#type: Some(Type { tensor_type: Some(tensor_type) }),
        doc_string: about.to_owned(),
    }
}
