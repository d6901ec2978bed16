"""The canonical events: every type and field a source may report (the public event contract).

One struct per event type, decoded and validated by msgspec in one pass. Times are timezone-aware on the
way in; everything behind ingest uses `at_ms`, milliseconds since the epoch in UTC.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Union, get_args

import msgspec
from msgspec import Meta, Struct

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Short = Annotated[str, Meta(max_length=512)]
Url = Annotated[str, Meta(max_length=4096)]
Text = Annotated[str, Meta(max_length=65536)]
Moment = Annotated[datetime, Meta(tz=True)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
AttrValue = str | float | bool | int

Channel = Literal[
    "sms", "mms", "rcs", "whatsapp", "email", "webchat", "push", "in_app",
    "messenger", "instagram", "telegram", "other",
]  # fmt: skip
AddressKind = Literal["e164", "email", "handle", "user_id", "token"]
Author = Literal["customer", "agent", "bot", "auto", "campaign", "system"]
Purpose = Literal["marketing", "service", "authentication"]
Actor = Literal["human", "machine", "suspect"]
FailureReason = Literal[
    "invalid_address", "unreachable", "carrier_filter", "policy", "opt_out", "provider", "rate_limit", "unknown",
]  # fmt: skip
ConsentMethod = Literal["keyword", "phrase", "form", "link", "provider", "manual", "import"]
ResolvedBy = Literal["agent", "bot", "customer", "auto"]
SurveyKind = Literal["csat", "nps", "ces"]
CHANNELS: tuple[str, ...] = get_args(Channel)


class Event(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="type"):
    """What every event carries. `id` is unique within the source; left out, it is derived from the content."""

    at: Moment
    id: Id | None = None
    channel: Channel | None = None
    contact_id: Id | None = None
    address: Short | None = None
    address_kind: AddressKind | None = None
    message_id: Id | None = None
    conversation_id: Id | None = None
    campaign_id: Id | None = None
    template_id: Id | None = None
    variant: Short | None = None
    agent_id: Id | None = None
    team_id: Id | None = None
    attrs: Annotated[dict[Annotated[str, Meta(max_length=100)], AttrValue], Meta(max_length=64)] | None = None


class MessageEvent(Event):
    message_id: Id  # type: ignore[misc]


class MessageSent(MessageEvent, tag="message.sent"):
    channel: Channel  # type: ignore[misc]
    author: Author | None = None
    purpose: Purpose | None = None
    text: Text | None = None
    sender: Short | None = None
    carrier: Short | None = None
    country: Short | None = None
    cost: Decimal | None = None
    currency: Currency | None = None
    retry_of: Id | None = None
    tracked: bool = True
    test: bool = False


class MessageDelivered(MessageEvent, tag="message.delivered"):
    carrier: Short | None = None
    cost: Decimal | None = None
    currency: Currency | None = None


class MessageFailed(MessageEvent, tag="message.failed"):
    error_code: Short | None = None
    reason: FailureReason | None = None
    permanent: bool = False


class MessageRead(MessageEvent, tag="message.read"):
    user_agent: Url | None = None
    ip: Short | None = None
    actor: Actor | None = None


class MessageClicked(MessageEvent, tag="message.clicked"):
    url: Url | None = None
    link_id: Id | None = None
    user_agent: Url | None = None
    ip: Short | None = None
    method: Short | None = None
    actor: Actor | None = None


class MessageReacted(MessageEvent, tag="message.reacted"):
    reaction: Short | None = None


class MessageQueued(MessageEvent, tag="message.queued"):
    pass


class MessageDeferred(MessageEvent, tag="message.deferred"):
    pass


class MessageBilled(MessageEvent, tag="message.billed"):
    cost: Decimal | None = None
    currency: Currency | None = None
    segments: Annotated[int, Meta(ge=0)] | None = None


class MessageReceived(MessageEvent, tag="message.received"):
    channel: Channel  # type: ignore[misc]
    sender: Short | None = None
    text: Text | None = None
    reply_to: Id | None = None
    auto_reply: bool = False
    opt_out: bool = False


class ConversationEvent(Event):
    conversation_id: Id  # type: ignore[misc]


class ConversationOpened(ConversationEvent, tag="conversation.opened"):
    pass


class ConversationQueued(ConversationEvent, tag="conversation.queued"):
    pass


class ConversationAssigned(ConversationEvent, tag="conversation.assigned"):
    pass


class ConversationHandedOff(ConversationEvent, tag="conversation.handed_off"):
    pass


class ConversationResolved(ConversationEvent, tag="conversation.resolved"):
    by: ResolvedBy | None = None


class ConversationReopened(ConversationEvent, tag="conversation.reopened"):
    pass


class ConversationSnoozed(ConversationEvent, tag="conversation.snoozed"):
    pass


class ConversationUnsnoozed(ConversationEvent, tag="conversation.unsnoozed"):
    pass


class ConversationMerged(ConversationEvent, tag="conversation.merged"):
    into: Id


class ConversationTagged(ConversationEvent, tag="conversation.tagged"):
    topic: Short | None = None


class ConversationNoted(ConversationEvent, tag="conversation.noted"):
    text: Text | None = None


class SurveyEvent(Event):
    survey_id: Id
    kind: SurveyKind | None = None
    score: float | None = None
    scale_max: Annotated[float, Meta(gt=1)] | None = None
    text: Text | None = None


class SurveySent(SurveyEvent, tag="survey.sent"):
    pass


class SurveyAnswered(SurveyEvent, tag="survey.answered"):
    pass


class AgentStatus(Event, tag="agent.status"):
    agent_id: Id  # type: ignore[misc]
    status: Literal["online", "away", "offline"]
    device: Short | None = None


class ContactUpdated(Event, tag="contact.updated"):
    contact_id: Id  # type: ignore[misc]
    timezone: Short | None = None
    addresses: Annotated[list[Short], Meta(max_length=100)] | None = None


class ConsentEvent(Event):
    """Needs a contact: contact_id or address (checked after decoding)."""

    method: ConsentMethod | None = None
    confirmed: bool | None = None
    scope: Literal["all", "channel", "sender"] | None = None
    sender: Short | None = None
    text: Text | None = None


class ContactPrompted(ConsentEvent, tag="contact.prompted"):
    pass


class ContactOptedIn(ConsentEvent, tag="contact.opted_in"):
    pass


class ContactOptedOut(ConsentEvent, tag="contact.opted_out"):
    pass


class ContactComplained(ConsentEvent, tag="contact.complained"):
    pass


class AppEvent(Event):
    feature: Short | None = None


class AppUninstalled(AppEvent, tag="app.uninstalled"):
    pass


class AppFeatureUsed(AppEvent, tag="app.feature_used"):
    pass


class ConversionRecorded(Event, tag="conversion.recorded"):
    conversion_id: Id
    kind: Short | None = None
    value: Decimal | None = None
    currency: Currency | None = None


class ConversionRefunded(Event, tag="conversion.refunded"):
    conversion_id: Id
    refund_id: Id | None = None
    value: Decimal | None = None
    currency: Currency | None = None


class ExperimentAssigned(Event, tag="experiment.assigned"):
    experiment_id: Id
    arm: Literal["treatment", "control"]
    planned_control: Annotated[float, Meta(gt=0, lt=1)] | None = None


AnyEvent = Union[
    MessageSent, MessageDelivered, MessageFailed, MessageRead, MessageClicked, MessageReacted, MessageQueued,
    MessageDeferred, MessageBilled, MessageReceived, ConversationOpened, ConversationQueued, ConversationAssigned,
    ConversationHandedOff, ConversationResolved, ConversationReopened, ConversationSnoozed, ConversationUnsnoozed,
    ConversationMerged, ConversationTagged, ConversationNoted, SurveySent, SurveyAnswered, AgentStatus,
    ContactUpdated, ContactPrompted, ContactOptedIn, ContactOptedOut, ContactComplained, AppUninstalled,
    AppFeatureUsed, ConversionRecorded, ConversionRefunded, ExperimentAssigned,
]  # fmt: skip
EVENT_TYPES: dict[str, type[Event]] = {str(cls.__struct_config__.tag): cls for cls in get_args(AnyEvent)}
