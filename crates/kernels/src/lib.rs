//! Hand-written kernels for neural networks: matrix product, tanh, sigmoid, exp, GELU and
//! similar functions, softmax and cross-entropy, dropout masks and Gaussian random values;
//! for AVX-512, AVX2, NEON and plain Rust. No BLAS, no C, no threads.
//!
//! Every kernel takes the instruction set that it runs on, an [`Isa`], which exists only if
//! the CPU has it. Kernels run on the thread that calls them. A caller with several threads
//! splits the views ([`MatMut::split_rows`]) and gives each thread a part. The bits of the
//! results do not depend on the split.
//!
//! Shapes that do not fit are a programmer's mistake and panic; no value of an element
//! does. From safe code, no kernel reads or writes outside of its slices, whatever sizes and
//! strides it is given.
//!
//! ```
//! use kernels::{Isa, MatMut, Tanh, map, softmax_rows};
//!
//! let isa = Isa::active()?;
//! let mut x = [0.0, 0.5, -0.5];
//! map(isa, Tanh, &mut x);
//! softmax_rows(isa, MatMut::new(&mut x, 1, 3));
//! assert!((x.iter().sum::<f32>() - 1.0).abs() < 1e-6);
//! # Ok::<(), kernels::UnknownIsa>(())
//! ```
//!
//! To add a function of one variable, implement [`Unary`]; to add an algorithm, implement
//! [`SimdOp`]. Both are written once, for every [`Simd`].

mod activations;
mod batch_norm;
mod buffer;
mod caches;
mod elementwise;
mod isa;
mod mat;
mod math;
mod matmul;
mod panels;
mod prefetch;
mod random;
mod simd;
mod softmax;

pub use activations::{
    Elu, EluGradient, Gelu, GeluGradient, Larger, LeakyRelu, LeakyReluGradient, Relu, ReluGradient,
    Sigmoid, SigmoidGradient, Silu, SiluGradient, Softplus, Tanh, TanhGradient,
};
pub use batch_norm::{Gains, GainsGradient, Moments, batch_norm, batch_norm_backward, scale_shift};
pub use buffer::AlignedBuf;
pub use caches::Caches;
pub use elementwise::{Binary, Product, map, scale_bytes, zip, zip_masked};
pub use isa::{Isa, UnknownIsa};
pub use mat::{MatMut, MatRef};
pub use math::Exp;
pub use matmul::{
    Start, Zeros, matmul, matmul_into_panels, matmul_panels, matmul_transposed_panels, pack,
};
pub use panels::{BLOCK, PANEL, PanelsMut, PanelsRef, packed_len};
pub use prefetch::{prefetch, prefetch_write};
pub use random::{
    Stream, add_gaussian, dropout, dropout_in_place, dropout_mask, gaussian_mask, uniform,
};
pub use simd::{Identity, Simd, SimdOp, Table16, Unary};
pub use softmax::{RowLoss, cross_entropy, cross_entropy_gradient, softmax_rows};
