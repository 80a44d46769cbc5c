import { type BarSeries, barsClosedBy, type MarketHistory } from '../src/risk/bars.ts';
import { BarMarks, type MarkedBars } from './marked-bars.ts';
import type { QualityFinding, QualityGrade, QualityReport } from './ports.ts';

/**
 * Where a market's newest data stop being good enough. Shares are of the hours judged; a share at or above `degrade`
 * keeps the market from being loosened, one at or above `reject` keeps it from being decided at all.
 */
export const QUALITY_LIMITS = {
  windowHours: 30 * 24,
  /** Hours in which the market has no bar. */
  gaps: { degrade: 0.01, reject: 0.2 },
  /** Age of the newest bar at the time of the decision, hours. */
  staleHours: { degrade: 3, reject: 48 },
  /** Bars whose extreme is far beyond what the next close and the mark price confirm. */
  spikes: { degrade: 0.005, reject: 0.1 },
  /** A wick is far when it is this many times the median range, and more than `spikeLeastMove` of the price. */
  spikeRanges: 30,
  spikeLeastMove: 0.15,
  /** The next close or the mark price confirms a wick when it came this near to its end. */
  spikeReach: 0.1,
  /** Hours whose last trade is further than this from the mark price. */
  crossedMarks: { degrade: 0.005, reject: 0.1 },
  markDistance: 0.05,
  /** Hours without a trade. */
  volumeHoles: { degrade: 0.05, reject: 0.5 },
  /** Fewer bars than this are too few to judge. */
  leastBars: 24,
} as const;

/** A wick within it is less than `spikeLeastMove`, however either is rounded. */
const SURELY_LESS = 0.99 * QUALITY_LIMITS.spikeLeastMove;
const marks = new BarMarks(SURELY_LESS);

const RANK: Readonly<Record<QualityGrade, number>> = { accept: 0, degrade: 1, reject: 2 };

/**
 * Judges the last 30 days of a market before `asOf` (epoch milliseconds): gaps, staleness, spikes, crossed marks and
 * hours without volume. The worst finding gives the grade; a market without findings is accepted.
 */
export function judgeQuality(history: MarketHistory, asOf: number): QualityReport {
  const { bars } = history;
  const interval = bars.intervalMilliseconds;
  const end = barsClosedBy(bars, asOf);
  const windowStart = Math.ceil(asOf / interval - QUALITY_LIMITS.windowHours) * interval;
  const first = firstBarFrom(bars, windowStart, end);
  const count = end - first;
  if (count < QUALITY_LIMITS.leastBars) return tooShort(count);
  // A market that is older than the window should have bars from its very start; a younger one cannot.
  const start = first > 0 ? windowStart : bars.openTime[first];
  const window = { bars, first, end, start, hours: Math.floor((asOf - start) / interval) };
  const marked = marks.of(bars, first, end);
  const findings = [
    gaps(window),
    staleness(bars, end, asOf),
    spikes(window, marked, history.mark),
    crossedMarks(window, history.mark),
    volumeHoles(window, marked),
  ].filter((finding) => finding !== null);
  return { grade: worstGrade(findings), findings };
}

interface Window {
  readonly bars: BarSeries;
  readonly first: number;
  readonly end: number;
  /** When the first bar judged should open. */
  readonly start: number;
  /** Full hours from there to `asOf`. */
  readonly hours: number;
}

interface Limits {
  readonly degrade: number;
  readonly reject: number;
}

function grade(value: number, limits: Limits): QualityGrade {
  if (value >= limits.reject) return 'reject';
  return value >= limits.degrade ? 'degrade' : 'accept';
}

function worstGrade(findings: readonly QualityFinding[]): QualityGrade {
  return findings.reduce<QualityGrade>(
    (worst, next) => (RANK[next.grade] > RANK[worst] ? next.grade : worst),
    'accept',
  );
}

function tooShort(count: number): QualityReport {
  const detail = `only ${count} bars in the last 30 days; ${QUALITY_LIMITS.leastBars} are needed`;
  return { grade: 'reject', findings: [{ code: 'SHORT', grade: 'reject', count, share: 0, detail }] };
}

/** Null where the grade is `accept`: as a rule nothing is found, and nothing need be put into words. */
function finding(
  code: QualityFinding['code'],
  count: number,
  hours: number,
  limits: Limits,
  what: string,
): QualityFinding | null {
  const share = hours > 0 ? count / hours : 0;
  const own = grade(share, limits);
  if (own === 'accept') return null;
  const detail = `${count} of ${hours} hours ${what} (${(100 * share).toFixed(2)} %)`;
  return { code, grade: own, count, share, detail };
}

/** Hours without a bar before the newest one; the hours after it are staleness. */
function gaps({ bars, first, end, start }: Window): QualityFinding | null {
  const hours = Math.round((bars.openTime[end - 1] - start) / bars.intervalMilliseconds) + 1;
  return finding('GAPS', hours - (end - first), hours, QUALITY_LIMITS.gaps, 'have no bar');
}

function staleness(bars: BarSeries, end: number, asOf: number): QualityFinding | null {
  const age = Math.floor((asOf - bars.openTime[end - 1]) / bars.intervalMilliseconds) - 1;
  const own = grade(age, QUALITY_LIMITS.staleHours);
  if (own === 'accept') return null;
  const detail = `the newest bar closed ${age} hours ago`;
  return { code: 'STALE', grade: own, count: age, share: 0, detail };
}

/**
 * A spike is a wick far beyond the body of its bar that neither the next close nor the mark price confirms: often a
 * single print on a thin book, or a fault of the source.
 */
function spikes(
  { bars, first, end, hours }: Window,
  { wicks }: MarkedBars,
  mark: BarSeries | null,
): QualityFinding | null {
  let count = 0;
  for (const i of wicks) {
    const isFarDown = isFar(1 - bars.low[i] / Math.min(bars.open[i], bars.close[i]), bars, first, end);
    const isFarUp = isFar(bars.high[i] / Math.max(bars.open[i], bars.close[i]) - 1, bars, first, end);
    if (!isFarDown && !isFarUp) continue;
    const isNextHour = i + 1 < end && bars.openTime[i + 1] - bars.openTime[i] === bars.intervalMilliseconds;
    const next = isNextHour ? bars.close[i + 1] : null;
    const m = mark === null ? -1 : indexOfTime(mark, bars.openTime[i]);
    const lowest = Math.min(next ?? Infinity, mark?.low[m] ?? Infinity);
    const highest = Math.max(next ?? 0, mark?.high[m] ?? 0);
    const isConfirmed =
      (!isFarDown || lowest < bars.low[i] * (1 + QUALITY_LIMITS.spikeReach)) &&
      (!isFarUp || highest > bars.high[i] * (1 - QUALITY_LIMITS.spikeReach));
    if (!isConfirmed) count++;
  }
  return finding('SPIKES', count, hours, QUALITY_LIMITS.spikes, 'have a wick that nothing confirms');
}

function crossedMarks({ bars, first, end, hours }: Window, mark: BarSeries | null): QualityFinding | null {
  let count = 0;
  if (mark !== null) {
    let m = firstBarFrom(mark, bars.openTime[first], mark.length);
    for (let i = first; i < end; i++) {
      while (m < mark.length && mark.openTime[m] < bars.openTime[i]) m++;
      if (m === mark.length) break;
      const isSameHour = mark.openTime[m] === bars.openTime[i];
      if (isSameHour && Math.abs(bars.close[i] / mark.close[m] - 1) > QUALITY_LIMITS.markDistance) count++;
    }
  }
  return finding('CROSSED_MARK', count, hours, QUALITY_LIMITS.crossedMarks, 'end far from the mark price');
}

/** Only where the source gives volumes at all: a series that never had one says nothing about trades. */
function volumeHoles({ bars, end, hours }: Window, { holes }: MarkedBars): QualityFinding | null {
  const isGiven = (column: Float64Array): boolean => {
    for (let i = 0; i < end; i++) if (column[i] > 0) return true;
    return false;
  };
  const count = isGiven(bars.volume) || isGiven(bars.quoteVolume) ? holes.length : 0;
  return finding('VOLUME_HOLES', count, hours, QUALITY_LIMITS.volumeHoles, 'have no trade');
}

/** Whether a share of the price is far: `spikeRanges` times the median range, and `spikeLeastMove`, or more. */
function isFar(move: number, bars: BarSeries, first: number, end: number): boolean {
  if (!(move >= QUALITY_LIMITS.spikeLeastMove)) return false;
  // The median is not above the move where more than half of the ranges are not: nothing need be sorted.
  let within = 0;
  for (let i = first; i < end; i++)
    if (QUALITY_LIMITS.spikeRanges * (bars.high[i] / bars.low[i] - 1) <= move) within++;
  return within > (end - first) >>> 1;
}

function firstBarFrom(bars: BarSeries, from: number, end: number): number {
  let low = 0;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bars.openTime[middle] < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

function indexOfTime(bars: BarSeries, time: number): number {
  const i = firstBarFrom(bars, time, bars.length);
  return i < bars.length && bars.openTime[i] === time ? i : -1;
}
