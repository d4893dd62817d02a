// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

use crate::ffi;
use crate::object::text_of;
use std::fmt;

/// What went wrong, in one word. `docs/hosts.md` says what to do about each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// The contract does not allow this argument or this call.
    Invalid,
    /// No parametrization, tensor, device or file of this name.
    NotFound,
    /// The name or the file exists already.
    Exists,
    /// Shape, dtype, device or count differ from what is expected.
    Mismatch,
    /// The value lies outside the constraint set.
    Outside,
    /// A matrix lacks the inverse, factor or logarithm asked for.
    Singular,
    /// Not available here, or not for this dtype or size.
    Unsupported,
    /// Something changed since the value was read.
    Stale,
    /// Memory or descriptors are exhausted: the same call may succeed later.
    NoMemory,
    /// A file cannot be read or written.
    Io,
    /// A plugin or backend broke its contract.
    Plugin,
    /// The device or its driver failed.
    Device,
    /// A status that is newer than this crate.
    Other(u32),
}

impl Status {
    fn from_raw(raw: ffi::pz_status) -> Status {
        match raw {
            ffi::PZ_INVALID => Status::Invalid,
            ffi::PZ_NOT_FOUND => Status::NotFound,
            ffi::PZ_EXISTS => Status::Exists,
            ffi::PZ_MISMATCH => Status::Mismatch,
            ffi::PZ_OUTSIDE => Status::Outside,
            ffi::PZ_SINGULAR => Status::Singular,
            ffi::PZ_UNSUPPORTED => Status::Unsupported,
            ffi::PZ_STALE => Status::Stale,
            ffi::PZ_NO_MEMORY => Status::NoMemory,
            ffi::PZ_IO => Status::Io,
            ffi::PZ_PLUGIN => Status::Plugin,
            ffi::PZ_DEVICE => Status::Device,
            other => Status::Other(other),
        }
    }
}

/// A call that failed: its status, and one line that says what was found and what was expected.
#[derive(Clone, Debug)]
pub struct Error {
    status: Status,
    message: String,
}

impl Error {
    pub(crate) fn new(status: Status, message: String) -> Error {
        Error { status, message }
    }

    /// The status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The result of a call.
pub type Result<T> = std::result::Result<T, Error>;

/// Takes the message of a call that has failed on this thread.
pub(crate) fn check(raw: ffi::pz_status) -> Result<()> {
    if raw == ffi::PZ_OK {
        return Ok(());
    }
    // SAFETY: both texts are valid until the next call that fails on this thread, and copied here.
    let message = unsafe {
        let message = text_of(ffi::pz_error_message());
        if message.is_empty() {
            text_of(ffi::pz_status_text(raw))
        } else {
            message
        }
    };
    Err(Error::new(Status::from_raw(raw), message))
}
