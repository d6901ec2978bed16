"""Stories of money: what people buy, and what they send back."""

from random import Random

from tickertape.demo import company
from tickertape.demo.chance import delay, pick
from tickertape.demo.company import DAY
from tickertape.demo.people import Person
from tickertape.demo.world import Story, event


def purchase(rng: Random, at: int, name: str, person: Person) -> Story:
    """One order in the customer's currency, refunded in whole or in part at times."""
    conversion_id = f"order-{name}"
    items = [pick(rng, company.PRODUCTS) for _ in range(rng.choice((1, 1, 1, 2, 2, 3)))]
    total = round(sum(item.price for item in items), 2)
    yield event(
        at,
        "conversion.recorded",
        conversion_id=conversion_id,
        kind="purchase",
        contact_id=person.id,
        value=total,
        currency=person.country.currency,
        attrs={"items": len(items), "product": items[0].name},
    )
    if rng.random() < company.REFUNDED:
        yield event(
            at + DAY + delay(rng, 2 * 86_400, 0.6),
            "conversion.refunded",
            conversion_id=conversion_id,
            refund_id=f"refund-{name}",
            value=items[0].price if len(items) > 1 else None,
            currency=person.country.currency,
        )
