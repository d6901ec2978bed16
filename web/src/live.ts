/**
 * Live updates: one stream per browser and question, whatever the number of tabs.
 *
 * A browser opens only six HTTP/1.1 connections to one origin, and a seventh tab would hang without a word. So the tab
 * that holds a Web Lock reads the stream and passes each event on by BroadcastChannel; when it is closed, hidden or
 * paused the lock goes to the next visible tab. Where Web Locks are missing (plain HTTP to another machine) each
 * visible tab reads its own.
 */
import type { Answer, Update } from "./types";

export type Connection = "connecting" | "live" | "reconnecting";

export interface Listener {
  snapshot(answer: Answer): void;
  update(update: Update): void;
  connection(state: Connection): void;
}

type Message =
  | { address: string; kind: "hello" }
  | { address: string; kind: "snapshot"; data: Answer }
  | { address: string; kind: "update"; data: Update }
  | { address: string; kind: "connection"; data: Connection };

const NAME = "tickertape-live";
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

/** Listen to a live address until the returned function is called. */
export function listen(address: string, listener: Listener): () => void {
  const stop = new AbortController();
  const tabs = new BroadcastChannel(NAME);
  let leading = false;
  let connection: Connection = "connecting";
  let latest: Answer | null = null;

  const hear = (message: Message): void => {
    if (message.kind === "snapshot") listener.snapshot(message.data);
    else if (message.kind === "update") listener.update(message.data);
    else if (message.kind === "connection") listener.connection(message.data);
  };
  const tell = (message: Message): void => {
    hear(message);
    tabs.postMessage(message);
  };
  const become = (state: Connection): void => {
    connection = state;
    tell({ address, kind: "connection", data: state });
  };

  tabs.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.address !== address) return;
    if (data.kind !== "hello") return hear(data);
    if (!leading) return;
    tabs.postMessage({ address, kind: "connection", data: connection } satisfies Message);
    if (latest) tabs.postMessage({ address, kind: "snapshot", data: latest } satisfies Message);
  };

  const lead = (): Promise<void> =>
    new Promise((done) => {
      leading = true;
      let stream: EventSource;
      let retry: ReturnType<typeof setTimeout> | undefined;
      let wait = FIRST_RETRY_MS;

      const open = (): void => {
        stream = new EventSource(address);
        stream.onopen = () => {
          wait = FIRST_RETRY_MS;
          become("live");
        };
        stream.addEventListener("snapshot", ({ data }: MessageEvent<string>) => {
          const answer = JSON.parse(data) as Answer;
          latest = answer;
          tell({ address, kind: "snapshot", data: answer });
        });
        stream.addEventListener("update", ({ data }: MessageEvent<string>) => {
          // The snapshot that a new tab would get is out of date from here on; it asks for itself anyway.
          latest = null;
          tell({ address, kind: "update", data: JSON.parse(data) as Update });
        });
        stream.onerror = () => {
          become("reconnecting");
          if (stream.readyState !== EventSource.CLOSED) return;
          // The browser retries a lost connection but gives up on a refusal, such as a restarting server's 503.
          retry = setTimeout(open, wait);
          wait = Math.min(wait * 2, LAST_RETRY_MS);
        };
      };
      open();
      stop.signal.addEventListener("abort", () => {
        clearTimeout(retry);
        stream.close();
        done();
      });
    });

  tabs.postMessage({ address, kind: "hello" } satisfies Message);
  if (navigator.locks) {
    navigator.locks.request(`${NAME} ${address}`, { signal: stop.signal }, lead).catch(() => undefined);
  } else {
    void lead();
  }
  return () => {
    stop.abort();
    tabs.close();
  };
}
