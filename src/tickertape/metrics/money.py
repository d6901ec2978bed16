"""Money: minor units, and conversion into the workspace's currency by the rate of a day."""

from bisect import bisect_right
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec import Struct

from tickertape.metrics.ranges import local_to_ms
from tickertape.settings import Settings

MICROS = 1_000_000
"""Amounts travel through SQL as whole millionths, so that sums stay exact."""

NO_MINOR_UNIT = (
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
)  # fmt: skip
THREE_DECIMALS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")


class Rates(Struct, frozen=True):
    """Exchange rates into `currency`. `edges` are the moments (ms) at which any rate changes, -1 first."""

    currency: str
    edges: tuple[int, ...]
    series: dict[str, tuple[tuple[int, ...], tuple[Decimal, ...]]]

    def rate(self, currency: str, at_ms: int) -> Decimal | None:
        """The latest rate on or before the moment; None: there is none."""
        if currency == self.currency:
            return Decimal(1)
        starts, values = self.series.get(currency, ((), ()))
        place = bisect_right(starts, at_ms)
        return values[place - 1] if place else None


def rates_of(settings: Settings) -> Rates:
    """A rate holds from the midnight (workspace time) of its date until the next one of the same pair."""
    zone = ZoneInfo(settings.timezone)
    points: dict[str, dict[int, Decimal]] = {}
    for row in settings.exchange_rates:
        at_ms = local_to_ms(datetime.fromisoformat(row.date), zone)
        if row.to == settings.currency:
            points.setdefault(row.from_, {})[at_ms] = row.rate
        elif row.from_ == settings.currency and row.rate:
            # The same fact written the other way round; a rate given directly for that day stands.
            points.setdefault(row.to, {}).setdefault(at_ms, 1 / row.rate)
    series = {
        currency: (tuple(sorted(by_day)), tuple(by_day[day] for day in sorted(by_day)))
        for currency, by_day in points.items()
    }
    edges = sorted({start for starts, _ in series.values() for start in starts})
    return Rates(currency=settings.currency, edges=(-1, *edges), series=series)
