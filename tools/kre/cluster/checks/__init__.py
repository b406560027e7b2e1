"""The checks, in the order in which an alert's way depends on them: each is a function from a Snapshot to a Verdict."""
