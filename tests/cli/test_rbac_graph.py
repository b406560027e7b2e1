"""kre rbac graph, kre report: drawn, in words, as JSON, on a page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kre.report.mermaid import text
from support.cli import kre

ROLE = "base/responses/manifests/kre-dispatcher-clusterrole.yaml"
BINDING = "overlays/dev/leaves/targets/shop/kre-delete-pod-rolebinding.yaml"
CLUSTERROLE = "base/responses/manifests/kre-delete-pod-clusterrole.yaml"
SENTENCE = (
    "this Git state can delete pods in exactly these namespaces, through these identities: "
    "shop: ServiceAccount kre-responses/delete-pod (delete)"
)


@pytest.fixture
def wider(repository: Path) -> Path:
    """The dispatcher may make pods in shop, and something with every Secret runs there."""
    path = repository / ROLE
    path.write_text(path.read_text().replace("[get, list, patch]", "[get, list, patch, create]"))
    folder = repository / "overlays/dev/leaves/targets/shop"
    (folder / "reader-rolebinding.yaml").write_text(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: reader}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n"
        "subjects:\n- {kind: ServiceAccount, name: reader, namespace: shop}\n"
    )
    kustomization = folder / "kustomization.yaml"
    kustomization.write_text(
        kustomization.read_text().replace("resources:\n", "resources:\n- reader-rolebinding.yaml\n")
    )
    return repository


def test_mermaid_by_default(repository: Path) -> None:
    out = kre("rbac", "graph", "--env", "dev", cwd=repository).out
    lines = out.splitlines()
    assert lines[0].startswith("%% not in this: whatever RBAC these charts bring")
    assert lines[1] == "flowchart LR"
    assert f"  %% dev: {SENTENCE}" in lines
    boxes = {text: name for name, text in re.findall(r"^    (e0n\d+)\[\(?(\"[^\"]+\")", out, re.MULTILINE)}
    start, end = boxes['"ServiceAccount kre-responses/delete-pod"'], boxes['"pods of shop"']
    assert f'    {start} -->|"delete"| {end}' in lines
    assert f'    {end}[("pods of shop")]:::pods' in lines


def test_every_line_of_the_drawing_is_between_boxes_of_it(wider: Path) -> None:
    out = kre("rbac", "graph", cwd=wider).out
    boxes = set(re.findall(r"^    (e\dn\d+)[\[{(]", out, re.MULTILINE))
    lines = re.findall(r'^    (e\dn\d+) (?:-->|-\.->)\|"[^"]*"\| (e\dn\d+)$', out, re.MULTILINE)
    assert lines
    assert {end for line in lines for end in line} == boxes
    assert out.count("subgraph") == out.count("\n  end\n") == 2


def test_what_could_mean_something_to_mermaid_is_an_entity() -> None:
    assert text('a"]; click x "y') == "a#34;#93;#59; click x #34;y"
    assert text("`**x**`\n<b>") == "#96;#42;#42;x#42;#42;#96;#92;n#60;b#62;"


def test_text_names_the_files_and_lines_of_every_hop(wider: Path) -> None:
    out = kre("rbac", "graph", "--env", "dev", "--format", "text", cwd=wider).out
    assert "  shop:\n    ServiceAccount kre-responses/delete-pod (delete): RoleBinding shop/kre-delete-pod" in out
    assert f"({BINDING}:11:3) -> ClusterRole kre-delete-pod ({CLUSTERROLE}:6:3)" in out
    begin = out.index("ServiceAccount kre-pipeline/dispatcher reaches cluster-admin")
    chain = out[begin:].splitlines()[1:6]
    assert chain[0] == "    create pods in shop -> ServiceAccount shop/reader"
    assert f"ClusterRole kre-dispatcher ({ROLE}:6:3)" in chain[1]
    assert chain[2] == "    may do everything"
    assert "reader-rolebinding.yaml:6:3) -> ClusterRole cluster-admin (comes with Kubernetes)" in chain[3]


def test_json(wider: Path) -> None:
    found = json.loads(kre("rbac", "graph", "--format", "json", cwd=wider).out)
    dev, prod = found["environments"]
    assert (dev["environment"], prod["environment"], prod["deletesPods"]) == ("dev", "prod", [])
    everywhere = [one for one in dev["deletesPods"] if one["namespace"] is None]
    assert {one["identity"] for one in everywhere} == {"ServiceAccount shop/reader"}
    (chain,) = [
        one
        for one in dev["reach"]
        if (one["identity"], one["sink"]) == ("ServiceAccount kre-pipeline/dispatcher", "cluster-admin")
    ]
    (hop,) = chain["hops"]
    assert (hop["by"], hop["to"], hop["limit"]) == ("create pods in shop", "ServiceAccount shop/reader", None)
    assert hop["grants"][0][-1]["place"] == f"{ROLE}:6:3"


def test_out_writes_a_file(repository: Path) -> None:
    ended = kre("rbac", "graph", "--env", "dev", "--out", "graph.mmd", cwd=repository)
    assert ended.out == "wrote graph.mmd\n"
    assert (repository / "graph.mmd").read_text() == kre("rbac", "graph", "--env", "dev", cwd=repository).out


def test_an_environment_that_is_not_there(repository: Path) -> None:
    assert kre("rbac", "graph", "--env", "moon", cwd=repository).code == 2
    assert kre("report", "--env", "moon", cwd=repository).code == 2
    assert not (repository / "kre-report.html").exists()


class Page(HTMLParser):
    """Tags in order, and whether each that is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_is_whole_and_needs_nothing_else(wider: Path) -> None:
    assert kre("report", cwd=wider).out == "wrote kre-report.html\n"
    made = Page()
    made.feed((wider / "kre-report.html").read_text())
    assert made.open == []
    assert made.links == []
    assert {"svg", "table", "path", "rect"} <= made.tags
    assert not {"script", "img", "link", "iframe", "object"} & made.tags
    said = " ".join(made.words)
    assert "This Git state can delete pods in exactly these namespaces, through these identities." in said
    assert "This Git state can delete no pods." in said  # prod
    assert "create pods in shop -> ServiceAccount shop/reader; may do everything" in said
    assert f"{ROLE}:6:3" in said


def test_a_name_cannot_become_markup(repository: Path) -> None:
    path = repository / BINDING
    path.write_text(
        f"{path.read_text()}- apiGroup: rbac.authorization.k8s.io\n  kind: User\n  name: '<script>x</script>'\n"
    )
    kre("report", cwd=repository)
    made = Page()
    made.feed((repository / "kre-report.html").read_text())
    assert "script" not in made.tags
    assert any("User <script>x</script>" in word for word in made.words)


def test_json_is_that_of_the_graph(repository: Path) -> None:
    ended = kre("report", "--format", "json", cwd=repository)
    assert ended.out == kre("rbac", "graph", "--format", "json", cwd=repository).out
    assert not (repository / "kre-report.html").exists()
