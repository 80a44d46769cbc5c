import { FEATURE_COUNT, FEATURE_NAMES } from '../features/spec.ts';
import { HORIZON_COUNT, HORIZONS_HOURS, horizonIndex } from '../forecast/predictor.ts';
import { binOf, stabilityOfCounts } from '../risk/drift/binned.ts';
import { DAY_MILLISECONDS } from '../units.ts';

/** Bins of the training span, and the index that a month of it usually stays below. */
interface ReferenceHistogram {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
  readonly usual: number;
}

/** What the manifest of a version says of its training span. */
export interface DriftReferences {
  readonly windowDays: number;
  readonly features: readonly (ReferenceHistogram & { readonly name: string })[];
  readonly residuals: readonly (ReferenceHistogram & { readonly horizonHours: number })[];
  readonly scores: readonly {
    readonly horizonHours: number;
    readonly mean: number;
    readonly usual: number;
  }[];
}

/** What a decision saw, as far as drift asks for it. Plain arrays: they come from another thread. */
export interface SeenByDecision {
  /** Of the markets that are ready, row-major; empty where the origin was seen before. */
  readonly features: Float64Array;
  /** Of the forecasts that came due: position of the horizon, A / VaR at 95 %, pinball at 99 % / VaR. */
  readonly horizons: Uint8Array;
  readonly residuals: Float64Array;
  readonly scores: Float64Array;
}

interface Day {
  /** Days since the epoch. */
  readonly day: number;
  /** By feature and bin. */
  readonly features: number[][];
  /** By horizon and bin. */
  readonly residuals: number[][];
  /** By horizon. */
  readonly scores: { sum: number; count: number }[];
}

/** Counts by day, over the window; plain data of a bounded size. */
export interface DriftState {
  readonly model: string;
  readonly days: readonly Day[];
}

export interface DriftReport {
  readonly features: readonly { readonly name: string; readonly index: number; readonly usual: number }[];
  readonly residuals: readonly {
    readonly horizonHours: number;
    readonly index: number;
    readonly usual: number;
  }[];
  /** Live mean score over that of the training span. */
  readonly scores: readonly {
    readonly horizonHours: number;
    readonly ratio: number;
    readonly usual: number;
  }[];
  /** What is beyond its bound: `features`, `residuals/24h`, `score/24h`. */
  readonly drifted: readonly string[];
}

/** Beyond this many times what is usual for a month something has drifted. */
const BOUND = 1.5;
/** Features go together: this share of them must have drifted. */
const LEAST_FEATURE_SHARE = 0.25;
/** Of the days of a window. */
const LEAST_DAYS_SHARE = 0.9;

export function newDrift(model: string): DriftState {
  return { model, days: [] };
}

/** Adds what a decision saw to its day, and forgets what is older than the window. */
export function withSeen(
  state: DriftState,
  reference: DriftReferences,
  seen: SeenByDecision,
  asOf: number,
): DriftState {
  const day = Math.floor(asOf / DAY_MILLISECONDS);
  const found = state.days.find((own) => own.day === day);
  const own = found === undefined ? emptyDay(day, reference) : structuredClone(found);
  const { features, horizons, residuals, scores } = seen;
  for (let row = 0; row + FEATURE_COUNT <= features.length; row += FEATURE_COUNT) {
    for (const [f, { name, edges }] of reference.features.entries()) {
      const column = FEATURE_COLUMN.get(name);
      if (column !== undefined) own.features[f][binOf(edges, features[row + column])]++;
    }
  }
  for (const [i, h] of horizons.entries()) {
    const bins = reference.residuals.findIndex(({ horizonHours }) => horizonHours === HORIZONS_HOURS[h]);
    if (bins >= 0) own.residuals[bins][binOf(reference.residuals[bins].edges, residuals[i])]++;
    own.scores[h].sum += scores[i];
    own.scores[h].count++;
  }
  const days = [...state.days.filter((other) => other.day !== day), own].filter(
    (other) => other.day > day - reference.windowDays,
  );
  return { model: state.model, days };
}

const FEATURE_COLUMN: ReadonlyMap<string, number> = new Map(FEATURE_NAMES.map((name, f) => [name, f]));

function emptyDay(day: number, reference: DriftReferences): Day {
  const zeros = ({ edges }: ReferenceHistogram): number[] => new Array<number>(edges.length + 1).fill(0);
  return {
    day,
    features: reference.features.map(zeros),
    residuals: reference.residuals.map(zeros),
    scores: Array.from({ length: HORIZON_COUNT }, () => ({ sum: 0, count: 0 })),
  };
}

/** Drift of the window against the training span; null while the window has too few days: those are never like years. */
export function driftReport({ days }: DriftState, reference: DriftReferences): DriftReport | null {
  if (days.length < LEAST_DAYS_SHARE * reference.windowDays) return null;
  const indexOf = (expected: ReferenceHistogram, of: (day: Day) => readonly number[]): number => {
    const counts = expected.counts.map((_, bin) => days.reduce((sum, day) => sum + of(day)[bin], 0));
    return counts.some((count) => count > 0) ? stabilityOfCounts(expected.counts, counts) : 0;
  };
  const features = reference.features.map((own, f) => ({
    ...{ name: own.name, usual: own.usual },
    index: indexOf(own, (day) => day.features[f]),
  }));
  const residuals = reference.residuals.map((own, r) => ({
    ...{ horizonHours: own.horizonHours, usual: own.usual },
    index: indexOf(own, (day) => day.residuals[r]),
  }));
  const scores = reference.scores.map(({ horizonHours, mean, usual }) => {
    const h = horizonIndex(horizonHours);
    const sum = days.reduce((total, day) => total + (day.scores[h]?.sum ?? 0), 0);
    const count = days.reduce((total, day) => total + (day.scores[h]?.count ?? 0), 0);
    return { horizonHours, usual, ratio: count > 0 && mean > 0 ? sum / count / mean : 1 };
  });
  const isBeyond = ({ index, usual }: { readonly index: number; readonly usual: number }): boolean =>
    index > BOUND * usual && usual > 0;
  const beyond = features.filter(isBeyond).length;
  const drifted = [
    ...(features.length > 0 && beyond >= LEAST_FEATURE_SHARE * features.length ? ['features'] : []),
    ...residuals.filter(isBeyond).map(({ horizonHours }) => `residuals/${horizonHours}h`),
    ...scores
      .filter(({ ratio, usual }) => ratio > 1 + BOUND * (usual - 1) && usual > 1)
      .map(({ horizonHours }) => `score/${horizonHours}h`),
  ];
  return { features, residuals, scores, drifted };
}
