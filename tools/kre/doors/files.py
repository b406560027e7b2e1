"""Reading with a limit, and writing so that a file is never half there."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from kre.errors import UsageError

LIMIT = 16 * 1024 * 1024  # bytes; the largest file that people keep in such a repository, a CRD, has 3 MB

SKIPPED = frozenset({".git", ".venv", ".tools", "node_modules", "__pycache__"})


class FileProblem(Exception):
    """A file that can't be used; the message says why, without its path."""


def read(path: Path) -> bytes:
    """The bytes of a regular file of at most LIMIT bytes. Raises FileProblem."""
    try:
        if not path.is_file():
            raise FileProblem("there is no such file" if not path.exists() else "it is not a regular file")
        size = path.stat().st_size
        if size > LIMIT:
            raise FileProblem(f"it has {size / 2**20:.0f} MiB; more than {LIMIT // 2**20} MiB is no manifest")
        return path.read_bytes()
    except OSError as error:
        raise FileProblem(f"it can't be read: {error.strerror or error}") from None


def walk(root: Path, problems: list[tuple[Path, str]] | None = None) -> Iterator[Path]:
    """Every regular file below `root`, sorted, hidden folders and those of tools left out, links not followed.

    A folder that can't be listed is added to `problems`, or raises UsageError where there is no such list.
    """
    try:
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    except OSError as error:
        if problems is None:
            raise UsageError(f"{root}: the folder can't be read: {error.strerror or error}") from None
        problems.append((root, f"the folder can't be read: {error.strerror or error}"))
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in SKIPPED and not entry.name.startswith("."):
                yield from walk(Path(entry.path), problems)
        elif entry.is_file():
            yield Path(entry.path)


def write(path: Path, content: bytes) -> None:
    """Replaces `path` in one step: a reader sees the old bytes or the new ones. Keeps the mode. Raises UsageError."""
    write_all({path: content})


def write_all(contents: Mapping[Path, bytes | None]) -> None:
    """Writes all new contents beside their files first, and only then puts each in place; None takes a file away, and
    its folder where that is empty then. What was done before something failed is undone. Raises UsageError.
    """
    undo = contextlib.ExitStack()
    try:
        with undo:
            waiting = [
                (_beside(path.resolve(), new, undo), path.resolve())
                for path, new in contents.items()
                if new is not None
            ]
            for temporary, path in waiting:
                _kept(path, undo)
                os.replace(temporary, path)
            gone = [path for path, new in contents.items() if new is None and path.exists()]
            for path in gone:
                _kept(path, undo)
                path.unlink()
            undo.pop_all()
    except OSError as error:
        raise UsageError(f"{error.filename or ''}: it can't be written: {error.strerror or error}") from None
    for path in gone:
        with contextlib.suppress(OSError):  # not empty
            path.parent.rmdir()


def _beside(path: Path, content: bytes, undo: contextlib.ExitStack) -> str:
    """Writes a temporary file beside `path`, in a folder that is made where it is missing."""
    for folder in reversed([folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]):
        folder.mkdir()
        undo.callback(_quietly, os.rmdir, folder)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    undo.callback(_quietly, os.unlink, temporary)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(temporary, path.stat().st_mode if path.exists() else 0o644)
    return temporary


def _kept(path: Path, undo: contextlib.ExitStack) -> None:
    """Remembers a file that is about to change, or that there is none."""
    if not path.exists():
        undo.callback(_quietly, os.unlink, path)
        return
    content, mode = path.read_bytes(), path.stat().st_mode

    def back() -> None:
        path.write_bytes(content)
        path.chmod(mode)

    undo.callback(_quietly, back)


def _quietly(action: Callable[..., object], *arguments: object) -> None:
    with contextlib.suppress(OSError):
        action(*arguments)


def write_folder(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Makes a new folder with these files, all of them or none. Raises UsageError where it is there and not empty."""
    target = folder.absolute()
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise UsageError(f"{folder} is there and not empty", "name a new folder, or remove it first")
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            for name, content in contents.items():
                (scratch / name).write_bytes(content)
            scratch.chmod(0o755)
            os.replace(scratch, target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise UsageError(f"{folder}: it can't be written: {error.strerror or error}") from None
    return [target / name for name in contents]
