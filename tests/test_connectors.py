"""Every connector against its samples, and the security cases that all of them share.

A connector is tested by adding sample files: nothing here names a provider. Each sample is one request as the provider
sends it (headers, and `form` or the exact `body`) and what must come of it: `events` (exactly these), or `rejected`.
"""

import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickertape.connectors import (
    CONNECTORS,
    CannotUnderstand,
    Connector,
    HookRequest,
    InvalidSignature,
    Source,
    Unknown,
    UnknownConnector,
    by_name,
)
from tickertape.events import CHANNELS, EVENT_TYPES, Event, canonical_json, decode, normalise

SAMPLES = files("tickertape.connectors") / "samples"
SECONDS = 1000
DAY = 86_400 * SECONDS


@dataclass(frozen=True)
class Sample:
    connector: Connector
    file: str
    request: HookRequest
    source: Source
    expected: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.connector.name}/{self.file}"


def load(connector: Connector, file: Any) -> Sample:
    data = json.loads(file.read_text("utf-8"))
    call = data["request"]
    body = urlencode(call["form"], doseq=True) if "form" in call else call["body"]
    request = HookRequest(
        method=call["method"],
        url=call["url"],
        headers=call["headers"],
        body=body.encode(),
        received_at=milliseconds(call["received_at"]),
    )
    return Sample(connector, file.name, request, msgspec.convert(data["source"], Source), data)


def milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp() * SECONDS)


def sample_files(connector: Connector) -> list[Any]:
    folder = SAMPLES / connector.name
    return sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)


ALL = [load(connector, file) for connector in CONNECTORS for file in sample_files(connector)]
READABLE = [sample for sample in ALL if "events" in sample.expected]
every_connector = pytest.mark.parametrize("connector", CONNECTORS, ids=lambda c: c.name)
every_sample = pytest.mark.parametrize("sample", ALL, ids=str)


def plain(found: Event | Unknown) -> dict[str, Any]:
    return {"unknown": found.word} if isinstance(found, Unknown) else msgspec.to_builtins(found)


def with_headers(request: HookRequest, **headers: str) -> HookRequest:
    return msgspec.structs.replace(request, headers=request.headers | headers)


# What comes of each sample


@every_sample
def test_a_sample_is_verified(sample: Sample) -> None:
    sample.connector.verify(sample.request, sample.source)
    assert sample.connector.handshake(sample.request, sample.source) is None


@pytest.mark.parametrize("sample", READABLE, ids=str)
def test_a_sample_gives_exactly_its_events(sample: Sample) -> None:
    found = sample.connector.events(sample.request, sample.source)
    assert [plain(one) for one in found] == sample.expected["events"]


@pytest.mark.parametrize("sample", [s for s in ALL if "rejected" in s.expected], ids=str)
def test_what_cannot_be_read_says_why(sample: Sample) -> None:
    with pytest.raises(CannotUnderstand) as caught:
        sample.connector.events(sample.request, sample.source)
    assert caught.value.field == sample.expected["rejected"]["field"]
    assert caught.value.hint


@every_sample
def test_the_reply(sample: Sample) -> None:
    reply = sample.connector.reply(sample.request)
    assert 200 <= reply.status < 300
    expected = {"content_type": None, "body": ""} | sample.expected["reply"]
    assert {"status": reply.status, "content_type": reply.content_type, "body": reply.body.decode()} == expected


@pytest.mark.parametrize("sample", READABLE, ids=str)
def test_events_hold_to_the_public_contract(sample: Sample) -> None:
    """Each could as well have come to /v1/events, and has an id: without one a repeat would count again."""
    for found in sample.connector.events(sample.request, sample.source):
        if isinstance(found, Unknown):
            assert found.word and found.raw
            continue
        assert found.id
        assert decode(canonical_json(found)) == found
        normalise(found, sample.request.received_at)


# Security: the same cases for everyone


@every_sample
def test_no_signature_is_refused(sample: Sample) -> None:
    if not sample.connector.signature_headers:
        pytest.skip("this provider's proof is not in a header")
    bare = {name: v for name, v in sample.request.headers.items() if name not in sample.connector.signature_headers}
    refused(sample, msgspec.structs.replace(sample.request, headers=bare))


@every_sample
@pytest.mark.parametrize("forged", ["", "x", "\N{SNOWMAN}", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "\udcff"])
def test_a_wrong_signature_is_refused(sample: Sample, forged: str) -> None:
    for name in sample.connector.signature_headers:
        refused(sample, with_headers(sample.request, **{name: forged}))


@every_sample
def test_a_wrong_secret_is_refused(sample: Sample) -> None:
    refused(sample, sample.request, msgspec.structs.replace(sample.source, secrets=("not-the-secret",)))


@every_sample
def test_a_source_without_secrets_refuses_everything(sample: Sample) -> None:
    refused(sample, sample.request, msgspec.structs.replace(sample.source, secrets=()))


@every_sample
def test_old_and_new_secret_are_valid_while_rotating(sample: Sample) -> None:
    secrets = ("a-newer-secret", *sample.source.secrets)
    sample.connector.verify(sample.request, msgspec.structs.replace(sample.source, secrets=secrets))


@every_sample
def test_a_tampered_body_is_refused(sample: Sample) -> None:
    if "body" not in sample.connector.covers:
        pytest.skip("this provider does not sign the body")
    body = sample.request.body
    if sample.request.method != "GET":
        refused(sample, msgspec.structs.replace(sample.request, body=body + b"&Extra=1"))
    if body:
        refused(sample, msgspec.structs.replace(sample.request, body=body.replace(b"0", b"1", 1)))
        refused(sample, msgspec.structs.replace(sample.request, body=b""))


@every_sample
def test_a_wrong_url_is_refused(sample: Sample) -> None:
    if "url" not in sample.connector.covers:
        pytest.skip("this provider does not sign the URL")
    url = urlsplit(sample.request.url)
    more = f"{url.query}&campaign_id=stolen".removeprefix("&")
    for changed in (
        url._replace(query=more),
        url._replace(netloc="evil.example.com"),
        url._replace(path="/hooks/other"),
        url._replace(scheme="http"),
    ):
        refused(sample, msgspec.structs.replace(sample.request, url=changed.geturl()))


@every_sample
def test_a_replay_changes_nothing(sample: Sample) -> None:
    """Sent again at once: the same ids. Sent again much later: refused, or, where no time is signed, the same ids."""
    again = msgspec.structs.replace(sample.request, received_at=sample.request.received_at + 30 * DAY)
    if "time" in sample.connector.covers:
        refused(sample, again)
    elif "events" in sample.expected:
        assert ids(sample, again) == ids(sample, sample.request)


def refused(sample: Sample, request: HookRequest, source: Source | None = None) -> None:
    with pytest.raises(InvalidSignature) as caught:
        sample.connector.verify(request, source or sample.source)
    assert caught.value.status in (401, 403, 406)
    secrets = (source or sample.source).secrets
    assert not any(secret in str(caught.value) for secret in secrets)


def ids(sample: Sample, request: HookRequest) -> list[str | None]:
    return [f.id for f in sample.connector.events(request, sample.source) if isinstance(f, Event)]


# Hostile input


@pytest.mark.parametrize("sample", ALL[:: max(1, len(ALL) // 10)], ids=str)
@given(body=st.binary(max_size=400), query=st.text(max_size=60), signature=st.text(max_size=40))
def test_whatever_comes_is_refused_or_read(sample: Sample, body: bytes, query: str, signature: str) -> None:
    request = msgspec.structs.replace(
        with_headers(sample.request, **dict.fromkeys(sample.connector.signature_headers, signature)),
        body=body,
        url=f"{sample.request.url}?{query}",
    )
    with pytest.raises(InvalidSignature):
        sample.connector.verify(request, sample.source)
    try:
        assert all(isinstance(f, Event | Unknown) for f in sample.connector.events(request, sample.source))
    except CannotUnderstand as error:
        assert error.message
    assert sample.connector.reply(request).status < 500


@every_connector
def test_a_flood_of_parameters_is_refused_before_it_is_checked(connector: Connector) -> None:
    sample = next(s for s in ALL if s.connector is connector and s.request.method != "GET")
    refused(sample, msgspec.structs.replace(sample.request, body=b"a=1&" * 100_000))
    refused(sample, msgspec.structs.replace(sample.request, url=f"{sample.request.url}?{'a=1&' * 100_000}"))


def test_a_blank_secret_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="blank secret"):
        Source(name="shop", secrets=["good", ""])


# The collection itself


def test_every_connector_has_samples_and_every_sample_a_connector() -> None:
    folders = {folder.name for folder in SAMPLES.iterdir() if folder.is_dir()}
    assert folders == {connector.name for connector in CONNECTORS}
    assert all(sample_files(connector) for connector in CONNECTORS)


def test_every_connector_is_listed_once_in_order_of_name() -> None:
    assert {type(connector) for connector in CONNECTORS} == set(concrete(Connector))
    names = [connector.name for connector in CONNECTORS]
    assert names == sorted(set(names))


def concrete(cls: type[Connector]) -> Iterator[type[Connector]]:
    if not inspect.isabstract(cls) and cls.__module__.startswith("tickertape."):
        yield cls
    for subclass in cls.__subclasses__():
        yield from concrete(subclass)


def test_every_module_is_imported() -> None:
    """A file that nobody imports would escape the test above. A leading underscore marks what connectors share."""
    modules = {f.name.removesuffix(".py") for f in files("tickertape.connectors").iterdir() if f.name.endswith(".py")}
    connectors = {name for name in modules if not name.startswith("_")} - {"base"}
    assert connectors == {type(c).__module__.rpartition(".")[2] for c in CONNECTORS}


@every_connector
def test_a_connector_explains_itself(connector: Connector) -> None:
    assert len(connector.description) >= 80
    assert connector.documentation.startswith("https://")
    assert connector.setup and any("{url}" in step for step in connector.setup)
    assert all(step.endswith(".") for step in connector.setup)
    assert all(
        f.name.isidentifier() and f.title and f.help for f in (*connector.secret_fields, *connector.option_fields)
    )
    assert set(connector.channels) <= set(CHANNELS) and connector.channels
    assert all(name == name.lower() for name in connector.signature_headers)


@every_connector
def test_every_word_has_an_event_type_and_a_sample(connector: Connector) -> None:
    assert set(connector.words.values()) <= set(EVENT_TYPES)
    sampled = {
        event["type"]
        for sample in READABLE
        if sample.connector is connector
        for event in sample.expected["events"]
        if "type" in event
    }
    assert set(connector.words.values()) <= sampled


@every_connector
def test_a_word_that_is_not_known_is_shown_by_a_sample(connector: Connector) -> None:
    samples = [s for s in READABLE if s.connector is connector]
    assert any("unknown" in event for sample in samples for event in sample.expected["events"])


def test_a_connector_is_found_by_name_and_a_slip_gets_a_suggestion() -> None:
    assert by_name("twilio") is CONNECTORS[[c.name for c in CONNECTORS].index("twilio")]
    with pytest.raises(UnknownConnector) as caught:
        by_name("Twillio")
    assert caught.value.status == 404
    assert caught.value.field == "connector"
    assert "Did you mean 'twilio'?" in str(caught.value)
    with pytest.raises(UnknownConnector) as caught:
        by_name("z" * 10_000)
    assert "Did you mean" not in str(caught.value)
    assert len(str(caught.value)) < 1000
