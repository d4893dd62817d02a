// Copyright (c) 2026 the libparametrize authors
// SPDX-License-Identifier: MIT

//! Slices with a shape.

use crate::error::{Error, Result, Status};
use crate::ffi;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

const MAX_DIMS: usize = ffi::PZ_MAX_DIMS as usize;

// An extent is passed as the i64 that it is read as.
const _: () = assert!(std::mem::size_of::<usize>() == std::mem::size_of::<i64>());

const fn dtype(code: u8, bits: u8) -> u32 {
    let lanes = 1u16.to_ne_bytes();
    u32::from_ne_bytes([code, bits, lanes[0], lanes[1]])
}

mod private {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for i64 {}
}

/// Types of numbers in tensors.
pub trait Element: Copy + Default + Send + Sync + private::Sealed + 'static {
    #[doc(hidden)]
    const DTYPE: u32;
}

impl Element for f32 {
    const DTYPE: u32 = dtype(2, 32);
}

impl Element for f64 {
    const DTYPE: u32 = dtype(2, 64);
}

impl Element for i64 {
    const DTYPE: u32 = dtype(0, 64);
}

/// The type of a tensor's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dtype {
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `i64`
    I64,
    /// Another type of a file, of which the library only copies the bytes.
    Other,
}

impl Dtype {
    fn from_raw(raw: u32) -> Dtype {
        match raw {
            <f32 as Element>::DTYPE => Dtype::F32,
            <f64 as Element>::DTYPE => Dtype::F64,
            <i64 as Element>::DTYPE => Dtype::I64,
            _ => Dtype::Other,
        }
    }

    fn to_raw(self) -> u32 {
        match self {
            Dtype::F32 => f32::DTYPE,
            Dtype::F64 => f64::DTYPE,
            Dtype::I64 => i64::DTYPE,
            Dtype::Other => 0,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dtype::F32 => "float32",
            Dtype::F64 => "float64",
            Dtype::I64 => "int64",
            Dtype::Other => "another type",
        })
    }
}

/// Dtype and shape of a tensor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    /// The type of its numbers.
    pub dtype: Dtype,
    /// Its extents.
    pub shape: Vec<usize>,
}

impl Spec {
    /// The spec of a tensor of `T`.
    pub fn of<T: Element>(shape: &[usize]) -> Spec {
        Spec {
            dtype: Dtype::from_raw(T::DTYPE),
            shape: shape.to_vec(),
        }
    }

    /// The number of elements.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    pub(crate) fn from_raw(raw: &ffi::pz_spec) -> Spec {
        let n = raw.ndim.clamp(0, MAX_DIMS as i32) as usize;
        let shape = raw.shape[..n]
            .iter()
            .map(|&extent| extent as usize)
            .collect();
        Spec {
            dtype: Dtype::from_raw(raw.dtype),
            shape,
        }
    }

    pub(crate) fn to_raw(&self) -> Result<ffi::pz_spec> {
        let (ndim, extents) = extents_of(&self.shape)?;
        Ok(ffi::pz_spec {
            dtype: self.dtype.to_raw(),
            structure: ffi::PZ_GENERAL,
            ndim: ndim as i32,
            reserved: 0,
            shape: extents.map(|extent| extent as i64),
        })
    }

    /// Numbers that such a tensor can be read into.
    pub(crate) fn zeros<T: Element>(&self) -> Vec<T> {
        vec![T::default(); self.count()]
    }
}

fn extents_of(shape: &[usize]) -> Result<(usize, [usize; MAX_DIMS])> {
    let mut extents = [0; MAX_DIMS];
    if shape.len() > MAX_DIMS || shape.iter().any(|&extent| extent > i64::MAX as usize) {
        let message = format!(
            "shape {:?}: expected at most {} dimensions",
            shape, MAX_DIMS
        );
        return Err(Error::new(Status::Invalid, message));
    }
    extents[..shape.len()].copy_from_slice(shape);
    Ok((shape.len(), extents))
}

/// A slice and its shape, without its lifetime.
#[derive(Clone, Copy)]
struct Raw<T> {
    data: *mut T,
    count: usize,
    ndim: usize,
    shape: [usize; MAX_DIMS],
}

impl<T: Element> Raw<T> {
    fn new(data: *mut T, count: usize, shape: &[usize]) -> Result<Raw<T>> {
        let (ndim, extents) = extents_of(shape)?;
        let expected = shape
            .iter()
            .try_fold(1usize, |n, &extent| n.checked_mul(extent));
        if expected != Some(count) {
            let message = format!(
                "found {} numbers, expected a shape of as many, not {:?}",
                count, shape
            );
            return Err(Error::new(Status::Mismatch, message));
        }
        Ok(Raw {
            data,
            count,
            ndim,
            shape: extents,
        })
    }

    /// What the library lends.
    ///
    /// # Safety
    /// The tensor is valid.
    unsafe fn from_tensor(tensor: &ffi::pz_tensor) -> Result<Raw<T>> {
        let found = Dtype::from_raw(tensor.dtype);
        if tensor.dtype != T::DTYPE {
            let message = format!("found {}, expected {}", found, Dtype::from_raw(T::DTYPE));
            return Err(Error::new(Status::Mismatch, message));
        }
        if tensor.device.type_ != ffi::PZ_DEVICE_CPU as i32 {
            let message = "found memory of a device, expected that of the host".to_string();
            return Err(Error::new(Status::Unsupported, message));
        }
        let ndim = tensor.ndim as usize;
        let mut shape = [0; MAX_DIMS];
        let mut count = 1;
        for k in (0..ndim).rev() {
            // SAFETY: a valid tensor has ndim extents, and strides or none.
            unsafe {
                shape[k] = *tensor.shape.add(k) as usize;
                if !tensor.strides.is_null()
                    && *tensor.strides.add(k) as usize != count
                    && shape[k] > 1
                {
                    let message = "found strides, expected a contiguous tensor".to_string();
                    return Err(Error::new(Status::Unsupported, message));
                }
            }
            count *= shape[k];
        }
        let data = if count == 0 {
            std::ptr::NonNull::dangling().as_ptr()
        } else {
            // SAFETY: the first element is there.
            unsafe {
                tensor
                    .data
                    .cast::<u8>()
                    .add(tensor.byte_offset as usize)
                    .cast()
            }
        };
        Ok(Raw {
            data,
            count,
            ndim,
            shape,
        })
    }

    /// Valid as long as `self` is neither moved nor dropped.
    fn tensor(&self) -> ffi::pz_tensor {
        ffi::pz_tensor {
            data: self.data.cast(),
            device: ffi::pz_device {
                type_: ffi::PZ_DEVICE_CPU as i32,
                id: 0,
            },
            ndim: self.ndim as i32,
            dtype: T::DTYPE,
            shape: self.shape.as_ptr().cast(),
            strides: std::ptr::null(),
            byte_offset: 0,
        }
    }
}

/// Numbers in C order with their shape. It derefs to the slice.
#[derive(Clone, Copy)]
pub struct View<'a, T> {
    raw: Raw<T>,
    lifetime: PhantomData<&'a [T]>,
}

// SAFETY: as a `&[T]`.
unsafe impl<T: Sync> Send for View<'_, T> {}
unsafe impl<T: Sync> Sync for View<'_, T> {}

impl<'a, T: Element> View<'a, T> {
    /// The numbers of a slice, which has as many as the shape.
    pub fn new(data: &'a [T], shape: &[usize]) -> Result<View<'a, T>> {
        let raw = Raw::new(data.as_ptr() as *mut T, data.len(), shape)?;
        Ok(View {
            raw,
            lifetime: PhantomData,
        })
    }

    /// # Safety
    /// The tensor is valid, and nobody writes it during 'a.
    pub(crate) unsafe fn from_tensor(tensor: &ffi::pz_tensor) -> Result<View<'a, T>> {
        // SAFETY: as the caller promises.
        Ok(View {
            raw: unsafe { Raw::from_tensor(tensor) }?,
            lifetime: PhantomData,
        })
    }

    /// Valid as long as `self` is neither moved nor dropped. The library only reads it.
    pub(crate) fn tensor(&self) -> ffi::pz_tensor {
        self.raw.tensor()
    }

    /// The extents.
    pub fn shape(&self) -> &[usize] {
        &self.raw.shape[..self.raw.ndim]
    }

    /// The slice, which lives as long as what was viewed.
    pub fn data(&self) -> &'a [T] {
        // SAFETY: made from a slice of this length and lifetime, or lent for as long.
        unsafe { std::slice::from_raw_parts(self.raw.data, self.raw.count) }
    }
}

impl<T: Element> Deref for View<'_, T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        self.data()
    }
}

/// Numbers in C order with their shape, which may be written. It derefs to the slice.
pub struct ViewMut<'a, T> {
    raw: Raw<T>,
    lifetime: PhantomData<&'a mut [T]>,
}

// SAFETY: as a `&mut [T]`.
unsafe impl<T: Send> Send for ViewMut<'_, T> {}
unsafe impl<T: Sync> Sync for ViewMut<'_, T> {}

impl<'a, T: Element> ViewMut<'a, T> {
    /// The numbers of a slice, which has as many as the shape.
    pub fn new(data: &'a mut [T], shape: &[usize]) -> Result<ViewMut<'a, T>> {
        let raw = Raw::new(data.as_mut_ptr(), data.len(), shape)?;
        Ok(ViewMut {
            raw,
            lifetime: PhantomData,
        })
    }

    /// # Safety
    /// The tensor is valid, and nobody else reads or writes it during 'a.
    pub(crate) unsafe fn from_tensor(tensor: &ffi::pz_tensor) -> Result<ViewMut<'a, T>> {
        // SAFETY: as the caller promises.
        Ok(ViewMut {
            raw: unsafe { Raw::from_tensor(tensor) }?,
            lifetime: PhantomData,
        })
    }

    /// Valid as long as `self` is neither moved nor dropped.
    pub(crate) fn tensor(&mut self) -> ffi::pz_tensor {
        self.raw.tensor()
    }

    /// The extents.
    pub fn shape(&self) -> &[usize] {
        &self.raw.shape[..self.raw.ndim]
    }
}

impl<T: Element> Deref for ViewMut<'_, T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: made from a slice of this length, or lent for as long.
        unsafe { std::slice::from_raw_parts(self.raw.data, self.raw.count) }
    }
}

impl<T: Element> DerefMut for ViewMut<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and this view is the only one.
        unsafe { std::slice::from_raw_parts_mut(self.raw.data, self.raw.count) }
    }
}
