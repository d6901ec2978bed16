/** The address is the state: every choice that changes what is shown is a parameter, so back works and links open the same view. */
import { computed, signal } from "@preact/signals";
import { DEFAULT_RANGE, rangeOf } from "./ranges";

export const PARAMETERS = ["range", "from", "to", "tz", "compare", "channel", "theme", "metric", "by"] as const;
export type Parameter = (typeof PARAMETERS)[number];
export type Choices = Partial<Record<Parameter, string>>;

/** Values that need not be written into the address. */
const DEFAULTS: Choices = { range: DEFAULT_RANGE, compare: "on", channel: "all" };

export function parse(search: string): Choices {
  const given = new URLSearchParams(search);
  const choices: Choices = {};
  for (const name of PARAMETERS) {
    const value = given.get(name);
    if (value) choices[name] = value;
  }
  return choices;
}

export function write(choices: Choices): string {
  const search = new URLSearchParams();
  for (const name of PARAMETERS) {
    const value = choices[name];
    if (value && value !== DEFAULTS[name]) search.set(name, value);
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}

// Read at once: a question asked before the address is known would be asked twice.
export const choices = signal<Choices>(parse(location.search));

addEventListener("popstate", () => (choices.value = parse(location.search)));

/** Change choices; an empty value removes one. `replace` is for changes that back should not undo one by one. */
export function go(change: { [K in Parameter]?: string | undefined }, replace = false): void {
  const next: Choices = { ...choices.value };
  for (const name of PARAMETERS) {
    if (!(name in change)) continue;
    const value = change[name];
    if (value) next[name] = value;
    else delete next[name];
  }
  const address = location.pathname + write(next) + location.hash;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  choices.value = next;
}

/** The zone that the server answered in; until then the browser's own. */
export const workspaceZone = signal(Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const chosenZone = computed(() => {
  const zone = choices.value.tz;
  return zone && isZone(zone) ? zone : undefined;
});
export const zone = computed(() => chosenZone.value ?? workspaceZone.value);
export const compares = computed(() => choices.value.compare !== "off");
export const channel = computed(() => choices.value.channel ?? "all");

// A clock that only moves at midnight would leave "today" stale in a page left open: it is read again each minute.
export const minute = signal(Date.now());
setInterval(() => (minute.value = Date.now()), 60_000);

export const range = computed(() => {
  const { range: id = DEFAULT_RANGE, from = "", to = "" } = choices.value;
  return rangeOf(id, from, to, zone.value, new Date(minute.value));
});
