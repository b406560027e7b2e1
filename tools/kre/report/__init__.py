"""Formats what was found. Decides nothing, prints nothing: text comes out, the command line writes it."""
