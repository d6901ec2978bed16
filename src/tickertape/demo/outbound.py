"""Stories of messages that the company sends: what carriers do with them, and what people and machines do then."""

from random import Random
from typing import NamedTuple

from tickertape.demo import company, texts
from tickertape.demo.chance import delay, pick
from tickertape.demo.company import DAY, HOUR, MINUTE, SECOND, Campaign, Failure, Notification, Profile
from tickertape.demo.people import Person
from tickertape.demo.shop import purchase
from tickertape.demo.support import campaign_reply
from tickertape.demo.world import Event, Story, World, event, slots

NEVER_REPORTED = 0.004
"""Part of the messages of which no receipt ever comes."""
RETRIED = 0.5


class Receipt(NamedTuple):
    at: int
    failure: Failure | None


def campaign_message(
    world: World, rng: Random, at: int, name: str, person: Person, campaign: Campaign, campaign_id: str, leaves: bool
) -> Story:
    """One message of a campaign and all that comes of it. `leaves`: it is the one that makes the person opt out."""
    chosen = rng.randrange(len(campaign.variants))
    variant, template, lift = campaign.variants[chosen]
    message_id = f"msg-{name}"
    route = profile(campaign.channel, person)
    spoken_of = slots(rng, person)
    yield sent(
        at,
        message_id,
        campaign.channel,
        person,
        route,
        author="campaign",
        purpose="marketing",
        campaign_id=campaign_id,
        template_id=template,
        variant=variant if len(campaign.variants) > 1 else None,
        text=campaign.texts[chosen].format(**spoken_of),
        tracked=None if campaign.tracked else False,
    )
    receipt = carry(world, rng, at, campaign.channel, route)
    if receipt is None:
        return
    yield received(receipt, message_id)
    if receipt.failure is not None:
        return
    yield from _machines(rng, receipt.at, message_id, campaign, person)
    yield from _people(world, rng, receipt.at, name, message_id, campaign, person, lift)
    if leaves:
        yield from _leaving(rng, receipt.at, name, message_id, campaign.channel, person)


def notification(world: World, rng: Random, at: int, name: str, person: Person, row: Notification) -> Story:
    """A code, a receipt or news of a parcel; what fails for a passing reason is tried once more."""
    message_id = f"msg-{name}"
    route = profile(row.channel, person)
    text = row.text.format(**slots(rng, person))
    fields = {"author": "system", "purpose": row.purpose, "template_id": row.slug, "text": text, "tracked": False}
    yield sent(at, message_id, row.channel, person, route, **fields)
    receipt = carry(world, rng, at, row.channel, route)
    if receipt is None:
        return
    yield received(receipt, message_id)
    if receipt.failure is None:
        if row.channel == "whatsapp" and rng.random() < 0.8:
            yield event(receipt.at + delay(rng, 300), "message.read", message_id=message_id)
    elif not receipt.failure.permanent and rng.random() < RETRIED:
        again, again_at = f"{message_id}-retry", receipt.at + delay(rng, 120, 0.3)
        yield sent(again_at, again, row.channel, person, route, retry_of=message_id, **fields)
        if second := carry(world, rng, again_at, row.channel, route):
            yield received(second, again)


def in_app_message(rng: Random, at: int, name: str, person: Person) -> Story:
    """A hint inside the app, and perhaps the feature that it speaks of in use."""
    message_id = f"msg-{name}"
    yield event(
        at,
        "message.sent",
        message_id=message_id,
        channel="in_app",
        contact_id=person.id,
        author="campaign",
        purpose="service",
        campaign_id="app-wishlist-hint",
        template_id="tpl-wishlist",
        text="New: save what you like to your wishlist.",
    )
    yield event(at + 300, "message.delivered", message_id=message_id)
    if rng.random() < 0.8:
        yield event(at + delay(rng, 3), "message.read", message_id=message_id)
    if rng.random() < 0.21:
        used = at + delay(rng, 6 * 3600, 1.2)
        yield event(used, "app.feature_used", contact_id=person.id, channel="in_app", feature="wishlist")


def profile(channel: str, person: Person) -> Profile:
    """What carries a message to this person: the carrier of the phone, or the channel's own route."""
    return person.carrier if channel == "sms" else company.ROUTES[channel]


def sent(at: int, message_id: str, channel: str, person: Person, route: Profile, **fields: object) -> Event:
    return event(
        at,
        "message.sent",
        message_id=message_id,
        channel=channel,
        contact_id=person.id,
        address=person.address(channel),
        sender=company.SENDERS.get(channel),
        carrier=route.name,
        country=person.country.code if channel in ("sms", "whatsapp") else None,
        cost=route.cost or None,
        currency="USD" if route.cost else None,
        **fields,
    )


def carry(world: World, rng: Random, at: int, channel: str, route: Profile) -> Receipt | None:
    """What becomes of a message; None: nobody ever says."""
    if rng.random() < NEVER_REPORTED:
        return None
    arrives = at + delay(rng, route.latency_s, 0.7)
    if channel == "sms" and rng.random() < _filtered(world, at, route):
        return Receipt(arrives, company.CARRIER_FILTER)
    if rng.random() < route.delivery:
        return Receipt(arrives, None)
    return Receipt(arrives + delay(rng, 20), pick(rng, company.FAILURES.get(channel, (company.OTHER_FAILURE,))))


def received(receipt: Receipt, message_id: str) -> Event:
    """The receipt as an event."""
    if receipt.failure is None:
        return event(receipt.at, "message.delivered", message_id=message_id)
    return event(
        receipt.at,
        "message.failed",
        message_id=message_id,
        error_code=receipt.failure.code,
        reason=receipt.failure.reason,
        permanent=receipt.failure.permanent or None,
    )


def _filtered(world: World, at: int, route: Profile) -> float:
    for incident in company.INCIDENTS:
        if incident.carrier == route.name and 0 <= at - world.origin_ms - incident.begins_ms < incident.lasts_ms:
            return incident.filtered
    return 0.0


def _machines(rng: Random, at: int, message_id: str, campaign: Campaign, person: Person) -> Story:
    habits = company.BEHAVIOUR[campaign.channel]
    if rng.random() < habits.previews:
        agent = rng.choice(company.LINK_PREVIEW_AGENTS)
        yield _click(rng, at + rng.randrange(300, 2_500), message_id, campaign.links[0], agent)
    if campaign.channel != "email":
        return
    if person.mail_proxy:
        opened = at + delay(rng, 240, 1.2)
        yield event(opened, "message.read", message_id=message_id, user_agent=company.APPLE_PROXY_AGENT, ip=_ip(rng))
    if person.scanned:
        ip, first = _ip(rng), at + rng.randrange(400, 1_800)
        for number, link in enumerate(campaign.links):
            yield _click(rng, first + number * 350, message_id, link, company.SCANNER_AGENT, ip)


def _people(
    world: World, rng: Random, at: int, name: str, message_id: str, campaign: Campaign, person: Person, lift: float
) -> Story:
    habits, channel = company.BEHAVIOUR[campaign.channel], campaign.channel
    if rng.random() < min(0.95, habits.opens * (0.7 + 0.3 * person.interest)):
        opened = at + 60_000 + delay(rng, habits.open_s, 1.1)
        agent = company.GMAIL_PROXY_AGENT if channel == "email" and not person.mail_proxy else None
        yield event(opened, "message.read", message_id=message_id, user_agent=agent)
    if rng.random() < min(0.9, habits.clicks * person.interest * lift):
        clicked = at + 3 * SECOND + delay(rng, habits.click_s, 1.3)
        agents = company.PHONE_AGENTS if channel != "email" or rng.random() < 0.5 else company.DESKTOP_AGENTS
        agent, ip = rng.choice(agents), _ip(rng)
        yield _click(rng, clicked, message_id, rng.choice(campaign.links), agent, ip)
        if rng.random() < 0.2:
            again = clicked + delay(rng, 300)
            yield _click(rng, again, message_id, rng.choice(campaign.links), agent, ip)
        if rng.random() < habits.buys:
            yield from purchase(rng, clicked + delay(rng, 1100, 1.0), name, person)
    if rng.random() < habits.reacts:
        reaction = rng.choice(texts.REACTIONS)
        yield event(at + delay(rng, 900), "message.reacted", message_id=message_id, reaction=reaction)
    if rng.random() < habits.replies:
        yield from campaign_reply(world, rng, at + delay(rng, 600, 1.1), name, person, channel, message_id)
    if channel == "email" and rng.random() < company.AUTO_REPLY_CHANCE:
        yield event(
            at + rng.randrange(2 * SECOND, 2 * MINUTE),
            "message.received",
            message_id=f"in-{name}-auto",
            channel="email",
            contact_id=person.id,
            address=person.email,
            reply_to=message_id,
            text=rng.choice(texts.OUT_OF_OFFICE).format(**slots(rng, person)),
            auto_reply=True,
        )


def _leaving(rng: Random, at: int, name: str, message_id: str, channel: str, person: Person) -> Story:
    """How somebody opts out: by a word or a sentence where one can answer, else by the link or the spam button."""
    when = at + delay(rng, 400, 1.2)
    contact = {"channel": channel, "contact_id": person.id, "address": person.address(channel)}
    if channel == "push":
        yield event(when + DAY, "app.uninstalled", **contact)
    elif channel == "email":
        complains = rng.random() < company.COMPLAINT_SHARE
        kind, method = ("contact.complained", "provider") if complains else ("contact.opted_out", "link")
        yield event(when, kind, method=method, message_id=message_id, **contact)
    elif person.phone is None or rng.random() < 0.4:
        yield event(when, "contact.opted_out", method="provider", message_id=message_id, **contact)
    else:
        in_words = rng.random() < 0.2
        said = texts.OPT_OUT_SENTENCES if in_words else texts.OPT_OUT_WORDS
        thread = f"conv-{name}-stop"
        yield event(
            when,
            "message.received",
            message_id=f"in-{name}-stop",
            conversation_id=thread,
            reply_to=message_id,
            text=rng.choice(said[person.language]),
            opt_out=None if in_words else True,
            **contact,
        )
        answer = f"msg-{name}-stop"
        yield event(
            when + SECOND,
            "message.sent",
            message_id=answer,
            conversation_id=thread,
            author="auto",
            purpose="service",
            text=texts.OPT_OUT_ANSWER,
            tracked=False,
            **contact,
        )
        yield event(when + 3 * SECOND, "message.delivered", message_id=answer)
        yield event(when + HOUR, "conversation.resolved", conversation_id=thread, by="auto")


def _click(rng: Random, at: int, message_id: str, link: str, agent: str, ip: str | None = None) -> Event:
    return event(
        at,
        "message.clicked",
        message_id=message_id,
        url=company.SHOP_URL + link,
        link_id=link.strip("/").replace("/", "-"),
        user_agent=agent,
        ip=ip or _ip(rng),
        method="GET",
    )


def _ip(rng: Random) -> str:
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"
