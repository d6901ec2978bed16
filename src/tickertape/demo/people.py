"""The customers: drawn once from the company's tables, so that every story meets the same people again."""

from functools import cache
from typing import NamedTuple

from tickertape.demo import company
from tickertape.demo.chance import generator, pick_pair
from tickertape.demo.company import DAY, Country, Profile
from tickertape.demo.texts import FIRST_NAMES


class Person(NamedTuple):
    """A customer, or a visitor who is on no list. Joining and leaving count from the beginning of the history."""

    id: str
    name: str
    language: str
    country: Country
    timezone: str
    city: str
    phone: str | None
    email: str | None
    carrier: Profile
    channels: frozenset[str]
    """Where marketing reaches them."""
    tier: str
    interest: float
    mail_proxy: bool
    """Reads mail in a program that loads every picture by a proxy, opened or not."""
    scanned: bool
    joins_ms: int
    """0: on the list from the beginning."""
    leaves_ms: int

    def address(self, channel: str) -> str | None:
        """Where a message on this channel reaches the person; None: only the contact id is known."""
        return self.email if channel == "email" else self.phone if channel in ("sms", "whatsapp") else None


def visitor(seed: int, name: str) -> Person:
    """Somebody of this name who is not on the list: known by an id only."""
    rng = generator(seed, "visitor", name)
    return _person(seed, f"visitor-{name}", rng.randrange(1 << 30), pick_country(rng.random()), None, frozenset())


@cache
def customers(seed: int) -> tuple[Person, ...]:
    """Everybody on the list, now or later, in a fixed order."""
    people: list[Person] = []
    used: dict[str, int] = {}
    for number in range(company.CUSTOMERS):
        rng = generator(seed, "customer", number)
        country = pick_country((number + 0.5) / company.CUSTOMERS)
        place = used.get(country.code, 0)
        used[country.code] = place + 1
        prefix = country.phones[place % len(country.phones)]
        phone = prefix + str(place // len(country.phones)).zfill(country.phone_digits)
        channels = frozenset(name for name, chance in company.SUBSCRIPTION_CHANCE.items() if rng.random() < chance)
        people.append(_person(seed, f"cust-{number:04d}", number, country, phone, channels or frozenset({"email"})))
    return tuple(people)


@cache
def subscribers(seed: int, channel: str, tier: str | None = None) -> tuple[Person, ...]:
    """The customers whom marketing on this channel may reach, if the tier is given only those of it."""
    return tuple(p for p in customers(seed) if channel in p.channels and tier in (None, p.tier))


def pick_country(place: float) -> Country:
    """The country at this place, 0 to 1, of all customers sorted by country."""
    total = 0.0
    for country in company.COUNTRIES:
        total += country.share
        if place < total:
            return country
    return company.COUNTRIES[-1]


def _person(
    seed: int, contact_id: str, number: int, country: Country, phone: str | None, channels: frozenset[str]
) -> Person:
    rng = generator(seed, "person", contact_id)
    name = rng.choice(FIRST_NAMES)
    joins = 0 if rng.random() < company.JOINED_BEFORE else rng.randrange(DAY // 24, company.JOIN_DAYS * DAY)
    leaves = joins + int(rng.expovariate(company.LEAVE_CHANCE_PER_30_DAYS) * 30 * DAY)
    host = "example.com" if number % 3 else "example.org"
    return Person(
        id=contact_id,
        name=name,
        language=pick_pair(rng, country.languages),
        country=country,
        timezone=rng.choice(country.timezones),
        city=rng.choice(country.cities),
        phone=phone,
        email=f"{name.lower()}.{number}@{host}" if channels else None,
        carrier=_carrier(rng.random(), country),
        channels=channels,
        tier=pick_pair(rng, company.TIERS),
        interest=pick_pair(rng, company.AFFINITY),
        mail_proxy=rng.random() < company.BEHAVIOUR["email"].machine_opens * 2,
        scanned=rng.random() < company.SCANNED,
        joins_ms=joins,
        leaves_ms=leaves,
    )


def _carrier(place: float, country: Country) -> Profile:
    for profile in company.CARRIERS[country.code]:
        place -= profile.share
        if place < 0:
            return profile
    return company.CARRIERS[country.code][-1]
