/** One polite live region for what was asked for: chart readings and the state of the stream. Live figures are not read out. */
import { signal } from "@preact/signals";

const words = signal("");

export function say(text: string): void {
  words.value = text;
}

export function Said() {
  return (
    <div class="hidden-text" aria-live="polite">
      {words}
    </div>
  );
}
