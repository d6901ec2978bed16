/** One question, its latest answer, and what went wrong if anything did. */
import { computed, effect, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { ApiError, ask } from "./api";
import { settle } from "./answers";
import { key } from "./questions";
import type { Answer, Question } from "./types";

export interface Panel {
  answer: Signal<Answer | null>;
  /** The question that `answer` answers; null before the first. */
  answered: Signal<string | null>;
  error: Signal<ApiError | null>;
  loading: Signal<boolean>;
  /** The answer on screen belongs to an earlier question. A refresh of the same question is not worth a mark. */
  outdated: ReadonlySignal<boolean>;
  /** Ask again now. Resolves when answered, whatever came. */
  refresh: () => Promise<void>;
}

/** A panel asks whenever its question changes. A null question asks nothing. */
export function panel(question: ReadonlySignal<Question | null>, first?: { question: string; answer: Answer }): Panel {
  const answer = signal<Answer | null>(null);
  const answered = signal<string | null>(null);
  const error = signal<ApiError | null>(null);
  const loading = signal(false);
  let running: AbortController | null = null;

  async function refresh(): Promise<void> {
    const current = question.peek();
    running?.abort();
    if (!current) return;
    const controller = (running = new AbortController());
    loading.value = true;
    try {
      const fresh = await ask(current, controller.signal);
      if (controller.signal.aborted) return;
      const same = answered.peek() === key(current);
      // A live update may have overtaken this answer on its way.
      if (!same || Date.parse(fresh.as_of) >= Date.parse(answer.peek()!.as_of)) answer.value = settle(same ? answer.peek() : null, fresh);
      answered.value = key(current);
      error.value = null;
    } catch (problem) {
      if (controller.signal.aborted) return;
      error.value = problem instanceof ApiError ? problem : new ApiError("the answer could not be read");
    } finally {
      if (running === controller) {
        running = null;
        loading.value = false;
      }
    }
  }

  let asked: string | null = null;
  effect(() => {
    const text = question.value ? key(question.value) : null;
    if (text === asked) return;
    asked = text;
    if (text !== null && first?.question === text && answered.peek() === null) {
      answer.value = first.answer;
      answered.value = text;
      return;
    }
    void refresh();
  });
  const outdated = computed(
    () => answer.value !== null && question.value !== null && answered.value !== key(question.value),
  );
  return { answer, answered, error, loading, outdated, refresh };
}
