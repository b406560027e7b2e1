"""The engine's record (docs/record.md): read, and closed."""
