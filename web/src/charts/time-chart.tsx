import uPlot from 'uplot';
import { colour } from '../theme.ts';
import { axisStyle, usePlot } from './plot.ts';

export interface ChartSeries {
  readonly label: string;
  /** A colour of the style sheet: `accent`, `long`, `bad`. */
  readonly colour: string;
  /** Parallel to the times. */
  readonly values: readonly (number | null)[];
  readonly text: (value: number) => string;
  readonly isStep?: boolean;
  /** Dots instead of a line: what happened at a time and not in between. */
  readonly isDots?: boolean;
  /** The area between this series and the one before it, which lies above it, is filled. */
  readonly isBand?: boolean;
  readonly scale?: 'left' | 'right';
  /** Draws a line over nulls; for series that have values at some of the times only. */
  readonly spansGaps?: boolean;
}

export interface TimeChartProps {
  readonly label: string;
  /** Epoch milliseconds, ascending. */
  readonly times: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly height?: number;
  /** Charts of one key share the cursor. */
  readonly cursor?: string;
  /** Called with what was chosen by dragging, epoch milliseconds. */
  readonly onRange?: (from: number, to: number) => void;
  readonly axisText?: (value: number) => string;
  readonly rightAxisText?: (value: number) => string;
  /** Steps that the axis may have; any where it does not say. */
  readonly axisSteps?: readonly number[];
  /** What the chart spans, epoch milliseconds; its own times where it does not say. */
  readonly span?: readonly [from: number, to: number];
}

const RIGHT_AXIS_PIXELS = 56;

/** Lines over time, by uPlot. The numbers are in a table or a file beside it: a canvas tells nothing to who cannot see. */
export function TimeChart({
  label,
  times,
  series,
  height = 240,
  cursor,
  onRange,
  axisText = String,
  rightAxisText = String,
  axisSteps,
  span,
}: TimeChartProps) {
  const place = usePlot(height, draw, [times, series, cursor, span?.[0], span?.[1]]);

  function draw(own: HTMLElement): uPlot {
    const axis = axisStyle();
    const hasRight = series.some(({ scale }) => scale === 'right');
    const rightAxis: uPlot.Axis = {
      ...axis,
      scale: 'right',
      side: 1,
      grid: { show: false },
      size: RIGHT_AXIS_PIXELS,
      values: (_plot, ticks) => ticks.map(rightAxisText),
    };
    const options: uPlot.Options = {
      width: own.clientWidth,
      height,
      // Charts above each other begin and end at the same places.
      padding: [12, hasRight ? 0 : RIGHT_AXIS_PIXELS, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      cursor: cursor === undefined ? {} : { sync: { key: cursor } },
      scales: {
        x: span === undefined ? {} : { range: [span[0] / 1000, span[1] / 1000] },
        left: {},
        ...(hasRight ? { right: {} } : {}),
      },
      axes: [
        { ...axis, values: (_plot, ticks, _axis, _space, step) => timeTicks(ticks, step) },
        {
          ...axis,
          scale: 'left',
          size: 64,
          values: (_plot, ticks) => ticks.map(axisText),
          ...(axisSteps === undefined ? {} : { incrs: [...axisSteps] }),
        },
        ...(hasRight ? [rightAxis] : []),
      ],
      series: [{ value: (_plot, seconds) => timeLabel(seconds) }, ...series.map(seriesOptions)],
      bands: series.flatMap(({ isBand, colour: name }, i) =>
        isBand ? [{ series: [i, i + 1] as [number, number], fill: translucent(colour(name)) }] : [],
      ),
      hooks: {
        setSelect: [
          (plot) => {
            if (onRange === undefined || plot.select.width < 4) return;
            const at = (left: number): number => Math.round(plot.posToVal(left, 'x') * 1000);
            onRange(at(plot.select.left), at(plot.select.left + plot.select.width));
          },
        ],
      },
    };
    const data = [times.map((time) => time / 1000), ...series.map(({ values }) => values)];
    return new uPlot(options, data as uPlot.AlignedData, own);
  }

  return <div class="chart" ref={place} role="img" aria-label={label} />;
}

function seriesOptions({
  label,
  colour: name,
  text,
  isStep,
  isDots,
  scale,
  spansGaps,
  values,
}: ChartSeries): uPlot.Series {
  const stroke = colour(name);
  // A line through one value alone would not be seen.
  const isAlone = values.filter((value) => value !== null).length === 1;
  return {
    label,
    scale: scale ?? 'left',
    stroke,
    width: isDots ? 0 : 1.5,
    spanGaps: spansGaps ?? false,
    value: (_plot, value) => (value === null || value === undefined ? '–' : text(value)),
    points: isDots || isAlone ? { show: true, size: name === 'bad' ? 9 : 5, fill: stroke } : { show: false },
    ...(isStep && uPlot.paths.stepped !== undefined ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
    ...(isDots ? { paths: () => null } : {}),
  };
}

const DAY_SECONDS = 86_400;

/** The time of day, and the date where it is another than before; the date alone where ticks are days apart. */
function timeTicks(ticks: readonly number[], stepSeconds: number): string[] {
  let before = '';
  return ticks.map((seconds) => {
    const [date, time] = new Date(seconds * 1000).toISOString().slice(0, 16).split('T');
    if (stepSeconds >= DAY_SECONDS) return date.slice(stepSeconds >= 300 * DAY_SECONDS ? 0 : 5);
    const text = date === before ? time : `${time}\n${date.slice(5)}`;
    before = date;
    return text;
  });
}

function timeLabel(seconds: number | null): string {
  return seconds === null || seconds === undefined
    ? '–'
    : `${new Date(seconds * 1000).toISOString().replace('T', ' ').slice(0, 16)} UTC`;
}

/** @param rgb `rgb(1, 2, 3)`. */
function translucent(rgb: string): string {
  return rgb.replace(/^rgb\((.*)\)$/, 'rgba($1, .12)');
}
