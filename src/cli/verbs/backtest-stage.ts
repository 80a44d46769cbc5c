import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { BarStore } from '../../../data/bar-store.ts';
import { acquireLock } from '../../../data/lock.ts';
import type { Stage } from '../../../training/backtest/backtest.ts';
import { keptTape, tapeKey } from '../../../training/backtest/kept-tape.ts';
import { type RecordedTables, recordedTables } from '../../../training/backtest/recorded-tables.ts';
import { DEFAULT_TRADER_RULES } from '../../../training/backtest/traders.ts';
import { Checkpoints } from '../../../training/checkpoints.ts';
import { DEFAULT_EVERY_HOURS } from '../../../training/job.ts';
import { DEFAULT_MODEL_OPTIONS } from '../../../training/train.ts';
import { REFIT_DAYS } from '../../../training/trial.ts';
import { loadConfig } from '../../config.ts';
import { PlimsollError } from '../../errors.ts';
import type { Policy } from '../../limits/policy.ts';
import { readPolicyFile } from '../../policy-file.ts';
import type { MarketHistory } from '../../risk/bars.ts';
import { DAY_MILLISECONDS, HOUR_MILLISECONDS } from '../../units.ts';
import type { CliContext, CommonOptions } from '../command.ts';
import { jobBar } from '../job-bar.ts';
import { symbolsOf } from './train.ts';

export interface StageOptions extends CommonOptions {
  readonly from?: number;
  readonly to?: number;
  readonly markets?: string;
  readonly decisionHours?: number;
  readonly refitDays?: number;
  /** False by `--no-model`: the classical bounds decide, and what is missing keeps markets from loosening, as in the service. */
  readonly model: boolean;
  readonly seed?: string;
}

/** Seconds of a year of 33 markets where no tape was kept; only their proportions matter. */
const USUAL_SECONDS = [
  ['load', 3],
  ['features', 8],
  ['fit', 120],
  ['classical', 25],
  ['floor', 2],
  ['walk', 40],
] as const;

/** What a verb asks of its stage beside the options that all have. */
export interface StageWishes {
  /** Where neither --from nor --to says otherwise; null for the newest year. */
  readonly span: readonly [from: number, until: number] | null;
  /** Policies beside that of the stage that will be walked: their floors must be on the tape. */
  readonly others: readonly Policy[];
}

/** The stage of a backtest: stored history as a tape, kept for the next one, and who deals on it. */
export async function withStage<T>(
  context: CliContext,
  label: string,
  options: StageOptions,
  { span, others }: StageWishes,
  work: (stage: Stage, tell: (remark: string, share: number) => void) => Promise<T> | T,
): Promise<T> {
  const { dataDir, config, policy: file } = options;
  const { values } = loadConfig({ dataDir, config, policy: file });
  const { policy } = values;
  const bar = jobBar(context, label, USUAL_SECONDS);
  const tell = (phase: string, share: number, remark: string): void => {
    context.interrupted.throwIfAborted();
    bar.update({ phase, share, remark });
  };
  try {
    const tape = await tapeOf(context, values.dataDir, options, span, [policy, ...others], tell);
    const rules = { ...DEFAULT_TRADER_RULES, ...(options.seed === undefined ? {} : { seed: options.seed }) };
    const stage = { tape, rules, policy, decisionHours: options.decisionHours ?? 1 };
    tell('walk', 0, `${tape.markets.length} markets`);
    return await work(stage, (remark, share) => tell('walk', share, remark));
  } finally {
    bar.finish();
  }
}

async function tapeOf(
  context: CliContext,
  dataDir: string,
  { from, to, markets: list, refitDays, model }: StageOptions,
  span: StageWishes['span'],
  policies: readonly Policy[],
  tell: (phase: string, share: number, remark: string) => void,
): ReturnType<typeof keptTape> {
  tell('load', 0, '');
  const store = await BarStore.open(dataDir);
  const [stored, fingerprint] = await Promise.all([store.loadMarkets(), store.fingerprint()]).finally(() =>
    store.close(),
  );
  const chosen = symbolsOf(list);
  const markets = chosen === null ? stored : stored.filter(({ symbol }) => chosen.includes(symbol));
  if (markets.length === 0)
    throw new PlimsollError('DATA_INSUFFICIENT', 'no stored market can be walked through', {
      remedy: 'Import history with `plimsoll import`; `plimsoll data` lists what is stored.',
    });
  const [first, last] = spanOf(markets, from, to, span);
  const fixed = {
    from: first,
    until: last,
    refitDays: model ? (refitDays ?? REFIT_DAYS) : null,
    everyHours: DEFAULT_EVERY_HOURS,
    model: {
      seeds: DEFAULT_MODEL_OPTIONS.seeds,
      fit: DEFAULT_MODEL_OPTIONS.fit,
      onProgress: () => {},
      interrupted: context.interrupted,
    },
  };
  const lock = acquireLock(join(dataDir, 'backtest.lock'), 'a backtest');
  try {
    const pieces = Checkpoints.open(dataDir, tapeKey(markets, fingerprint, fixed), KEPT_TAPES, 'backtest');
    return await keptTape(markets, policies, { ...fixed, pieces, onPhase: tell });
  } finally {
    lock.release();
  }
}

/** Tapes are hundreds of megabytes. */
const KEPT_TAPES = 3;
/** Without any word on the span, the newest year. */
const USUAL_DAYS = 365;

/** Whole hours; the end is the last one of which a bar is stored and a day comes after. */
function spanOf(
  markets: readonly MarketHistory[],
  from: number | undefined,
  to: number | undefined,
  span: StageWishes['span'],
): readonly [number, number] {
  const newest = Math.max(...markets.map(({ bars }) => bars.openTime[bars.length - 1] + HOUR_MILLISECONDS));
  const whole = (time: number): number => Math.floor(time / HOUR_MILLISECONDS) * HOUR_MILLISECONDS;
  const until = whole(Math.min(to ?? span?.[1] ?? newest, newest));
  const first = whole(from ?? span?.[0] ?? until - USUAL_DAYS * DAY_MILLISECONDS);
  if (until - first < 2 * DAY_MILLISECONDS)
    throw new PlimsollError('INPUT_INVALID', 'the span of the backtest is shorter than two days', {
      remedy: 'Choose an earlier --from, or import later history.',
    });
  return [first, until];
}

/** @throws PlimsollError POLICY_INVALID that names every fault. */
export function policyFile(path: string): Policy {
  const { policy, faults } = readPolicyFile(path);
  if (faults.length === 0) return policy;
  throw new PlimsollError('POLICY_INVALID', faults.join('; '), {
    remedy: 'Mend the file; `plimsoll config check --policy FILE` explains every setting.',
  });
}

/** The recorded tables of a file, plain or packed with gzip. */
export async function recordedTablesOf(path: string): Promise<RecordedTables> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new PlimsollError('NOT_FOUND', `${path} cannot be read`, {
      remedy: 'Name a file of recorded tables, NDJSON or NDJSON.gz.',
      cause,
    });
  });
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return recordedTables((isPacked ? gunzipSync(bytes) : bytes).toString('utf8'));
}

/** From the first recorded table to the last one and a day. */
export function recordedSpan(tables: RecordedTables): readonly [number, number] | null {
  const times = [...tables.values()].flatMap((versions) => versions.map(({ recordedAt }) => recordedAt));
  return times.length === 0 ? null : [Math.min(...times), Math.max(...times) + DAY_MILLISECONDS];
}
