"""One struct per event type, with the type and limits of every field."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from tickertape.addresses import AddressKind
from tickertape.explain import CURRENCY_PATTERN

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Short = Annotated[str, Meta(max_length=512)]
AddressText = Annotated[str, Meta(min_length=1, max_length=512)]
Url = Annotated[str, Meta(max_length=4096)]
Text = Annotated[str, Meta(max_length=65536)]
Moment = Annotated[datetime, Meta(tz=True)]
Currency = Annotated[str, Meta(min_length=3, max_length=3, pattern=CURRENCY_PATTERN)]
AttrName = Annotated[str, Meta(min_length=1, max_length=100)]
AttrValue = Annotated[str, Meta(max_length=1024)] | float | bool | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]

Channel = Literal[
    "sms", "mms", "rcs", "whatsapp", "email", "webchat", "push", "in_app",
    "messenger", "instagram", "telegram", "other",
]  # fmt: skip
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


class Event(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="type", gc=False):
    """What every event carries. `id` is unique within the source; left out, it is derived from the content."""

    at: Moment
    id: Id | None = None
    channel: Channel | None = None
    contact_id: Id | None = None
    address: AddressText | None = None
    address_kind: AddressKind | None = None
    message_id: Id | None = None
    conversation_id: Id | None = None
    campaign_id: Id | None = None
    template_id: Id | None = None
    variant: Short | None = None
    agent_id: Id | None = None
    team_id: Id | None = None
    attrs: Annotated[dict[AttrName, AttrValue], Meta(max_length=64)] | None = None


class MessageEvent(Event):
    message_id: Id


class MessageSent(MessageEvent, tag="message.sent"):
    channel: Channel
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
    segments: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None


class MessageReceived(MessageEvent, tag="message.received"):
    channel: Channel
    sender: Short | None = None
    text: Text | None = None
    reply_to: Id | None = None
    auto_reply: bool = False
    opt_out: bool = False


class ConversationEvent(Event):
    conversation_id: Id


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
    agent_id: Id
    status: Literal["online", "away", "offline"]
    device: Short | None = None


class ContactUpdated(Event, tag="contact.updated"):
    contact_id: Id
    timezone: Short | None = None
    addresses: Annotated[list[AddressText], Meta(max_length=100)] | None = None


class ConsentEvent(Event):
    """Needs a contact: contact_id or address."""

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


AnyEvent = (
    MessageSent
    | MessageDelivered
    | MessageFailed
    | MessageRead
    | MessageClicked
    | MessageReacted
    | MessageQueued
    | MessageDeferred
    | MessageBilled
    | MessageReceived
    | ConversationOpened
    | ConversationQueued
    | ConversationAssigned
    | ConversationHandedOff
    | ConversationResolved
    | ConversationReopened
    | ConversationSnoozed
    | ConversationUnsnoozed
    | ConversationMerged
    | ConversationTagged
    | ConversationNoted
    | SurveySent
    | SurveyAnswered
    | AgentStatus
    | ContactUpdated
    | ContactPrompted
    | ContactOptedIn
    | ContactOptedOut
    | ContactComplained
    | AppUninstalled
    | AppFeatureUsed
    | ConversionRecorded
    | ConversionRefunded
    | ExperimentAssigned
)
EVENT_TYPES: dict[str, type[Event]] = {str(cls.__struct_config__.tag): cls for cls in get_args(AnyEvent)}
