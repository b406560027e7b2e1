"""The digest of a component: paths, modes and bytes, and nothing else."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from kre.load.digest import digest, of_files
from kre.model.promotion import Entry

path = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
files = st.dictionaries(path, st.tuples(st.sampled_from(["100644", "100755"]), st.binary(max_size=4)), max_size=4)


@given(files, files)
def test_equal_files_equal_digests(one: dict, other: dict) -> None:
    assert (of_files(one) == of_files(other)) == (one == other)


@given(files)
def test_order_and_gits_hash_do_not_matter(one: dict) -> None:
    shas = {path: hashlib.sha256(content).digest() for path, (_, content) in one.items()}
    entries = [Entry(path, mode, hashlib.md5(content).hexdigest()) for path, (mode, content) in one.items()]  # noqa: S324
    assert digest(reversed(entries), lambda entry: shas[entry.path]) == of_files(one)


def test_parts_do_not_run_into_each_other() -> None:
    assert of_files({"a": ("100644", b""), "b": ("100644", b"")}) != of_files({"a100644b": ("100644", b"")})


def test_the_form_is_known() -> None:
    """Written out once by hand: locks of years ago must hold."""
    whole = hashlib.sha256()
    for part in (b"a.yaml", b"100644", hashlib.sha256(b"x: 1\n").digest()):
        whole.update(len(part).to_bytes(8, "big") + part)
    assert of_files({"a.yaml": ("100644", b"x: 1\n")}) == f"sha256:{whole.hexdigest()}"
    assert of_files({}) == f"sha256:{hashlib.sha256().hexdigest()}"
