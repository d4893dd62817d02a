# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""Exceptions: one for each status of the C library, below `Error`.

The text is the library's message. Each is also the built-in exception that fits, so that
`except ValueError` works as well.
"""

__all__ = [
    "DeviceError",
    "Error",
    "ExistsError",
    "FileError",
    "InvalidError",
    "MismatchError",
    "NotFoundError",
    "OutOfMemoryError",
    "OutsideError",
    "PluginError",
    "SingularError",
    "StaleError",
    "UnsupportedError",
]


class Error(Exception):
    """Any failure of the library. `status` is the number of its pz_status."""

    status: int = 0


class InvalidError(Error, ValueError):
    """The contract does not allow this argument or this call."""

    status = 1


class NotFoundError(Error, LookupError):
    """No parametrization, tensor, device or file of this name."""

    status = 2


class ExistsError(Error, ValueError):
    """The name or the file exists already."""

    status = 3


class MismatchError(Error, ValueError):
    """Shape, dtype, device or count differ from what is expected."""

    status = 4


class OutsideError(Error, ValueError):
    """The value lies outside the constraint set."""

    status = 5


class SingularError(Error, ArithmeticError):
    """A matrix lacks the inverse, factor or logarithm asked for."""

    status = 6


class UnsupportedError(Error, RuntimeError):
    """Not available here, or not for this dtype or size."""

    status = 7


class StaleError(Error, RuntimeError):
    """Something changed since the evaluation."""

    status = 8


class OutOfMemoryError(Error, MemoryError):
    """Memory of host or device, or descriptors, are exhausted."""

    status = 9


class FileError(Error, OSError):
    """A file cannot be read or written."""

    status = 10


class PluginError(Error, RuntimeError):
    """A plugin or backend broke its contract."""

    status = 11


class DeviceError(Error, RuntimeError):
    """The device or its driver failed."""

    status = 12


BY_STATUS = {kind.status: kind for kind in Error.__subclasses__()}
