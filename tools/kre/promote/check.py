"""What validation and policy say of a change before it is written: the same as of its branch in a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kre.doors.git.scratch import checked_out
from kre.doors.git.write import Change
from kre.model.bundle import Bundle
from kre.model.comparison import Comparison, Risk
from kre.model.finding import Finding, Place
from kre.model.policy import Step
from kre.model.promotion import AcceptedRisk, Block, Hop, Reason
from kre.promote.plan import checked
from kre.promote.view import View

_POLICY = re.compile(r"P\d+")  # rules that hold a change against what is merged


@dataclass(frozen=True, slots=True)
class Checked:
    """The findings of an environment: those of validation, and those of policy; the risks that nobody accepted; what it
    would render otherwise; and the environments that read a file of it."""

    validate: tuple[Finding, ...]
    policy: tuple[Finding, ...]
    risks: tuple[Risk, ...] = ()
    comparison: Comparison | None = None
    radius: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What stands against the change."""
        return tuple(each for each in (*self.validate, *self.policy) if each.severity == "error")


def check(view: View, step: Step, change: Change) -> Checked:
    """Renders an environment before and after, in temporary trees, and asks every rule. Nothing is written.

    Raises as load and validate.
    """
    from kre.compare.radius import reached
    from kre.load.bundle import load
    from kre.load.extent import extent
    from kre.rules.run import validate

    only = extent(view.objects, change.parent)
    with checked_out(view.objects, change.parent, change.files, change.new, only) as root:
        bundle = load(root, [step.name], since=change.parent, objects=view.objects)
        found = [each for each in validate(bundle) if _concerns(each, step)]
        compared = _compared(bundle, step)
        risks = _risks(bundle, compared)
        reach = reached(bundle, change.files)
    found += _wide(step, reach)
    policy = tuple(each for each in found if _POLICY.fullmatch(each.rule))
    return Checked(tuple(each for each in found if each not in policy), policy, risks, compared, reach)


def accepted(found: Checked, reason: str) -> tuple[AcceptedRisk, ...]:
    """What a lock says where somebody takes the risks that nobody accepted yet."""
    return tuple(AcceptedRisk(str(risk.kind), risk.digest, reason) for risk in found.risks)


def blocks(findings: Iterable[Finding], reason: Reason) -> tuple[Block, ...]:
    """The errors among findings, as reasons why nothing goes on."""
    errors = [each for each in findings if each.severity == "error"]
    return tuple(
        Block(reason, f"{each.place}: {each.rule}: {each.message}", each.hint, (each.place.path,)) for each in errors
    )


def settled(hop: Hop, found: Checked) -> Hop:
    """A hop with its pending gates judged. What is wrong with an environment as a whole stops all that would go."""
    names = [each.name for each in hop.goes]
    for gate, findings, reason in (
        ("validate", found.validate, Reason.VALIDATE),
        ("policy", found.policy, Reason.RISK),
    ):
        hop = checked(hop, gate, dict.fromkeys(names, blocks(findings, reason)))
    return hop


def _wide(step: Step, reach: tuple[str, ...]) -> list[Finding]:
    """R7 of what is not rendered: another environment that reads a file of the change."""
    others = ", ".join(name for name in reach if name != step.name)
    if not others:
        return []
    message = f"this change alters what {step.name} renders, and {others} reads its files as well"
    hint = "let each environment read files of its own: docs/extend.md"
    return [Finding("R7", "error", Place(step.lock), message, hint, (step.name,))]


def _compared(bundle: Bundle, step: Step) -> Comparison | None:
    from kre.compare.environment import compare

    return compare(bundle.before, bundle, step.name) if bundle.before else None


def _risks(bundle: Bundle, compared: Comparison | None) -> tuple[Risk, ...]:
    from kre.compare.accepted import verdict

    before = bundle.before
    if before is None or compared is None:
        return ()
    return tuple(risk for risk in compared.risks if not verdict(before, bundle, risk).accepted)


def _concerns(finding: Finding, step: Step) -> bool:
    """Whether a finding is about an environment: what it renders, or its own files. What is wrong with another one does
    not keep this one from going back to what was well."""
    if finding.environments:
        return step.name in finding.environments
    return finding.place.path.startswith((f"overlays/{step.name}/", f"apps/{step.name}/", "overlays/environments.yaml"))
