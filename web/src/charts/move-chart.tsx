import uPlot from 'uplot';
import { shortMoneyText, signedPercentText } from '../format.ts';
import { colour } from '../theme.ts';
import { axisStyle, usePlot } from './plot.ts';

export interface MoveSeries {
  readonly label: string;
  /** A colour of the style sheet. */
  readonly colour: string;
  /** Parallel to the moves. */
  readonly values: readonly (number | null)[];
  readonly isDashed?: boolean;
}

export interface MoveChartProps {
  readonly label: string;
  /** Shares of the mark, ascending. */
  readonly moves: readonly number[];
  readonly series: readonly MoveSeries[];
  readonly height?: number;
}

/** Money over the move of a mark, by uPlot. The numbers are in a table or a file beside it. */
export function MoveChart({ label, moves, series, height = 240 }: MoveChartProps) {
  const place = usePlot(height, draw, [moves, series]);

  function draw(own: HTMLElement): uPlot {
    const axis = axisStyle();
    const options: uPlot.Options = {
      width: own.clientWidth,
      height,
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: false }, y: {} },
      axes: [
        { ...axis, values: (_plot, ticks) => ticks.map((tick) => signedPercentText(tick, 0)) },
        { ...axis, size: 64, values: (_plot, ticks) => ticks.map(shortMoneyText) },
      ],
      series: [
        { label: 'Move', value: (_plot, value) => signedPercentText(value) },
        ...series.map(({ label: name, colour: tone, isDashed }) => ({
          label: name,
          stroke: colour(tone),
          width: 1.5,
          points: { show: false },
          value: (_plot: uPlot, value: number | null) => shortMoneyText(value),
          ...(isDashed ? { dash: [5, 4] } : {}),
        })),
      ],
    };
    return new uPlot(options, [moves, ...series.map(({ values }) => values)] as uPlot.AlignedData, own);
  }

  return <div class="chart" ref={place} role="img" aria-label={label} />;
}
