// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

//! What a step of training does: writing tensors, and gradients.

use crate::error::{check, Result};
use crate::ffi;
use crate::module::Module;
use crate::object::text;
use crate::tensor::{Element, View, ViewMut};
use std::ffi::CString;
use std::ops::{Deref, DerefMut};

/// A tensor open for writing. It derefs to the slice. `commit` ends it; so does dropping it, without saying
/// whether that failed.
pub struct Edit<'a, T: Element> {
    module: &'a mut Module,
    name: CString,
    numbers: ViewMut<'a, T>,
    open: bool,
}

impl<T: Element> Edit<'_, T> {
    /// The extents.
    pub fn shape(&self) -> &[usize] {
        self.numbers.shape()
    }

    /// Ends the edit.
    pub fn commit(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        self.open = false;
        // SAFETY: a live module, borrowed exclusively.
        check(unsafe { ffi::pz_module_commit(self.module.as_ptr(), self.name.as_ptr()) })
    }
}

impl<T: Element> Deref for Edit<'_, T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.numbers
    }
}

impl<T: Element> DerefMut for Edit<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.numbers
    }
}

impl<T: Element> Drop for Edit<'_, T> {
    fn drop(&mut self) {
        if self.open {
            let _ = self.end();
        }
    }
}

impl Module {
    /// Assigns numbers. On a parametrized tensor, right inverses run.
    pub fn set<T: Element>(&mut self, name: &str, numbers: View<T>) -> Result<()> {
        let tensor = numbers.tensor();
        // SAFETY: a live module, borrowed exclusively; the tensor outlives the call.
        self.named(name, |m, name| unsafe {
            ffi::pz_module_set(m, name, &tensor)
        })
    }

    /// Opens a stored tensor for writing in the memory of the host.
    pub fn edit<T: Element>(&mut self, name: &str) -> Result<Edit<'_, T>> {
        let name = text(name)?;
        let mut out = std::mem::MaybeUninit::uninit();
        // SAFETY: a live module, borrowed exclusively. The memory is the program's until the commit.
        unsafe {
            check(ffi::pz_module_edit(
                self.as_ptr(),
                name.as_ptr(),
                out.as_mut_ptr(),
            ))?;
            match ViewMut::from_tensor(&out.assume_init()) {
                Ok(numbers) => Ok(Edit {
                    module: self,
                    name,
                    numbers,
                    open: true,
                }),
                Err(error) => {
                    check(ffi::pz_module_commit(self.as_ptr(), name.as_ptr()))?;
                    Err(error)
                }
            }
        }
    }

    /// Changes a stored tensor by its gradient, in the memory of the host: `change(x, g)`.
    pub fn step<T: Element>(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut [T], &[T]),
    ) -> Result<()> {
        let c_name = text(name)?;
        let mut out = std::mem::MaybeUninit::uninit();
        // SAFETY: a live module, borrowed exclusively until the end of this function. The gradient has
        // memory of its own, which only exclusive calls write.
        let gradient: View<T> = unsafe {
            check(ffi::pz_module_gradient(
                self.as_ptr(),
                c_name.as_ptr(),
                out.as_mut_ptr(),
            ))?;
            View::from_tensor(&out.assume_init())?
        };
        let mut open = self.edit(name)?;
        change(&mut open, &gradient);
        open.commit()
    }

    /// Draws a value and assigns it.
    pub fn sample(&mut self, name: &str) -> Result<()> {
        // SAFETY: a live module, borrowed exclusively.
        self.named(name, |m, name| unsafe { ffi::pz_module_sample(m, name) })
    }

    /// Updates the own state of all stages. Call it once a step.
    pub fn update(&mut self) -> Result<()> {
        // SAFETY: a live module, borrowed exclusively.
        check(unsafe { ffi::pz_module_update(self.as_ptr(), std::ptr::null()) })
    }

    // ---- gradients ----

    /// Adds to the gradients of what a value depends on.
    pub fn backward<T: Element>(&mut self, name: &str, gradient: View<T>) -> Result<()> {
        let tensor = gradient.tensor();
        // SAFETY: a live module, borrowed exclusively; the tensor outlives the call.
        self.named(name, |m, name| unsafe {
            ffi::pz_module_backward(m, name, &tensor)
        })
    }

    /// Writes log |det| of the value last read: one number for each determinant.
    pub fn log_abs_det<T: Element>(&mut self, name: &str, mut into: ViewMut<T>) -> Result<()> {
        let tensor = into.tensor();
        // SAFETY: a live module, borrowed exclusively; the tensor outlives the call.
        self.named(name, |m, name| unsafe {
            ffi::pz_module_log_abs_det(m, name, &tensor)
        })
    }

    /// Adds the gradient of `gradient` times log |det|.
    pub fn backward_log_abs_det<T: Element>(
        &mut self,
        name: &str,
        gradient: View<T>,
    ) -> Result<()> {
        let tensor = gradient.tensor();
        // SAFETY: a live module, borrowed exclusively; the tensor outlives the call.
        self.named(name, |m, name| unsafe {
            ffi::pz_module_backward_log_abs_det(m, name, &tensor)
        })
    }

    /// Copies the gradient of a stored tensor, from any device.
    pub fn read_gradient<T: Element>(&mut self, name: &str, mut into: ViewMut<T>) -> Result<()> {
        let tensor = into.tensor();
        // SAFETY: a live module, borrowed exclusively; the tensor outlives the call.
        self.named(name, |m, name| unsafe {
            ffi::pz_module_read_gradient(m, name, &tensor)
        })
    }

    /// A copy of the gradient of a stored tensor, from any device.
    pub fn read_gradient_vec<T: Element>(&mut self, name: &str) -> Result<Vec<T>> {
        let spec = self.spec(name)?;
        let mut out = spec.zeros();
        self.read_gradient(name, ViewMut::new(&mut out, &spec.shape)?)?;
        Ok(out)
    }

    /// Sets every gradient to zero.
    pub fn zero_gradients(&mut self) -> Result<()> {
        // SAFETY: a live module, borrowed exclusively.
        check(unsafe { ffi::pz_module_zero_gradients(self.as_ptr()) })
    }
}
