// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

//! Chains without a module: parametrizations on tensors without names or a cache.

use crate::context::{Context, Queue};
use crate::error::{check, Error, Result, Status};
use crate::ffi;
use crate::object::{all, text, text_of, Owned};
use crate::tensor::{Element, Spec, View, ViewMut};

/// The stages with their options and plans. It does not change.
pub struct Chain {
    owned: Owned<ffi::pz_chain>,
    context: Context,
}

// SAFETY: all functions on chains are [any thread].
unsafe impl Send for Chain {}
unsafe impl Sync for Chain {}

/// What a tensor of a chain is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Unconstrained input of the first stage, trained.
    Original,
    /// A stage's own tensor, trained.
    OwnParameter,
    /// A stage's state, not trained.
    StateBuffer,
}

impl Role {
    fn to_raw(self) -> ffi::pz_role {
        match self {
            Role::Original => ffi::PZ_ORIGINAL,
            Role::OwnParameter => ffi::PZ_OWN_PARAMETER,
            Role::StateBuffer => ffi::PZ_STATE_BUFFER,
        }
    }
}

impl Chain {
    fn make(
        context: &Context,
        chain: &str,
        direction: ffi::pz_direction,
        given: &[Spec],
    ) -> Result<Chain> {
        let chain = text(chain)?;
        let given = given.iter().map(Spec::to_raw).collect::<Result<Vec<_>>>()?;
        let n = given.len() as u32;
        let none = std::ptr::null();
        // SAFETY: a live context, a text, and as many specs as said.
        let owned = Owned::new(ffi::pz_chain_free, |out| unsafe {
            let (context, text) = (context.as_ptr(), chain.as_ptr());
            ffi::pz_chain_new(context, text, none, 0, direction, given.as_ptr(), n, out)
        });
        Ok(Chain {
            owned: owned?,
            context: context.clone(),
        })
    }

    /// The chain of a text, "skew,cayley", for values of a spec.
    pub fn new(context: &Context, chain: &str, value: &Spec) -> Result<Chain> {
        Chain::make(
            context,
            chain,
            ffi::PZ_FROM_TENSOR,
            std::slice::from_ref(value),
        )
    }

    /// The chain of a text for originals of these specs.
    pub fn from_originals(context: &Context, chain: &str, originals: &[Spec]) -> Result<Chain> {
        Chain::make(context, chain, ffi::PZ_FROM_INPUT, originals)
    }

    /// The object of the C interface.
    pub fn as_ptr(&self) -> *mut ffi::pz_chain {
        self.owned.as_ptr()
    }

    /// The canonical text.
    pub fn text(&self) -> String {
        // SAFETY: a live chain, whose text lives as long.
        unsafe { text_of(ffi::pz_chain_text(self.as_ptr())) }
    }

    /// The spec of the value.
    pub fn value(&self) -> Spec {
        // SAFETY: a live chain, whose spec lives as long.
        unsafe { Spec::from_raw(&*ffi::pz_chain_value(self.as_ptr())) }
    }

    /// The spec of log |det|, one number for each determinant.
    pub fn density(&self) -> Result<Spec> {
        let mut out = std::mem::MaybeUninit::uninit();
        // SAFETY: a live chain, which fills the spec.
        unsafe {
            check(ffi::pz_chain_density(self.as_ptr(), out.as_mut_ptr()))?;
            Ok(Spec::from_raw(&out.assume_init()))
        }
    }

    /// Names and specs of the tensors of a role.
    pub fn tensors(&self, role: Role) -> Result<Vec<(String, Spec)>> {
        all(
            // SAFETY: a live chain, and a struct of its size.
            |k, to| unsafe { ffi::pz_chain_tensor(self.as_ptr(), role.to_raw(), k, to) },
            // SAFETY: the name lives as long as the chain.
            |info: &ffi::pz_chain_tensor_info| unsafe {
                (text_of(info.name), Spec::from_raw(&info.spec))
            },
        )
    }

    /// The number of tensors with a gradient: originals, then own parameters.
    fn trained(&self) -> usize {
        // SAFETY: a live chain.
        let count = |role| unsafe { ffi::pz_chain_count(self.as_ptr(), role) } as usize;
        count(ffi::PZ_ORIGINAL) + count(ffi::PZ_OWN_PARAMETER)
    }
}

/// The tensors of a chain on a device: originals, own parameters, buffers.
pub struct State {
    owned: Owned<ffi::pz_state>,
    _context: Context,
}

// SAFETY: functions that take `&self` are [any thread], those that are [exclusive] take `&mut self`.
unsafe impl Send for State {}
unsafe impl Sync for State {}

impl State {
    /// Tensors filled with zeros.
    pub fn new(chain: &Chain, queue: &Queue) -> Result<State> {
        // SAFETY: live objects.
        let owned = Owned::new(ffi::pz_state_free, |out| unsafe {
            ffi::pz_state_new(chain.as_ptr(), queue.as_ptr(), out)
        });
        Ok(State {
            owned: owned?,
            _context: chain.context.clone(),
        })
    }

    /// The object of the C interface.
    pub fn as_ptr(&self) -> *mut ffi::pz_state {
        self.owned.as_ptr()
    }

    fn tensor(&self, role: Role, index: u32) -> Result<ffi::pz_tensor> {
        let mut out = std::mem::MaybeUninit::uninit();
        // SAFETY: a live state, which fills the tensor.
        unsafe {
            check(ffi::pz_state_tensor(
                self.as_ptr(),
                role.to_raw(),
                index,
                out.as_mut_ptr(),
            ))?;
            Ok(out.assume_init())
        }
    }

    /// The numbers of a tensor, in the memory of the host.
    pub fn get<T: Element>(&self, role: Role, index: u32) -> Result<View<'_, T>> {
        let tensor = self.tensor(role, index)?;
        // SAFETY: valid as long as the state, and not written before the next exclusive call.
        unsafe { View::from_tensor(&tensor) }
    }

    /// Copies numbers into a tensor in the memory of the host.
    pub fn set<T: Element>(&mut self, role: Role, index: u32, numbers: &[T]) -> Result<()> {
        let tensor = self.tensor(role, index)?;
        // SAFETY: valid as long as the state, which is borrowed exclusively.
        let mut into: ViewMut<T> = unsafe { ViewMut::from_tensor(&tensor)? };
        if numbers.len() != into.len() {
            let message = format!("found {} numbers, expected {}", numbers.len(), into.len());
            return Err(Error::new(Status::Mismatch, message));
        }
        into.copy_from_slice(numbers);
        // SAFETY: a live state, borrowed exclusively.
        unsafe { ffi::pz_state_touch(self.as_ptr()) };
        Ok(())
    }
}

/// One evaluation: value, saved tensors, scratch.
pub struct Eval {
    owned: Owned<ffi::pz_eval>,
    trained: usize,
    _context: Context,
}

// SAFETY: all methods but `as_ptr` take `&mut self`.
unsafe impl Send for Eval {}
unsafe impl Sync for Eval {}

impl Eval {
    /// An evaluation of a chain on a queue.
    pub fn new(chain: &Chain, queue: &Queue) -> Result<Eval> {
        // SAFETY: live objects.
        let owned = Owned::new(ffi::pz_eval_free, |out| unsafe {
            ffi::pz_eval_new(chain.as_ptr(), queue.as_ptr(), out)
        });
        Ok(Eval {
            owned: owned?,
            trained: chain.trained(),
            _context: chain.context.clone(),
        })
    }

    /// The object of the C interface.
    pub fn as_ptr(&self) -> *mut ffi::pz_eval {
        self.owned.as_ptr()
    }

    /// The value of a state, in memory of the evaluation on the host. Derivatives may follow.
    pub fn forward<T: Element>(&mut self, state: &State) -> Result<View<'_, T>> {
        let mut out = std::mem::MaybeUninit::uninit();
        // SAFETY: live objects; the value is valid until the next call, which needs `&mut self`.
        unsafe {
            check(ffi::pz_eval_forward(
                self.as_ptr(),
                state.as_ptr(),
                ffi::PZ_CALL_SAVING,
                std::ptr::null(),
                out.as_mut_ptr(),
            ))?;
            View::from_tensor(&out.assume_init())
        }
    }

    /// Copies the value of a state, from any device. Derivatives may follow.
    pub fn forward_into<T: Element>(&mut self, state: &State, mut into: ViewMut<T>) -> Result<()> {
        let tensor = into.tensor();
        let (eval, state) = (self.as_ptr(), state.as_ptr());
        let none = std::ptr::null_mut();
        // SAFETY: live objects; the tensor outlives the call.
        check(unsafe { ffi::pz_eval_forward(eval, state, ffi::PZ_CALL_SAVING, &tensor, none) })
    }

    fn expect_trained(&self, found: usize) -> Result<()> {
        if found == self.trained {
            return Ok(());
        }
        let expected = self.trained;
        let message = format!(
            "found {} tensors, expected {}: originals, own parameters",
            found, expected
        );
        Err(Error::new(Status::Mismatch, message))
    }

    /// Gradients of all originals, then own parameters, from the gradient of the last value.
    pub fn vjp<T: Element>(
        &mut self,
        state: &State,
        cotangent: View<T>,
        gradients: &mut [ViewMut<T>],
    ) -> Result<()> {
        self.expect_trained(gradients.len())?;
        let cotangent = cotangent.tensor();
        let into: Vec<_> = gradients
            .iter_mut()
            .map(|gradient| gradient.tensor())
            .collect();
        let want = if into.len() < 64 {
            (1u64 << into.len()) - 1
        } else {
            u64::MAX
        };
        let (eval, state) = (self.as_ptr(), state.as_ptr());
        // SAFETY: live objects; the tensors outlive the call, and there are as many as the chain has.
        check(unsafe { ffi::pz_eval_vjp(eval, state, &cotangent, 1, want, false, into.as_ptr()) })
    }

    /// The derivative of the last value along one direction: a tensor for each original, then for each own
    /// parameter.
    pub fn jvp<T: Element>(
        &mut self,
        state: &State,
        direction: &[View<T>],
        mut into: ViewMut<T>,
    ) -> Result<()> {
        self.expect_trained(direction.len())?;
        let along: Vec<_> = direction.iter().map(|tangent| tangent.tensor()).collect();
        let tensor = into.tensor();
        let (eval, state) = (self.as_ptr(), state.as_ptr());
        // SAFETY: live objects; the tensors outlive the call, and there are as many as the chain has.
        check(unsafe { ffi::pz_eval_jvp(eval, state, along.as_ptr(), 1, &tensor) })
    }

    /// Writes log |det| of the last value: one number for each determinant.
    pub fn log_abs_det<T: Element>(&mut self, state: &State, mut into: ViewMut<T>) -> Result<()> {
        let tensor = into.tensor();
        // SAFETY: live objects; the tensor outlives the call.
        check(unsafe { ffi::pz_eval_log_abs_det(self.as_ptr(), state.as_ptr(), &tensor) })
    }

    /// Sets the originals from a value in the set.
    pub fn assign<T: Element>(&mut self, state: &mut State, value: View<T>) -> Result<()> {
        let tensor = value.tensor();
        let (eval, state) = (self.as_ptr(), state.as_ptr());
        // SAFETY: live objects, borrowed exclusively; the tensor outlives the call.
        check(unsafe { ffi::pz_eval_assign(eval, state, ffi::PZ_ASSIGN, &tensor) })
    }

    /// Draws a value and assigns it.
    pub fn sample(&mut self, state: &mut State) -> Result<()> {
        // SAFETY: live objects, borrowed exclusively.
        check(unsafe { ffi::pz_eval_sample(self.as_ptr(), state.as_ptr()) })
    }

    /// Runs the update of every stage that has one.
    pub fn update(&mut self, state: &mut State) -> Result<()> {
        // SAFETY: live objects, borrowed exclusively.
        check(unsafe { ffi::pz_eval_update(self.as_ptr(), state.as_ptr()) })
    }

    /// Waits for the device and reports a failure since the last check.
    pub fn check(&mut self) -> Result<()> {
        // SAFETY: a live evaluation, borrowed exclusively.
        check(unsafe { ffi::pz_eval_check(self.as_ptr()) })
    }
}
