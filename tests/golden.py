"""Reads the golden cases and compares answers with them, as the outside runner does."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent / "cases"
Case = dict[str, Any]


def cases(*files: str) -> list[Case]:
    return [case for file in files for case in json.loads((CASES / f"{file}.json").read_text())]


def by_settings(found: list[Case]) -> dict[str, list[Case]]:
    groups: dict[str, list[Case]] = {}
    for case in found:
        groups.setdefault(json.dumps(case.get("settings") or {}, sort_keys=True), []).append(case)
    return groups


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if "T" in text else None
    except ValueError:
        return None


def near(got: Any, want: Any, tolerance: float) -> bool:
    """Only what is wanted is compared: keys of objects at every depth; lists whole and in order; times as instants."""
    if isinstance(want, str) and isinstance(got, str) and _instant(want) is not None:
        return _instant(got) == _instant(want)
    if isinstance(want, bool) or want is None or isinstance(want, str):
        return bool(got == want) and type(got) is type(want)
    if isinstance(want, int | float):
        number = isinstance(got, int | float) and not isinstance(got, bool)
        return number and abs(got - want) <= max(1e-9, tolerance * abs(want))
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(
            near(a, b, tolerance) for a, b in zip(got, want, strict=True)
        )  # fmt: skip
    return isinstance(got, dict) and all(k in got and near(got[k], v, tolerance) for k, v in want.items())


def misses(case: Case, ask: Any) -> list[str]:
    """What does not hold; `ask(target)` answers (status, document)."""
    found = []
    for want in case["expect"]:
        status, got = ask(want["get"])
        tolerance = want.get("tolerance", case.get("tolerance", 1e-3))
        if status != want.get("status", 200):
            found.append(f"{case['name']}: {want['get']} -> {status} {got}")
            continue
        for row in want.get("rows", ()):
            if not any(near(r, row, tolerance) for r in got["rows"]):
                found += [_miss(case, want["get"], row, got["rows"])]
        for key, part in (("episodes", got.get("episodes")), ("body", got)):
            if key in want and not near(part, want[key], tolerance):
                found += [_miss(case, want["get"], want[key], part)]
    return found


def _miss(case: Case, target: str, want: Any, got: Any) -> str:
    return f"{case['name']}: {target}\n  want {json.dumps(want)}\n  got  {json.dumps(got)[:2500]}"
