"""What was found so far: pieces by name, all of them together no more than so many bytes."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from api import ApiError, Object
from request import Request

INDEX = 64 << 10  # bytes kept free for the index


@dataclass
class Found:
    """Pieces by name, those that are `cut` short, and what is `missing`, with the reason; room for `left` bytes."""

    left: int
    pieces: dict[str, bytes] = field(default_factory=dict)
    cut: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, content: bytes, most: int, *, more: bool = False) -> None:
        """Takes `most` bytes of it; `more` says that it was cut before."""
        kept = content[: max(0, min(most, self.left))]
        if more or len(kept) < len(content):
            self.cut.append(name)
        self.pieces[name] = kept
        self.left -= len(kept)

    @contextmanager
    def trying(self, name: str) -> Iterator[None]:
        """What can't be had, whatever the reason, is missing; it stops nothing else."""
        try:
            yield
        except ApiError as error:
            self.missing[name] = str(error)[:200]
        except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
            self.missing[name] = f"not as it should be: {type(error).__name__}"

    def hashes(self) -> dict[str, str]:
        """The sha256 of each piece, by name."""
        return {name: hashlib.sha256(content).hexdigest() for name, content in sorted(self.pieces.items())}

    def index(self, request: Request, pod: Object) -> tuple[bytes, str]:
        """What was found, as JSON, and the sha256 of that: it vouches for every piece."""
        made: Object = {key: request[key] for key in ("alert", "namespace", "pod", "rule", "uid", "workflow")}
        node, address = (pod.get("spec") or {}).get("nodeName"), (pod.get("status") or {}).get("hostIP")
        made |= {"node": {"name": str(node)[:253], "address": str(address)[:64]}}
        made |= {"sha256": self.hashes(), "cut": sorted(self.cut), "missing": self.missing}
        made["taken"] = datetime.now(UTC).isoformat(timespec="milliseconds")
        content = json.dumps(made, indent=1, sort_keys=True).encode()
        return content, hashlib.sha256(content).hexdigest()
