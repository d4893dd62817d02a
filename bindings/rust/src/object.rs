// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

//! What all objects share: ownership, texts, and lists that a function describes by index.

use crate::error::{check, Error, Result, Status};
use crate::ffi;
use std::ffi::{CStr, CString};
use std::os::raw::c_char;
use std::path::Path;
use std::ptr::NonNull;

/// Owns an object of the C interface.
pub(crate) struct Owned<T> {
    object: NonNull<T>,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// Takes what `make` stores in its argument; `free` must be its destructor.
    pub fn new(
        free: unsafe extern "C" fn(*mut T),
        make: impl FnOnce(*mut *mut T) -> ffi::pz_status,
    ) -> Result<Owned<T>> {
        let mut object = std::ptr::null_mut();
        check(make(&mut object))?;
        let object = NonNull::new(object).expect("an object of a call that succeeded");
        Ok(Owned { object, free })
    }

    pub fn as_ptr(&self) -> *mut T {
        self.object.as_ptr()
    }

    /// Leaves the object to somebody else.
    pub fn release(self) {
        std::mem::forget(self);
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the object came from its constructor and is freed once.
        unsafe { (self.free)(self.object.as_ptr()) }
    }
}

/// A copy of a text of the library; "" for NULL.
///
/// # Safety
/// `text` is NULL or ends with a zero byte.
pub(crate) unsafe fn text_of(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

fn without_zero(bytes: Vec<u8>) -> Result<CString> {
    CString::new(bytes).map_err(|error| {
        let place = error.nul_position();
        Error::new(
            Status::Invalid,
            format!("found a zero byte at {} of a text", place),
        )
    })
}

/// A text for the library.
pub(crate) fn text(text: &str) -> Result<CString> {
    without_zero(text.as_bytes().to_vec())
}

/// A path for the library.
pub(crate) fn path(path: &Path) -> Result<CString> {
    use std::os::unix::ffi::OsStrExt;
    without_zero(path.as_os_str().as_bytes().to_vec())
}

/// Structs that begin with their size, for which all bits zero are valid.
///
/// # Safety
/// The first member is the `u32` size, and the struct consists of numbers and pointers.
pub(crate) unsafe trait Sized32: Sized {
    /// All zero but for the size.
    fn sized() -> Self {
        // SAFETY: numbers and pointers may be zero, and the size comes first.
        unsafe {
            let mut out = std::mem::zeroed::<Self>();
            (&mut out as *mut Self)
                .cast::<u32>()
                .write(std::mem::size_of::<Self>() as u32);
            out
        }
    }
}

macro_rules! sized {
    ($($name:ident),*) => { $(
        // SAFETY: declared so in the headers (rule 2 of types.h).
        unsafe impl Sized32 for ffi::$name {}
    )* };
}
sized!(
    pz_chain_tensor_info,
    pz_context_settings,
    pz_device_report,
    pz_file_chain_info,
    pz_file_tensor_info,
    pz_load_settings,
    pz_parametrization_info,
    pz_save_settings,
    pz_tensor_info
);

/// Everything that `describe` describes by index, until it answers PZ_NOT_FOUND.
pub(crate) fn all<Info: Sized32, T>(
    mut describe: impl FnMut(u32, *mut Info) -> ffi::pz_status,
    mut take: impl FnMut(&Info) -> T,
) -> Result<Vec<T>> {
    let mut out = Vec::new();
    loop {
        let mut info = Info::sized();
        match describe(out.len() as u32, &mut info) {
            ffi::PZ_NOT_FOUND => return Ok(out),
            status => check(status)?,
        }
        out.push(take(&info));
    }
}
