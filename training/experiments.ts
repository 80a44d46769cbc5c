import { createHash } from 'node:crypto';
import { z } from 'zod';

/** What became of an idea. `judged` is an evaluation that decided nothing. */
export const EXPERIMENT_RESULTS = ['promoted', 'challenger', 'worse', 'failed', 'judged'] as const;

const side = z.enum(['long', 'short']);
const time = z.iso.datetime();

const experimentSchema = z.object({
  id: z.string().min(1),
  at: time,
  kind: z.enum(['train', 'evaluate', 'judge', 'idea']),
  /** The recipe that was tried. */
  name: z.string(),
  /** What was chosen, as it was given to the run; enough to choose it again. */
  options: z.record(z.string(), z.json()),
  note: z.string(),
  version: z.string().nullable(),
  data: z
    .object({
      /** Of the bar store. */
      fingerprint: z.string(),
      from: time,
      to: time,
      markets: z.number(),
      rows: z.number(),
      simulated: z.boolean(),
    })
    .nullable(),
  /** What each refit had seen, and what it forecast. */
  folds: z.array(z.object({ fittedUntil: time, from: time, until: time })),
  /** Means over markets, share of the price. */
  scores: z.array(
    z.object({
      side,
      horizonHours: z.number(),
      confidence: z.number(),
      observations: z.number(),
      pinball: z.number(),
      fz0: z.number(),
      exceedanceRate: z.number(),
    }),
  ),
  volatility: z.array(z.object({ horizonHours: z.number(), qlike: z.number() })),
  shock: z.array(z.object({ side, horizonHours: z.number(), brier: z.number(), skill: z.number() })),
  /** Geometric mean over cells of own pinball over that of another forecaster on the same rows: below 1 is better. */
  against: z.array(z.object({ forecaster: z.string(), pinballRatio: z.number() })),
  gates: z.array(z.object({ name: z.string(), passed: z.boolean(), detail: z.string() })),
  result: z.enum(EXPERIMENT_RESULTS),
  /** Why it failed, or what else a reader should know. */
  message: z.string(),
  seconds: z.number(),
  /** Seconds of each phase in its order; the next run tells its remaining time by them. */
  phaseSeconds: z.record(z.string(), z.number()),
});

/** One row of the experiment log: a run or an idea, what it was tried on, what it scored, what became of it. */
export type Experiment = z.infer<typeof experimentSchema>;

/** Where rows are kept. They are only ever added. */
export interface ExperimentLog {
  append(experiment: Experiment): Promise<void>;
}

/** A row without what a run fills in as far as it comes: the start of every row, also of one that failed at once. */
export function blankExperiment(kind: Experiment['kind'], name: string, at: string): Experiment {
  const content = createHash('sha256').update(`${kind} ${name} ${at}`).digest('hex');
  return {
    id: `${at.slice(0, 10).replaceAll('-', '')}-${content.slice(0, 8)}`,
    at,
    kind,
    name,
    options: {},
    note: '',
    version: null,
    data: null,
    folds: [],
    scores: [],
    volatility: [],
    shock: [],
    against: [],
    gates: [],
    result: 'failed',
    message: '',
    seconds: 0,
    phaseSeconds: {},
  };
}

/** The rows that hold, in the order they were written, and how many do not. */
export function readExperiments(values: readonly unknown[]): {
  readonly experiments: readonly Experiment[];
  readonly refused: number;
} {
  const parsed = values.map((value) => experimentSchema.safeParse(value));
  const experiments = parsed.flatMap(({ data }) => (data === undefined ? [] : [data]));
  return { experiments, refused: values.length - experiments.length };
}

/** The forecaster that every run has on its rows, so that runs on different rows can be put in an order at all. */
export const COMMON_REFERENCE = 'historical';

/**
 * By how much a run's pinball loss is below that of historical simulation on the same rows, mean over cells; null where
 * it was not scored. Runs on different data or folds compare by it roughly, runs on the same ones fairly.
 */
export function skillOf({ against }: Experiment): number | null {
  const reference = against.find(({ forecaster }) => forecaster.split('@')[0] === COMMON_REFERENCE);
  return reference === undefined ? null : 1 - reference.pinballRatio;
}

/** Newest first, or those with the most skill first and those without a score last. */
export function sortedExperiments(
  experiments: readonly Experiment[],
  order: 'newest' | 'best',
): readonly Experiment[] {
  const newest = experiments.toReversed();
  if (order === 'newest') return newest;
  const skill = (one: Experiment): number => skillOf(one) ?? Number.NEGATIVE_INFINITY;
  return newest.toSorted((a, b) => (skill(a) === skill(b) ? 0 : skill(b) - skill(a)));
}

/** Own score over another's in the same cells, as a geometric mean; null without a cell that both have. */
export function pinballRatio(own: readonly CellPinball[], other: readonly CellPinball[]): number | null {
  const byCell = new Map(other.map((cell) => [keyOf(cell), cell.pinball]));
  let sum = 0;
  let count = 0;
  for (const cell of own) {
    const reference = byCell.get(keyOf(cell));
    if (reference === undefined || !(reference > 0) || !(cell.pinball > 0)) continue;
    sum += Math.log(cell.pinball / reference);
    count++;
  }
  return count === 0 ? null : Math.exp(sum / count);
}

export interface CellPinball {
  readonly side: string;
  readonly horizonHours: number;
  readonly confidence: number;
  readonly pinball: number;
}

const keyOf = ({ side, horizonHours, confidence }: CellPinball): string =>
  `${side}/${horizonHours}/${confidence}`;
