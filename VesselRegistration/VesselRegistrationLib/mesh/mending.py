"""Closing and turning outward of vessel surfaces.

The surface is split into patches: triangles that hang together over edges with exactly two triangles. Every patch is
oriented consistently, its open edges are closed by fans around the middle of each opening, and it is turned outward
by the sign of its volume. A fan over the whole rim of a patch always closes it, however crooked the rim, because the
rim of a rim is empty; so the result is closed even where edges with three triangles remain.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_SPECK_AREA = 0.01
_LARGE_CAP_AREA = 0.2
_WIDER_BY_SPECKS = 1.05


@dataclass(frozen=True)
class MendedSurface:
    """``vertices`` (N, 3) and ``triangles`` (M, 3) int32 of a closed, outward surface, and what was done to it."""

    vertices: np.ndarray
    triangles: np.ndarray
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _HalfEdges:
    """The three sides of every triangle: ``edge`` (3M,) which undirected edge, ``forward`` (3M,) whether the side runs
    from the lower to the higher vertex; ``ends`` (E, 2) the vertices and ``count`` (E,) the triangles of each edge."""

    edge: np.ndarray
    forward: np.ndarray
    ends: np.ndarray
    count: np.ndarray


def mend(vertices: np.ndarray, triangles: np.ndarray) -> MendedSurface:
    """Close and orient a triangle mesh: vertices (N, 3), triangles (M, 3), coincident vertices merged beforehand.

    The notes say what was changed and what could not be mended. The result is closed: every edge is passed as often
    in one direction as in the other.
    """
    notes: list[str] = []
    triangles = _without_copies(triangles, notes)
    used, triangles = np.unique(triangles, return_inverse=True)
    vertices, triangles = vertices[used], triangles.reshape(-1, 3)
    sides = _half_edges(triangles, len(vertices))

    consistent, patch, twisted = _oriented_patches(triangles, sides)
    vertices, caps, cap_patch, openings = _fans(vertices, consistent, patch)
    closed, closed_patch = np.vstack([consistent, caps]), np.concatenate([patch, cap_patch])
    inward = _volumes(vertices, closed, closed_patch) < 0
    turn = inward[closed_patch]
    closed[turn] = closed[turn][:, ::-1]

    areas = triangle_areas(vertices, closed)
    _say_turned((consistent[:, 0] != triangles[:, 0]) ^ inward[patch], notes)
    _say_capped(openings, areas[len(patch):].sum() / areas.sum(), notes)
    _say_pieces(vertices, closed, closed_patch, areas, notes)
    shared = int((sides.count > 2).sum())
    if shared or twisted:
        what = (f"{shared} edge{'s' * (shared > 1)} with more than two triangles" if shared else
                "pieces whose inside and outside cannot be told apart")
        notes.append(f"The surface has {what}; this cannot be mended, the silhouette is right but the shaded picture "
                     "may be wrong there.")
    return MendedSurface(vertices, closed.astype(np.int32), tuple(notes))


def is_closed(triangles: np.ndarray) -> bool:
    """Whether every edge of the triangles (M, 3) is passed as often in one direction as in the other."""
    sides = _half_edges(triangles, int(triangles.max()) + 1)
    return not np.bincount(sides.edge, np.where(sides.forward, 1, -1)).any()


def triangle_areas(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area of every triangle (M,)."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    return 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)


def enclosed_volume(vertices: np.ndarray, triangles: np.ndarray) -> float:
    """Volume inside a closed, outward surface."""
    return float(_volumes(vertices, triangles, np.zeros(len(triangles), np.int64))[0])


def _without_copies(triangles: np.ndarray, notes: list[str]) -> np.ndarray:
    """One of each triangle where a surface was stored twice; none where two pieces share a wall."""
    _, first, count = np.unique(np.sort(triangles, axis=1), axis=0, return_index=True, return_counts=True)
    repeated = count > 1
    if not repeated.any():
        return triangles
    if repeated.mean() > 0.5:
        notes.append(f"Most triangles were stored more than once; {len(triangles) - len(first)} copies were left out.")
        return triangles[np.sort(first)]
    # An odd triangle more or less leaves a rim; pairs can go together without one.
    keep = first[count % 2 == 1]
    if len(keep) == 0:
        return triangles
    notes.append(f"{len(triangles) - len(keep)} triangles that lay twice in the same place were left out.")
    return triangles[np.sort(keep)]


def _half_edges(triangles: np.ndarray, vertex_count: int) -> _HalfEdges:
    starts = triangles.astype(np.int64).ravel()
    ends = np.roll(triangles, -1, axis=1).astype(np.int64).ravel()
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    key, edge, count = np.unique(low * vertex_count + high, return_inverse=True, return_counts=True)
    return _HalfEdges(edge, starts == low, np.column_stack(np.divmod(key, vertex_count)), count)


def _oriented_patches(triangles: np.ndarray, sides: _HalfEdges) -> tuple[np.ndarray, np.ndarray, bool]:
    """Consistently oriented triangles (M, 3), the patch of each (M,), and whether some patch has but one side.

    Every triangle stands in a graph twice, as stored and turned over; neighbours are joined the way round in which
    they agree. A patch then falls into two connected halves, and the half with more triangles as stored is taken.
    """
    size = len(triangles)
    order = np.argsort(sides.edge, kind="stable")
    pairs = order[sides.count[sides.edge[order]] == 2].reshape(-1, 2)
    one, other = pairs[:, 0] // 3, pairs[:, 1] // 3
    agree = sides.forward[pairs[:, 0]] != sides.forward[pairs[:, 1]]
    partner = np.where(agree, other, other + size)
    opposite = np.where(agree, other + size, other)
    rows, columns = np.concatenate([one, one + size]), np.concatenate([partner, opposite])
    _, label = connected_components(coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(2 * size,) * 2),
                                    directed=False)
    stored, turned = label[:size], label[size:]
    twisted = stored == turned
    _, patch = np.unique(np.minimum(stored, turned), return_inverse=True)
    in_first = stored <= turned
    votes = np.bincount(patch, np.where(in_first, 1, -1))
    flip = (in_first != (votes[patch] >= 0)) & ~twisted
    consistent = triangles.copy()
    consistent[flip] = consistent[flip][:, ::-1]
    return consistent, patch, bool(twisted.any())


def _fans(vertices: np.ndarray, triangles: np.ndarray,
          patch: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices with the fans' middles appended, the fans' triangles, their patches, and the width of each opening."""
    sides = _half_edges(triangles, len(vertices))
    key, which = np.unique(np.repeat(patch, 3) * len(sides.count) + sides.edge, return_inverse=True)
    surplus = np.bincount(which, np.where(sides.forward, 1, -1)).astype(np.int64)
    rim = np.flatnonzero(surplus)
    if len(rim) == 0:
        return vertices, np.zeros((0, 3), np.int64), np.zeros(0, np.int64), np.zeros(0)
    rim = np.repeat(rim, np.abs(surplus[rim]))
    rim_patch, edge = np.divmod(key[rim], len(sides.count))
    a, b = sides.ends[edge].T
    start, end = np.where(surplus[rim] > 0, b, a), np.where(surplus[rim] > 0, a, b)

    nodes, node = np.unique(np.concatenate([rim_patch * len(vertices) + start, rim_patch * len(vertices) + end]),
                            return_inverse=True)
    from_node, to_node = np.split(node, 2)
    _, node_loop = connected_components(coo_array((np.ones(len(rim), np.int8), (from_node, to_node)),
                                                  shape=(len(nodes),) * 2), directed=False)
    loop = node_loop[from_node]
    length = np.linalg.norm(vertices[end] - vertices[start], axis=1)
    total = np.bincount(loop, length)
    middle = 0.5 * (vertices[start] + vertices[end])
    centres = np.column_stack([np.bincount(loop, length * middle[:, k]) for k in range(3)]) / total[:, None]
    width = np.zeros(len(total))
    np.maximum.at(width, loop, 2 * np.linalg.norm(middle - centres[loop], axis=1))
    fans = np.column_stack([start, end, len(vertices) + loop])
    return np.vstack([vertices, centres]), fans, rim_patch, width


def _volumes(vertices: np.ndarray, triangles: np.ndarray, patch: np.ndarray) -> np.ndarray:
    """Signed volume of every closed patch (P,)."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    count = np.bincount(patch)
    # Measured from the middle of each patch, where rounding is least.
    middle = np.column_stack([np.bincount(patch, (a + b + c)[:, k]) / (3 * count) for k in range(3)])[patch]
    return np.bincount(patch, np.einsum("ij,ij->i", a - middle, np.cross(b - middle, c - middle))) / 6


def _say_turned(turned: np.ndarray, notes: list[str]) -> None:
    if turned.all():
        notes.append("The surface faced inward and was turned.")
    elif turned.any():
        notes.append(f"{int(turned.sum())} of {len(turned)} triangles faced inward and were turned.")


def _say_capped(openings: np.ndarray, share: float, notes: list[str]) -> None:
    if len(openings) == 0:
        return
    what = "1 opening was capped" if len(openings) == 1 else f"{len(openings)} openings were capped"
    notes.append(f"{what}, the widest {openings.max():.1f} mm across.")
    if share > _LARGE_CAP_AREA:
        notes.append(f"The caps are {100 * share:.0f} % of the surface: a part of the model seems to be missing.")


def _say_pieces(vertices: np.ndarray, triangles: np.ndarray, patch: np.ndarray, areas: np.ndarray,
                notes: list[str]) -> None:
    area = np.bincount(patch, areas)
    speck = area < _SPECK_AREA * area.sum()
    pieces = int((~speck).sum())
    if pieces > 1:
        notes.append(f"The model has {pieces} separate pieces.")
    if speck.any():
        count = int(speck.sum())
        notes.append(f"The model has {count} speck{'s' if count > 1 else ''} of less than 1 % of the surface, which "
                     f"{'were' if count > 1 else 'was'} kept.")
        proper = vertices[triangles[~speck[patch]]].reshape(-1, 3)
        if np.linalg.norm(np.ptp(vertices, axis=0)) > _WIDER_BY_SPECKS * np.linalg.norm(np.ptp(proper, axis=0)):
            notes.append("Specks lie far from the vessel and shift the model's middle; remove them from the file.")
