"""The catalogue of metrics, and the one way a question about them becomes figures."""

from tickertape.metrics.describe import describe
from tickertape.metrics.query import answer
from tickertape.metrics.request import Query, parse

__all__ = ["Query", "answer", "describe", "parse"]
