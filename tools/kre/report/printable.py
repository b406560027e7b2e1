"""Texts from files made safe to print: what a checked repository holds must not steer a terminal or a CI system."""

from __future__ import annotations


def printable(text: str) -> str:
    """One line: control characters, line breaks and marks that turn the direction of writing become escapes."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
