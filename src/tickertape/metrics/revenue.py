"""Revenue: what people bought, and which messages earned it."""

from tickertape.metrics.delivery import COST, DELIVERED
from tickertape.metrics.kinds import Count, Metric, Money, MoneyPer, Quotient, Ratio, Term, days
from tickertape.settings import Settings

_CONVERSIONS = Term("credit", "distinct", "hash", "sale")
_GROSS = Term("credit", "sum", "amount", "sale")
_REFUNDED = Term("credit", "sum", "amount", "NOT sale")


def _attribution(settings: Settings) -> int:
    """The longest time after which a message may still earn a conversion."""
    rules = settings.attribution
    return max(days(rules.click_days), days(max(rules.push_click_hours, rules.reply_hours, rules.view_hours) / 24))


def _net(name: str, condition: str) -> Money:
    """Net revenue of a part of the conversions; a part of other rows, not a row itself."""
    return Money(
        name=name,
        title="",
        description="",
        formula="",
        good="up",
        advice="",
        plus=Term("credit", "sum", "amount", f"sale AND {condition}"),
        minus=Term("credit", "sum", "amount", f"NOT sale AND {condition}"),
        members=Term("credit", "distinct", "hash", f"sale AND {condition}"),
    )


REVENUE = Money(
    name="revenue",
    title="Revenue",
    description="Net revenue: what was bought, less what was refunded. n: conversions with an exchange rate.",
    formula="gross revenue − refunds",
    good="up",
    advice="Compare campaigns by revenue per message, and prove the gain with a holdout.",
    plus=_GROSS,
    minus=_REFUNDED,
    members=_CONVERSIONS,
)

ROWS: tuple[Metric, ...] = (
    Count(
        name="conversions",
        title="Conversions",
        description="Purchases, bookings, signups and other goals. With a filter by message: those a message earned.",
        formula="distinct conversions",
        good="up",
        advice="Follow the funnel to the step that loses most people.",
        count=_CONVERSIONS,
    ),
    Ratio(
        name="conversion_rate",
        title="Conversion rate",
        description="Share of delivered messages that earned at least one conversion.",
        formula="delivered messages with at least one credited conversion / delivered",
        good="up",
        advice="Shorten the way from the link to the checkout; send to those who clicked and did not buy.",
        numerator=Term("message", condition="delivered AND converted"),
        denominator=DELIVERED,
        window=_attribution,
        youngest=Term("message", "latest", "origin_ms", "delivered"),
    ),
    REVENUE,
    Money(
        name="gross_revenue",
        title="Gross revenue",
        description="The value of conversions before refunds.",
        formula="sum of the values at conversion",
        good="up",
        advice="Decide by net revenue.",
        plus=_GROSS,
        members=_CONVERSIONS,
    ),
    Money(
        name="refunds",
        title="Refunds",
        description="What was paid back. Follows the credit, the send time and the exchange rate of its conversion.",
        formula="sum of refunded values",
        good="down",
        advice="A campaign with many refunds promises what the product does not keep.",
        plus=_REFUNDED,
        members=Term("credit", "distinct", "hash", "NOT sale"),
    ),
    MoneyPer(
        name="average_order_value",
        title="Average order value",
        description="Net revenue per conversion; orders, not customers.",
        formula="revenue / conversions with an exchange rate",
        good="up",
        advice="Offer bundles and free shipping just above it.",
        money=REVENUE,
    ),
    MoneyPer(
        name="revenue_per_message",
        title="Revenue per message",
        description="Net revenue that messages earned, per delivered message.",
        formula="credited revenue / delivered",
        good="up",
        advice="The figure to compare campaigns and segments by.",
        money=_net("credited_revenue", "attributed"),
        per=DELIVERED,
    ),
    MoneyPer(
        name="revenue_per_click",
        title="Revenue per click",
        description="Net revenue of conversions earned by a click, per message that a person clicked.",
        formula="revenue of click-credited conversions / human-clicked messages",
        good="up",
        advice="Low with many clicks: the page behind the link loses people.",
        money=_net("click_revenue", "c_touch = 'click'"),
        per=Term("message", condition="clicked"),
    ),
    MoneyPer(
        name="cost_per_conversion",
        title="Cost per conversion",
        description="What messages cost for each conversion.",
        formula="cost / conversions",
        good="down",
        advice="Leave out contacts that have not engaged for 90 days first.",
        money=COST,
        per=_CONVERSIONS,
    ),
    Quotient(
        name="return_on_spend",
        title="Return on spend",
        description="Net revenue for each unit of money spent on messages.",
        formula="revenue / cost",
        good="up",
        advice="Prove it with a holdout: part of it would have been bought anyway.",
        dividend=REVENUE,
        divisor=COST,
    ),
)
