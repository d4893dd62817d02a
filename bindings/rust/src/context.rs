// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

//! Contexts find plugins and backends. Queues run work on devices.

use crate::error::{check, Result};
use crate::ffi;
use crate::object::{all, path, text, text_of, Owned, Sized32};
use std::path::Path;
use std::sync::Arc;

struct Shared(Owned<ffi::pz_context>);

// SAFETY: all functions on contexts are [any thread].
unsafe impl Send for Shared {}
unsafe impl Sync for Shared {}

/// Finds plugins and backends. Clones are the same context. It is freed after all that use it.
#[derive(Clone)]
pub struct Context {
    shared: Arc<Shared>,
}

/// Settings of a context. The default is that of [`Context::new`].
#[derive(Clone, Debug, Default)]
pub struct Settings<'a> {
    /// Of the random stream; 0: from the system.
    pub seed: u64,
    /// Names of devices or backends, separated by commas, which "auto" takes first.
    pub devices: Option<&'a str>,
    /// Absolute paths of folders with plugins, searched first.
    pub folders: &'a [&'a Path],
    /// Searches these folders and no others.
    pub only_given_folders: bool,
}

/// A parametrization that a context has found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Parametrization {
    /// Its name in chains.
    pub id: String,
    /// What it is for.
    pub summary: String,
    /// How it computes; may be empty.
    pub formula: String,
    /// Of its plugin.
    pub version: String,
    /// Words separated by spaces; may be empty.
    pub tags: String,
}

/// A device, or a backend that has found none.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Device {
    /// For [`Queue::open`].
    pub name: String,
    /// What it is.
    pub hardware: String,
    /// Whether a queue can be opened on it.
    pub usable: bool,
    /// Whether it computes in `f64`.
    pub has_f64: bool,
    /// Why it is not usable, or "".
    pub reason: String,
}

impl Context {
    /// A context with the default settings.
    pub fn new() -> Result<Context> {
        Context::with(&Settings::default())
    }

    /// A context with settings.
    pub fn with(settings: &Settings) -> Result<Context> {
        let devices = settings.devices.map(text).transpose()?;
        let folders = settings
            .folders
            .iter()
            .map(|folder| path(folder))
            .collect::<Result<Vec<_>>>()?;
        let pointers: Vec<_> = folders.iter().map(|folder| folder.as_ptr()).collect();
        let mut raw = ffi::pz_context_settings::sized();
        raw.seed = settings.seed;
        raw.devices = devices
            .as_ref()
            .map_or(std::ptr::null(), |devices| devices.as_ptr());
        raw.folders = pointers.as_ptr();
        raw.n_folders = pointers.len() as u32;
        raw.flags = if settings.only_given_folders {
            ffi::PZ_ONLY_GIVEN_FOLDERS
        } else {
            0
        };
        // SAFETY: the settings outlive the call, which copies them. Without PZ_DEVICE_TENSORS no call
        // gives memory of a device.
        let owned = Owned::new(ffi::pz_context_free, |out| unsafe {
            ffi::pz_context_new(&raw, out)
        });
        Ok(Context {
            shared: Arc::new(Shared(owned?)),
        })
    }

    /// The object of the C interface.
    pub fn as_ptr(&self) -> *mut ffi::pz_context {
        self.shared.0.as_ptr()
    }

    /// Restarts the random stream; 0: from the system.
    pub fn seed(&self, seed: u64) {
        // SAFETY: a live context.
        unsafe { ffi::pz_context_seed(self.as_ptr(), seed) }
    }

    /// Opens one plugin by absolute path.
    ///
    /// # Safety
    /// The file is a plugin that keeps the contract of plugins: its code runs in this process.
    pub unsafe fn add_file(&self, file: &Path) -> Result<()> {
        let file = path(file)?;
        // SAFETY: a live context and a text.
        check(unsafe { ffi::pz_context_add_file(self.as_ptr(), file.as_ptr()) })
    }

    /// Adds a folder to search, after those given before.
    ///
    /// # Safety
    /// As [`Context::add_file`], for every file in the folder.
    pub unsafe fn add_folder(&self, folder: &Path) -> Result<()> {
        let folder = path(folder)?;
        // SAFETY: a live context and a text.
        check(unsafe { ffi::pz_context_add_folder(self.as_ptr(), folder.as_ptr()) })
    }

    /// All parametrizations, sorted by id.
    pub fn parametrizations(&self) -> Result<Vec<Parametrization>> {
        all(
            // SAFETY: a live context, and a struct of its size.
            |k, to| unsafe { ffi::pz_context_parametrization(self.as_ptr(), k, to) },
            // SAFETY: the texts live as long as the context.
            |info: &ffi::pz_parametrization_info| unsafe {
                Parametrization {
                    id: text_of(info.id),
                    summary: text_of(info.summary),
                    formula: text_of(info.formula),
                    version: text_of(info.version),
                    tags: text_of(info.tags),
                }
            },
        )
    }

    /// All devices, in the order in which "auto" takes them.
    pub fn devices(&self) -> Result<Vec<Device>> {
        all(
            // SAFETY: a live context, and a struct of its size.
            |k, to| unsafe { ffi::pz_context_device(self.as_ptr(), k, to) },
            // SAFETY: the texts live as long as the context.
            |info: &ffi::pz_device_report| unsafe {
                Device {
                    name: text_of(info.name),
                    hardware: text_of(info.hardware),
                    usable: info.usable != 0,
                    has_f64: info.f64_ != 0,
                    reason: text_of(info.reason),
                }
            },
        )
    }
}

/// Runs work on a device, in order. It may be dropped before what uses it.
pub struct Queue {
    owned: Owned<ffi::pz_queue>,
    context: Context,
}

// SAFETY: functions that take `&self` are [any thread], and the one that is [exclusive] takes `&mut self`.
unsafe impl Send for Queue {}
unsafe impl Sync for Queue {}

impl Queue {
    /// A queue on the device of this name: "cpu", "opencl:0", "auto" ...
    pub fn open(context: &Context, device: &str) -> Result<Queue> {
        let device = text(device)?;
        // SAFETY: a live context, a text, and no queue of the program's own.
        let owned = Owned::new(ffi::pz_queue_close, |out| unsafe {
            ffi::pz_queue_open(context.as_ptr(), device.as_ptr(), std::ptr::null(), out)
        });
        Ok(Queue {
            owned: owned?,
            context: context.clone(),
        })
    }

    /// The object of the C interface.
    pub fn as_ptr(&self) -> *mut ffi::pz_queue {
        self.owned.as_ptr()
    }

    /// Its context.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The name of its device.
    pub fn device(&self) -> String {
        // SAFETY: a live queue, whose name lives as long.
        unsafe { text_of(ffi::pz_queue_device(self.as_ptr(), std::ptr::null_mut())) }
    }

    /// Waits until all work is done.
    pub fn synchronize(&self) -> Result<()> {
        // SAFETY: a live queue.
        check(unsafe { ffi::pz_queue_synchronize(self.as_ptr()) })
    }

    /// Lets an operation that needs the host fail, or not.
    pub fn forbid_host_fallback(&mut self, forbid: bool) {
        // SAFETY: a live queue, which nobody else uses now.
        unsafe { ffi::pz_queue_forbid_host_fallback(self.as_ptr(), forbid) }
    }
}
