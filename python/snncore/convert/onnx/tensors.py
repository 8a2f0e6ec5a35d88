"""Tensors of an ONNX file, in it or beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from snncore import Error, FormatError

_KINDS: Final = ("FLOAT", "DOUBLE", "INT8", "INT16", "INT32", "INT64", "UINT8", "BOOL")


@dataclass(frozen=True)
class Tensors:
    """Reads tensors of the file `source`, and of others in its `folder` if it has one."""

    folder: Path | None
    source: str

    def read(self, tensor: onnx.TensorProto, label: str) -> NDArray[Any]:
        """Give a tensor as an array: finite, and as large as it says."""
        kind = (
            onnx.TensorProto.DataType.Name(tensor.data_type)
            if tensor.data_type in onnx.TensorProto.DataType.values()
            else str(tensor.data_type)
        )
        if kind not in _KINDS:
            raise Error(
                f"{self.source}: {label} is of type {kind}; {', '.join(_KINDS)} are possible, so export "
                "float32 weights"
            )
        if len(tensor.dims) > 8 or any(d < 0 for d in tensor.dims):
            raise FormatError(f"{self.source}: {label} has the shape {list(tensor.dims)[:9]}")
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            array = self._external(tensor, label)
        else:
            try:
                array = numpy_helper.to_array(tensor)
            except (ValueError, TypeError):
                raise FormatError(
                    f"{self.source}: {label} does not hold what its shape {list(tensor.dims)} says"
                ) from None
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise FormatError(f"{self.source}: {label} holds values that are not finite")
        return array

    def _external(self, tensor: onnx.TensorProto, label: str) -> NDArray[Any]:
        """Read data from a file beside the model, and from nowhere else."""
        entries = {entry.key: entry.value for entry in tensor.external_data}
        location = entries.get("location", "")
        if self.folder is None:
            raise Error(f"{self.source}: {label} lies in the file '{location}'; give the path of the model")
        path = self.folder / location
        if not location or Path(location).name != location or location == ".." or path.is_symlink():
            raise FormatError(f"{self.source}: {label} lies in '{location}', which is not beside the model")
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).newbyteorder("<")
        size = math.prod(tensor.dims) * dtype.itemsize
        offset, length = (
            entries.get(key, default) for key, default in (("offset", "0"), ("length", str(size)))
        )
        if not path.is_file() or not offset.isdigit() or length != str(size):
            raise FormatError(f"{self.source}: {label}: no {size} bytes for it in '{location}'")
        if int(offset) + size > path.stat().st_size:
            raise FormatError(f"{self.source}: {label}: '{location}' is too short")
        with path.open("rb") as file:
            file.seek(int(offset))
            return np.frombuffer(file.read(size), dtype).reshape(tuple(tensor.dims))
