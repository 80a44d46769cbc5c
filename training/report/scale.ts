/** From a value of the data to a place on the drawing. */
export interface Scale {
  (value: number): number;
  readonly domain: readonly [number, number];
}

/** @param domain must not be empty; @param range may run backwards, as heights on a drawing do. */
export function linearScale(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const [low, high] = widened(domain);
  const slope = (range[1] - range[0]) / (high - low);
  return Object.assign((value: number) => range[0] + (value - low) * slope, {
    domain: [low, high] as const,
  });
}

/** The same for positive values whose ratios count. */
export function logScale(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const linear = linearScale([Math.log(domain[0]), Math.log(domain[1])], range);
  return Object.assign((value: number) => linear(Math.log(value)), { domain });
}

/** A single value gets some room, so that a flat line lies in the middle. */
function widened([low, high]: readonly [number, number]): readonly [number, number] {
  if (high > low) return [low, high];
  const room = Math.abs(low) > 0 ? 0.1 * Math.abs(low) : 1;
  return [low - room, low + room];
}

/** About `count` round values within a domain: multiples of 1, 2 or 5 times a power of ten. */
export function roundTicks([low, high]: readonly [number, number], count: number): number[] {
  const rough = (high - low) / Math.max(1, count);
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

/** Begins of months within a span of epoch milliseconds, thinned to at most `most`, in steps that divide a year. */
export function monthTicks([from, until]: readonly [number, number], most: number): number[] {
  const start = new Date(from);
  const months: number[] = [];
  for (let month = start.getUTCMonth(); ; month++) {
    const at = Date.UTC(start.getUTCFullYear(), month, 1);
    if (at > until) break;
    if (at >= from) months.push(at);
  }
  const step = [1, 2, 3, 6, 12, 24, 60, 120].find((size) => months.length / size <= most) ?? 240;
  const thinned = months.filter((at) => monthsSinceEpoch(at) % step === 0);
  return thinned.length > 0 ? thinned : [from];
}

function monthsSinceEpoch(milliseconds: number): number {
  const date = new Date(milliseconds);
  return 12 * (date.getUTCFullYear() - 1970) + date.getUTCMonth();
}
