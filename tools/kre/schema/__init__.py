"""Tightened, pinned JSON Schemas of the kinds that a response engine is made of, and two engines to check them."""
