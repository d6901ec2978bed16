import pickle

import pytest

from tickertape import errors
from tickertape.errors import InvalidEvent, Overloaded, TickertapeError, nearest

STATUSES = {
    "InvalidInput": 400,
    "InvalidBody": 400,
    "InvalidEvent": 422,
    "InvalidSettings": 422,
    "Unauthorised": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "Conflict": 409,
    "TooLarge": 413,
    "UnsupportedEncoding": 415,
    "Overloaded": 503,
}


def test_every_error_has_its_status_and_stands_in_the_docstring() -> None:
    found = {
        name: kind("x").status
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, TickertapeError) and kind is not TickertapeError
    }
    assert found == STATUSES
    for name, status in STATUSES.items():
        assert any(name in line and str(status) in line for line in (errors.__doc__ or "").splitlines()), name


def test_the_json_shape() -> None:
    error = InvalidEvent("at is required.", code="required", field="at", hint="Give it.")
    assert error.as_json() == {"error": {"code": "required", "field": "at", "message": "at is required. Give it."}}


def test_code_and_status_can_be_given() -> None:
    error = TickertapeError("no", code="teapot", status=418)
    assert (error.code, error.status, str(error)) == ("teapot", 418, "no")


def test_overloaded_says_when_to_come_back() -> None:
    assert Overloaded("full", retry_after=30).retry_after == 30


def test_errors_survive_the_way_between_processes() -> None:
    again = pickle.loads(pickle.dumps(InvalidEvent("no", code="required", field="at", hint="Give it.")))  # noqa: S301
    assert (again.code, again.field, again.hint, again.status) == ("required", "at", "Give it.", 422)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("adress", "address"), ("ADDRESS", "address"), ("contactid", "contact_id"), ("zzz", None), ("", None)],
)
def test_nearest(name: str, meant: str | None) -> None:
    assert nearest(name, ["address", "contact_id", "at"]) == meant


def test_nearest_takes_a_name_of_any_length() -> None:
    assert nearest("a" * 1_000_000, ["address"]) is None
