"""What can go wrong that is no finding. One root; each kind carries the exit code that the command line ends with."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command (docs/validate.md)."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    TOOL = 3
    BLOCKED = 4
    INTERRUPTED = 130


class KreError(Exception):
    """Ends a command. `str()` says what and where in one line; `hint` says what to do next."""

    exit: Exit = Exit.USAGE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(KreError):
    """The command line or a configuration file asks for something that can't be."""


class ToolError(KreError):
    """A program that kre runs is missing, too old, too slow, or failed."""

    exit = Exit.TOOL


class Blocked(KreError):
    """What was asked for must not be done as things are: a gate, drift, or somebody else's work in the way."""

    exit = Exit.BLOCKED
