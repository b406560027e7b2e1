"""From a folder to a Bundle: YAML with positions, the graph of kustomizations, rendering, and provenance."""
