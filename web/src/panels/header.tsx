import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { CHIPS } from "../channels";
import { clock } from "../format";
import { Icon } from "../parts/marks";
import { say } from "../parts/say";
import { switchTheme, theme } from "../parts/theme";
import { Toolbar } from "../parts/toolbar";
import { RANGES, today } from "../ranges";
import { connection, heardAt, lostAt, paused } from "../store";
import { channel, chosenZone, choices, compares, go, range, workspaceZone, zone } from "../url";

const RANGE_OPTIONS = [...RANGES.map(({ id, label }) => ({ id: id as string, label })), { id: "custom", label: "Custom…" }];
const CHANNEL_OPTIONS = [{ id: "all", label: "All channels" }, ...CHIPS.map(({ id, label }) => ({ id, label }))];
const WEEK_MS = 7 * 86_400_000;

function chooseRange(id: string): void {
  if (id !== "custom") return go({ range: id, from: undefined, to: undefined });
  const now = Date.now();
  const { from, to } = choices.value;
  go({ range: id, from: from ?? today(zone.value, new Date(now - WEEK_MS)), to: to ?? today(zone.value, new Date(now)) });
}

export function Header() {
  return (
    <header class="top">
      <div class="bar">
        <h1>Overview</h1>
        <select
          class="select phones"
          aria-label="Time range, short"
          value={range.value.id}
          onChange={(event) => chooseRange(event.currentTarget.value)}
        >
          {RANGE_OPTIONS.map(({ id, label }) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </select>
        <div class="not-phones">
          <Toolbar
            label="Time range"
            name="range"
            look="segments"
            options={RANGE_OPTIONS}
            chosen={range.value.id}
            choose={chooseRange}
          />
        </div>
        <button
          class="switch not-phones"
          role="switch"
          aria-checked={compares.value}
          onClick={() => go({ compare: compares.value ? "off" : undefined })}
        >
          <i />
          Compare with {range.value.previous}
        </button>
        <span class="space" />
        <LivePill />
        <button
          class="button ghost square"
          aria-label={`Switch to ${theme.value === "dark" ? "light" : "dark"} theme`}
          onClick={switchTheme}
        >
          <Icon name={theme.value === "dark" ? "sun" : "moon"} />
        </button>
      </div>
      {range.value.id === "custom" && <CustomRange />}
      <div class="bar filters">
        <Toolbar
          label="Channel"
          name="channel"
          look="chips"
          options={CHANNEL_OPTIONS}
          chosen={channel.value}
          choose={(id) => go({ channel: id === "all" ? undefined : id })}
        />
        <span class="space" />
        <ZoneChoice />
      </div>
    </header>
  );
}

function CustomRange() {
  const { from = "", to = "" } = choices.value;
  const wrong = useSignal(false);
  const apply = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const first = String(form.get("from"));
    const last = String(form.get("to"));
    wrong.value = first > last;
    if (!wrong.value) go({ range: "custom", from: first, to: last });
  };
  return (
    <form class="bar dates" onSubmit={apply}>
      <label>
        From <input type="date" name="from" required key={from} defaultValue={from} />
      </label>
      <label>
        to <input type="date" name="to" required key={to} defaultValue={to} />
      </label>
      <button class="button">Apply</button>
      {wrong.value && (
        <span class="bad" role="alert">
          The first day is after the last one.
        </span>
      )}
    </form>
  );
}

const BROWSER_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

function ZoneChoice() {
  const zones = [...new Set([workspaceZone.value, BROWSER_ZONE, "UTC", zone.value])];
  return (
    <select
      class="select not-phones"
      aria-label="Time zone"
      value={zone.value}
      onChange={(event) => {
        const name = event.currentTarget.value;
        go({ tz: name === workspaceZone.value && !chosenZone.value ? undefined : name });
      }}
    >
      {zones.map((name) => (
        <option key={name} value={name}>
          {name.replaceAll("_", " ")}
        </option>
      ))}
    </select>
  );
}

/** Lost for longer than this is said as "Offline since". */
const OFFLINE_MS = 20_000;

type PillState = "live" | "paused" | "connecting" | "reconnecting" | "offline" | "ended";

function pillState(now: number): PillState {
  if (range.value.ended) return "ended";
  if (paused.value) return "paused";
  if (lostAt.value !== null) {
    return now - lostAt.value > OFFLINE_MS || !navigator.onLine ? "offline" : "reconnecting";
  }
  return connection.value === "live" ? "live" : "connecting";
}

const PILL_WORDS: Record<PillState, string> = {
  live: "Live",
  paused: "Paused",
  connecting: "Connecting",
  reconnecting: "Reconnecting",
  offline: "Offline",
  ended: "Not live",
};

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 60 ? `${seconds} s ago` : `${Math.floor(seconds / 60)} m ago`;
}

function LivePill() {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const state = pillState(now.value);
  useEffect(() => {
    if (state === "offline" || state === "reconnecting") say(`Live updates: ${PILL_WORDS[state]}`);
  }, [state]);
  const detail =
    state === "offline" && lostAt.value !== null
      ? `since ${clock(new Date(lostAt.value), zone.value)}`
      : state === "live" && heardAt.value !== null
        ? ago(now.value - heardAt.value)
        : state === "ended"
          ? "ended range"
          : "";
  const toggle = (): void => {
    paused.value = !paused.value;
    say(paused.value ? "Live updates paused" : "Live updates on");
  };
  return (
    <button
      class="live"
      data-state={state}
      aria-pressed={paused.value}
      title={paused.value ? "Resume live updates" : "Pause live updates"}
      disabled={state === "ended"}
      onClick={toggle}
    >
      <span class="dot" />
      <span class="words">{PILL_WORDS[state]}</span>
      <span class="detail not-phones" aria-hidden={state === "live"}>
        {detail}
      </span>
    </button>
  );
}
