/** Everything the page knows: the catalogue, the panels' answers, and the state of the live stream. */
import { batch, computed, effect, signal } from "@preact/signals";
import { ApiError, askCatalogue, askWorkspace, liveAddress } from "./api";
import { cellOf, isCell, patch, settle } from "./answers";
import { channelFilter } from "./channels";
import { listen, type Connection } from "./live";
import { panel, type Panel } from "./panel";
import { answerable, CHANNEL_METRICS, key } from "./questions";
import { HEADLINE_METRICS, TILES } from "./tiles";
import { channel, chosenZone, compares, range, workspaceZone } from "./url";
import type { Answer, Catalogue, Cell, Metric, Question, Row } from "./types";

interface Snapshot {
  question: Question;
  answer: Answer;
  catalogue: Catalogue;
  sample: boolean;
}

function inlined(): Snapshot | null {
  const text = document.getElementById("snapshot")?.textContent;
  return text ? (JSON.parse(text) as Snapshot | null) : null;
}

const first = inlined();
if (first) workspaceZone.value = first.answer.timezone;

/** The figures are those of the made-up company of `tickertape demo`. */
export const sampleData = first?.sample ?? false;

export const catalogue = signal<Catalogue | null>(first?.catalogue ?? null);
export const catalogueError = signal<ApiError | null>(null);

export async function loadCatalogue(): Promise<void> {
  try {
    catalogue.value = await askCatalogue();
    catalogueError.value = null;
  } catch (problem) {
    catalogueError.value = problem instanceof ApiError ? problem : new ApiError("the list of metrics could not be read");
  }
}

export const metricByName = computed(() => new Map<string, Metric>(catalogue.value?.metrics.map((m) => [m.name, m])));

/** The parameters that every panel shares: range, zone and filters. */
export const scope = computed<Question>(() => {
  const filter = channelFilter(channel.value);
  return {
    ...range.value.question,
    ...(chosenZone.value ? { timezone: chosenZone.value } : {}),
    ...(filter ? { channel: filter } : {}),
  };
});

function asking(metrics: readonly string[], more: () => Question): () => Question | null {
  return () => {
    const question = { ...scope.value, ...more() };
    const dimensions = [...("channel" in question ? ["channel"] : []), ...("by" in question ? [question.by!] : [])];
    const names = answerable(metrics, metricByName.value, dimensions);
    return names === null ? null : { metrics: names, ...question };
  };
}

const previously = (): Question => (compares.value ? { compare: "previous" } : {});
const againstBoth = (): Question => ({ compare: compares.value ? "previous,benchmark" : "benchmark" });

const headlineQuestion = computed(asking(HEADLINE_METRICS, againstBoth));

export const headline = panel(headlineQuestion, first ? { question: key(first.question), answer: first.answer } : undefined);
export const trends = panel(
  computed(asking(TILES.map((t) => t.metric), () => ({ interval: range.value.interval, ...previously() }))),
);
export const byHour = panel(
  computed(asking(["first_response_time"], () => ({ by: "hour_of_day", compare: "benchmark" }))),
);
export const failures = panel(computed(asking(["failed"], () => ({ by: "error_code", ...previously() }))));
export const byChannel = panel(
  computed(asking(CHANNEL_METRICS, () => ({ by: "channel", compare: "benchmark" }))),
);

/** Panels that follow the live stream at their own, slower pace. */
const followers: readonly Panel[] = [trends, byHour, failures, byChannel];

/** Whether the headline answer on screen belongs to the question now asked. */
export const headlineCurrent = computed(
  () => headlineQuestion.value !== null && headline.answered.value === key(headlineQuestion.value),
);

const cells = new Map<string, ReturnType<typeof computed<Cell | undefined>>>();

/** The headline cell of one metric; changes only when that cell does. */
export function headlineCell(metric: string) {
  let cell = cells.get(metric);
  if (!cell) cells.set(metric, (cell = computed(() => cellOf(headline.answer.value?.rows[0], metric))));
  return cell;
}

effect(() => {
  const answer = headline.answer.value;
  if (answer && !chosenZone.value) workspaceZone.value = answer.timezone;
});

// --- live -----------------------------------------------------------------------------------------------------------

export const paused = signal(false);
export const connection = signal<Connection>("connecting");
/** When something last came over the stream, ms. */
export const heardAt = signal<number | null>(null);
/** Since when the stream has been lost, ms. */
export const lostAt = signal<number | null>(null);
const visible = signal(!document.hidden);
document.addEventListener("visibilitychange", () => (visible.value = !document.hidden));

/** Figures that came live fade in from the accent colour; those that were asked for do not. */
export const liveChange = signal(false);
effect(() => {
  void headlineQuestion.value;
  liveChange.value = false;
});

const FOLLOW_MS = 8_000;
let following: ReturnType<typeof setTimeout> | undefined;

function follow(): void {
  following ??= setTimeout(() => {
    following = undefined;
    if (paused.peek() || document.hidden) return;
    for (const p of followers) void p.refresh();
  }, FOLLOW_MS);
}

export function refreshAll(): void {
  if (!catalogue.peek()) void loadCatalogue();
  for (const p of [headline, ...followers]) void p.refresh();
}

const liveQuestion = computed(() =>
  paused.value || !visible.value || range.value.ended || !headlineQuestion.value ? null : key(headlineQuestion.value),
);

export function startLive(): void {
  let before = false;
  let wasVisible = true;
  effect(() => {
    const text = liveQuestion.value;
    if (text === null) {
      wasVisible = false;
      return;
    }
    // Coming back from a hidden or paused page, what was missed has to be asked for.
    if (before && !wasVisible) refreshAll();
    before = true;
    wasVisible = true;
    connection.value = "connecting";
    return listen(liveAddress(Object.fromEntries(new URLSearchParams(text))), {
      snapshot(answer) {
        batch(() => {
          liveChange.value = headline.answered.peek() === text;
          if (!liveChange.peek() || Date.parse(answer.as_of) >= Date.parse(headline.answer.peek()!.as_of)) {
            headline.answer.value = settle(liveChange.peek() ? headline.answer.peek() : null, answer);
            headline.answered.value = text;
            headline.error.value = null;
          }
          heardAt.value = Date.now();
        });
      },
      update(update) {
        const answer = headline.answer.peek();
        if (!answer || headline.answered.peek() !== text) return;
        batch(() => {
          liveChange.value = true;
          headline.answer.value = patch(answer, update);
          headline.error.value = null;
          heardAt.value = Date.now();
        });
        follow();
      },
      connection(state) {
        batch(() => {
          connection.value = state;
          if (state === "live") {
            if (lostAt.peek() !== null) for (const p of followers) void p.refresh();
            lostAt.value = null;
            heardAt.value = Date.now();
          } else if (state === "reconnecting") {
            lostAt.value ??= Date.now();
          }
        });
      },
    });
  });
}

// --- a workspace without events -------------------------------------------------------------------------------------

/** No event was ever recorded, as opposed to none in this range. */
export const newWorkspace = signal(false);

const nothingHere = computed(() => {
  const row = headline.answer.value?.rows[0];
  return row !== undefined && headlineCurrent.value && !Object.values(row).some(hasData);
});

function hasData(value: Row[string]): boolean {
  return isCell(value) && Boolean(value.value || value.n || value.denominator);
}

effect(() => {
  if (!nothingHere.value) {
    newWorkspace.value = false;
    return;
  }
  // Without an answer the page goes on as one with an empty range, which is not wrong either.
  void askWorkspace().then(
    ({ empty }) => (newWorkspace.value = empty && nothingHere.peek()),
    () => undefined,
  );
});
