"""The simulated company, Harbor & Pine, as tables: an outdoor shop that writes to its customers on every channel.

Everything here is invented. Phone numbers come from ranges that regulators keep for fiction, e-mail from
example.com and example.org, IP addresses from the documentation ranges of RFC 5737.
"""

from typing import Any, NamedTuple

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Country(NamedTuple):
    code: str
    share: float
    """Part of the customers, all countries 1."""
    timezones: tuple[str, ...]
    languages: tuple[tuple[str, float], ...]
    phones: tuple[str, ...]
    """Prefixes of fictional numbers; each is completed with `phone_digits` digits."""
    phone_digits: int
    currency: str
    cities: tuple[str, ...]


_US_AREA_CODES = (
    "212", "303", "305", "312", "404", "408", "415", "503", "512", "602", "612", "617", "619", "702", "713", "718",
    "720", "808", "817", "858", "907", "916", "919", "971", "213",
)  # fmt: skip

COUNTRIES = (
    Country(
        "US",
        0.60,
        ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"),
        (("en", 0.88), ("es", 0.12)),
        tuple(f"+1{area}55501" for area in _US_AREA_CODES),
        2,
        "USD",
        ("Denver", "Portland", "Austin", "Boston", "Chicago", "Seattle"),
    ),
    Country(
        "CA",
        0.08,
        ("America/Toronto", "America/Vancouver"),
        (("en", 0.75), ("fr", 0.25)),
        ("+141655501", "+160455501", "+151455501", "+140355501"),
        2,
        "USD",
        ("Toronto", "Montréal", "Calgary"),
    ),
    Country(
        "GB",
        0.16,
        ("Europe/London",),
        (("en", 1.0),),
        ("+447700900",),
        3,
        "EUR",
        ("Leeds", "Bristol", "Glasgow"),
    ),
    Country(
        "FR",
        0.12,
        ("Europe/Paris",),
        (("fr", 0.94), ("en", 0.06)),
        ("+3363998",),
        4,
        "EUR",
        ("Lyon", "Nantes", "Lille"),
    ),
    Country(
        "DE",
        0.04,
        ("Europe/Berlin",),
        (("de", 0.92), ("en", 0.08)),
        ("+4917139200", "+49176040690"),
        2,
        "EUR",
        ("Hamburg", "Leipzig", "Köln"),
    ),
)

CUSTOMERS = 3_400
JOINED_BEFORE = 0.88
"""Part of the customers that was on the list when the history begins; the others join in the two months after."""
JOIN_DAYS = 60
LEAVE_CHANCE_PER_30_DAYS = 0.075

SUBSCRIPTION_CHANCE = {"sms": 0.66, "whatsapp": 0.26, "email": 0.84, "push": 0.34}
TIERS = (("gold", 0.12), ("silver", 0.28), ("standard", 0.60))


class Team(NamedTuple):
    id: str
    busy_factor: float
    """Times the usual answer time: how short of people the team is."""


TEAMS = (Team("team-orders", 1.0), Team("team-returns", 1.25), Team("team-product", 0.85))


class Agent(NamedTuple):
    id: str
    team: str
    timezone: str
    starts: int
    """Local minute of the day. An end over 1440 is on the next day."""
    ends: int
    weekdays: tuple[int, ...]
    pace: float
    """Times the usual answer time; under 1 is quick."""


AGENTS = (
    Agent("agent-maya", "team-orders", "America/New_York", 8 * 60, 16 * 60, (0, 1, 2, 3, 4), 0.8),
    Agent("agent-jonas", "team-returns", "America/New_York", 11 * 60, 19 * 60, (0, 1, 2, 3, 4), 1.1),
    Agent("agent-lucia", "team-product", "America/New_York", 9 * 60, 17 * 60, (2, 3, 4, 5, 6), 0.9),
    Agent("agent-theo", "team-orders", "America/Los_Angeles", 9 * 60, 17 * 60, (0, 1, 2, 3, 4), 1.0),
    Agent("agent-grace", "team-returns", "America/Los_Angeles", 12 * 60, 20 * 60, (1, 2, 3, 4, 5), 0.9),
    Agent("agent-oliver", "team-orders", "Europe/London", 8 * 60, 16 * 60, (0, 1, 2, 3, 4), 1.0),
    Agent("agent-amelie", "team-product", "Europe/Paris", 9 * 60, 17 * 60, (0, 1, 2, 3, 4), 0.85),
    Agent("agent-priya", "team-returns", "Asia/Kolkata", 9 * 60 + 30, 18 * 60 + 30, (0, 1, 2, 3, 4, 5), 0.95),
    Agent("agent-arjun", "team-orders", "Asia/Kolkata", 12 * 60, 20 * 60, (4, 5, 6, 0), 1.3),
    Agent("agent-bea", "team-orders", "Asia/Manila", 14 * 60, 22 * 60, (0, 1, 2, 3, 6), 1.05),
    Agent("agent-rafa", "team-product", "Asia/Manila", 22 * 60, 30 * 60, (4, 5, 6), 1.5),
)


class Profile(NamedTuple):
    """How a carrier, or a channel that has none, carries a message."""

    name: str | None
    share: float
    delivery: float
    latency_s: float
    """Median seconds from send to receipt."""
    cost: float
    """In the company's currency (USD), per message."""


CARRIERS: dict[str, tuple[Profile, ...]] = {
    "US": (
        Profile("Northline Wireless", 0.38, 0.981, 2.6, 0.0079),
        Profile("Bluebird Mobile", 0.34, 0.974, 3.1, 0.0079),
        Profile("Tidewater Cellular", 0.28, 0.968, 4.2, 0.0083),
    ),
    "CA": (Profile("Maple Mobile", 0.6, 0.977, 3.0, 0.0092), Profile("Boreal Telecom", 0.4, 0.966, 4.4, 0.0092)),
    "GB": (Profile("Albion Mobile", 0.55, 0.982, 2.4, 0.0420), Profile("Kestrel", 0.45, 0.975, 3.3, 0.0420)),
    "FR": (Profile("Lumière Mobile", 0.6, 0.971, 3.6, 0.0760), Profile("Hexaphone", 0.4, 0.955, 5.8, 0.0760)),
    "DE": (Profile("Rheinfunk", 0.5, 0.979, 2.9, 0.0890), Profile("Nordnetz", 0.5, 0.970, 3.8, 0.0890)),
}

ROUTES: dict[str, Profile] = {
    "whatsapp": Profile(None, 1, 0.965, 1.4, 0.0250),
    "email": Profile(None, 1, 0.984, 3.5, 0.0004),
    "push": Profile(None, 1, 0.945, 0.9, 0.0),
    "in_app": Profile(None, 1, 0.999, 0.3, 0.0),
    "webchat": Profile(None, 1, 0.999, 0.3, 0.0),
    "messenger": Profile(None, 1, 0.992, 0.9, 0.0),
    "instagram": Profile(None, 1, 0.992, 0.9, 0.0),
}


class Failure(NamedTuple):
    code: str
    reason: str
    permanent: bool
    weight: float


_TEXT_FAILURES = (
    Failure("30003", "unreachable", False, 0.36),
    Failure("30005", "invalid_address", True, 0.16),
    Failure("30006", "unreachable", True, 0.10),
    Failure("30007", "carrier_filter", False, 0.20),
    Failure("30008", "unknown", False, 0.14),
    Failure("21610", "opt_out", True, 0.04),
)

FAILURES: dict[str, tuple[Failure, ...]] = {
    "sms": _TEXT_FAILURES,
    "whatsapp": (
        Failure("131026", "unreachable", False, 0.55),
        Failure("131049", "policy", False, 0.38),
        Failure("131050", "opt_out", True, 0.07),
    ),
    "email": (
        Failure("5.1.1", "invalid_address", True, 0.42),
        Failure("4.2.2", "unreachable", False, 0.38),
        Failure("5.7.1", "policy", False, 0.20),
    ),
    "push": (Failure("Unregistered", "invalid_address", True, 1.0),),
}
OTHER_FAILURE = Failure("provider_error", "provider", False, 1.0)
CARRIER_FILTER = Failure("30007", "carrier_filter", False, 1.0)


class Incident(NamedTuple):
    """A carrier that begins to filter, timed from the beginning of the history."""

    carrier: str
    begins_ms: int
    lasts_ms: int
    filtered: float


# The last one begins six hours before a history of 30 days ends, and outlasts it: an alert has something to find.
INCIDENTS = (
    Incident("Hexaphone", 11 * DAY + 8 * HOUR, 9 * HOUR, 0.35),
    Incident("Bluebird Mobile", 30 * DAY - 6 * HOUR, 8 * HOUR, 0.58),
)


class Campaign(NamedTuple):
    slug: str
    channel: str
    weekday: int | None
    """Monday is 0; None: every day."""
    minute: int
    """Minute of the UTC day in which the send begins."""
    every_weeks: int
    share: float
    """Part of the channel's subscribers that each send reaches."""
    over_ms: int
    """How long the send takes."""
    variants: tuple[tuple[str, str, float], ...]
    """Name, template, times the channel's usual click rate."""
    texts: tuple[str, ...]
    """One text per variant."""
    links: tuple[str, ...]
    tracked: bool = True
    audience: str | None = None
    """A customer tier; None: all."""


SHOP_URL = "https://harborandpine.example"

CAMPAIGNS = (
    Campaign(
        "sms-weekend-flash",
        "sms",
        4,
        16 * 60,
        1,
        0.30,
        40 * MINUTE,
        (("A", "tpl-flash-plain", 0.92), ("B", "tpl-flash-name", 1.16)),
        (
            "Harbor & Pine: 20% off all jackets until Sunday. {link} Reply STOP to opt out",
            "{name}, your weekend is covered: 20% off jackets until Sunday. {link} Reply STOP to opt out",
        ),
        ("/sale/jackets", "/sale"),
    ),
    Campaign(
        "sms-trail-tuesday",
        "sms",
        1,
        17 * 60 + 30,
        1,
        0.26,
        30 * MINUTE,
        (("A", "tpl-trail", 1.0),),
        ("New on the trail shelf: {product} and more. See all: {link} Reply STOP to opt out",),
        ("/new/trail",),
    ),
    Campaign(
        "email-new-arrivals",
        "email",
        2,
        14 * 60,
        1,
        0.22,
        60 * MINUTE,
        (("A", "tpl-arrivals-grid", 0.95), ("B", "tpl-arrivals-story", 1.1)),
        (
            "Fresh this week: the {product}, and six things to take outside.",
            "Where our {product} comes from: a walk with the people who make it.",
        ),
        ("/new", "/new/packs", "/new/boots", "/journal/makers"),
    ),
    Campaign(
        "email-journal",
        "email",
        6,
        9 * 60,
        2,
        0.28,
        120 * MINUTE,
        (("A", "tpl-journal", 0.8),),
        ("The Harbor & Pine journal: cabins, coastlines and one good stew.",),
        ("/journal", "/journal/cabins", "/journal/stew"),
    ),
    Campaign(
        "wa-back-in-stock",
        "whatsapp",
        3,
        15 * 60,
        1,
        0.36,
        25 * MINUTE,
        (("A", "tpl-stock", 1.0),),
        ("Good news: the {product} is back in stock. Reserve yours here: {link}",),
        ("/back-in-stock",),
    ),
    Campaign(
        "push-app-weekend",
        "push",
        5,
        10 * 60,
        1,
        0.42,
        10 * MINUTE,
        (("A", "tpl-push-short", 1.0), ("B", "tpl-push-emoji", 1.2)),
        ("App only: free shipping today", "🏕️ App only: free shipping today"),
        ("/app/free-shipping",),
    ),
    Campaign(
        "sms-cart-reminder",
        "sms",
        None,
        13 * 60,
        1,
        0.009,
        9 * HOUR,
        (("A", "tpl-cart", 2.1),),
        ("You left the {product} in your cart. It is held until tonight: {link} Reply STOP to opt out",),
        ("/cart",),
    ),
    Campaign(
        "wa-gold-preview",
        "whatsapp",
        0,
        18 * 60,
        2,
        0.85,
        15 * MINUTE,
        (("A", "tpl-preview", 1.5),),
        ("Gold members first: our winter preview is open for you. {link}",),
        ("/preview",),
        audience="gold",
    ),
)


class Experiment(NamedTuple):
    id: str
    campaign: Campaign
    begins_ms: int
    """From the beginning of the history."""
    planned_control: float
    buys_anyway: float
    """Chance of a purchase within two weeks without the message."""
    lift: float
    """Added to it by the message."""


EXPERIMENT = Experiment(
    "exp-loyalty-thanks",
    Campaign(
        "email-loyalty-thanks",
        "email",
        None,
        0,
        1,
        1.0,
        90 * MINUTE,
        (("A", "tpl-loyalty", 1.4),),
        ("A thank-you from all of us: a gift waits in your account.",),
        ("/account/gift", "/account"),
    ),
    12 * DAY + 15 * HOUR,
    0.10,
    0.045,
    0.080,
)


# Sent once, timed from the beginning of the history: this one runs into the carrier's filter of the last hours.
LAST_CALL_BEGINS_MS = 30 * DAY - 150 * MINUTE
LAST_CALL = CAMPAIGNS[0]._replace(
    slug="sms-last-call",
    weekday=None,
    share=0.5,
    over_ms=100 * MINUTE,
    variants=(("A", "tpl-last-call", 1.1),),
    texts=("{name}, last call: the jacket sale ends tonight. {link} Reply STOP to opt out",),
)


class Behaviour(NamedTuple):
    """How people treat a campaign message on a channel. Chances are per delivered message, medians in seconds."""

    opens: float
    machine_opens: float
    clicks: float
    previews: float
    """Link previews: machine clicks in the first seconds."""
    replies: float
    reacts: float
    open_s: float
    click_s: float
    buys: float
    """Per human click."""


BEHAVIOUR: dict[str, Behaviour] = {
    "sms": Behaviour(0.0, 0.0, 0.080, 0.025, 0.012, 0.0, 0, 420, 0.085),
    "whatsapp": Behaviour(0.74, 0.0, 0.128, 0.035, 0.024, 0.03, 600, 900, 0.10),
    "email": Behaviour(0.30, 0.24, 0.034, 0.0, 0.002, 0.0, 9_000, 11_000, 0.075),
    "push": Behaviour(0.062, 0.0, 0.041, 0.0, 0.0, 0.0, 900, 900, 0.05),
}
SCANNED = 0.022
"""Part of the e-mail recipients whose company opens every link with a security scanner."""
AUTO_REPLY_CHANCE = 0.006
COMPLAINT_SHARE = 0.07
"""Of those who leave by e-mail, the part that presses "spam" instead of the link."""
AFFINITY = ((0.25, 0.3), (0.9, 0.5), (2.4, 0.2))
"""Times the usual interest, with its share of the customers: a few do most of the clicking. The mean is 1."""


class Notification(NamedTuple):
    slug: str
    channel: str
    purpose: str
    weight: float
    text: str


NOTIFICATIONS = (
    Notification("tpl-code", "sms", "authentication", 0.26, "{code} is your Harbor & Pine code, good for 10 minutes."),
    Notification("tpl-shipped", "sms", "service", 0.22, "Your order {order} is on its way and should arrive {day}."),
    Notification("tpl-out-for-delivery", "whatsapp", "service", 0.16, "Order {order} is out for delivery today."),
    Notification("tpl-receipt", "email", "service", 0.22, "Thanks for your order {order}. The receipt is attached."),
    Notification("tpl-pickup", "push", "service", 0.14, "Order {order} is ready for pickup."),
)  # fmt: skip


class Topic(NamedTuple):
    id: str
    team: str
    weight: float
    mood: tuple[float, float, float]
    """Chances of an angry, a plain and a happy customer."""
    exchanges: float
    """Mean number of agent replies."""
    bot_solves: float
    satisfaction: float
    """Mean of the 1..5 survey."""


TOPICS = (
    Topic("where-is-my-order", "team-orders", 0.26, (0.30, 0.66, 0.04), 1.7, 0.30, 4.2),
    Topic("late-or-lost-parcel", "team-orders", 0.11, (0.66, 0.33, 0.01), 2.6, 0.02, 3.3),
    Topic("change-order", "team-orders", 0.09, (0.08, 0.88, 0.04), 1.6, 0.10, 4.4),
    Topic("return-and-refund", "team-returns", 0.18, (0.30, 0.66, 0.04), 2.3, 0.12, 3.9),
    Topic("damaged-item", "team-returns", 0.08, (0.62, 0.37, 0.01), 2.7, 0.0, 3.6),
    Topic("product-question", "team-product", 0.16, (0.02, 0.84, 0.14), 1.6, 0.26, 4.6),
    Topic("size-and-fit", "team-product", 0.07, (0.04, 0.86, 0.10), 1.5, 0.22, 4.5),
    Topic("praise", "team-product", 0.05, (0.0, 0.05, 0.95), 1.0, 0.0, 4.9),
)


class Course(NamedTuple):
    """How a conversation goes on after people took it over."""

    name: str
    weight: float


COURSES = (
    Course("solved", 0.480),
    Course("transferred", 0.085),
    Course("reopened", 0.155),
    Course("thanks", 0.055),
    Course("returns_later", 0.165),
    Course("snoozed", 0.020),
    Course("closed_without_reply", 0.012),
    Course("given_up", 0.012),
    Course("left_open", 0.010),
    Course("merged", 0.006),
)


class SupportChannel(NamedTuple):
    channel: str
    weight: float
    bot: bool
    answer_s: float
    """Median seconds to an agent's first answer with a full shift."""
    customer_s: float
    """Median seconds until the customer writes again."""
    known: float
    """Part of the writers who are on the customer list."""


SUPPORT_CHANNELS = (
    SupportChannel("webchat", 0.40, True, 110, 50, 0.35),
    SupportChannel("whatsapp", 0.20, True, 170, 120, 0.80),
    SupportChannel("sms", 0.10, False, 190, 150, 1.0),
    SupportChannel("email", 0.18, False, 1250, 4200, 0.70),
    SupportChannel("instagram", 0.07, False, 360, 300, 0.0),
    SupportChannel("messenger", 0.05, True, 220, 200, 0.0),
)

# Relative number of contacts by local hour of the customer, mean about 1.
HOURS = (
    0.15, 0.08, 0.05, 0.05, 0.08, 0.2, 0.45, 0.8, 1.25, 1.7, 1.95, 1.85,
    1.7, 1.65, 1.6, 1.5, 1.45, 1.4, 1.45, 1.5, 1.4, 1.1, 0.7, 0.35,
)  # fmt: skip
WEEKDAYS = (1.25, 1.1, 1.05, 1.0, 1.05, 0.85, 0.7)


class Survey(NamedTuple):
    kind: str
    weight: float
    scale_max: int
    answers: float


SURVEYS = (Survey("csat", 0.7, 5, 0.34), Survey("nps", 0.18, 10, 0.22), Survey("ces", 0.12, 7, 0.25))
SURVEYED = 0.55


class Product(NamedTuple):
    name: str
    price: float
    weight: float


PRODUCTS = (
    Product("Fjord rain jacket", 149.0, 0.12),
    Product("Larch fleece", 79.0, 0.16),
    Product("Skerry boots", 189.0, 0.10),
    Product("Tarn daypack", 95.0, 0.14),
    Product("Ember camp stove", 64.5, 0.10),
    Product("Cove wool socks", 18.0, 0.20),
    Product("Moss sleeping bag", 219.0, 0.05),
    Product("Beacon headlamp", 42.0, 0.13),
)
REFUNDED = 0.075

LINK_PREVIEW_AGENTS = (
    "facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    "WhatsApp/2.24.20.89 A",
    "TelegramBot (like TwitterBot)",
)
APPLE_PROXY_AGENT = "Mozilla/5.0"
GMAIL_PROXY_AGENT = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
PHONE_AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Mobile Safari/537.36",
)
DESKTOP_AGENTS = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
)
SCANNER_AGENT = DESKTOP_AGENTS[1]
"""Scanners look like a browser; only their speed gives them away."""

SENDERS = {"sms": "+12065550100", "whatsapp": "+12065550101", "email": "hello@harborandpine.example"}

# The workspace's settings: business hours, targets by channel and a made-up exchange rate.
SETTINGS: dict[str, Any] = {
    "timezone": "America/New_York",
    "currency": "USD",
    "targets": {
        "first_response_seconds": 300,
        "response_seconds": 300,
        "resolution_seconds": 14_400,
        "channels": {"email": {"first_response_seconds": 3600, "response_seconds": 3600, "resolution_seconds": 86_400}},
    },
    "schedules": [
        {
            "name": "Customer care",
            "timezone": "America/New_York",
            "weekly": {day: [["08:00", "20:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
            | {day: [["10:00", "18:00"]] for day in ("sat", "sun")},
        }
    ],
}
EURO_RATE = 1.08


# How often things happen by themselves, per hour of the history.
SUPPORT_PER_HOUR = 1.75
NOTIFICATIONS_PER_HOUR = 3.0
ORDERS_PER_HOUR = 0.75
HINTS_PER_HOUR = 1.1
UNINSTALLS_PER_HOUR = 0.03
VISITORS_ASKED_PER_HOUR = 0.35
"""Visitors who are asked to join the list and do not."""


class LiveCampaign(NamedTuple):
    """A send that runs all day, as long as somebody watches."""

    campaign: Campaign
    per_second: float


LIVE_CAMPAIGNS = tuple(
    LiveCampaign(row._replace(slug=slug, audience=None), per_second)
    for row, slug, per_second in (
        (CAMPAIGNS[0], "sms-outlet", 0.55),
        (CAMPAIGNS[4], "wa-outlet", 0.32),
        (CAMPAIGNS[2], "email-outlet", 0.55),
        (CAMPAIGNS[5], "push-outlet", 0.25),
    )
)
LIVE_KNOWN = 0.3
"""Part of the live sends that goes to customers of the history; the others go to people who are met only now."""
LIVE_OPT_OUTS = 0.005

# What live traffic adds to the above, per second. The last three go through the Twilio hook.
LIVE_SUPPORT = 0.035
LIVE_ORDERS = 0.03
LIVE_HINTS = 0.05
LIVE_TWILIO_NOTIFICATIONS = 0.09
LIVE_TWILIO_CHATS = 0.02
LIVE_TWILIO_STOPS = 0.002
