"""Throw-away repositories to promote in: a clone with environments, its bare remote, a forge that merges, and a time
of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from kre.model.promotion import Hop, Lock
from kre.promote import lockfile
from kre.promote.gates import Gates
from kre.promote.hop import Wanted
from kre.promote.plan import checked, plan
from kre.promote.view import View
from support.repository import FIXTURES

Content = str | bytes | None
How = Literal["merge", "squash", "rebase"]
HOWS: tuple[How, ...] = ("merge", "squash", "rebase")

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)  # a Monday
POLICY = """\
environments:
- name: dev
- name: staging
  from: dev
  gates: {validate: true, soak: 0h}
- name: prod
  from: staging
  gates: {validate: true, policy: true, soak: 24h, approvals: forge}
promote:
  include: ["<component>/**"]
  forbid: ["**/environment.yaml", "**/values/**"]
  units: {detection: [falco, falcosidekick]}
"""
COMPONENTS = ("falco", "falcosidekick", "pipeline")
KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


@dataclass(frozen=True)
class Key:
    """A key pair of ssh-keygen: the file with the private half, and the public half as a line without a comment."""

    path: Path
    public: str
    principal: str

    @property
    def line(self) -> str:
        """The line of an allowed-signers file that lets it sign."""
        return f"{self.principal} {self.public}\n"


@dataclass
class Stage:
    """A clone at `folder` of the bare repository at `remote`. Commits are made at `now`, which only the test moves."""

    folder: Path
    remote: Path
    now: datetime = START
    keys: dict[str, Key] = field(default_factory=dict)

    def git(self, *arguments: str, cwd: Path | None = None, check: bool = True, **environ: str) -> str:
        """Runs Git in the clone (or `cwd`) at the stage's time; returns what it printed."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.folder,
            check=False,
            capture_output=True,
            text=True,
            env=self.environ() | environ,
        )
        assert done.returncode == 0 or not check, f"git {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def environ(self) -> dict[str, str]:
        """The environment of a process that commits at the stage's time, without the user's configuration."""
        stamp = f"{int(self.now.timestamp())} +0000"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.remote.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": stamp,
            "GIT_COMMITTER_DATE": stamp,
        }

    def forward(self, **delta: float) -> datetime:
        """Lets time pass: forward(hours=1)."""
        self.now += timedelta(**delta)
        return self.now

    def write(self, files: Mapping[str, Content]) -> None:
        """Writes files of the work tree; None takes one away."""
        for name, content in files.items():
            path = self.folder / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(
        self, files: Mapping[str, Content] | None = None, message: str = "test: change", key: Key | None = None
    ) -> str:
        """Writes files and commits everything on the current branch, signed where there is a key; returns the id."""
        self.write(files or {})
        self.git("add", "--all")
        signing = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key.path}") if key else ()
        self.git(*signing, "commit", "--quiet", "--allow-empty", *(["-S"] if key else []), "--message", message)
        return self.head()

    def land(
        self, files: Mapping[str, Content] | None = None, message: str = "test: change", key: Key | None = None
    ) -> str:
        """Commits on main and pushes it: a change that is merged."""
        self.git("checkout", "--quiet", "main")
        made = self.commit(files, message, key)
        self.git("push", "--quiet", "origin", "main")
        return made

    def edit(self, component: str, text: str = "changed: true\n", name: str = "values.yaml") -> str:
        """A merged change of one file of base/; returns the commit."""
        return self.land({f"base/{component}/{name}": text}, f"feat({component}): change")

    def branch(self, name: str, files: Mapping[str, Content], message: str = "test: change") -> str:
        """A branch off main with one commit, pushed; main is checked out again. Returns the commit."""
        self.git("checkout", "--quiet", "-b", name, "main")
        made = self.commit(files, message)
        self.git("push", "--quiet", "origin", name)
        self.git("checkout", "--quiet", "main")
        return made

    def merge(self, branch: str, how: How = "merge") -> str:
        """Merges a branch of the remote into its main as a forge does, and brings main here. Returns main's commit."""
        forge = self.clone("forge")
        if how == "merge":
            self.git("merge", "--quiet", "--no-ff", "-m", f"Merge {branch}", f"origin/{branch}", cwd=forge)
        elif how == "squash":
            self.git("merge", "--quiet", "--squash", f"origin/{branch}", cwd=forge)
            self.git("commit", "--quiet", "-m", f"{branch} (#1)", cwd=forge)
        else:  # every commit is made anew, now
            self.git("cherry-pick", "--keep-redundant-commits", f"main..origin/{branch}", cwd=forge)
        self.git("push", "--quiet", "origin", "main", f":{branch}", cwd=forge)
        shutil.rmtree(forge)
        return self.pull()

    def pull(self) -> str:
        """Brings the remote's main here and checks it out. Returns its commit."""
        self.git("fetch", "--quiet", "--prune", "origin")
        self.git("checkout", "--quiet", "main")
        self.git("merge", "--quiet", "--ff-only", "origin/main")
        return self.head()

    def bring(self, hop: Hop, how: How = "merge", name: str = "") -> str:
        """Merges what a hop would write, by hand: files and lock on its branch. Returns main's commit."""
        name = name or hop.branch
        self.git("checkout", "--quiet", "-b", name, "main")
        step, path = f"overlays/{hop.target}/release", f"overlays/{hop.target}/release.lock.yaml"
        known = self.folder / path
        entries = dict(lockfile.read(path, known.read_bytes()).components) if known.exists() else {}
        for each in hop.goes:
            shutil.rmtree(self.folder / step / each.name, ignore_errors=True)
            for file in each.files:
                if file.result:
                    text = self.raw(file.result.blob) if not file.text else file.text
                    self.write({f"{step}/{each.name}/{file.path}": text})
                    os.chmod(self.folder / step / each.name / file.path, int(file.result.mode, 8) & 0o777)
            entries.pop(each.name, None)
            if each.locked:
                entries[each.name] = each.locked
        self.commit({path: lockfile.render(Lock(hop.target, entries))}, f"feat({hop.target}): promote")
        self.git("push", "--quiet", "origin", name)
        self.git("checkout", "--quiet", "main")
        self.git("branch", "--quiet", "-D", name)
        return self.merge(name, how)

    def raw(self, blob: str) -> bytes:
        """The bytes of a blob."""
        command = ["git", "cat-file", "blob", blob]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, env=self.environ()).stdout

    def clone(self, name: str, *options: str) -> Path:
        """Another clone of the remote, beside this one: clone("shallow", "--depth=1")."""
        folder = self.folder.parent / name
        self.git("clone", "--quiet", *options, f"file://{self.remote}", str(folder), cwd=self.remote)
        _configure(self, folder)
        return folder

    def head(self, rev: str = "HEAD") -> str:
        """The commit of a revision."""
        return self.git("rev-parse", "--verify", f"{rev}^{{commit}}")

    def refs(self, cwd: Path | None = None) -> dict[str, str]:
        """Every ref and its commit."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)", cwd=cwd).splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def files(self, rev: str, folder: str = "") -> dict[str, str]:
        """path -> "mode blob" of every file below a folder at a revision."""
        found = {}
        for line in self.git("ls-tree", "-r", rev, *([f"{folder}/"] if folder else [])).splitlines():
            meta, path = line.split("\t")
            mode, _, blob = meta.split()
            found[path] = f"{mode} {blob}"
        return found

    def twin(self, folder: Path) -> Stage:
        """The same again in another folder, for a test of its own: quicker than to make it anew."""
        shutil.copytree(self.remote.parent, folder, symlinks=True, dirs_exist_ok=True)
        made = Stage(folder / self.folder.name, folder / self.remote.name, self.now)
        made.git("remote", "set-url", "origin", f"file://{made.remote}")
        return made

    def lend(self, patch: pytest.MonkeyPatch) -> Stage:
        """Gives this process the stage's environment, for what commits without a process of its own; returns itself."""
        for name, value in self.environ().items():
            patch.setenv(name, value)
        return self

    def key(self, name: str) -> Key:
        """The key pair of a person, made once."""
        if name not in self.keys:
            folder = self.remote.parent / "keys"
            folder.mkdir(exist_ok=True)
            principal = f"{name}@example.com"
            made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", principal, "-f", str(folder / name)]
            if not (folder / name).exists():  # a twin has it
                subprocess.run(made, check=True, capture_output=True)
            public = " ".join((folder / f"{name}.pub").read_text().split()[:2])
            self.keys[name] = Key(folder / name, public, principal)
        return self.keys[name]


def small(folder: Path, policy: str = POLICY, components: tuple[str, ...] = COMPONENTS, **options: str) -> Stage:
    """dev, staging and prod with a few lines each; nothing was promoted yet. `options` as of stage()."""
    files = {"overlays/environments.yaml": policy, ".gitattributes": "base/** -text\noverlays/*/release/** -text\n"}
    listed = "resources:\n" + "".join(f"- {name}\n" for name in components)
    for name in components:
        files[f"base/{name}/kustomization.yaml"] = f"{KUSTOMIZATION}resources: []\n"
        files[f"base/{name}/values.yaml"] = f"# what every environment wants of {name}\nreplicas: 1\n"
    for environment, up in (("dev", "../../base"), ("staging", "release"), ("prod", "release")):
        root = f"overlays/{environment}"
        files[f"{root}/kustomization.yaml"] = KUSTOMIZATION + listed.replace("- ", f"- {up}/")
        files[f"{root}/environment/environment.yaml"] = f"kind: Environment\nmetadata: {{name: {environment}}}\n"
        for name in components:
            files[f"{root}/values/{name}.yaml"] = "{}\n"
    return stage(folder, files, **options)


def sound(folder: Path, policy: str = POLICY, **options: str) -> Stage:
    """dev, staging and prod of fixtures/repository, which render and are found to be sound once they are filled."""
    source, files = FIXTURES / "repository", dict[str, Content]()
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        name, content = path.relative_to(source).as_posix(), path.read_bytes()
        files[name] = content
        if "/prod/" in name:
            files[name.replace("prod", "staging")] = content.replace(b"prod", b"staging")
    wanted = policy.replace("detection: [falco, falcosidekick]", "engine: [pipeline, responses]")
    return stage(folder, {**files, "overlays/environments.yaml": wanted}, **options)


def filled(made: Stage) -> Stage:
    """With staging and prod filled for the first time, an hour ago."""
    for source, target in (("dev", "staging"), ("staging", "prod")):
        view = View(made.folder)
        hop = plan(view, Gates(lambda: made.now), source, target, Wanted(initial=True)).hops[0]
        view.close()
        for gate in ("validate", "policy"):
            hop = checked(hop, gate, {})
        made.bring(hop)
    made.forward(hours=1)
    return made


def with_news(folder: Path, path: str, policy: str = POLICY) -> Stage:
    """A sound repository whose staging and prod hold what dev held before its last commit: a line more in a file."""
    made = filled(sound(folder, policy))
    made.land({path: (made.folder / path).read_text() + "# a word\n"}, "feat(falcosidekick): a word")
    return made


def stage(folder: Path, files: Mapping[str, Content], object_format: str = "sha1") -> Stage:
    """A repository of these files: one commit on main, in a clone with its bare remote."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Stage(folder / "clone", folder / "remote.git")
    form = f"--object-format={object_format}"
    made.git("init", "--quiet", "--bare", "--initial-branch=main", form, str(made.remote), cwd=folder)
    made.git("init", "--quiet", "--initial-branch=main", form, str(made.folder), cwd=folder)
    _configure(made, made.folder)
    made.git("remote", "add", "origin", f"file://{made.remote}")
    made.commit(files, "test: start")
    made.git("push", "--quiet", "origin", "main")
    made.git("remote", "set-head", "origin", "main")
    return made


def _configure(made: Stage, folder: Path) -> None:
    """What kre and Git need to commit in a clone whoever runs them."""
    lines = "[user]\n\tname = test\n\temail = test@example.com\n[commit]\n\tgpgSign = false\n[gc]\n\tauto = 0\n"
    with (folder / ".git/config").open("a") as config:
        config.write(lines)
