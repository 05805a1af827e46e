"""Check weights in an HDF5 file before Keras reads them: arrays in the file, and nothing else."""

import io
from collections.abc import Iterator

import h5py

from ..core.errors import ModelFileError

# More groups and arrays than a network has, and deeper ones.
MOST_ITEMS, DEEPEST = 100_000, 20


def check_weights(weights: bytes) -> None:
    """Refuse links, arrays in other files, and arrays that are not stored as they are.

    Raises:
        ModelFileError: There is one, or it is no HDF5 file.
    """
    try:
        with h5py.File(io.BytesIO(weights), "r") as file:
            for number, _ in enumerate(_arrays(file, 0)):
                if number > MOST_ITEMS:
                    raise ValueError("there are too many")
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise ModelFileError(
            f"The weights of the model are refused: {str(error)[:200]}.",
            "Use model files from sources that you trust, or train again.",
        ) from None


def _arrays(group: h5py.Group, depth: int) -> Iterator[str]:
    """Yield the names of all groups and arrays; a file may hold a group within itself."""
    if depth > DEEPEST:
        raise ValueError("groups are nested too deep")
    for name in group:
        yield name
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{name[:50]} is a link")
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _arrays(item, depth + 1)
        elif not isinstance(item, h5py.Dataset) or item.dtype.kind not in "fiu":
            raise ValueError(f"{name[:50]} is no array of numbers")
        elif item.external or item.is_virtual or item.id.get_storage_size() != item.nbytes:
            # Compressed and unwritten arrays take more memory than the file has.
            raise ValueError(f"{name[:50]} is not stored as it is")
