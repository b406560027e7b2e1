"""Where evidence goes: into an object that nobody changes any more, or into a folder that Argo takes away."""

from base64 import b64encode
from pathlib import Path

from api import Client, Object, path
from found import Found
from request import Request

HOME = "kre-evidence"


def keep(client: Client, request: Request, index: bytes, digest: str, found: Found) -> str:
    """Makes one Secret of it all; returns which. Raises ApiError.

    A Secret, for the role `view` does not show it, a cluster may encrypt it, and base64 lets no control character out
    on somebody's terminal. Its name holds the hash of its index: a name that is taken holds the very same.
    """
    name = f"{request['workflow']}-{digest[:16]}"
    notes = {f"kre/{key}": request[key] for key in ("alert", "rule", "workflow")}
    labels = {"app.kubernetes.io/part-of": "kre", "kre/response": request["response"]}
    made: Object = {"apiVersion": "v1", "kind": "Secret", "type": "kre-evidence", "immutable": True}
    made["metadata"] = {"name": name, "namespace": HOME, "annotations": notes, "labels": labels}
    files = {"index.json": index, **found.pieces}
    made["data"] = {key: b64encode(content).decode() for key, content in files.items()}
    client.call("POST", path("secrets", HOME), made, take=(409,))
    return f"Secret {HOME}/{name}"


def write(folder: Path, index: bytes, found: Found) -> str:
    """Writes it into a folder, from where Argo uploads it after this step. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {"index.json": index, **found.pieces}.items():
        (folder / name).write_bytes(content)
    return "the artifact"
