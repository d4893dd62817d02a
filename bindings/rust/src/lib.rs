// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

//! Constrained parameters: libparametrize for Rust.
//!
//! ```
//! use parametrize::{Context, Kind, Module, View};
//!
//! # fn main() -> parametrize::Result<()> {
//! let x = [0.0, 1.0, -1.0, 0.0];
//! let context = Context::new()?;
//! let mut layer = Module::new(&context, "Linear")?;
//! layer.add("weight", Kind::Parameter, View::new(&x, &[2, 2])?)?;
//! layer.register("weight", "skew,cayley")?;
//! let q: Vec<f64> = layer.read_vec("weight")?; // a rotation
//! assert!((q[0] * q[0] + q[1] * q[1] - 1.0).abs() < 1e-15);
//! # Ok(())
//! # }
//! ```
//!
//! The types stand for the objects of the C interface, and follow its rules by those of Rust:
//!
//! * Each object frees itself, after those that use it: they keep what they need.
//! * Calls that may run side by side on any number of threads take `&self`. Calls that must run alone
//!   take `&mut self`. All types are `Send` and `Sync`.
//! * Numbers that are borrowed from the library are a [`View`], which the compiler keeps from living
//!   beyond the next change:
//!
//! ```compile_fail
//! # use parametrize::{Module, Result, View};
//! # fn f(layer: &mut Module, other: View<f64>) -> Result<f64> {
//! let q = layer.value::<f64>("weight")?;
//! layer.set("weight", other)?; // error: `q` is borrowed
//! Ok(q[0])
//! # }
//! ```
//!
//! * A call that fails returns an [`Error`] with the status and the message, and has changed nothing.
//!
//! What has no method here can be called through [`ffi`], with the pointers that `as_ptr` gives.

#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

mod chain;
mod context;
mod error;
/// The C interface, as bindgen declares it. The headers of the library are its documentation.
#[allow(
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    clippy::all
)]
pub mod ffi;
mod file;
mod module;
mod object;
mod tensor;
mod training;

pub use chain::{Chain, Eval, Role, State};
pub use context::{Context, Device, Parametrization, Queue, Settings};
pub use error::{Error, Result, Status};
pub use file::{File, FileChain, FileTensor, LoadSettings};
pub use module::{Kind, Leave, Module, StoredTensor};
pub use tensor::{Dtype, Element, Spec, View, ViewMut};
pub use training::Edit;
