import { better, delta } from "../format";
import { benchmarkStatus } from "../status";
import type { Cell, Good, Unit } from "../types";

/** The move since the previous period. Worse but still on target is grey: it is no reason to act. */
export function Delta({ cell, unit, good }: { cell: Cell; unit: Unit; good: Good }) {
  const before = cell.previous?.value;
  if (cell.value === null || before === null || before === undefined) return null;
  const text = delta(cell.value, before, unit, cell.currency);
  const side = text === "no change" ? 0 : better(cell.value, before, good);
  const onTarget = benchmarkStatus(cell)?.shape === "good";
  const tone = side > 0 ? "good" : side < 0 && !onTarget ? "bad" : "muted";
  return (
    <span class={`delta ${tone}`} key={text}>
      {text === "no change" ? (
        <span class="hidden-text">no change since the previous period</span>
      ) : (
        <>
          <span aria-hidden="true">{text}</span>
          <span class="hidden-text">
            {cell.value > before ? "up" : "down"} {text.slice(2)} since the previous period
            {side > 0 ? ", better" : side < 0 ? ", worse" : ""}
          </span>
        </>
      )}
    </span>
  );
}
