"""The edits that people make most, done right: files changed in place, all of one edit together, and the tokens."""
