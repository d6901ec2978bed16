"""The simulation: stories from every part of the company, put into one stream of events in time order.

Pure and repeatable. Each story has a name, and its chance depends on the seed and that name only: so any window of
time can be played again, or played on from where it ended, and gives the same events with the same ids.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from heapq import heappop, heappush, merge
from itertools import count
from random import Random
from typing import NamedTuple

from tickertape.demo import company, outbound, people, rota, shop, support
from tickertape.demo.chance import generator, pick, poisson
from tickertape.demo.company import DAY, HOUR, MINUTE, SECOND, Agent, Campaign
from tickertape.demo.people import Person
from tickertape.demo.world import Event, Story, World, event

LONGEST_STORY = 24 * DAY
"""No event comes later than this after its story's beginning; what would is left out."""
_NEVER = 1 << 60

Watched = tuple[int, int]
"""A time [from, to) in ms during which live traffic was posted; several are in order."""


class Beginning(NamedTuple):
    """A story about to be told; as a generator it costs nothing before."""

    at: int
    name: str
    story: Story


Stream = Callable[[World, int, int], Iterator[Beginning]]
"""The stories of one kind that begin in [since, until), in the order of their beginnings."""


def history(
    seed: int, start_ms: int, end_ms: int, since_ms: int | None = None, watched: Sequence[Watched] = ()
) -> Iterator[Event]:
    """The events of [start_ms, end_ms), in time order, as JSON-ready objects with `id` and an RFC 3339 `at`.

    The company begins at `start_ms`. With `since_ms`, only the events from then on: the part of the same history that
    is still missing, with what became of the live traffic of the times `watched`.
    """
    world = World(seed, start_ms)
    since = start_ms if since_ms is None else since_ms
    begins = merge(
        _beginnings(world, HISTORY, max(start_ms, since - LONGEST_STORY), end_ms),
        _begun_live(world, since, watched),
        key=_at,
    )
    for at, told in _in_order(begins):
        if at >= end_ms:
            return
        if at >= since:
            yield _finished(told)


def live(
    seed: int, start_ms: int, origin_ms: int | None = None, watched: Sequence[Watched] = ()
) -> Iterator[tuple[int, Event]]:
    """Endless: what happens from `start_ms` on, 3 to 8 events a second, each with the time at which it is due (ms).

    With `origin_ms`, the history that began then goes on too: its open conversations are answered, its customers come
    back; and so does the live traffic of the times `watched`.
    """
    world = World(seed, start_ms if origin_ms is None else origin_ms)
    begins = merge(
        _beginnings(world, HISTORY, max(world.origin_ms, start_ms - LONGEST_STORY), _NEVER)
        if origin_ms is not None
        else iter(()),
        _begun_live(world, start_ms, watched),
        _beginnings(world, LIVE, start_ms, _NEVER),
        key=_at,
    )
    for at, told in _in_order(begins):
        if at >= start_ms:
            yield at, _finished(told)


def live_twilio(seed: int, start_ms: int, origin_ms: int | None = None) -> Iterator[tuple[int, Event]]:
    """Endless: the stories that reach tickertape by Twilio's webhooks instead, as the events they stand for."""
    world = World(seed, start_ms if origin_ms is None else origin_ms)
    for at, told in _in_order(_beginnings(world, LIVE_TWILIO, start_ms, _NEVER)):
        yield at, _finished(told)


def _finished(told: Event) -> Event:
    told["at"] = datetime.fromtimestamp(told["at"] / 1000, UTC).isoformat(timespec="milliseconds")
    return told


def _beginnings(world: World, streams: tuple[Stream, ...], since: int, until: int) -> Iterator[Beginning]:
    return merge(*(stream(world, since, until) for stream in streams), key=_at)


def _begun_live(world: World, since: int, watched: Sequence[Watched]) -> Iterator[Beginning]:
    for begin, end in watched:
        if end + LONGEST_STORY > since:
            yield from _beginnings(world, LIVE, begin, end)


def _at(beginning: Beginning) -> int:
    return beginning.at


def _in_order(beginnings: Iterator[Beginning]) -> Iterator[tuple[int, Event]]:
    """All events of all stories by time. A story may run on for days, so its later events wait here for their turn."""
    waiting: list[tuple[int, int, Event]] = []
    ticket = count()
    for at, name, story in beginnings:
        while waiting and waiting[0][0] < at:
            due, _, told = heappop(waiting)
            yield due, told
        for number, told in enumerate(story):
            if told["at"] - at <= LONGEST_STORY:
                heappush(waiting, (told["at"], next(ticket), {"id": f"{name}.{number}"} | told))
    while waiting:
        due, _, told = heappop(waiting)
        yield due, told


# When stories begin


def _arrivals(
    world: World, kind: str, since: int, until: int, per_hour: Callable[[int], float]
) -> Iterator[tuple[int, str, Random]]:
    """Beginnings at random, with the story's name and its own chance, by hours of the calendar."""
    hour = since // HOUR
    while hour * HOUR < until:
        rng = generator(world.seed, kind, hour)
        moments = sorted(hour * HOUR + rng.randrange(HOUR) for _ in range(poisson(rng, per_hour(hour))))
        for number, moment in enumerate(moments):
            if since <= moment < until:
                name = f"{kind}-{hour}-{number}"
                yield moment, name, generator(world.seed, name)
        hour += 1


def _at_random(
    kind: str, per_hour: Callable[[int], float], tell: Callable[[World, Random, int, str], Story | None]
) -> Stream:
    def stream(world: World, since: int, until: int) -> Iterator[Beginning]:
        for at, name, rng in _arrivals(world, kind, since, until, per_hour):
            story = tell(world, rng, at, name)
            if story is not None:
                yield Beginning(at, name, story)

    return stream


def _steady(per_hour: float) -> Callable[[int], float]:
    return lambda hour: per_hour


def _by_the_clock(per_hour: float) -> Callable[[int], float]:
    """So many per hour on average, more when it is day where the customers live and early in the week."""
    return lambda hour: per_hour * _daylight(hour)


@cache
def _daylight(hour: int) -> float:
    """How busy the customers' world is in this hour since the epoch; the mean is about 1."""
    return sum(
        country.share
        / len(country.timezones)
        * company.HOURS[(now := rota.local(hour * HOUR, zone)).hour]
        * company.WEEKDAYS[now.weekday()]
        for country in company.COUNTRIES
        for zone in country.timezones
    )


def _days(since: int, until: int) -> Iterator[date]:
    """The UTC days from the one before `since` on: a local day may begin that much earlier."""
    day = datetime.fromtimestamp(since / 1000, UTC).date() - timedelta(days=1)
    while _midnight(day) < until + DAY:
        yield day
        day += timedelta(days=1)


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


# Campaigns


def _occurrences(campaign: Campaign, since: int, until: int) -> Iterator[tuple[int, str]]:
    """When the campaign is sent, with the id of each send."""
    for day in _days(since, until):
        week = (day.toordinal() - 1) // 7
        if campaign.weekday is not None and (campaign.weekday != day.weekday() or week % campaign.every_weeks):
            continue
        at = _midnight(day) + campaign.minute * MINUTE
        if since <= at < until:
            yield at, f"{campaign.slug}-{day}"


@cache
def _audience(seed: int, campaign: Campaign, campaign_id: str) -> frozenset[str]:
    """Who of the campaign's subscribers one send is for."""
    rng = generator(seed, "audience", campaign_id)
    everybody = people.subscribers(seed, campaign.channel, campaign.audience)
    return frozenset(person.id for person in everybody if rng.random() < campaign.share)


def _reached(world: World, person: Person, campaign: Campaign, campaign_id: str, at: int) -> bool | None:
    """Whether this send makes the person opt out; None: it does not reach them, for they are gone or not yet there.

    The first send that somebody gets after having had enough is the last one.
    """
    leaves = world.origin_ms + person.leaves_ms
    if at < world.origin_ms + person.joins_ms:
        return None
    if at < leaves:
        return False
    for other in company.CAMPAIGNS:
        if other.channel in person.channels and other.audience in (None, person.tier):
            for _, other_id in _occurrences(other, leaves, at):
                if person.id in _audience(world.seed, other, other_id):
                    return None
    return True


def _campaigns(world: World, since: int, until: int) -> Iterator[Beginning]:
    for day in _days(since - DAY, until):
        start = _midnight(day)
        sends: list[Beginning] = []
        for campaign in company.CAMPAIGNS:
            for at, campaign_id in _occurrences(campaign, start, start + DAY):
                sends += _sends(world, campaign, campaign_id, at)
        # A send may run past midnight, but never into the sends of the next day.
        yield from sorted((each for each in sends if since <= each.at < until), key=_at)


def _sends(world: World, campaign: Campaign, campaign_id: str, at: int) -> Iterator[Beginning]:
    audience = _audience(world.seed, campaign, campaign_id)
    for person in people.subscribers(world.seed, campaign.channel, campaign.audience):
        if person.id in audience and (leaves := _reached(world, person, campaign, campaign_id, at)) is not None:
            yield _send(world, campaign, campaign_id, person, at, leaves)


def _send(world: World, campaign: Campaign, campaign_id: str, person: Person, at: int, leaves: bool) -> Beginning:
    name = f"{campaign_id}-{person.id}"
    rng = generator(world.seed, name)
    sent_at = at + rng.randrange(campaign.over_ms)
    return Beginning(
        sent_at,
        name,
        outbound.campaign_message(world, rng, sent_at, name, person, campaign, campaign_id, leaves),
    )


def _last_call(world: World, since: int, until: int) -> Iterator[Beginning]:
    sends = _single_sends(world, company.LAST_CALL, world.origin_ms + company.LAST_CALL_BEGINS_MS)
    yield from (send for _, send in sends if since <= send.at < until)


def _experiment(world: World, since: int, until: int) -> Iterator[Beginning]:
    """One campaign with a control group: who is in it gets no message, and shows what they would buy anyway."""
    row = company.EXPERIMENT
    for person, send in _single_sends(world, row.campaign, world.origin_ms + row.begins_ms):
        assigned = send.at - MINUTE
        if since <= assigned < until:
            yield Beginning(assigned, send.name, _subject(world, person, send))


def _single_sends(world: World, campaign: Campaign, at: int) -> list[tuple[Person, Beginning]]:
    """The messages of a campaign that is sent once, in order. It drives nobody away."""
    audience = _audience(world.seed, campaign, campaign.slug)
    sends = [
        (person, _send(world, campaign, campaign.slug, person, at, leaves=False))
        for person in people.subscribers(world.seed, campaign.channel)
        if person.id in audience and _reached(world, person, campaign, campaign.slug, at) is False
    ]
    return sorted(sends, key=lambda each: each[1].at)


def _subject(world: World, person: Person, send: Beginning) -> Story:
    row = company.EXPERIMENT
    rng = generator(world.seed, row.id, person.id)
    control = rng.random() < row.planned_control
    yield event(
        send.at - MINUTE,
        "experiment.assigned",
        experiment_id=row.id,
        contact_id=person.id,
        arm="control" if control else "treatment",
        planned_control=row.planned_control,
        campaign_id=row.campaign.slug,
    )
    if not control:
        yield from send.story
    if rng.random() < row.buys_anyway + (0.0 if control else row.lift):
        bought = send.at + rng.randrange(2 * HOUR, 13 * DAY)
        yield from shop.purchase(rng, bought, f"{row.id}-{person.id}", person)


# The list


def _list(world: World, since: int, until: int) -> Iterator[Beginning]:
    """Customers as they come: most by an import at the beginning, the others by signing up."""
    begins = []
    for person in people.customers(world.seed):
        name = f"joined-{person.id}"
        rng = generator(world.seed, name)
        at = world.origin_ms + (person.joins_ms or rng.randrange(90 * MINUTE))
        if since <= at < until:
            begins.append(Beginning(at, name, _joined(rng, at, person)))
    yield from sorted(begins, key=_at)


def _joined(rng: Random, at: int, person: Person) -> Story:
    imported = person.joins_ms == 0
    yield event(
        at,
        "contact.updated",
        contact_id=person.id,
        timezone=person.timezone,
        addresses=[address for address in (person.phone, person.email) if address],
        attrs={"tier": person.tier, "city": person.city, "language": person.language},
    )
    for channel in sorted(person.channels):
        contact = {"channel": channel, "contact_id": person.id, "address": person.address(channel)}
        if imported:
            yield event(at + 500, "contact.opted_in", method="import", confirmed=True, **contact)
            continue
        yield event(at + SECOND, "contact.prompted", method="form", **contact)
        answered = at + rng.randrange(20 * SECOND, 20 * MINUTE)
        yield event(answered, "contact.opted_in", method="form", confirmed=True, **contact)


def _asked_in_vain(world: World, rng: Random, at: int, name: str) -> Story:
    channel = rng.choice(("sms", "email", "whatsapp"))
    contact = {"channel": channel, "contact_id": f"visitor-{name}"}
    yield event(at, "contact.prompted", method="form", **contact)
    if rng.random() < 0.3:
        yield event(
            at + rng.randrange(20 * SECOND, HOUR), "contact.opted_in", method="form", confirmed=False, **contact
        )


def _uninstalled(world: World, rng: Random, at: int, name: str) -> Story | None:
    person = rng.choice(people.subscribers(world.seed, "push"))
    gone = at > world.origin_ms + person.leaves_ms
    return iter([event(at, "app.uninstalled", contact_id=person.id, channel="push")]) if gone else None


# Everyday traffic


def _someone(world: World, rng: Random, at: int, everybody: tuple[Person, ...]) -> Person:
    """Somebody of these who is on the list by then, and still there."""
    for _ in range(20):
        person = rng.choice(everybody)
        if person.joins_ms <= at - world.origin_ms < person.leaves_ms:
            return person
    return next(person for person in everybody if person.joins_ms == 0)


def _support(world: World, rng: Random, at: int, name: str) -> Story:
    route = pick(rng, company.SUPPORT_CHANNELS)
    known = rng.random() < route.known
    person = _someone(world, rng, at, people.customers(world.seed)) if known else people.visitor(world.seed, name)
    return support.conversation(world, rng, at, name, person, route)


def _notification(world: World, rng: Random, at: int, name: str) -> Story:
    person = _someone(world, rng, at, people.customers(world.seed))
    return outbound.notification(world, rng, at, name, person, pick(rng, company.NOTIFICATIONS))


def _order(world: World, rng: Random, at: int, name: str) -> Story:
    return shop.purchase(rng, at, name, _someone(world, rng, at, people.customers(world.seed)))


def _hint(world: World, rng: Random, at: int, name: str) -> Story:
    return outbound.in_app_message(rng, at, name, _someone(world, rng, at, people.subscribers(world.seed, "push")))


def _shifts(agent: Agent) -> Stream:
    def stream(world: World, since: int, until: int) -> Iterator[Beginning]:
        for day in _days(since, until):
            for number, told in enumerate(rota.status_events(world, agent, day)):
                if since <= told["at"] < until:
                    yield Beginning(told["at"], f"{agent.id}-{day}-{number}", iter([told]))

    return stream


# Live


def _live_send(row: company.LiveCampaign) -> Callable[[World, Random, int, str], Story]:
    def tell(world: World, rng: Random, at: int, name: str) -> Story:
        campaign = row.campaign
        known = rng.random() < company.LIVE_KNOWN
        person = (
            _someone(world, rng, at, people.subscribers(world.seed, campaign.channel))
            if known
            else people.visitor(world.seed, name)
        )
        day = datetime.fromtimestamp(at / 1000, UTC).date()
        leaves = not known and rng.random() < company.LIVE_OPT_OUTS
        return outbound.campaign_message(world, rng, at, name, person, campaign, f"{campaign.slug}-{day}", leaves)

    return tell


def _with_phone(world: World, rng: Random, at: int) -> Person:
    return _someone(world, rng, at, people.subscribers(world.seed, "sms"))


def _twilio_notification(world: World, rng: Random, at: int, name: str) -> Story:
    rows = [row for row in company.NOTIFICATIONS if row.channel in ("sms", "whatsapp")]
    return outbound.notification(world, rng, at, name, _with_phone(world, rng, at), pick(rng, rows))


def _twilio_chat(world: World, rng: Random, at: int, name: str) -> Story:
    channel = "whatsapp" if rng.random() < 0.4 else "sms"
    return support.text_chat(rng, at, name, _with_phone(world, rng, at), channel)


def _twilio_stop(world: World, rng: Random, at: int, name: str) -> Story:
    return support.stop(rng, at, name, _with_phone(world, rng, at))


HISTORY: tuple[Stream, ...] = (
    _list,
    *(_shifts(agent) for agent in company.AGENTS),
    _campaigns,
    _experiment,
    _last_call,
    _at_random("support", _by_the_clock(company.SUPPORT_PER_HOUR), _support),
    _at_random("notice", _by_the_clock(company.NOTIFICATIONS_PER_HOUR), _notification),
    _at_random("shop", _by_the_clock(company.ORDERS_PER_HOUR), _order),
    _at_random("hint", _by_the_clock(company.HINTS_PER_HOUR), _hint),
    _at_random("asked", _by_the_clock(company.VISITORS_ASKED_PER_HOUR), _asked_in_vain),
    _at_random("uninstall", _steady(company.UNINSTALLS_PER_HOUR), _uninstalled),
)

LIVE: tuple[Stream, ...] = (
    *(_at_random(row.campaign.slug, _steady(row.per_second * 3600), _live_send(row)) for row in company.LIVE_CAMPAIGNS),
    _at_random("live-support", _steady(company.LIVE_SUPPORT * 3600), _support),
    _at_random("live-shop", _steady(company.LIVE_ORDERS * 3600), _order),
    _at_random("live-hint", _steady(company.LIVE_HINTS * 3600), _hint),
)

LIVE_TWILIO: tuple[Stream, ...] = (
    _at_random("tw-notice", _steady(company.LIVE_TWILIO_NOTIFICATIONS * 3600), _twilio_notification),
    _at_random("tw-chat", _steady(company.LIVE_TWILIO_CHATS * 3600), _twilio_chat),
    _at_random("tw-stop", _steady(company.LIVE_TWILIO_STOPS * 3600), _twilio_stop),
)
