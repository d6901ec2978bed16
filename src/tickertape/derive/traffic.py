"""Which clicks and opens a person made: the rules for machine traffic, in order, first hit wins.

Nothing is deleted: every click keeps its actor (human, suspect, machine) and the rule that decided.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

import crawleruseragents
from msgspec import Struct

from tickertape.events import MessageClicked, MessageRead

BURST_MS = 10_000
BURST_LINKS = 3
TOO_FAST_MS = 2_000
SECOND_SYSTEM_MS = 60_000
GOOGLE_PREFETCH_MS = 60_000

# Link previews, HTTP libraries and mail scanners that the crawler list misses or that it names otherwise.
_MACHINE_AGENT = re.compile(
    r"^whatsapp/|^telegrambot|facebookexternalhit|skypeuripreview|slackbot|twitterbot|discordbot|linkedinbot|"
    r"^(curl|wget|python-requests|python-urllib|go-http-client|okhttp|java/|libwww-perl|axios|node-fetch|aiohttp|httpx|"
    r"ruby|php|guzzle|apache-httpclient|postmanruntime)|headlesschrome|phantomjs|"
    r"barracuda|proofpoint|mimecast|safelinks|forcepoint|ironport|fireeye|trendmicro|symantec|bitdefender|"
    r"google-safety|bingpreview|yahoomailproxy|(^|[^a-z])(bot|crawler|spider|scanner|preview)([^a-z]|$)",
    re.IGNORECASE,
)
_IMAGE_PROXY = re.compile(r"GoogleImageProxy|YahooMailProxy", re.IGNORECASE)
_SYSTEM = re.compile(r"\(([^;)]+)")


class Verdict(Struct, frozen=True):
    actor: str
    reason: str


HUMAN = Verdict("human", "")


class Touch(Struct, kw_only=True):
    """One click, as the rules see it."""

    at: int
    id: str
    link: str
    event: MessageClicked


@lru_cache(maxsize=20_000)
def is_machine_agent(user_agent: str) -> bool:
    return bool(_MACHINE_AGENT.search(user_agent)) or bool(crawleruseragents.is_crawler(user_agent))


def _system(user_agent: str | None) -> str:
    match = _SYSTEM.search(user_agent or "")
    return match.group(1).strip().lower() if match else (user_agent or "").lower()


def classify_clicks(clicks: Sequence[Touch], channel: str, delivered_at: int) -> list[Verdict]:
    """The verdict on each click of one message, in the order given; `clicks` are sorted by time and id."""
    by_itself = [_single(c.event) for c in clicks]
    bursts = _bursts(clicks, channel)
    return [
        alone or burst or _timing(clicks, i, channel, delivered_at) or HUMAN
        for i, (alone, burst) in enumerate(zip(by_itself, bursts, strict=True))
    ]


def _single(event: MessageClicked) -> Verdict | None:
    """Rules 1 to 3: what the event itself says."""
    if event.actor:
        return Verdict(event.actor, "provider")
    if (event.method or "").upper() == "HEAD":
        return Verdict("machine", "head_request")
    if (event.attrs or {}).get("prefetch"):
        return Verdict("machine", "prefetch")
    if event.user_agent and is_machine_agent(event.user_agent):
        return Verdict("machine", "user_agent")
    return None


def _bursts(clicks: Sequence[Touch], channel: str) -> list[Verdict | None]:
    """Rules 4 and 5: a hidden link, or many links at once, by one (ip, user agent) takes its whole burst with it."""
    verdicts: list[Verdict | None] = [None] * len(clicks)
    visitors: dict[tuple[str | None, str | None], list[int]] = defaultdict(list)
    for i, click in enumerate(clicks):
        visitors[click.event.ip, click.event.user_agent].append(i)
    for indexes in visitors.values():
        for first in indexes:
            window = [i for i in indexes if 0 <= clicks[i].at - clicks[first].at <= BURST_MS]
            hidden = any((clicks[i].event.attrs or {}).get("honeypot") for i in window)
            many = channel == "email" and len({clicks[i].link for i in window}) >= BURST_LINKS
            if not hidden and not many:
                continue
            for i in window:
                if hidden:
                    verdicts[i] = Verdict("machine", "honeypot")
                elif verdicts[i] is None:
                    verdicts[i] = Verdict("machine", "burst")
    return verdicts


def _timing(clicks: Sequence[Touch], index: int, channel: str, delivered_at: int) -> Verdict | None:
    """Rules 6 and 7: faster than a person, or the same link from a second system right after the first."""
    click = clicks[index]
    if abs(click.at - delivered_at) <= TOO_FAST_MS:
        return Verdict("machine" if channel == "email" else "suspect", "too_fast")
    for earlier in clicks[:index]:
        if (
            earlier.link == click.link
            and click.at - earlier.at <= SECOND_SYSTEM_MS
            and earlier.event.ip != click.event.ip
            and _system(earlier.event.user_agent) != _system(click.event.user_agent)
        ):
            return Verdict("suspect", "second_system")
    return None


def classify_open(event: MessageRead, at: int, channel: str, delivered_at: int) -> Verdict:
    """Rule 8, for e-mail; a read receipt of any other channel is a person's unless the provider says otherwise."""
    if event.actor:
        return Verdict(event.actor, "provider")
    agent = event.user_agent
    if channel != "email" or not agent:
        return HUMAN
    if agent.strip() == "Mozilla/5.0":
        return Verdict("machine", "apple_proxy")
    if "Edge/12.246" in agent:
        return Verdict("machine", "image_prefetch")
    if _IMAGE_PROXY.search(agent):
        early = "GoogleImageProxy" in agent and at - delivered_at <= GOOGLE_PREFETCH_MS
        return Verdict("machine", "image_prefetch") if early else HUMAN
    return Verdict("machine", "user_agent") if is_machine_agent(agent) else HUMAN
