"""Stories of people who write to the company: from the first message to the survey."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tickertape.demo import company, rota, texts
from tickertape.demo.chance import delay, pick
from tickertape.demo.company import DAY, HOUR, MINUTE, SECOND, Agent, SupportChannel, Topic
from tickertape.demo.people import Person
from tickertape.demo.world import Event, Story, World, event, slots

ANGRY, PLAIN, HAPPY = range(3)
HELPED_BY_BOT = 0.85
MISUNDERSTOOD = 0.16
OVERTIME = HOUR
"""So long after the shift an agent still finishes a conversation; later a colleague takes over."""


@dataclass(slots=True)
class Thread:
    """A conversation on its way: `at` is its clock in milliseconds, moved on by everything that happens."""

    rng: Random
    id: str
    person: Person
    route: SupportChannel
    topic: Topic
    team: str
    mood: int
    said: dict[str, str]
    at: int
    agent: Agent | None = None
    messages: int = 0
    answers: int = 0

    def wait(self, median_s: float, spread: float = 0.8) -> None:
        self.at += delay(self.rng, median_s, spread)

    def logged(self, kind: str, **fields: object) -> Event:
        return event(self.at, f"conversation.{kind}", conversation_id=self.id, **fields)

    def customer(self, text: str, **fields: object) -> Event:
        self.messages += 1
        return event(
            self.at,
            "message.received",
            message_id=f"in-{self.id}-{self.messages}",
            text=text.format(**self.said),
            **self.place(),
            **fields,
        )

    def company(self, text: str, author: str, **fields: object) -> Story:
        """A message to the customer, with its receipt."""
        self.messages += 1
        message_id = f"out-{self.id}-{self.messages}"
        route = self.person.carrier if self.route.channel == "sms" else company.ROUTES[self.route.channel]
        yield event(
            self.at,
            "message.sent",
            message_id=message_id,
            author=author,
            text=text.format(**self.said),
            carrier=route.name,
            cost=route.cost or None,
            currency="USD" if route.cost else None,
            **self.place(),
            **fields,
        )
        if self.rng.random() < 0.992:
            delivered = self.at + delay(self.rng, route.latency_s, 0.5)
            yield event(delivered, "message.delivered", message_id=message_id)
            if self.route.channel == "whatsapp" and self.rng.random() < 0.8:
                yield event(delivered + delay(self.rng, 60), "message.read", message_id=message_id)

    def local(self, table: dict[str, tuple[str, ...]]) -> str:
        return self.rng.choice(table[self.person.language])

    def place(self) -> dict[str, object]:
        return {
            "conversation_id": self.id,
            "channel": self.route.channel,
            "contact_id": self.person.id,
            "address": self.person.address(self.route.channel),
        }


def conversation(
    world: World, rng: Random, at: int, name: str, person: Person, route: SupportChannel, course: str | None = None
) -> Story:
    """One need of one customer; it takes one of the company's courses, or the one given."""
    topic = pick(rng, company.TOPICS)
    mood = rng.choices((ANGRY, PLAIN, HAPPY), topic.mood)[0]
    openings = texts.OPENINGS[topic.id] if person.language == "en" else texts.OPENINGS_ABROAD[person.language]
    thread = _thread(rng, at, name, person, route, topic, mood)
    yield thread.logged("opened", channel=route.channel, contact_id=person.id)
    yield thread.customer(rng.choice(openings[mood]))
    if route.channel == "email":
        yield event(
            at + 2 * SECOND,
            "message.sent",
            message_id=f"out-{thread.id}-auto",
            author="auto",
            text=texts.EMAIL_RECEIVED,
            tracked=False,
            **thread.place(),
        )
        yield event(at + 6 * SECOND, "message.delivered", message_id=f"out-{thread.id}-auto")
    if route.bot:
        yield from _bot(thread)
        if rng.random() < topic.bot_solves * HELPED_BY_BOT:
            yield from _solved_by_bot(thread)
            return
        yield from _hand_off(thread)
    thread.at += SECOND
    yield thread.logged("queued", team_id=thread.team)
    yield from COURSES[course or pick(rng, company.COURSES).name](world, thread)


def campaign_reply(
    world: World, rng: Random, at: int, name: str, person: Person, channel: str, message_id: str
) -> Story:
    """Somebody answers a campaign, and an agent answers back."""
    topic = next(row for row in company.TOPICS if row.id == "product-question")
    route = next(row for row in company.SUPPORT_CHANNELS if row.channel == channel)
    thread = _thread(rng, at, f"{name}-reply", person, route, topic, PLAIN)
    yield thread.customer(thread.local(texts.CAMPAIGN_REPLIES), reply_to=message_id)
    thread.at += SECOND
    yield thread.logged("queued", team_id=thread.team)
    yield from _solved(world, thread)


def text_chat(rng: Random, at: int, name: str, person: Person, channel: str) -> Story:
    """A short exchange in a plain message inbox, which knows senders and agents but no conversations."""
    topic = pick(rng, company.TOPICS)
    route = next(row for row in company.SUPPORT_CHANNELS if row.channel == channel)
    thread = _thread(rng, at, name, person, route, topic, PLAIN)
    openings = texts.OPENINGS[topic.id] if person.language == "en" else texts.OPENINGS_ABROAD[person.language]
    yield thread.customer(rng.choice(openings[PLAIN] or openings[HAPPY]))
    _, staff = rota.somebody_at_work(at, topic.team)
    agent = rng.choice(staff)
    thread.wait(110)
    yield from thread.company(thread.local(texts.AGENT_REPLIES), "agent", agent_id=agent.id, team_id=agent.team)
    if rng.random() < 0.6:
        thread.wait(60)
        yield thread.customer(thread.local(texts.THANKS))
        thread.wait(40)
        closing = texts.AGENT_CLOSING[person.language]
        yield from thread.company(closing, "agent", agent_id=agent.id, team_id=agent.team)


def stop(rng: Random, at: int, name: str, person: Person) -> Story:
    """Somebody has had enough, and says so with the one word."""
    yield event(
        at,
        "message.received",
        message_id=f"in-{name}",
        channel="sms",
        contact_id=person.id,
        address=person.phone,
        text=rng.choice(texts.OPT_OUT_WORDS[person.language]),
        opt_out=True,
    )


def _thread(rng: Random, at: int, name: str, person: Person, route: SupportChannel, topic: Topic, mood: int) -> Thread:
    return Thread(
        rng=rng,
        id=f"conv-{name}",
        person=person,
        route=route,
        topic=topic,
        team=topic.team,
        mood=mood,
        said=slots(rng, person),
        at=at,
    )


# The bot


def _bot(thread: Thread) -> Story:
    language = thread.person.language
    thread.wait(1.6, 0.4)
    yield from thread.company(texts.BOT_GREETING[language], "bot")
    if thread.rng.random() < MISUNDERSTOOD:
        thread.wait(25)
        yield thread.customer(_follow_up(thread))
        thread.wait(1.4, 0.4)
        yield from thread.company(texts.BOT_LOST[language], "bot", attrs={"not_understood": True})
        thread.mood = ANGRY if thread.rng.random() < 0.3 else thread.mood


def _solved_by_bot(thread: Thread) -> Story:
    thread.wait(2, 0.4)
    yield from thread.company(thread.local(texts.BOT_ANSWERS), "bot")
    if thread.rng.random() < 0.45:
        thread.wait(30)
        yield thread.customer(thread.local(texts.THANKS))
    thread.wait(120, 0.4)
    yield thread.logged("tagged", topic=thread.topic.id)
    yield thread.logged("resolved", by="bot")
    yield from _survey(thread, 0.2)


def _hand_off(thread: Thread) -> Story:
    if thread.rng.random() < 0.3:
        thread.wait(20)
        yield thread.customer(thread.local(texts.WANTS_PERSON))
    thread.wait(1.5, 0.4)
    yield from thread.company(texts.BOT_HANDOFF[thread.person.language], "bot")
    thread.at += 500
    yield thread.logged("handed_off", team_id=thread.team)


# The people


def _take(thread: Thread, factor: float = 1.0) -> Story:
    """An agent takes the conversation from the queue and answers."""
    waited_from = thread.at
    begins, staff = rota.somebody_at_work(thread.at, thread.team)
    agent = thread.agent = thread.rng.choice(staff)
    median = thread.route.answer_s * factor * agent.pace * rota.busy_factor(begins, thread.team)
    answers = begins + delay(thread.rng, median, 0.85)
    thread.at = begins + int((answers - begins) * 0.55) if begins > waited_from else (waited_from + answers) // 2
    yield thread.logged("assigned", agent_id=agent.id, team_id=agent.team)
    thread.at = answers
    yield from _say(thread)


def _answer(thread: Thread) -> Story:
    """The agent who has the conversation answers; long after the shift a colleague does."""
    agent = thread.agent
    if agent is None or (agent not in rota.at_work(thread.at) and agent not in rota.at_work(thread.at - OVERTIME)):
        yield from _take(thread, 0.8)
        return
    thread.wait(thread.route.answer_s * 0.6 * agent.pace, 0.75)
    yield from _say(thread)


def _say(thread: Thread, text: str | None = None) -> Story:
    thread.answers += 1
    agent = thread.agent
    assert agent is not None
    words = text or thread.local(texts.AGENT_REPLIES)
    yield from thread.company(words, "agent", agent_id=agent.id, team_id=agent.team)


def _exchange(thread: Thread) -> Story:
    """First answer, then back and forth as often as the topic needs."""
    yield from _take(thread)
    more = thread.topic.exchanges - 1
    while thread.rng.random() < more / (more + 1):
        thread.wait(thread.route.customer_s)
        yield thread.customer(_follow_up(thread))
        yield from _answer(thread)
    if thread.rng.random() < 0.5:
        thread.mood = min(HAPPY, thread.mood + 1)


def _close(thread: Thread) -> Story:
    rng = thread.rng
    if rng.random() < 0.45:
        thread.wait(thread.route.customer_s)
        yield thread.customer(thread.local(texts.THANKS))
        yield from _answer(thread) if rng.random() < 0.5 else _closing_words(thread)
    if rng.random() < 0.1:
        thread.wait(20)
        yield thread.logged("noted", agent_id=_agent_id(thread), text=rng.choice(texts.NOTES).format(**thread.said))
    yield thread.logged("tagged", topic=thread.topic.id)
    if rng.random() < 0.08:
        thread.at += DAY
        yield thread.logged("resolved", by="auto")
    else:
        thread.wait(150)
        yield thread.logged("resolved", by="agent", agent_id=_agent_id(thread), team_id=thread.team)


def _closing_words(thread: Thread) -> Story:
    thread.wait(40)
    yield from _say(thread, texts.AGENT_CLOSING[thread.person.language])


def _survey(thread: Thread, pleased: float = 0.0) -> Story:
    rng = thread.rng
    if rng.random() > company.SURVEYED:
        return
    row = pick(rng, company.SURVEYS)
    fields = {
        "survey_id": f"survey-{thread.id}",
        "conversation_id": thread.id,
        "contact_id": thread.person.id,
        "kind": row.kind,
    }
    asked = thread.at + delay(rng, 90, 0.3)
    yield event(asked, "survey.sent", **fields)
    if rng.random() > row.answers:
        return
    mean = thread.topic.satisfaction + pleased + (-0.9, 0.05, 0.35)[thread.mood]
    share = min(1.0, max(0.0, (rng.gauss(mean, 0.95) - 1) / 4))
    lowest = 0 if row.kind == "nps" else 1
    score = round(lowest + share * (row.scale_max - lowest))
    comment = rng.choice(texts.SURVEY_COMMENTS[share > 0.6]) if rng.random() < 0.3 else None
    answered = asked + delay(rng, 900, 1.1)
    yield event(answered, "survey.answered", score=score, scale_max=row.scale_max, text=comment, **fields)


def _follow_up(thread: Thread) -> str:
    by_mood = texts.FOLLOW_UPS[thread.person.language]
    mood = ANGRY if thread.mood == ANGRY and thread.rng.random() < 0.5 else PLAIN
    return thread.rng.choice(by_mood[HAPPY if thread.mood == HAPPY else mood])


def _agent_id(thread: Thread) -> str | None:
    return thread.agent.id if thread.agent else None


# The courses


def _solved(world: World, thread: Thread) -> Story:
    yield from _exchange(thread)
    yield from _close(thread)
    yield from _survey(thread)


def _transferred(world: World, thread: Thread) -> Story:
    yield from _take(thread)
    thread.wait(60)
    thread.team = thread.rng.choice([team.id for team in company.TEAMS if team.id != thread.team])
    thread.agent = None
    yield thread.logged("queued", team_id=thread.team)
    yield from _exchange(thread)
    yield from _close(thread)
    yield from _survey(thread, -0.5)


def _reopened(world: World, thread: Thread) -> Story:
    yield from _exchange(thread)
    yield from _close(thread)
    thread.at += thread.rng.randrange(30 * MINUTE, 20 * HOUR)
    thread.mood = ANGRY
    yield thread.customer(thread.local(texts.NOT_SOLVED))
    yield thread.logged("reopened")
    yield from _answer(thread)
    yield from _close(thread)
    yield from _survey(thread, -0.7)


def _thanks(world: World, thread: Thread) -> Story:
    yield from _exchange(thread)
    thread.wait(90)
    yield thread.logged("tagged", topic=thread.topic.id)
    yield thread.logged("resolved", by="agent", agent_id=_agent_id(thread), team_id=thread.team)
    yield from _survey(thread, 0.3)
    thread.at += thread.rng.randrange(MINUTE, 40 * MINUTE)
    yield thread.customer(thread.local(texts.THANKS))
    thread.wait(200)
    yield thread.logged("resolved", by="agent", agent_id=_agent_id(thread), team_id=thread.team)


def _returns_later(world: World, thread: Thread) -> Story:
    yield from _solved(world, thread)
    later = thread.at + thread.rng.randrange(26 * HOUR, 6 * DAY)
    name = f"{thread.id.removeprefix('conv-')}-again"
    yield from conversation(world, thread.rng, later, name, thread.person, thread.route, course="solved")


def _snoozed(world: World, thread: Thread) -> Story:
    yield from _take(thread)
    thread.wait(30)
    yield thread.logged("snoozed", agent_id=_agent_id(thread))
    thread.at += thread.rng.randrange(20 * HOUR, 2 * DAY)
    yield thread.logged("unsnoozed")
    yield from _answer(thread)
    yield from _close(thread)
    yield from _survey(thread)


def _closed_without_reply(world: World, thread: Thread) -> Story:
    begins, staff = rota.somebody_at_work(thread.at, thread.team)
    agent = thread.agent = thread.rng.choice(staff)
    thread.at = begins + delay(thread.rng, 600)
    yield thread.logged("assigned", agent_id=agent.id, team_id=agent.team)
    thread.wait(60)
    yield thread.logged("resolved", by="agent", agent_id=agent.id, team_id=thread.team)


def _given_up(world: World, thread: Thread) -> Story:
    """Nobody answers, and a timer closes it."""
    thread.at += thread.rng.randrange(8 * HOUR, 30 * HOUR)
    yield thread.logged("resolved", by="auto")


def _left_open(world: World, thread: Thread) -> Story:
    """The company asked back, and the customer never answered: it expires."""
    yield from _take(thread)


def _merged(world: World, thread: Thread) -> Story:
    """Impatient, the customer writes on a second thread; an agent puts the two together."""
    twin = _thread(
        thread.rng,
        thread.at + 2 * MINUTE,
        f"{thread.id.removeprefix('conv-')}-twin",
        thread.person,
        thread.route,
        thread.topic,
        thread.mood,
    )
    yield twin.logged("opened", channel=twin.route.channel, contact_id=twin.person.id)
    yield twin.customer(thread.local(texts.NOT_SOLVED))
    thread.at = twin.at + MINUTE
    yield thread.logged("merged") | {"conversation_id": twin.id, "into": thread.id}
    yield from _solved(world, thread)


COURSES: dict[str, Callable[[World, Thread], Story]] = {
    "solved": _solved,
    "transferred": _transferred,
    "reopened": _reopened,
    "thanks": _thanks,
    "returns_later": _returns_later,
    "snoozed": _snoozed,
    "closed_without_reply": _closed_without_reply,
    "given_up": _given_up,
    "left_open": _left_open,
    "merged": _merged,
}
