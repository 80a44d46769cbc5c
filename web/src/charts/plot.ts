import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { colour, onColours } from '../theme.ts';

/**
 * Where a chart is drawn: again when what it shows or the colours of the page change, as wide as its place at any time.
 *
 * @param shown what `draw` reads, compared one by one.
 */
export function usePlot(
  height: number,
  draw: (place: HTMLElement) => uPlot,
  shown: readonly unknown[],
): RefObject<HTMLDivElement | null> {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const own = place.current;
    if (own === null) return;
    let plot = draw(own);
    const size = new ResizeObserver(() => plot.setSize({ width: own.clientWidth, height }));
    size.observe(own);
    const forget = onColours(() => {
      plot.destroy();
      plot = draw(own);
    });
    return () => {
      forget();
      size.disconnect();
      plot.destroy();
    };
  }, [height, ...shown]);
  return place;
}

/** What all axes have alike, in the colours of now. */
export function axisStyle(): Pick<uPlot.Axis, 'stroke' | 'grid' | 'ticks'> {
  const line = { stroke: colour('line'), width: 1 };
  return { stroke: colour('ink-soft'), grid: line, ticks: line };
}
