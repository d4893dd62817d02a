// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

//! Modules: named tensors that can be parametrized.

use crate::context::{Context, Queue};
use crate::error::{check, Error, Result, Status};
use crate::ffi;
use crate::file::{self, File, LoadSettings};
use crate::object::{all, text, text_of, Owned};
use crate::tensor::{Element, Spec, View, ViewMut};
use std::fmt;
use std::path::Path;

/// Named tensors. After a registration a name stands for the value, and the tensor to train is
/// "parametrizations.NAME.original". Names of nested modules are paths: "rnn.kernel".
pub struct Module {
    owned: Owned<ffi::pz_module>, // freed before the context
    context: Context,
}

// SAFETY: what takes `&self` is marked [read] in the headers, or [any thread]; what is marked [exclusive]
// takes `&mut self`. The policies that make reads exclusive have no method here.
unsafe impl Send for Module {}
unsafe impl Sync for Module {}

/// What a tensor is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Trained: has a gradient unless frozen.
    Parameter,
    /// Saved and moved, not trained.
    Buffer,
}

/// What a tensor becomes when its chain is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Its original.
    Original,
    /// Its current value.
    Parametrized,
}

/// A tensor that a module stores. Values are not stored.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredTensor {
    /// The full path.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// Whether it is trained.
    pub requires_grad: bool,
    /// Its dtype and shape.
    pub spec: Spec,
}

impl Module {
    fn make(
        context: &Context,
        make: impl FnOnce(*mut *mut ffi::pz_module) -> ffi::pz_status,
    ) -> Result<Module> {
        let owned = Owned::new(ffi::pz_module_free, make)?;
        Ok(Module {
            owned,
            context: context.clone(),
        })
    }

    /// An empty module on the default device. `kind` is shown when it is printed: "Linear".
    pub fn new(context: &Context, kind: &str) -> Result<Module> {
        let kind = text(kind)?;
        // SAFETY: a live context and a text.
        Module::make(context, |out| unsafe {
            ffi::pz_module_new(context.as_ptr(), std::ptr::null_mut(), kind.as_ptr(), out)
        })
    }

    /// An empty module on the device of a queue.
    pub fn on(queue: &Queue, kind: &str) -> Result<Module> {
        let kind = text(kind)?;
        let context = queue.context();
        // SAFETY: a live queue of this context and a text.
        Module::make(context, |out| unsafe {
            ffi::pz_module_new(context.as_ptr(), queue.as_ptr(), kind.as_ptr(), out)
        })
    }

    /// The module that a file describes, on the default device.
    pub fn from_file(context: &Context, file: &File, settings: &LoadSettings) -> Result<Module> {
        Module::load_new(context, std::ptr::null_mut(), file, settings)
    }

    /// The module that a file describes, on the device of a queue.
    pub fn from_file_on(queue: &Queue, file: &File, settings: &LoadSettings) -> Result<Module> {
        Module::load_new(queue.context(), queue.as_ptr(), file, settings)
    }

    fn load_new(
        context: &Context,
        queue: *mut ffi::pz_queue,
        file: &File,
        settings: &LoadSettings,
    ) -> Result<Module> {
        let only = std::ptr::null();
        settings.with(|raw| {
            // SAFETY: live objects; the settings outlive the call.
            Module::make(context, |out| unsafe {
                ffi::pz_module_from_file(context.as_ptr(), queue, file.as_ptr(), only, raw, out)
            })
        })
    }

    /// The object of the C interface.
    pub fn as_ptr(&self) -> *mut ffi::pz_module {
        self.owned.as_ptr()
    }

    /// Calls with the module and a name. What the call does must be allowed by how `self` is borrowed.
    pub(crate) fn named(
        &self,
        name: &str,
        call: impl FnOnce(*mut ffi::pz_module, *const std::os::raw::c_char) -> ffi::pz_status,
    ) -> Result<()> {
        let name = text(name)?;
        check(call(self.as_ptr(), name.as_ptr()))
    }

    // ---- building ----

    /// Nests a module of the same context in this one.
    pub fn add_child(&mut self, name: &str, child: Module) -> Result<()> {
        // SAFETY: both are live and borrowed exclusively.
        self.named(name, |m, name| unsafe {
            ffi::pz_module_add_child(m, name, child.as_ptr())
        })?;
        child.owned.release(); // freed with this module
        Ok(())
    }

    /// Adds a tensor and copies the numbers into it.
    pub fn add<T: Element>(&mut self, name: &str, kind: Kind, numbers: View<T>) -> Result<()> {
        let kind = match kind {
            Kind::Parameter => ffi::PZ_PARAMETER,
            Kind::Buffer => ffi::PZ_BUFFER,
        };
        let tensor = numbers.tensor();
        // SAFETY: a live module, borrowed exclusively; the tensor outlives the call.
        self.named(name, |m, name| unsafe {
            ffi::pz_module_add(m, name, kind, &tensor)
        })
    }

    /// Freezes a parameter, or trains it again.
    pub fn require_grad(&mut self, name: &str, require: bool) -> Result<()> {
        // SAFETY: a live module, borrowed exclusively.
        self.named(name, |m, name| unsafe {
            ffi::pz_module_require_grad(m, name, require)
        })
    }

    /// Sets training mode (the default) or evaluation mode.
    pub fn train(&mut self, training: bool) -> Result<()> {
        // SAFETY: a live module, borrowed exclusively.
        check(unsafe { ffi::pz_module_train(self.as_ptr(), training) })
    }

    // ---- parametrizing ----

    /// Registers the stages of a chain, "skew,cayley", on a tensor.
    pub fn register(&mut self, name: &str, chain: &str) -> Result<()> {
        let chain = text(chain)?;
        // SAFETY: a live module, borrowed exclusively; no settings.
        self.named(name, |m, name| unsafe {
            ffi::pz_register_parametrization(m, name, chain.as_ptr(), std::ptr::null())
        })
    }

    /// Removes the chain of a tensor.
    pub fn remove_parametrizations(&mut self, name: &str, leave: Leave) -> Result<()> {
        let leave = match leave {
            Leave::Original => ffi::PZ_LEAVE_ORIGINAL,
            Leave::Parametrized => ffi::PZ_LEAVE_PARAMETRIZED,
        };
        // SAFETY: a live module, borrowed exclusively.
        self.named(name, |m, name| unsafe {
            ffi::pz_remove_parametrizations(m, name, leave)
        })
    }

    /// Whether a tensor is parametrized.
    pub fn is_parametrized(&self, name: &str) -> bool {
        // SAFETY: a live module.
        text(name).map_or(false, |name| unsafe {
            ffi::pz_is_parametrized(self.as_ptr(), name.as_ptr())
        })
    }

    /// Calls with the chain of a tensor.
    fn with_chain<R>(&self, name: &str, call: impl FnOnce(*const ffi::pz_chain) -> R) -> Result<R> {
        let mut chain = std::ptr::null();
        // SAFETY: a live module. The chain is borrowed until the next exclusive call.
        self.named(name, |m, name| unsafe {
            ffi::pz_module_chain(m, name, &mut chain)
        })?;
        Ok(call(chain))
    }

    /// The chain of a tensor, as text.
    pub fn chain(&self, name: &str) -> Result<String> {
        // SAFETY: a live chain, whose text lives as long.
        self.with_chain(name, |chain| unsafe { text_of(ffi::pz_chain_text(chain)) })
    }

    // ---- reading ----

    /// Dtype and shape of a value or a stored tensor.
    pub fn spec(&self, name: &str) -> Result<Spec> {
        if self.is_parametrized(name) {
            // SAFETY: a live chain, whose spec lives as long.
            return self.with_chain(name, |chain| unsafe {
                Spec::from_raw(&*ffi::pz_chain_value(chain))
            });
        }
        let found = self
            .tensors()?
            .into_iter()
            .find(|tensor| tensor.name == name);
        found.map(|tensor| tensor.spec).ok_or_else(|| {
            Error::new(
                Status::NotFound,
                format!("{:?}: found no tensor of this name", name),
            )
        })
    }

    /// The numbers of a value or a stored tensor, in the memory of the host, until the module changes. It is
    /// computed only if something has changed. On a device use [`Module::read`].
    pub fn value<T: Element>(&self, name: &str) -> Result<View<'_, T>> {
        let name = text(name)?;
        let mut out = std::mem::MaybeUninit::uninit();
        // SAFETY: a live module. A value is not written before the next exclusive call, which needs the
        // module as `&mut`.
        unsafe {
            check(ffi::pz_module_get(
                self.as_ptr(),
                name.as_ptr(),
                out.as_mut_ptr(),
            ))?;
            View::from_tensor(&out.assume_init())
        }
    }

    /// Copies a value or a stored tensor, from any device.
    pub fn read<T: Element>(&self, name: &str, mut into: ViewMut<T>) -> Result<()> {
        let tensor = into.tensor();
        // SAFETY: a live module; the tensor outlives the call.
        self.named(name, |m, name| unsafe {
            ffi::pz_module_read(m, name, &tensor)
        })
    }

    /// A copy of a value or a stored tensor, from any device.
    pub fn read_vec<T: Element>(&self, name: &str) -> Result<Vec<T>> {
        let spec = self.spec(name)?;
        let mut out = spec.zeros();
        self.read(name, ViewMut::new(&mut out, &spec.shape)?)?;
        Ok(out)
    }

    /// Computes all values that have changed, on up to `threads` threads (0: one for each processor).
    pub fn refresh(&mut self, threads: u32) -> Result<()> {
        // SAFETY: a live module, borrowed exclusively.
        check(unsafe { ffi::pz_module_refresh(self.as_ptr(), threads) })
    }

    /// The distance of a value from the set of its last stage.
    pub fn residual(&mut self, name: &str) -> Result<f64> {
        let mut out = 0.0;
        // SAFETY: a live module, borrowed exclusively.
        self.named(name, |m, name| unsafe {
            ffi::pz_module_residual(m, name, &mut out)
        })?;
        Ok(out)
    }

    /// Waits for the device and reports a failure that it found since the last check.
    pub fn check(&mut self) -> Result<()> {
        // SAFETY: a live module, borrowed exclusively.
        check(unsafe { ffi::pz_module_check(self.as_ptr()) })
    }

    // ---- enumerating, copying, moving ----

    /// All stored tensors, those of nested modules included.
    pub fn tensors(&self) -> Result<Vec<StoredTensor>> {
        all(
            // SAFETY: a live module, and a struct of its size.
            |k, to| unsafe { ffi::pz_module_tensor(self.as_ptr(), k, to) },
            // SAFETY: the name lives until the next exclusive call.
            |info: &ffi::pz_tensor_info| unsafe {
                StoredTensor {
                    name: text_of(info.name),
                    kind: if info.kind == ffi::PZ_BUFFER {
                        Kind::Buffer
                    } else {
                        Kind::Parameter
                    },
                    requires_grad: info.requires_grad != 0,
                    spec: Spec::from_raw(&info.spec),
                }
            },
        )
    }

    /// A copy that shares plugins and queues only.
    pub fn copy(&self) -> Result<Module> {
        // SAFETY: a live module.
        Module::make(&self.context, |out| unsafe {
            ffi::pz_module_copy(self.as_ptr(), out)
        })
    }

    /// Moves the module to the device of a queue.
    pub fn to(&mut self, queue: &Queue) -> Result<()> {
        // SAFETY: live objects, the module borrowed exclusively.
        check(unsafe { ffi::pz_module_to(self.as_ptr(), queue.as_ptr()) })
    }

    /// Converts every tensor.
    pub fn to_dtype<T: Element>(&mut self) -> Result<()> {
        // SAFETY: a live module, borrowed exclusively.
        check(unsafe { ffi::pz_module_to_dtype(self.as_ptr(), T::DTYPE) })
    }

    /// Folds the module: values in evaluation mode take the place of chains.
    pub fn bake(&mut self) -> Result<()> {
        // SAFETY: a live module, borrowed exclusively.
        check(unsafe { ffi::pz_module_bake(self.as_ptr()) })
    }

    /// Takes that back.
    pub fn unbake(&mut self) -> Result<()> {
        // SAFETY: a live module, borrowed exclusively.
        check(unsafe { ffi::pz_module_unbake(self.as_ptr()) })
    }

    // ---- files ----

    /// Writes every stored tensor with its chains. `texts` are keys and texts of the program's own.
    pub fn save(&self, to: impl AsRef<Path>, texts: &[(&str, &str)]) -> Result<()> {
        // SAFETY: a live module.
        unsafe { file::save(self.as_ptr(), to.as_ref(), texts) }
    }

    /// Copies the tensors of a file to those of the same path.
    pub fn load(&mut self, file: &File, settings: &LoadSettings) -> Result<()> {
        // SAFETY: live objects, the module borrowed exclusively; the settings outlive the call.
        settings
            .with(|raw| check(unsafe { ffi::pz_module_load(self.as_ptr(), file.as_ptr(), raw) }))
    }
}

/// The module as a tree, as PyTorch prints it.
impl fmt::Display for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: a live module, and a buffer of the size that is given.
        let text = unsafe {
            let length = ffi::pz_module_print(self.as_ptr(), std::ptr::null_mut(), 0);
            let mut buffer = vec![0u8; length + 1];
            ffi::pz_module_print(self.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len());
            text_of(buffer.as_ptr().cast())
        };
        f.write_str(&text)
    }
}
