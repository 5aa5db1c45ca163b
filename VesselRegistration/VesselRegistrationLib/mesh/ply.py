"""PLY files, ASCII and binary.

Decoded here because VTK's own PLY reader brings the whole program down on a file that is cut short or damaged.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import UserError

_HEADER_LIMIT = 1 << 20
_TYPES = {"char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
          "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
          "double": "f8", "float64": "f8"}
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_FACE_LISTS = ("vertex_indices", "vertex_index")


@dataclass(frozen=True)
class PlyMesh:
    """``points`` (N, 3) float64; polygon k has the points ``connectivity[offsets[k]:offsets[k + 1]]``; ``comments``
    of the header."""

    points: np.ndarray
    offsets: np.ndarray
    connectivity: np.ndarray
    comments: tuple[str, ...]


@dataclass(frozen=True)
class _Property:
    """One column of an element; ``length`` is the type of a list's length, empty for a plain value."""

    name: str
    value: str
    length: str = ""


@dataclass(frozen=True)
class _Element:
    name: str
    count: int
    properties: list[_Property]


def read_ply(path: Path) -> PlyMesh:
    """Read the points and polygons of a PLY file. Raises UserError where it is damaged or ends too early."""
    content = path.read_bytes()
    end = content.find(b"end_header", 0, _HEADER_LIMIT)
    start = content.find(b"\n", end) + 1
    if not content.startswith(b"ply") or end < 0 or start == 0:
        raise UserError(f"{path.name} is not a PLY file or its header is damaged: export the model again.")
    try:
        order, elements, comments = _parse_header(content[:end].decode("latin-1"))
        body = _Text(content[start:]) if order == "" else _Binary(content[start:], order)
        return _decode(body, elements, comments)
    except (ValueError, KeyError, IndexError, OverflowError, StopIteration):
        raise UserError(f"{path.name} is damaged or incomplete and cannot be read: export the model again.") from None


def _parse_header(header: str) -> tuple[str, list[_Element], tuple[str, ...]]:
    order: str | None = None
    elements: list[_Element] = []
    comments: list[str] = []
    for line in header.splitlines():
        match line.split():
            case ["format", kind, *_]:
                order = _ORDERS[kind]
            case ["comment", *_]:
                comments.append(line)
            case ["element", name, count]:
                elements.append(_Element(name, int(count), []))
            case ["property", "list", length, value, name]:
                elements[-1].properties.append(_Property(name, _TYPES[value], _TYPES[length]))
            case ["property", value, name]:
                elements[-1].properties.append(_Property(name, _TYPES[value]))
    if order is None or any(element.count < 0 for element in elements):
        raise ValueError(header)
    return order, elements, tuple(comments)


class _Binary:
    """Numbers one after the other in binary form."""

    def __init__(self, content: bytes, order: str) -> None:
        self.content, self.order, self.at = content, order, 0

    def values(self, kind: str, count: int) -> np.ndarray:
        found = np.frombuffer(self.content, self.order + kind, count, self.at)
        self.at += found.nbytes
        return found

    def table(self, kinds: list[str], widths: list[int], count: int) -> list[np.ndarray]:
        record = np.dtype([(str(k), self.order + kind, (width,))
                           for k, (kind, width) in enumerate(zip(kinds, widths, strict=True))])
        found = np.frombuffer(self.content, record, count, self.at)
        self.at += found.nbytes
        return [found[str(k)] for k in range(len(kinds))]


class _Text:
    """Numbers one after the other as text."""

    def __init__(self, content: bytes) -> None:
        self.numbers, self.at = np.array(content.split(), dtype=np.float64), 0

    def values(self, kind: str, count: int) -> np.ndarray:
        found = self.numbers[self.at:self.at + count]
        if len(found) < count:
            raise ValueError(kind)
        self.at += count
        return found

    def table(self, kinds: list[str], widths: list[int], count: int) -> list[np.ndarray]:
        found = self.values(kinds[0], count * sum(widths)).reshape(count, -1)
        return np.split(found, np.cumsum(widths)[:-1], axis=1)


def _decode(body: _Binary | _Text, elements: list[_Element], comments: tuple[str, ...]) -> PlyMesh:
    points = np.zeros((0, 3))
    faces: np.ndarray | list[np.ndarray] = np.zeros((0, 3), np.int64)
    for element in elements:
        columns = _read_element(body, element)
        if element.name == "vertex" and element.count:
            points = np.hstack([columns[axis] for axis in "xyz"]).astype(np.float64)
        elif element.name == "face" and element.count:
            faces = next(columns[name] for name in _FACE_LISTS if name in columns)
    sizes = np.full(len(faces), faces.shape[1]) if isinstance(faces, np.ndarray) else [len(face) for face in faces]
    flat = faces.ravel() if isinstance(faces, np.ndarray) else np.concatenate(faces)
    return PlyMesh(points, np.concatenate([[0], np.cumsum(sizes)]), flat.astype(np.int64), comments)


def _read_element(body: _Binary | _Text, element: _Element) -> dict[str, np.ndarray | list[np.ndarray]]:
    """The columns of an element, (count, 1), or for lists (count, length) or else ``count`` arrays."""
    if element.count == 0 or not element.properties:
        return {}
    start = body.at
    first = _read_record(body, element)
    body.at = start
    kinds, widths = [], []
    for p in element.properties:
        kinds += [p.length, p.value] if p.length else [p.value]
        widths += [1, len(first[p.name])] if p.length else [1]
    try:
        table = iter(body.table(kinds, widths, element.count))
        lengths_and_columns = {p.name: (next(table) if p.length else None, next(table)) for p in element.properties}
        if all(length is None or (length == column.shape[1]).all()
               for length, column in lengths_and_columns.values()):
            return {name: column for name, (_, column) in lengths_and_columns.items()}
    except ValueError:
        if not any(p.length for p in element.properties):
            raise
    body.at = start
    records = [_read_record(body, element) for _ in range(element.count)]
    return {p.name: [record[p.name] for record in records] for p in element.properties}


def _read_record(body: _Binary | _Text, element: _Element) -> dict[str, np.ndarray]:
    record = {}
    for p in element.properties:
        count = int(body.values(p.length, 1)[0]) if p.length else 1
        if count < 0:
            raise ValueError(p.name)
        record[p.name] = body.values(p.value, count)
    return record
