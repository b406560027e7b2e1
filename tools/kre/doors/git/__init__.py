"""The only way to Git. GitPython is imported where a repository is really asked, for it takes its time."""

from kre.doors.git.repository import blob_id, export, head, held, is_shallow, modes, open_repository, origin

__all__ = ["blob_id", "export", "head", "held", "is_shallow", "modes", "open_repository", "origin"]
