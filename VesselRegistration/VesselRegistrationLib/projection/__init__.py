"""Images of a mesh on a view: silhouette and path length."""
