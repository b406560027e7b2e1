"""Under whose name an administrator asks the API server."""

from __future__ import annotations

from dataclasses import dataclass

from e2e.http import Headers


@dataclass(frozen=True)
class Who:
    """A user as the API server sees one; in `system:authenticated` like everybody who logged in."""

    name: str
    groups: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name.removeprefix("system:serviceaccount:")

    @property
    def all_groups(self) -> tuple[str, ...]:
        return *self.groups, "system:authenticated"

    def headers(self, *more: str) -> Headers:
        """Those that take the name on, in groups `more` as well."""
        return (("Impersonate-User", self.name), *(("Impersonate-Group", one) for one in (*self.all_groups, *more)))


def account(namespace: str, name: str) -> Who:
    """A ServiceAccount with the groups that its token gives it."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return Who(f"system:serviceaccount:{namespace}:{name}", groups)
