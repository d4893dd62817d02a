# Copyright (c) 2026 the libparametrize authors
# SPDX-License-Identifier: MIT
"""The one context of the process: what was found, on which devices."""

import os
import threading
from typing import Dict, List, NamedTuple, Optional, Tuple

from . import _abi
from ._abi import Owner, lib, text
from .errors import MismatchError, NotFoundError

_KINDS = {1: "real", 2: "integer", 3: "flag", 4: "choice", 5: "tensor"}
_DEVICE_TENSORS = 2
_lock = threading.Lock()
_queues: Dict[Optional[str], Owner] = {}
_context: Optional[Owner] = None


class Option(NamedTuple):
    """An option of a parametrization, as in a chain's text."""

    name: str
    kind: str
    default: str
    range: str
    doc: str


class Map(NamedTuple):
    """A parametrization that was found."""

    id: str
    summary: str
    formula: str
    version: str
    path: str
    tags: Tuple[str, ...]
    options: Tuple[Option, ...]


class Device(NamedTuple):
    """A device, or a backend that found none, and why."""

    name: str
    hardware: str
    usable: bool
    reason: str


def context() -> Owner:
    global _context
    if _context is None:
        with _lock:
            if _context is None:
                settings = _abi.ContextSettings(flags=_DEVICE_TENSORS)
                _context = Owner(lib.pz_context_free, lib.pz_context_new, settings)
    return _context


def queue(device: Optional[str] = None) -> Owner:
    """The queue of a device, which all that compute on it share."""
    found = _queues.get(device)
    if found is None:
        found = Owner(lib.pz_queue_close, lib.pz_queue_open, context(), name(device), None, keep=(context(),))
        found = _queues.setdefault(device, found)
    return found


def name(value: Optional[str], what: str = "the name") -> Optional[bytes]:
    """A text for C."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{what}: found {type(value).__name__}, expected str")
    if "\0" in value:
        raise ValueError(f"{what}: found a null character, expected none")
    return value.encode()


def path(value) -> bytes:
    """A path for C."""
    return os.fsencode(value)


def _each(function, kind, *arguments):
    index = 0
    while True:
        info = kind()
        try:
            function(*arguments, index, info)
        except (NotFoundError, MismatchError):
            return
        yield info
        index += 1


def _map(info) -> Map:
    options = tuple(
        Option(text(o.name), _KINDS.get(o.type, "?"), text(o.fallback), text(o.range), text(o.doc))
        for o in (_option(info.id, k) for k in range(info.n_options))
    )
    tags = tuple(text(info.tags).split())
    return Map(text(info.id), text(info.summary), text(info.formula), text(info.version), text(info.path), tags, options)


def _option(id_, index):
    info = _abi.OptionInfo()
    lib.pz_context_option(context(), id_, index, info)
    return info


def list_maps(tag: Optional[str] = None) -> List[Map]:
    """All parametrizations that are found, sorted by id; with `tag`, those that have this tag."""
    maps = [_map(info) for info in list(_each(lib.pz_context_parametrization, _abi.MapInfo, context()))]
    return [m for m in maps if tag is None or tag in m.tags]


def find_map(id: str) -> Map:
    """The parametrization `id`, or a word of chains. NotFoundError names the nearest one."""
    info = _abi.MapInfo()
    lib.pz_context_find(context(), name(id, "the id"), info)
    return _map(info)


def list_devices() -> List[Device]:
    """All devices, in the order in which `device="auto"` takes them. This opens their drivers."""
    reports = _each(lib.pz_context_device, _abi.DeviceReport, context())
    return [Device(text(r.name), text(r.hardware), bool(r.usable), text(r.reason)) for r in reports]


def add_plugin(file) -> None:
    """Opens a plugin of your own, a shared object. Its parametrizations can then be used by name."""
    lib.pz_context_add_file(context(), path(os.path.abspath(file)))


def add_folder(folder) -> None:
    """Adds a folder to search for plugins."""
    lib.pz_context_add_folder(context(), path(os.path.abspath(folder)))


def seed(number: int) -> None:
    """Restarts the random stream of `sample` and of parametrizations that draw. 0: from the system."""
    lib.pz_context_seed(context(), number)


def version() -> str:
    """The version of the C library."""
    return text(lib.pz_version())
