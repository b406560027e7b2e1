"""A cluster held against what the repository renders for it: one module reads, checks judge what was read, a probe."""
