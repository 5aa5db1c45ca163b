"""The vessel tree of a surface as a graph of rings, and paths through it.

The surface is cut into rings by the distance along it from one end (the level sets of Lazarus and Verroust, 1999): in a
tube each ring is one piece, where the tube divides it falls into several. The pieces and their contacts are the tree.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.ndimage import gaussian_filter1d
from scipy.sparse.csgraph import breadth_first_order, connected_components, dijkstra, shortest_path
from scipy.spatial import cKDTree

from ..errors import UserError
from ..mesh.surface import SurfaceModel

RING_MM = 8.0
SHORTEST_PATH_SHARE = 0.5
MOST_PATHS = 4

_FEWEST_RINGS = 6
_SMOOTHING_RINGS = 1.5
_END_RINGS = 4
_AVERAGING_ROUNDS = 10


@dataclass(frozen=True)
class VesselPath:
    """A way through the tree, from its widest end to another end.

    ``points`` (S, 3), RAS mm, smoothed; ``arc_mm`` (S,) the length along them. ``vertex_arc_mm`` (N,): for every vertex
    of the model the place on the path to which it belongs; side branches belong to where they leave it.
    """

    points: np.ndarray
    arc_mm: np.ndarray
    vertex_arc_mm: np.ndarray


def vessel_paths(model: SurfaceModel) -> list[VesselPath]:
    """Paths from the widest end of the model to its other ends, the longest first, at most four.

    Ends nearer than half of the longest way count as side branches. Raises UserError for a model that is no tube.
    """
    edges = _edges(model.triangles)
    main = _largest_piece(edges, len(model.vertices))
    distance = _distance_from_an_end(model.vertices, edges, main)
    ring = np.where(main, np.floor(np.where(main, distance, 0.0) / RING_MM), -1).astype(int)
    piece, links = _pieces(ring, edges)
    count = piece.max() + 1
    members = np.bincount(piece, minlength=count)
    sums = np.column_stack([np.bincount(piece, model.vertices[:, axis], count) for axis in range(3)])
    centres = sums / members[:, None]
    spread = np.linalg.norm(model.vertices - centres[piece], axis=1)
    radius = np.bincount(piece, spread, count) / members
    graph = _tree(links, centres, count)
    start = _widest_end(graph, radius, int(piece[main][np.argmin(distance[main])]))
    order, parents = breadth_first_order(graph, start, directed=False)
    length = shortest_path(graph, directed=False, indices=start)
    ways = [way for way in _ways(order, parents, length) if len(way) >= _FEWEST_RINGS]
    ways = [way for way in ways if length[way[-1]] >= SHORTEST_PATH_SHARE * length[ways[0][-1]]]
    if not ways:
        raise UserError("The model has no length along which it could bend: only tubular vessels can be deformed.")
    return [_path(way, parents, order, centres, piece, edges, model.vertices) for way in ways[:MOST_PATHS]]


def _edges(triangles: np.ndarray) -> np.ndarray:
    edges = np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    return np.unique(np.sort(edges, axis=1), axis=0)


def _largest_piece(edges: np.ndarray, count: int) -> np.ndarray:
    _, label = connected_components(_graph(edges, np.ones(len(edges)), count), directed=False)
    return label == np.bincount(label).argmax()


def _distance_from_an_end(vertices: np.ndarray, edges: np.ndarray, main: np.ndarray) -> np.ndarray:
    """Distance along the surface (N,), mm, from the vertex that is farthest from some other."""
    length = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)
    graph = _graph(edges, np.maximum(length, 1e-6), len(vertices))
    first = dijkstra(graph, directed=False, indices=int(np.argmax(main)))
    return dijkstra(graph, directed=False, indices=int(np.argmax(np.where(main, first, -1.0))))


def _pieces(ring: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Connected piece of a ring that every vertex lies on (N,), and the pairs of pieces that touch (L, 2)."""
    same = ring[edges[:, 0]] == ring[edges[:, 1]]
    _, piece = connected_components(_graph(edges[same], np.ones(int(same.sum())), len(ring)), directed=False)
    return piece, np.unique(np.sort(piece[edges[~same]], axis=1), axis=0)


def _tree(links: np.ndarray, centres: np.ndarray, count: int) -> sparse.csr_matrix:
    length = np.linalg.norm(centres[links[:, 0]] - centres[links[:, 1]], axis=1)
    return _graph(links, np.maximum(length, 1e-3), count)


def _graph(links: np.ndarray, weights: np.ndarray, count: int) -> sparse.csr_matrix:
    return sparse.csr_matrix((weights, (links[:, 0], links[:, 1])), shape=(count, count))


def _widest_end(graph: sparse.csr_matrix, radius: np.ndarray, some_end: int) -> int:
    """The end of the tree around which the vessel is widest, among those that are far from another end."""
    order, parents = breadth_first_order(graph, some_end, directed=False)
    length = shortest_path(graph, directed=False, indices=some_end)
    ways = _ways(order, parents, length)
    ends = [ways[0][:_END_RINGS], *(way[: -_END_RINGS - 1 : -1] for way in ways)] if ways else [[some_end]]
    reach = shortest_path(graph, directed=False, indices=[end[0] for end in ends])
    far = np.where(np.isfinite(reach), reach, -1.0).max(axis=1)
    widths = np.array([np.median(radius[end]) for end in ends])
    return ends[int(np.argmax(np.where(far >= SHORTEST_PATH_SHARE * far.max(), widths, -1.0)))][0]


def _ways(order: np.ndarray, parents: np.ndarray, length: np.ndarray) -> list[list[int]]:
    """Ways from the first node of a breadth-first order to the ends of the tree, the longest first.

    An end whose way leaves the longer ones for a few rings only is a crumb, not a branch.
    """
    covered = np.zeros(len(parents), dtype=bool)
    ways = []
    for end in sorted(order[1:], key=lambda node: -length[node]):
        if covered[end]:
            continue
        way = [int(end)]
        while way[-1] != order[0]:
            way.append(int(parents[way[-1]]))
        if np.count_nonzero(~covered[way]) >= _END_RINGS:
            ways.append(way[::-1])
            covered[way] = True
    return ways


def _path(nodes: list[int], parents: np.ndarray, order: np.ndarray, centres: np.ndarray, piece: np.ndarray,
          edges: np.ndarray, vertices: np.ndarray) -> VesselPath:
    points = gaussian_filter1d(centres[nodes], _SMOOTHING_RINGS, axis=0, mode="nearest")
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    place = np.full(len(centres), -1)
    place[nodes] = np.arange(len(nodes))
    for node in order:  # parents come first
        if place[node] < 0:
            place[node] = place[parents[node]]
    apart = np.flatnonzero(place < 0)
    place[apart] = place[order[cKDTree(centres[order]).query(centres[apart])[1]]]
    on_path = np.zeros(len(centres), dtype=bool)
    on_path[nodes] = True

    at = place[piece]
    tangents = np.gradient(points, arc, axis=0)
    along = np.clip(np.einsum("ij,ij->i", vertices - points[at], tangents[at]), -RING_MM, RING_MM)
    vertex_arc = np.clip(arc[at] + np.where(on_path[piece], along, 0.0), 0.0, arc[-1])
    return VesselPath(points, arc, _averaged(vertex_arc, edges))


def _averaged(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Values (N,) smoothed over the surface, so that it does not tear where branches leave."""
    ends = np.concatenate([edges, edges[:, ::-1]])
    neighbours = np.bincount(ends[:, 0], minlength=len(values))
    for _ in range(_AVERAGING_ROUNDS):
        total = np.bincount(ends[:, 0], values[ends[:, 1]], len(values))
        values = 0.5 * (values + np.where(neighbours > 0, total / np.maximum(neighbours, 1), values))
    return values
