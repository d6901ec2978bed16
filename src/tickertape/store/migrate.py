"""Brings the schema of a store up to date: numbered SQL files, each run once, in order, at every start."""

from importlib.resources import files

from tickertape.store.client import Store


def migrate(store: Store) -> int:
    """Runs what has not run yet; returns the schema's version."""
    store.command(
        "CREATE TABLE IF NOT EXISTS schema_versions (number UInt32, name String, applied_at DateTime DEFAULT now())"
        " ENGINE = MergeTree ORDER BY number"
    )
    done = {row[0] for row in store.rows("SELECT number FROM schema_versions")}
    scripts = sorted(f.name for f in (files("tickertape.store") / "schema").iterdir() if f.name.endswith(".sql"))
    for name in scripts:
        number = int(name.split("_", 1)[0])
        if number in done:
            continue
        for statement in _statements((files("tickertape.store") / "schema" / name).read_text()):
            store.command(statement)
        store.command(
            "INSERT INTO schema_versions (number, name) VALUES ({n:UInt32}, {name:String})", {"n": number, "name": name}
        )
    return int(scripts[-1].split("_", 1)[0])


def _statements(script: str) -> list[str]:
    """A crash in the middle of a file runs it again, so statements say IF NOT EXISTS."""
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("--")]
    return [s.strip() for s in "\n".join(lines).split(";") if s.strip()]
