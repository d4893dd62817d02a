// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

//! Saved modules, and other safetensors files.

use crate::error::{check, Result};
use crate::ffi;
use crate::object::{all, path, text, text_of, Owned, Sized32};
use crate::tensor::Spec;
use std::ffi::CString;
use std::path::Path;

/// A file that is open for reading. It is mapped: if another process truncates it meanwhile, reading it
/// ends this process.
pub struct File {
    owned: Owned<ffi::pz_file>,
}

// SAFETY: any number of threads can read an open file.
unsafe impl Send for File {}
unsafe impl Sync for File {}

/// A tensor of a file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileTensor {
    /// Its name.
    pub name: String,
    /// Its type as the format writes it: "F32", "BF16".
    pub dtype: String,
    /// Its dtype and shape; without a shape beyond eight dimensions.
    pub spec: Spec,
}

/// A value that a file holds parametrized.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileChain {
    /// The name of the value.
    pub path: String,
    /// Its chain; none if the file does not say.
    pub chain: Option<String>,
}

impl File {
    /// Opens a file, or a model in several files by its index or its folder.
    pub fn open(file: impl AsRef<Path>) -> Result<File> {
        let file = path(file.as_ref())?;
        // SAFETY: a text.
        let owned = Owned::new(ffi::pz_file_close, |out| unsafe {
            ffi::pz_file_open(file.as_ptr(), out)
        });
        Ok(File { owned: owned? })
    }

    /// The object of the C interface.
    pub fn as_ptr(&self) -> *mut ffi::pz_file {
        self.owned.as_ptr()
    }

    /// The text of a key of the metadata.
    pub fn text(&self, key: &str) -> Option<String> {
        let key = text(key).ok()?;
        // SAFETY: a live file, whose texts live as long.
        unsafe {
            let found = ffi::pz_file_text(self.as_ptr(), key.as_ptr());
            if found.is_null() {
                None
            } else {
                Some(text_of(found))
            }
        }
    }

    /// All tensors, in the order of their bytes.
    pub fn tensors(&self) -> Result<Vec<FileTensor>> {
        all(
            // SAFETY: a live file, and a struct of its size.
            |k, to| unsafe { ffi::pz_file_tensor(self.as_ptr(), k, to) },
            // SAFETY: the texts live as long as the file.
            |info: &ffi::pz_file_tensor_info| unsafe {
                FileTensor {
                    name: text_of(info.name),
                    dtype: text_of(info.dtype),
                    spec: Spec::from_raw(&info.spec),
                }
            },
        )
    }

    /// All values that are parametrized in the file, sorted by path.
    pub fn chains(&self) -> Result<Vec<FileChain>> {
        all(
            // SAFETY: a live file, and a struct of its size.
            |k, to| unsafe { ffi::pz_file_chain(self.as_ptr(), k, to) },
            // SAFETY: the texts live as long as the file.
            |info: &ffi::pz_file_chain_info| unsafe {
                let chain = if info.text.is_null() {
                    None
                } else {
                    Some(text_of(info.text))
                };
                FileChain {
                    path: text_of(info.path),
                    chain,
                }
            },
        )
    }
}

/// How a file is loaded. The default refuses every difference.
#[derive(Clone, Debug, Default)]
pub struct LoadSettings<'a> {
    /// Ignores unknown tensors, and keeps those that the file lacks.
    pub lenient: bool,
    /// Assigns tensors with the name of a value to it: right inverses run.
    pub assign: bool,
    /// Loads floating-point numbers into tensors of a wider type.
    pub widen: bool,
    /// Patterns of paths and the chains to expect there. The first that matches counts.
    pub rules: &'a [(&'a str, &'a str)],
}

impl LoadSettings<'_> {
    /// Calls with the C struct, which lives until the call returns.
    pub(crate) fn with<R>(
        &self,
        call: impl FnOnce(&ffi::pz_load_settings) -> Result<R>,
    ) -> Result<R> {
        let texts = self
            .rules
            .iter()
            .map(|(pattern, chain)| Ok((text(pattern)?, text(chain)?)))
            .collect::<Result<Vec<(CString, CString)>>>()?;
        let rules: Vec<_> = texts
            .iter()
            .map(|(pattern, chain)| ffi::pz_chain_rule {
                pattern: pattern.as_ptr(),
                text: chain.as_ptr(),
                reserved: [0; 2],
            })
            .collect();
        let mut raw = ffi::pz_load_settings::sized();
        for (is_set, flag) in [
            (self.lenient, ffi::PZ_LOAD_LENIENT),
            (self.assign, ffi::PZ_LOAD_ASSIGN),
            (self.widen, ffi::PZ_LOAD_WIDEN),
        ] {
            raw.flags |= if is_set { flag } else { 0 };
        }
        raw.rules = rules.as_ptr();
        raw.n_rules = rules.len() as u32;
        call(&raw)
    }
}

/// Saves a module with texts of the program's own in the metadata.
///
/// # Safety
/// The module is live, and no exclusive call runs on it.
pub(crate) unsafe fn save(
    module: *mut ffi::pz_module,
    to: &Path,
    texts: &[(&str, &str)],
) -> Result<()> {
    let to = path(to)?;
    let texts = texts
        .iter()
        .map(|(key, value)| Ok((text(key)?, text(value)?)))
        .collect::<Result<Vec<(CString, CString)>>>()?;
    let metadata: Vec<_> = texts
        .iter()
        .map(|(key, value)| ffi::pz_metadata {
            key: key.as_ptr(),
            text: value.as_ptr(),
            reserved: [0; 2],
        })
        .collect();
    let mut raw = ffi::pz_save_settings::sized();
    raw.metadata = metadata.as_ptr();
    raw.n_metadata = metadata.len() as u32;
    // SAFETY: as the caller promises; the settings outlive the call.
    check(unsafe { ffi::pz_module_save(module, to.as_ptr(), &raw) })
}
