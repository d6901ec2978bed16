import itertools

import pytest

from tickertape.derive.merges import resolve

CASES = {
    "none": ([], {}),
    "one": ([(1, "e1", "a", "b")], {"a": "b"}),
    "followed to its end": ([(1, "e1", "a", "b"), (2, "e2", "b", "c")], {"a": "c", "b": "c"}),
    "followed when the later link comes first": ([(2, "e2", "a", "b"), (1, "e1", "b", "c")], {"a": "c", "b": "c"}),
    "into itself": ([(1, "e1", "a", "a")], {}),
    "ring of two": ([(1, "e1", "a", "b"), (2, "e2", "b", "a")], {"a": "b"}),
    "ring of three": ([(1, "e1", "a", "b"), (2, "e2", "b", "c"), (3, "e3", "c", "a")], {"a": "c", "b": "c"}),
    "a ring at one moment goes by event id": ([(1, "e2", "a", "b"), (1, "e1", "b", "a")], {"b": "a"}),
    "the first merge of a conversation stands": ([(2, "e2", "a", "c"), (1, "e1", "a", "b")], {"a": "b"}),
    "a refused ring leaves the conversation free": (
        [(1, "e1", "a", "b"), (2, "e2", "b", "a"), (3, "e3", "b", "c")],
        {"a": "c", "b": "c"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_merges(name):
    rows, expected = CASES[name]
    for order in itertools.permutations(rows):
        assert resolve([*order, *order]) == expected


def test_a_long_chain_is_followed_in_linear_time():
    rows = [(n, f"e{n}", f"c{n}", f"c{n + 1}") for n in range(50_000)]
    assert set(resolve(rows).values()) == {"c50000"}
    assert set(resolve(reversed([(-at, *rest) for at, *rest in rows])).values()) == {"c50000"}
