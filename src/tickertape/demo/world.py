"""What every story needs: which world it plays in, how an event is written, what a text says."""

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from tickertape.demo import company, texts
from tickertape.demo.chance import pick
from tickertape.demo.people import Person

Event = dict[str, Any]
"""A canonical event, with `at` still in milliseconds and without an id."""
Story = Iterator[Event]
"""One story's events, none before its beginning; their order is put right later."""


class World(NamedTuple):
    seed: int
    origin_ms: int
    """When the history begins: before it there was nothing."""


def event(at: int, kind: str, /, **fields: Any) -> Event:
    """An event of this type; fields that are None are left out."""
    return {"type": kind, "at": at} | {name: value for name, value in fields.items() if value is not None}


def slots(rng: Random, person: Person) -> dict[str, str]:
    """What the texts of one story speak of."""
    return {
        "product": pick(rng, company.PRODUCTS).name,
        "order": f"HP-{rng.randrange(10_000, 99_999)}",
        "city": person.city,
        "day": rng.choice(texts.DAYS[person.language]),
        "name": person.name,
        "code": f"{rng.randrange(1_000_000):06d}",
        "link": f"https://hp.example/{rng.randrange(36**5):x}",
    }
