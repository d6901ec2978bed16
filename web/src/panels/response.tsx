/** First response by hour of the day: median line, band up to p90, target dashed, volume bars behind. Never a mean. */
import { scaleLinear } from "d3-scale";
import { area, line } from "d3-shape";
import { cellOf } from "../answers";
import { ChartFrame } from "../charts/frame";
import { durationTicks } from "../charts/ticks";
import { count, duration, MISSING, sample, target } from "../format";
import { PanelFrame } from "../parts/frame";
import { byHour, headlineCell } from "../store";
import { zone } from "../url";

const HOURS = 24;
const HEIGHT = 188;
const EDGE = { left: 42, right: 4, top: 8, bottom: 20 };
const MEDIAN_MINIMUM = 5;
const P90_MINIMUM = 10;
const LABEL_EVERY = 4;

interface Hour {
  n: number;
  median: number | null;
  p90: number | null;
}

export function FirstResponseByHour() {
  const answer = byHour.answer.value;
  const hours: Hour[] = Array.from({ length: HOURS }, () => ({ n: 0, median: null, p90: null }));
  for (const row of answer?.rows ?? []) {
    const hour = Number(row.hour_of_day);
    const cell = cellOf(row, "first_response_time");
    if (!cell || !(hour in hours)) continue;
    const n = sample(cell) ?? 0;
    hours[hour] = {
      n,
      median: n < MEDIAN_MINIMUM ? null : cell.value,
      p90: n < P90_MINIMUM ? null : (cell.p90 ?? null),
    };
  }
  const goal = headlineCell("first_response_time").value?.benchmark?.target ?? null;
  const any = hours.some((h) => h.median !== null);
  const top = Math.max(goal ? goal * 1.5 : 60, ...hours.map((h) => h.p90 ?? h.median ?? 0));
  const ticks = durationTicks(top);
  const busiest = Math.max(1, ...hours.map((h) => h.n));
  const name = (hour: number): string => `${String(hour % HOURS).padStart(2, "0")}:00`;
  const enough = (value: number | null, minimum: number): string => (value === null ? `needs n ${minimum}` : duration(value));
  const x = (hour: number, width: number): number =>
    EDGE.left + ((hour + 0.5) * (width - EDGE.left - EDGE.right)) / HOURS;

  return (
    <PanelFrame
      title="First response by hour"
      subtitle={answer?.timezone ?? zone.value}
      span="narrow"
      panel={byHour}
      table={{
        columns: ["Hour", "Median", "p90", "n"],
        rows: hours.map((h, i) => [
          name(i),
          h.median === null ? MISSING : duration(h.median),
          h.p90 === null ? MISSING : duration(h.p90),
          count(h.n),
        ]),
      }}
      empty={any ? null : `No hour has ${MEDIAN_MINIMUM} answered conversations in this range.`}
    >
      <div class="legend">
        <span>
          <i class="key line" />
          Median
        </span>
        <span>
          <i class="key band" />
          to p90
        </span>
        {goal !== null && (
          <span>
            <i class="key target" />
            Target {target(goal, "seconds", "neutral")}
          </span>
        )}
        <span>
          <i class="key volume" />
          Volume
        </span>
      </div>
      <ChartFrame
        height={HEIGHT}
        label="First response by hour of the day"
        points={HOURS}
        x={x}
        read={(hour) => ({
          title: `${name(hour)}–${name(hour + 1)}`,
          lines: [
            ["Median", enough(hours[hour]!.median, MEDIAN_MINIMUM)],
            ["p90", enough(hours[hour]!.p90, P90_MINIMUM)],
            ["Conversations", count(hours[hour]!.n)],
          ],
        })}
      >
        {(width) => {
          const y = scaleLinear([0, ticks.at(-1)!], [HEIGHT - EDGE.bottom, EDGE.top]);
          const step = (width - EDGE.left - EDGE.right) / HOURS;
          const bar = Math.max(1, step - 2);
          const right = width - EDGE.right;
          const place = (_: Hour, i: number): number => x(i, width);
          const band = area<Hour>()
            .defined((h) => h.median !== null && h.p90 !== null)
            .x(place)
            .y0((h) => y(h.median!))
            .y1((h) => y(h.p90!))
            .digits(1);
          const median = line<Hour>()
            .defined((h) => h.median !== null)
            .x(place)
            .y((h) => y(h.median!))
            .digits(1);
          return (
            <>
              {ticks.map((tick) => (
                <g key={tick}>
                  <path class="grid" d={`M${EDGE.left} ${y(tick)}H${right}`} />
                  <text class="end" x={EDGE.left - 6} y={y(tick) + 4}>
                    {tick === 0 ? "0" : duration(tick)}
                  </text>
                </g>
              ))}
              {hours.map((h, i) => {
                const tall = (h.n / busiest) * 46;
                return (
                  <rect
                    key={i}
                    class="volume"
                    x={x(i, width) - bar / 2}
                    y={HEIGHT - EDGE.bottom - tall}
                    width={bar}
                    height={tall}
                    rx="1"
                  />
                );
              })}
              {hours.map(
                (_, i) =>
                  i % LABEL_EVERY === 0 && (
                    <text key={i} class="middle" x={x(i, width)} y={HEIGHT - 5}>
                      {name(i)}
                    </text>
                  ),
              )}
              <path class="band" d={band(hours) ?? ""} />
              {goal !== null && <path class="target" d={`M${EDGE.left} ${y(goal)}H${right}`} />}
              <path class="line" d={median(hours) ?? ""} />
            </>
          );
        }}
      </ChartFrame>
    </PanelFrame>
  );
}
