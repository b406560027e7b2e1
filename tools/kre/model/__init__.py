"""Frozen records that every other layer speaks in. Nothing here reads, writes or decides."""
