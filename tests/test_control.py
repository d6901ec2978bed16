"""The control plane: keys, settings versions, sources, and that two processes may use it at once."""

import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from cryptography.fernet import Fernet
from sqlalchemy import event

from tickertape.control import (
    PROCESS_TOKEN,
    ControlPlane,
    open_control,
)
from tickertape.control import keys as keys_module
from tickertape.control import sources as sources_module
from tickertape.control.migrate import HEAD, MIGRATIONS
from tickertape.control.models import Base
from tickertape.errors import Conflict, InvalidInput, InvalidSettings, NotFound, TickertapeError


@pytest.fixture(autouse=True)
def no_key_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TICKERTAPE_SECRET_KEY", raising=False)


@pytest.fixture
def control(tmp_path: Path) -> ControlPlane:
    return open_control(tmp_path)


def count_statements(control: ControlPlane) -> list[str]:
    statements: list[str] = []

    @event.listens_for(control.engine, "before_cursor_execute")
    def seen(_c: object, _cur: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    return statements


# --- migrations ---


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_migrations_make_the_tables_of_the_models(control: ControlPlane) -> None:
    from alembic.autogenerate import compare_metadata

    with control.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_opening_again_keeps_what_is_there(tmp_path: Path) -> None:
    secret = open_control(tmp_path).create_key("a", "read")
    again = open_control(tmp_path)
    assert (key := again.authenticate(secret)) is not None
    assert key.name == "a"


def test_a_database_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    open_control(tmp_path).close()
    with sqlite3.connect(tmp_path / "control.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    with pytest.raises(TickertapeError, match="newer release"):
        open_control(tmp_path)


def test_many_processes_may_start_at_once(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from tickertape.control import open_control;"
        "print(open_control(pathlib.Path(sys.argv[1])).create_key(sys.argv[2], 'read'))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "data"), str(n)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for n in range(4)
    ]
    outcomes = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0] * 4, outcomes
    control = open_control(tmp_path / "data")
    assert sorted(key.name for key in control.list_keys()) == ["0", "1", "2", "3"]
    assert all(control.authenticate(out.decode().strip()) for out, _ in outcomes)


def test_sqlite_waits_and_uses_a_write_ahead_log(control: ControlPlane) -> None:
    with control.reading() as session:
        connection = session.connection()
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() >= 5_000


@pytest.mark.parametrize(
    ("url", "says"),
    [("not a url", "SQLAlchemy URL"), ("nosuchdb://x/y", "SQLAlchemy URL"), ("oracle://x/y", "install")],
)
def test_an_address_that_cannot_be_used_is_explained(url: str, says: str) -> None:
    with pytest.raises(TickertapeError, match=says):
        ControlPlane.open(url, Fernet.generate_key())


# --- keys ---


@pytest.mark.parametrize(
    ("scope", "may", "may_not"),
    [("ingest", ["ingest"], ["read", "admin"]), ("read", ["read"], ["ingest", "admin"]),
     ("admin", ["ingest", "read", "admin"], [])],
)  # fmt: skip
def test_a_key_may_what_its_scope_says(control: ControlPlane, scope: str, may: list[str], may_not: list[str]) -> None:
    secret = control.create_key("shop", scope)
    assert secret.startswith(f"tt_{scope}_")
    key = control.authenticate(secret)
    assert key is not None
    assert [action for action in ("ingest", "read", "admin") if key.may(action)] == may
    assert not any(key.may(action) for action in may_not)


def test_the_secret_is_nowhere_on_disk(tmp_path: Path) -> None:
    control = open_control(tmp_path)
    secret = control.create_key("shop", "admin")
    random = secret.removeprefix("tt_admin_")
    control.close()
    assert not any(random.encode() in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())


def test_only_the_whole_key_opens(control: ControlPlane) -> None:
    secret = control.create_key("shop", "read")
    for wrong in ("", "tt_read_", secret[:-1], secret + "0", secret.upper(), "x" * 100_000, "\udcff", "tt_read_\0"):
        assert control.authenticate(wrong) is None


def test_the_process_token_is_admin_here_only(tmp_path: Path, control: ControlPlane) -> None:
    key = control.authenticate(PROCESS_TOKEN)
    assert key is not None and key.scope == "admin"
    assert control.list_keys() == []
    code = (
        "import sys, pathlib; from tickertape.control import open_control;"
        "print(open_control(pathlib.Path(sys.argv[1])).authenticate(sys.argv[2]))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), PROCESS_TOKEN], capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == "None"


def test_authentication_stays_off_the_database(control: ControlPlane) -> None:
    secret = control.create_key("shop", "ingest")
    control.authenticate(secret)
    statements = count_statements(control)
    for _ in range(500):
        assert control.authenticate(secret) is not None
        assert control.authenticate("tt_ingest_wrong") is None
    assert len(statements) <= 10


def test_revoking_takes_effect_at_once(control: ControlPlane) -> None:
    secret = control.create_key("shop", "ingest")
    key = control.authenticate(secret)
    assert key is not None
    first = control.revoke_key(key.id)
    assert control.authenticate(secret) is None
    assert control.revoke_key(key.id).revoked_at == first.revoked_at
    assert [k.revoked_at for k in control.list_keys()] == [first.revoked_at]


def test_revoking_in_another_process_takes_effect_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_module, "_CACHE_SECONDS", 0.2)
    server, cli = open_control(tmp_path), open_control(tmp_path)
    secret = server.create_key("shop", "ingest")
    assert server.authenticate(secret) is not None
    cli.revoke_key("shop")
    time.sleep(0.3)
    assert server.authenticate(secret) is None


def test_a_key_of_another_process_works_at_once(tmp_path: Path) -> None:
    server, cli = open_control(tmp_path), open_control(tmp_path)
    assert server.authenticate("tt_read_x") is None
    assert server.authenticate(cli.create_key("new", "read")) is not None


def test_a_name_that_two_keys_share_is_not_guessed(control: ControlPlane) -> None:
    control.create_key("shop", "read")
    control.create_key("shop", "read")
    with pytest.raises(TickertapeError, match=r"2 keys are named 'shop'.*1, 2"):
        control.revoke_key("shop")
    control.revoke_key(1)
    assert control.revoke_key("shop").id == 2
    for missing in ("shop", "nobody", 99):
        with pytest.raises(NotFound):
            control.revoke_key(missing)


@pytest.mark.parametrize(
    ("name", "scope", "field"), [("", "read", "name"), ("a\x1b[2J", "read", "name"), ("a" * 201, "read", "name"),
                                 ("ok", "root", "scope"), ("ok", "", "scope")],
)  # fmt: skip
def test_a_bad_key_is_refused(control: ControlPlane, name: str, scope: str, field: str) -> None:
    with pytest.raises(TickertapeError) as refused:
        control.create_key(name, scope)
    assert refused.value.field == field
    assert control.list_keys() == []


def test_a_revocation_during_a_lookup_is_not_forgotten() -> None:
    cache = keys_module.key_cache()
    cache.get("a", lambda: cache.clear())  # type: ignore[arg-type, func-returns-value]
    loaded: list[bool] = []
    cache.get("a", lambda: loaded.append(True))  # type: ignore[arg-type, func-returns-value]
    assert loaded == [True]


# --- settings ---


def test_settings_are_versioned(control: ControlPlane) -> None:
    assert (control.settings().version, control.settings().stored) == (0, {})
    first = control.put_settings({"timezone": "Europe/Madrid"}, by="ana")
    second = control.put_settings({"currency": "EUR"}, by="ben")
    assert (first.version, second.version) == (1, 2)
    assert control.settings().stored == {"timezone": "Europe/Madrid", "currency": "EUR"}
    assert [(v.version, v.changed_by) for v in control.settings_history()] == [(2, "ben"), (1, "ana")]
    assert control.settings_history()[1].stored == {"timezone": "Europe/Madrid"}
    assert abs((second.changed_at or 0) - time.time() * 1000) < 60_000


def test_null_restores_a_default(control: ControlPlane) -> None:
    control.put_settings({"timezone": "Europe/Madrid", "currency": "EUR"}, by="ana")
    assert control.put_settings({"timezone": None}, by="ana").stored == {"currency": "EUR"}


def test_a_setting_that_is_refused_leaves_no_version(control: ControlPlane) -> None:
    with pytest.raises(InvalidSettings, match="currency"):
        control.put_settings({"currency": "euro"}, by="ana")
    assert control.settings().version == 0


def test_changes_from_many_threads_all_count(control: ControlPlane, tmp_path: Path) -> None:
    other = open_control(tmp_path)
    patches = [{"attribution": {"click_days": n}} for n in range(1, 9)] + [{"currency": "EUR"}, {"timezone": "UTC"}]
    threads = [
        threading.Thread(target=(control, other)[n % 2].put_settings, args=(patch, "x"))
        for n, patch in enumerate(patches)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert control.settings().version == len(patches)
    assert set(control.settings().stored) == {"attribution", "currency", "timezone"}


# --- sources ---


def test_a_source_comes_back_as_it_was_added(control: ControlPlane) -> None:
    added = control.add_source("sms-es", "twilio", {"public_url": "https://x.example"}, {"auth_token": "s3cret"})
    assert control.get_source("sms-es") == added
    assert (added.connector, added.options) == ("twilio", {"public_url": "https://x.example"})
    assert added.secrets == ({"auth_token": "s3cret"},) and added.enabled
    control.add_source("a", "generic")
    assert [source.name for source in control.list_sources()] == ["a", "sms-es"]


def test_secrets_are_sealed_on_disk_and_hidden_in_logs(tmp_path: Path) -> None:
    control = open_control(tmp_path)
    source = control.add_source("sms", "twilio", {}, {"auth_token": "very-s3cret"})
    assert "s3cret" not in repr(source)
    control.close()
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert not any(b"very-s3cret" in path.read_bytes() for path in files)
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_two_secrets_are_valid_during_a_rotation(control: ControlPlane) -> None:
    control.add_source("sms", "twilio", {}, {"token": "one"})
    assert control.rotate_secrets("sms", {"token": "two"}).secrets == ({"token": "two"}, {"token": "one"})
    assert control.rotate_secrets("sms", {"token": "three"}).secrets == ({"token": "three"}, {"token": "two"})
    control.retire_secrets("sms")
    assert control.get_source("sms").secrets == ({"token": "three"},)


def test_a_source_can_be_switched_off_and_on(control: ControlPlane) -> None:
    control.add_source("sms", "twilio")
    assert control.get_source("sms").enabled
    control.enable_source("sms", False)
    assert not control.get_source("sms").enabled
    control.enable_source("sms", True)
    assert control.get_source("sms").enabled


def test_looking_up_sources_stays_off_the_database(control: ControlPlane) -> None:
    control.add_source("sms", "twilio")
    control.get_source("sms")
    statements = count_statements(control)
    for _ in range(200):
        control.get_source("sms")
        with pytest.raises(NotFound):
            control.get_source("nobody")
    assert len(statements) <= 10


def test_a_source_of_another_process_is_seen_within_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources_module, "_CACHE_SECONDS", 0.2)
    server, cli = open_control(tmp_path), open_control(tmp_path)
    with pytest.raises(NotFound):
        server.get_source("sms")
    cli.add_source("sms", "twilio")
    time.sleep(0.3)
    assert server.get_source("sms").connector == "twilio"


@pytest.mark.parametrize("name", ["", "A", "a b", "../x", "a/b", "-a", "a-", "é", "a" * 64, "a\n"])
def test_a_name_that_is_no_slug_is_refused(control: ControlPlane, name: str) -> None:
    with pytest.raises(TickertapeError) as refused:
        control.add_source(name, "twilio")
    assert refused.value.field == "name"


def test_a_name_that_is_taken_and_an_unknown_connector_are_refused(control: ControlPlane) -> None:
    control.add_source("sms", "twilio")
    with pytest.raises(Conflict, match="sms"):
        control.add_source("sms", "twilio")

    def check(name: str) -> None:
        raise InvalidInput(f"no connector {name}", field="connector")

    with pytest.raises(TickertapeError, match="no connector twillio"):
        control.add_source("other", "twillio", check_connector=check)
    assert [source.name for source in control.list_sources()] == ["sms"]


def test_another_key_cannot_open_the_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_control(tmp_path).add_source("sms", "twilio", {}, {"token": "x"})
    monkeypatch.setenv("TICKERTAPE_SECRET_KEY", Fernet.generate_key().decode())
    with pytest.raises(TickertapeError, match="another key"):
        open_control(tmp_path).get_source("sms")


def test_the_environment_gives_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKERTAPE_SECRET_KEY", Fernet.generate_key().decode())
    open_control(tmp_path).add_source("sms", "twilio", {}, {"token": "x"})
    assert open_control(tmp_path).get_source("sms").secrets == ({"token": "x"},)
    assert not (tmp_path / "secret.key").exists()
    monkeypatch.setenv("TICKERTAPE_SECRET_KEY", "short")
    with pytest.raises(TickertapeError, match="not a Fernet key"):
        open_control(tmp_path)
