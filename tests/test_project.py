"""The project around the code: imports run one way, locks are whole, and the documents say what is so."""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "tickertape"

# Each may import those above it. Parts of one row do not know of each other.
LAYERS = (
    ("errors", "keys"),
    ("explain", "addresses"),
    ("events",),
    ("settings", "bodies", "connectors", "store", "dashboard"),
    ("control", "derive", "metrics"),
    ("ingest", "live", "jobs"),
    ("api",),
    ("app",),
    ("cli",),
    ("demo",),
)
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
LATE = {("cli", "demo")}
"""Imports that run upwards, inside a function: a command loads what it runs."""


def parts() -> set[str]:
    return {
        p.stem
        for p in PACKAGE.iterdir()
        if (p.suffix == ".py" or (p / "__init__.py").exists()) and p.stem != "__init__"
    }


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """(module, whether inside a function) of every import of ours in a file."""
    tree = ast.parse(path.read_text("utf-8"))
    inside = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the module's whole name"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((name, node in inside) for name in names if name.partition(".")[0] == "tickertape")


def test_imports_run_one_way() -> None:
    assert parts() == set(LEVEL), "every part has a layer"
    upwards = []
    for path in PACKAGE.rglob("*.py"):
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for module, late in imports(path):
            other = module.split(".")[1]
            if part == "__init__" or other == part or other not in LEVEL:
                continue
            if LEVEL[other] >= LEVEL[part] and not (late and (part, other) in LATE):
                upwards.append(f"{path.relative_to(ROOT)} imports {module}")
    assert upwards == []


def test_no_module_imports_itself_in_a_ring() -> None:
    names = {
        ".".join(p.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__"): p
        for p in PACKAGE.rglob("*.py")
    }
    edges: dict[str, set[str]] = {}
    for name, path in names.items():
        reached = {m if m in names else m.rpartition(".")[0] for m, late in imports(path) if not late}
        # A name of the own package comes from the package, which is loading: only modules can close a ring.
        edges[name] = {m for m in reached if m in names and m not in (name, "tickertape")}
    done: set[str] = set()

    def walk(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " → ".join((*way[way.index(name) :], name))
        if name not in done:
            for other in sorted(edges[name]):
                walk(other, (*way, name))
            done.add(name)

    for name in sorted(names):
        walk(name, ())


def test_what_is_imported_is_declared_and_the_other_way_round() -> None:
    spelled = {"crawleruseragents": "crawler-user-agents", "backports": "backports-zstd"}
    # Loaded by others: an engine by its name in a DSN, a database of time zones where the system has none.
    unseen = {"chdb", "tzdata"}
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    found -= set(sys.stdlib_module_names) | {"tickertape", "compression"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {re.split(r"[^\w-]", wanted, maxsplit=1)[0] for wanted in project["dependencies"]}
    assert {spelled.get(name, name.replace("_", "-")) for name in found} == declared - unseen


# --- what is committed ---


@cache
def committed() -> tuple[Path, ...]:
    """The files of the repository; of a copy that is none, those that a clone would have."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git repository")
    return tuple(p for name in os.fsdecode(listed).split("\0") if name and (p := ROOT / name).is_file())


def test_nothing_says_where_to_download_from_or_where_it_was_made() -> None:
    # Put together here, so that this file does not name them either.
    hosts = [
        ".".join(words) for words in (("files", "pythonhosted", "org"), ("pypi", "org"), ("registry", "npmjs", "org"))
    ]
    folders = [
        "/".join(("", *words)) for words in (("work", "main"), ("work", "shared"), ("root", ""), ("opt", "pypi"))
    ]
    found = []
    for path in committed():
        text = path.read_bytes().decode("utf-8", "ignore")
        found += [f"{path.relative_to(ROOT)}: {word}" for word in (*hosts, *folders) if word in text]
    assert found == []


LOCKS = sorted((ROOT / "requirements").glob("*.lock"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_package_has_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text("utf-8").replace("\\\n", " ")
    packages = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert packages
    for line in packages:
        assert re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line
        assert "://" not in line and "--index" not in line


def test_what_is_declared_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = project["dependency-groups"]
    wanted = {
        "runtime": project["project"]["dependencies"],
        "dev": [*groups["dev"], *project["project"]["dependencies"]],
    }
    wanted |= {name: groups[name] for name in ("build", "node")}
    assert {lock.stem for lock in LOCKS} == set(wanted)
    for name, packages in wanted.items():
        locked = set(
            re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / f"{name}.lock").read_text("utf-8"), re.MULTILINE)
        )
        assert {re.split(r"[^\w-]", p, maxsplit=1)[0] for p in packages} <= locked, name


def test_both_locks_of_python_packages_agree() -> None:
    versions = [
        dict(
            re.findall(
                r"^([a-z0-9-]+)==(\S+)(?: ;.*)?", (ROOT / "requirements" / f"{n}.lock").read_text("utf-8"), re.MULTILINE
            )
        )
        for n in ("runtime", "dev")
    ]
    assert versions[0].items() <= versions[1].items()


def test_the_lock_of_web_packages_has_no_addresses() -> None:
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text("utf-8"))
    for name, package in lock["packages"].items():
        assert "resolved" not in package, name
        assert not name or package.get("integrity", "").startswith("sha512-"), name


# --- documents ---


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reference_pages_are_those_of_the_code() -> None:
    docs = script("docs")
    pages: dict[str, str] = docs.pages()
    assert {p.name for p in docs.FOLDER.glob("*.md")} == set(pages)
    for name, text in pages.items():
        assert (docs.FOLDER / name).read_text("utf-8") == text, f"docs/reference/{name} is out of date: run `make docs`"


def test_the_pages_know_when_a_table_is_out_of_step() -> None:
    docs = script("docs")
    docs.SETTINGS.pop("timezone")
    with pytest.raises(docs.OutOfStepError, match="timezone"):
        docs.pages()


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_documents_point_to_is_there(path: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text("utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    for target in targets:
        file, _, anchor = target.partition("#")
        if "://" in target:
            continue
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), f"{path.name} points to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text("utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}, target


def test_commands_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    reference = (ROOT / "docs" / "reference" / "cli.md").read_text("utf-8")
    commands = set(re.findall(r"^#+ tickertape (.+)$", reference, re.MULTILINE))
    for path in documents():
        if path.parent.name == "reference":
            continue
        text = path.read_text("utf-8")
        said = "\n".join(
            [*re.findall(r"```(?:sh|console)\n(.*?)```", text, re.DOTALL), *re.findall(r"`([^`\n]+)`", text)]
        )
        for target in re.findall(r"(?:^|[ (])make ([a-z-]+)", said, re.MULTILINE):
            assert target in targets, f"{path.name}: make {target}"
        for words in re.findall(r"(?:^|[ $(/])tickertape ((?:[a-z]+ ?)+)", said, re.MULTILINE):
            known = [c for c in commands if f"{words.strip()} ".startswith(f"{c} ")]
            assert known, f"{path.name}: tickertape {words}"


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / "scripts").glob("*.sh")), ROOT / ".ci" / "run"], ids=lambda path: path.name
)
def test_shell_scripts_parse_and_may_be_run(path: Path) -> None:
    shell = "bash" if path.name == "run" else "sh"
    subprocess.run([shell, "-n", str(path)], check=True, stdin=subprocess.DEVNULL)
    assert os.access(path, os.X_OK)
