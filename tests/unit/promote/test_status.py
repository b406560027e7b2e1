"""kre status: every environment and component, from the default branch alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from kre.model.promotion import Hold, Lock
from kre.promote import lockfile
from kre.promote.gates import Gates
from kre.promote.status import Cell, status
from kre.report.status import as_json, as_text
from support.cli import kre
from support.promotion import Stage

HOUR = timedelta(hours=1)


def cells(at) -> dict[tuple[str, str], Cell]:
    found = status(at.view(), Gates(lambda: at.stage.now))
    return {(cell.environment, cell.component): cell for cell in found}


def test_everything_is_listed_in_order(at) -> None:
    names = list(cells(at))
    assert names == [
        (env, name) for env in ("dev", "staging", "prod") for name in ("falco", "falcosidekick", "pipeline")
    ]


def test_age_and_soak(stage: Stage, at) -> None:
    commit = stage.edit("falco")
    stage.forward(hours=1)
    stage.bring(at.hop("dev", "staging"))
    stage.forward(hours=2)
    found = cells(at)
    dev, staging, prod = (found[env, "falco"] for env in ("dev", "staging", "prod"))
    assert (dev.commit, dev.since, dev.soaked, dev.soak) == (commit, stage.now - 3 * HOUR, 3 * HOUR, timedelta())
    assert (staging.commit, staging.soaked, staging.soak) == (commit, 2 * HOUR, 24 * HOUR)
    assert (prod.current, prod.soak) == (False, None)
    assert (staging.current, dev.current) == (True, True)
    assert found["staging", "falcosidekick"].soaked == 2 * HOUR  # as young as its unit
    assert found["staging", "pipeline"].soaked == 4 * HOUR


def test_drift_and_holds(stage: Stage, at) -> None:
    view = at.view()
    lock = view.lock(view.step("prod"))
    assert lock
    held = replace(lock.components["pipeline"], hold=Hold("ops@example.com", "it leaks", stage.now + HOUR))
    stage.land(
        {
            "overlays/prod/release/falco/values.yaml": "by: hand\n",
            "overlays/prod/release.lock.yaml": lockfile.render(Lock("prod", {**lock.components, "pipeline": held})),
        }
    )
    found = cells(at)
    assert found["prod", "falco"].drift == ("values.yaml",)
    assert found["prod", "pipeline"].hold == held.hold
    stage.forward(hours=1)
    assert cells(at)["prod", "pipeline"].hold is None


def test_accepted_deviations_are_no_drift(stage: Stage, at) -> None:
    stage.land({"overlays/staging/release/falco/values.yaml": "by: hand\n"})
    stage.bring(at.hop("dev", "staging", accept_drift="a try"))
    stage.land({"overlays/staging/release/falco/kustomization.yaml": "by: hand\n"})
    assert cells(at)["staging", "falco"].drift == ("kustomization.yaml",)


def test_the_work_tree_does_not_matter(stage: Stage, at) -> None:
    before = cells(at)
    stage.write({"overlays/prod/release/falco/values.yaml": "by: hand\n"})
    assert cells(at) == before


def test_without_a_lock(empty: Stage, planner) -> None:
    empty.land({"overlays/prod/release/falco/values.yaml": "by: hand\n"})
    at = planner(empty)
    found = cells(at)
    assert (found["prod", "falco"].locked, found["prod", "falco"].drift) == (False, ())
    assert "no lock" in as_text(list(found.values()), empty.now)


def test_a_shallow_clone_says_so(stage: Stage, at) -> None:
    shallow = stage.clone("shallow", "--depth=1")
    found = status(at.view(folder=shallow), Gates(lambda: stage.now))
    assert {cell.since for cell in found} == {None}
    ended = kre("status", cwd=shallow)
    assert (ended.code, "unknown" in ended.out) == (0, True)
    assert "git fetch --unshallow" in ended.err


def test_the_table(stage: Stage, at) -> None:
    found = status(at.view(), Gates(lambda: stage.now))
    lines = as_text(found, stage.now).splitlines()
    assert lines[0].split() == ["ENVIRONMENT", "COMPONENT", "VERSION", "COMMIT", "AGE", "SOAK", "DRIFT", "HOLD"]
    assert lines[4].split() == ["staging", "falco", "-", found[3].commit[:12], "1h", "1h", "of", "1d", "-", "-"]


def test_by_the_command(stage: Stage) -> None:
    text, made = kre("status", cwd=stage.folder), kre("status", "--format", "json", cwd=stage.folder / "overlays")
    assert (text.code, made.code, text.err, made.err) == (0, 0, "", "")
    assert len(text.out.splitlines()) == 10
    found = json.loads(made.out)
    assert (found["version"], found["branch"], found["commit"]) == (1, "origin/main", stage.head())
    assert found["components"][3]["environment"] == "staging"
    assert found == as_json_of(found)


def as_json_of(found: dict) -> dict:
    """Every component has every key, in the order that as_json gives."""
    keys = list(as_json([_cell()], Gates().now, "", "")["components"][0])
    assert all(list(each) == keys for each in found["components"])
    return found


def _cell() -> Cell:
    return Cell("dev", "falco", "", "", None, None, None, (), None, True, "", True)
