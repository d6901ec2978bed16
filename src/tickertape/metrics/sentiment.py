"""Sentiment: how customers feel about it."""

from tickertape.metrics.kinds import Count, Mean, Metric, Ratio, Term

ROWS: tuple[Metric, ...] = (
    Mean(
        name="sentiment",
        title="Sentiment",
        description="How customers' messages sound, from −1 to 1.",
        formula="mean of the scores of customer messages",
        good="up",
        advice="Break down by topic and read the lowest conversations.",
        mean=Term("customer message", "mean", "assumeNotNull(sentiment)"),
    ),
    Ratio(
        name="negative_share",
        title="Negative share",
        description="Share of the scored customer messages that are negative.",
        formula="customer messages scoring <= −0.25 / customer messages scored",
        good="down",
        advice="A sudden rise is an incident: look at the latest ones before answering one by one.",
        # The scores are stored as 32-bit floats; compared as such, −0.25 is exact.
        numerator=Term("customer message", condition="sentiment <= toFloat32(-0.25)"),
        denominator=Term("customer message"),
    ),
    Count(
        name="frustrated_episodes",
        title="Frustrated episodes",
        description="Needs in which the customer was angry twice, asked the same again, or asked for a person in vain.",
        formula="episodes with two messages <= −0.5, a repeated question, or a request for a person that no human"
        " answered in 10 minutes",
        good="down",
        advice="Take these over by hand, the most valuable customers first.",
        count=Term("frustrated episode"),
    ),
    Mean(
        name="quality_of_experience",
        title="Quality of experience",
        description="One score from 0 to 100 per ended need: sentiment, resolution, waiting, effort and survey.",
        formula="mean of 100 × Σ(weight × part) / Σ weight over the parts that exist; needs half of the weight",
        good="up",
        advice="Open the conversations under 40 and see which part is low: that part is what to work on.",
        mean=Term("ended episode", "mean", "assumeNotNull(quality)", "quality IS NOT NULL"),
    ),
)
