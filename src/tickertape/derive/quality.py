"""The quality score of one episode (metrics/service.md section 7)."""

import math
from collections.abc import Mapping

from tickertape.derive.rules import rules_for
from tickertape.derive.timeline import Duration, Episode, Quality, Survey
from tickertape.settings import Settings

LEAST_COVERAGE = 0.5
HALF_LIFE_MESSAGES = 3
RESOLVED, REOPENED, CLOSED, FAILED = 1.0, 0.6, 0.3, 0.0
ENDED = ("resolved", "no_reply", "expired")


def assess(episode: Episode, settings: Settings) -> Quality | None:
    """The score of an ended episode with its repeat contact, surveys and texts known; None while it is open."""
    if episode.outcome not in ENDED:
        return None
    parts = {
        "S": sentiment_part(episode.sentiments),
        "R": resolution_part(episode),
        "W": waiting_part(episode, settings),
        "E": episode.effort_points,
        "V": survey_part(episode.surveys),
    }
    weights = settings.quality_weights
    weighted = {name: (getattr(weights, name), value) for name, value in parts.items() if value is not None}
    return weigh(weighted)


def weigh(parts: Mapping[str, tuple[float, float]]) -> Quality:
    """Puts together parts given as name -> (weight, value 0..1): the score, and the points that add up to it."""
    # Rounded, so that weights such as .3 + .1 + .1 cannot miss a limit by the last bit.
    coverage = round(sum(weight for weight, _ in parts.values()), 9)
    if coverage < LEAST_COVERAGE:
        return Quality(score=None, coverage=coverage, parts={})
    exact = {name: 100 * weight * value / coverage for name, (weight, value) in parts.items()}
    return Quality(score=round(sum(exact.values()), 4), coverage=coverage, parts=largest_remainder(exact))


def largest_remainder(exact: Mapping[str, float]) -> dict[str, float]:
    """Rounds to tenths so that the results add up to the rounded total: the largest remainders get the spare tenths."""
    tenths = {name: round(10 * value, 6) for name, value in exact.items()}
    whole = {name: math.floor(value) for name, value in tenths.items()}
    spare = math.floor(round(sum(tenths.values()), 6) + 0.5) - sum(whole.values())
    for name in sorted(tenths, key=lambda name: whole[name] - tenths[name])[:spare]:
        whole[name] += 1
    return {name: value / 10 for name, value in whole.items()}


def sentiment_part(scores: list[float]) -> float | None:
    """The customer's messages, the last weighing most."""
    if not scores:
        return None
    last = len(scores) - 1
    weights = [2 ** ((position - last) / HALF_LIFE_MESSAGES) for position in range(len(scores))]
    mean = sum(weight * score for weight, score in zip(weights, scores, strict=True)) / sum(weights)
    return _clamp((mean + 1) / 2)


def resolution_part(episode: Episode) -> float:
    if episode.failed_by_repeat_at is not None:
        return FAILED
    if episode.outcome == "resolved":
        return REOPENED if episode.reopens_substantive else RESOLVED
    if episode.outcome == "no_reply":
        return CLOSED if episode.resolved_by == "agent" else FAILED
    return CLOSED if episode.human_replies or episode.bot_replies else FAILED


def waiting_part(episode: Episode, settings: Settings) -> float | None:
    """The mean over answered waits, and those left unanswered over target, by the target's own clock."""
    targets = rules_for(settings).on(episode.channel)
    if targets.response is None:
        return None
    values = []
    for duration in episode.durations:
        elapsed = _elapsed(duration, targets.by_business_time)
        if elapsed is None:
            continue
        if duration.kind == "response":
            values.append(1 - _clamp(math.log2(elapsed / targets.response) / 3) if elapsed else 1.0)
        elif duration.kind == "unanswered" and elapsed > targets.response and not _is_courtesy(duration, episode):
            values.append(0.0)
    return sum(values) / len(values) if values else None


def survey_part(surveys: list[Survey]) -> float | None:
    """The latest answer on a scale of 0..1."""
    answered = [survey for survey in surveys if survey.answered_at is not None and survey.score is not None]
    if not answered:
        return None
    return survey_value(max(answered, key=lambda survey: (survey.answered_at, survey.survey_id)))


def survey_value(survey: Survey) -> float | None:
    """An answer as 0..1: NPS scales start at 0, CSAT and CES scales at 1. None without an answer."""
    if survey.score is None or survey.scale_max is None:
        return None
    lowest = 0 if survey.kind == "nps" else 1
    return _clamp((survey.score - lowest) / (survey.scale_max - lowest)) if survey.scale_max > lowest else None


def _elapsed(duration: Duration, by_business_time: bool) -> int | None:
    if duration.ended_at is None:
        return None
    if by_business_time and duration.business_ms is not None:
        return duration.business_ms
    return duration.ended_at - duration.started_at


def _is_courtesy(duration: Duration, episode: Episode) -> bool:
    return duration.started_at in episode.courtesy_waits


def _clamp(value: float) -> float:
    return min(1.0, max(0.0, value))
