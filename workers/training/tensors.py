"""Arrays and facts in one file: safetensors with one JSON metadata entry and a digest over both. No pickle.

One metadata key, because safetensors writes several in random order and equal contents must give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_KEY = "ktrdr"


class BadFile(ValueError):
    """The bytes are truncated, altered or of another kind; the message says what was found."""


def pack(arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> bytes:
    """Bytes that `unpack` reads. `about` must be JSON without NaN (`ValueError`)."""
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    text = json.dumps(about, sort_keys=True, separators=(",", ":"), allow_nan=False)
    envelope = json.dumps({"about": text, "digest": _digest(whole, text)}, sort_keys=True)
    return save(whole, metadata={_KEY: envelope})


def unpack(payload: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and facts of `pack`. Raises `BadFile`."""
    try:
        arrays = load(payload)
        (length,) = struct.unpack("<Q", payload[:8])
        envelope = json.loads(json.loads(payload[8 : 8 + length])["__metadata__"][_KEY])
        text, digest = envelope["about"], envelope["digest"]
        if digest != _digest(arrays, text):
            raise BadFile("its contents do not match its digest: it was altered")
        about = json.loads(text)
    except (SafetensorError, KeyError, TypeError, struct.error, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadFile(f"it cannot be read: {error}") from error
    if not isinstance(about, dict):
        raise BadFile("its facts are no mapping")
    return arrays, about


def expect(arrays: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Exactly these names and shapes, float64, finite. Raises `BadFile` naming the first that is not so."""
    if set(arrays) != set(shapes):
        raise BadFile(f"it holds {sorted(arrays)} instead of {sorted(shapes)}")
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != np.float64:
            raise BadFile(f"{name} is {array.dtype} {array.shape} instead of float64 {shape}")
        if not np.isfinite(array).all():
            raise BadFile(f"{name} is not finite")


def _digest(arrays: Mapping[str, NDArray[Any]], text: str) -> str:
    running = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        running.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape}".encode())
        running.update(arrays[name].tobytes())
    return running.hexdigest()
