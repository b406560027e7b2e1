"""A small repository with responses in options: what `kre rule`, `kre response` and `kre target` edit, and no more."""

from __future__ import annotations

import shutil
from pathlib import Path

SENSOR = """\
apiVersion: argoproj.io/v1alpha1
kind: Sensor
metadata:
  name: {name}
  namespace: kre-pipeline
spec:
  template:
    serviceAccountName: sensor
  dependencies:
  - name: alert
    eventSourceName: falco
    eventName: alerts
    filters:
      dataLogicalOperator: and
      data:
      # First the namespace.
      - path: body.output_fields.k8s\\.ns\\.name
        type: string
        value: ["$.^"]
      - path: body.rule # which rules
        type: string
        value: ["{pattern}"]
  triggers:
  - template:
      name: {name}
      log: {{}}
"""
ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: kre-{name}
rules:
- apiGroups: [""]
  resources: [pods]
  verbs: [get]
"""
TEMPLATE = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata:
  name: {name}
  namespace: kre-responses
spec:
  entrypoint: respond
  templates:
  - name: respond
    suspend: {{}}
"""
PLAIN = "apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: kre-pipeline\n"
SHARED = {
    "default-eventbus.yaml": PLAIN.format(version="argoproj.io/v1alpha1", kind="EventBus", name="default")
    + "spec:\n  jetstream:\n    version: 2.10.10\n",
    "falco-eventsource.yaml": PLAIN.format(version="argoproj.io/v1alpha1", kind="EventSource", name="falco")
    + "spec:\n  webhook:\n    alerts:\n      port: '12000'\n      endpoint: /falco\n      method: POST\n",
    "sensor-serviceaccount.yaml": PLAIN.format(version="v1", kind="ServiceAccount", name="sensor"),
    "kre-dispatcher-clusterrole.yaml": ROLE.format(name="dispatcher"),
    "settings.env": "mode=observe\nprotected-namespaces=vault monitoring\n",
}
ENVIRONMENT = """\
# The facts of {env}.
apiVersion: kre/v1alpha1
kind: Environment
metadata:
  name: {env}
  annotations:
    config.kubernetes.io/local-config: "true"
spec:
  project: kre-{env}
  paths:
    root: overlays/{env}
    release: {release}
  repository:
    url: https://github.com/example/kre.git
    revision: main
  charts:
    argo: https://argoproj.github.io/argo-helm
    falco: https://falcosecurity.github.io/charts
  crds:
    argoWorkflows: https://github.com/argoproj/argo-workflows.git
  cluster:
    name: {env}
    server: https://kubernetes.default.svc
  mode: {mode}
  targets: []
  targetPattern: $.^ # the targets as an anchored RE2; "$.^" matches nothing
"""
PROJECT = """\
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata:
  name: kre-{env}
  namespace: gitops
  labels:
    kre/project: engine
spec:
  sourceRepos:
  - https://github.com/example/kre.git
  destinations:
  - {{server: CLUSTER, namespace: kre-pipeline}}
  - {{server: CLUSTER, namespace: kre-responses}}{targets}
  namespaceResourceWhitelist:
  - {{group: "", kind: ConfigMap}}
"""
REPLACEMENTS = """\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
- environment.yaml
replacements:
- source: {kind: Environment, fieldPath: spec.cluster.server}
  targets:
  - select: {kind: AppProject, labelSelector: kre/project=engine}
    fieldPaths: [spec.destinations.*.server]
- source: {kind: Environment, fieldPath: spec.targetPattern}
  targets:
  - select: {kind: Sensor}
    fieldPaths: [spec.dependencies.*.filters.data.0.value.0]
"""
SHELL = "Terminal shell in container"


def kustomization(kind: str, resources: list[str], components: str = "") -> str:
    """A kustomization, or a Component, of these resources; `components` as it should stand there."""
    version = "v1alpha1" if kind == "Component" else "v1beta1"
    listed = "".join(f"\n- {name}" for name in resources) or " []"
    return f"apiVersion: kustomize.config.k8s.io/{version}\nkind: {kind}\nresources:{listed}\n{components}"


def option(base: Path, name: str, pattern: str | None) -> None:
    """Adds a response to a folder of components; one without a pattern has no Sensor."""
    files = {
        f"kre-{name}-clusterrole.yaml": ROLE.format(name=name),
        f"{name}-workflowtemplate.yaml": TEMPLATE.format(name=name),
    }
    if pattern is not None:
        files = {f"{name}-sensor.yaml": SENSOR.format(name=name, pattern=pattern), **files}
    write(base / "responses/options" / name, {**files, "kustomization.yaml": kustomization("Component", list(files))})


def build(root: Path) -> Path:
    """dev runs base/ with delete-pod on no target; prod has a release, with nothing enabled. isolate-pod answers to
    one rule, notify is not promoted yet, release-pod has no Sensor."""
    manifests = {**SHARED, "kustomization.yaml": kustomization("Kustomization", [*list(SHARED)[:-1]])}
    write(root / "base/responses/manifests", manifests)
    option(root / "base", "delete-pod", f"^({SHELL})$")
    option(root / "base", "isolate-pod", "^(Run shell untrusted|Odd \\\\(one\\\\))$")
    option(root / "base", "release-pod", None)
    shutil.copytree(root / "base", root / "overlays/prod/release")
    option(root / "base", "notify", "$.^")
    write(root, {"overlays/environments.yaml": "environments:\n- name: dev\n- name: prod\n  from: dev\n"})
    environment(root, "dev", "base", "enforce", ["../../../../base/responses/options/delete-pod"], "\n  # targets")
    environment(root, "prod", "overlays/prod/release", "observe", [], "")
    return root


def environment(root: Path, env: str, release: str, mode: str, responses: list[str], targets: str) -> None:
    up = "../../../.." if release == "base" else "../.."
    folder = release.removeprefix(f"overlays/{env}/")
    components = "".join(f"- {path}\n" for path in [*responses, "../../environment"])
    facts = "components:\n- ../../environment\n"
    files = {
        "environment/environment.yaml": ENVIRONMENT.format(env=env, release=release, mode=mode),
        "environment/kustomization.yaml": REPLACEMENTS,
        "kustomization.yaml": kustomization("Kustomization", []),
        "leaves/responses/kustomization.yaml": kustomization(
            "Kustomization",
            [f"{up}/{folder}/responses/manifests"],
            f"components: # the responses of this environment, then its facts\n{components}",
        ),
        "leaves/targets/kustomization.yaml": "# Where the responses may act.\n"
        + kustomization("Kustomization", [], facts),
    }
    write(root / "overlays" / env, files)
    project = f"kre-{env}-appproject.yaml"
    bootstrap = kustomization("Kustomization", [project], f"components:\n- ../../overlays/{env}/environment\n")
    write(root / "apps" / env, {project: PROJECT.format(env=env, targets=targets), "kustomization.yaml": bootstrap})


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def state(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, and its bytes."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and ".git" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
