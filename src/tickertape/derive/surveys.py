"""Survey events → one response per survey."""

import bisect
from collections.abc import Sequence

from tickertape.derive.timeline import Entry, Episode, Survey

ANSWERED = "survey.answered"
SENT = "survey.sent"
SCALE_MAX = {"csat": 5.0, "nps": 10.0, "ces": 7.0}


def fold_surveys(events: Sequence[tuple[Entry, str | None]], episodes: Sequence[Episode], edit_ms: int) -> list[Survey]:
    """The conversation's surveys in order of `sent_at`, each put into its episode too.

    `events` are survey entries in order, each with the team that the conversation had then; `episodes` are in order
    of `opened_at`. A survey belongs to the latest episode opened before it was sent; it may belong to none.
    """
    by_survey: dict[str, list[tuple[Entry, str | None]]] = {}
    for entry, team in events:
        by_survey.setdefault(entry.survey_id or entry.id, []).append((entry, team))
    openings = [episode.opened_at for episode in episodes]
    surveys = []
    for survey_id, told in by_survey.items():
        survey = _survey(survey_id, told, edit_ms)
        position = bisect.bisect_right(openings, survey.sent_at)
        if position:
            _attach(survey, episodes[position - 1], [entry for entry, _ in told])
        surveys.append(survey)
    return sorted(surveys, key=lambda survey: (survey.sent_at, survey.survey_id))


def _survey(survey_id: str, told: list[tuple[Entry, str | None]], edit_ms: int) -> Survey:
    entries = [entry for entry, _ in told]
    sent = next((entry for entry in entries if entry.kind == SENT), entries[0])
    # An answer without a score is a comment on one: it neither dates nor erases the score.
    answers = [entry for entry in entries if entry.kind == ANSWERED and entry.score is not None]
    counted = [answer for answer in answers if answer.at <= answers[0].at + edit_ms][-1:]
    kind = next((entry.survey_kind for entry in entries if entry.survey_kind), "csat")
    scale_max = next((entry.scale_max for entry in counted + entries if entry.scale_max), SCALE_MAX.get(kind))
    return Survey(
        survey_id=survey_id,
        kind=kind,
        sent_at=sent.at,
        answered_at=answers[0].at if answers else None,
        score=counted[0].score if counted else None,
        scale_max=scale_max,
        team=next((entry.team or team for entry, team in told if entry.team or team), None),
        channel=next((entry.channel for entry in entries if entry.channel), None),
        contact=next((entry.contact for entry in entries if entry.contact), None),
    )


def _attach(survey: Survey, episode: Episode, entries: list[Entry]) -> None:
    survey.episode_opened_at = episode.opened_at
    survey.agent = episode.last_agent
    survey.team = survey.team or episode.team
    survey.channel = episode.channel or survey.channel
    survey.contact = survey.contact or episode.contact
    episode.surveys.append(survey)
    episode.last_at = max(episode.last_at, entries[-1].at)
