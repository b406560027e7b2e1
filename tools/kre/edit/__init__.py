"""The edits that people make most, done right: single values changed in place, and what bootstrap needs."""
