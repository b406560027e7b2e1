"""ServiceAccounts that the values of a chart name."""

from __future__ import annotations

from pathlib import Path

from kre.load.bundle import load
from kre.rbac.identities import identities

VALUES = "overlays/dev/values/falcosidekick.yaml"


def found(root: Path) -> dict[str, list[str]]:
    bundle = load(root, ["dev"])
    known = identities(bundle, bundle.of("dev"))
    return {f"{one.namespace}/{one.name}": [str(use.place(bundle)) for use in one.uses if use.values] for one in known}


def test_a_name_in_values_is_an_identity_of_the_application_s_namespace(repository: Path) -> None:
    path = repository / VALUES
    path.write_text("serviceAccount:\n  create: true\n  name: forwarder\nother:\n  serviceAccountName: worker\n")
    named = {name: places for name, places in found(repository).items() if places}
    assert named == {"falco/forwarder": [f"{VALUES}:3:3"], "falco/worker": [f"{VALUES}:5:3"]}


def test_only_the_file_that_has_its_way_counts(repository: Path) -> None:
    base = repository / "base/falcosidekick/values.yaml"
    base.write_text(f"{base.read_text()}\nserviceAccount:\n  name: old\n")
    (repository / VALUES).write_text("serviceAccount:\n  name: new\n")
    assert {name for name, places in found(repository).items() if places} == {"falco/new"}
