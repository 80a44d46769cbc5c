import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MarketDataReader } from '../data/ports.ts';
import { judgeQuality } from '../data/quality.ts';
import { STATE_FILE_NAME } from '../data/sqlite-database.ts';
import { SqliteStateStore } from '../data/sqlite-state-store.ts';
import { ModelRegistry } from '../models/registry.ts';
import { table } from '../src/cli/command.ts';
import { stopwatchSeconds } from '../src/clock.ts';
import type { Proposal } from '../src/control/decision-cycle.ts';
import { DecisionEngine } from '../src/control/decision-engine.ts';
import { replay } from '../src/control/replay.ts';
import { FilteredPredictor, HistoricalPredictor, TailPredictor } from '../src/forecast/classical.ts';
import { decodeInputs, encodeInputs } from '../src/limits/decision-inputs.ts';
import { type GovernanceState, NO_GOVERNANCE } from '../src/limits/governance.ts';
import { DEFAULT_POLICY } from '../src/limits/policy.ts';
import { SHIPPED_MODELS } from '../src/program.ts';
import type { MarketHistory } from '../src/risk/bars.ts';
import { HOUR_MILLISECONDS } from '../src/units.ts';
import { filledStore } from './history.ts';
import { medianMilliseconds, print } from './measure.ts';

/** What a decision's inputs cost: time to write them, bytes on disk beside its book, and time to decide again from them. */
const MARKETS = [43, 500];
const HOURS = 4;

const { store, dataDir, remove } = await filledStore();
const stored = await store.loadMarkets();
const registry = new ModelRegistry(SHIPPED_MODELS, dataDir);
const champion = await registry.load((await registry.versionOf('champion')) ?? '');
const newest = Math.max(...stored.map(({ bars }) => bars.openTime[bars.length - 1] + HOUR_MILLISECONDS));
const rows: string[][] = [];
for (const count of MARKETS) {
  const proposals = await decisions(copies(stored, count));
  const [{ book, inputs }] = proposals;
  if (inputs === undefined) throw new Error('a decision came without its inputs');
  const decoded = decodeInputs(inputs);
  const hourly = proposals.slice(0, HOURS);
  const without = await kilobytes(hourly, false);
  const withInputs = await kilobytes(hourly, true);
  // The last decision is one that people made: no new bar, another governance.
  const byPeople = (await kilobytes(proposals, true)) * proposals.length - withInputs * HOURS;
  rows.push([
    String(book.markets.length),
    (inputs.parts.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1000).toFixed(0),
    (withInputs - without).toFixed(0),
    without.toFixed(0),
    byPeople.toFixed(0),
    medianMilliseconds(() => encodeInputs(decoded), 15).toFixed(1),
    medianMilliseconds(() => replay(book, null, inputs), 5).toFixed(1),
  ]);
}
print(
  table(
    [
      'markets',
      'inputs, kB',
      'on disk, kB',
      'its book, kB',
      'all of one by people, kB',
      'encode, ms',
      'replay, ms',
    ],
    rows,
  ),
);
remove();

/** A decision an hour, and one in the same hour as the last of them after somebody froze a market. */
async function decisions(markets: readonly MarketHistory[]): Promise<Proposal[]> {
  const reader: MarketDataReader = {
    catalogue: async () => [],
    loadMarkets: async () => markets,
    fingerprint: async () => 'fixed',
  };
  const engine = new DecisionEngine({
    ...{ reader, judgeQuality, policy: DEFAULT_POLICY, stopwatch: stopwatchSeconds },
    champion: { champion: async () => ({ predictor: champion, reason: '' }) },
    historical: new HistoricalPredictor(),
    filtered: new FilteredPredictor(),
    tail: new TailPredictor(),
    levels: { load: async () => null, save: async () => {} },
  });
  const made: Proposal[] = [];
  const decide = async (at: number, governance: GovernanceState): Promise<void> => {
    const proposal = await engine.propose(made.at(-1)?.book ?? null, at, governance);
    if (proposal !== null) made.push(proposal);
  };
  for (let hour = HOURS; hour > 0; hour--) await decide(newest - hour * HOUR_MILLISECONDS, NO_GOVERNANCE);
  const { symbol } = markets[0];
  const freeze = { id: 'freeze-1', symbol, reason: 'x', frozenBy: 'x', frozenAt: 0, expiresAt: null };
  await decide(newest - HOUR_MILLISECONDS + 1, { ...NO_GOVERNANCE, freezes: [freeze] });
  return made;
}

/** Thousands of bytes that the state file grows by for each of these decisions. */
async function kilobytes(proposals: readonly Proposal[], hasInputs: boolean): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-state-'));
  const state = SqliteStateStore.open(folder);
  for (const { book, inputs } of proposals) {
    const audit = {
      at: book.decidedAt,
      kind: 'decision',
      actor: 'bench',
      subject: `book ${book.version}`,
    } as const;
    await state.publish(book, { ...audit, reason: 'cycle', details: {} }, hasInputs ? inputs : undefined);
  }
  await state.close();
  const { size } = statSync(join(folder, STATE_FILE_NAME));
  rmSync(folder, { recursive: true });
  return size / proposals.length / 1000;
}

/** So many markets of the same histories, each copy later by 37 hours than the one before, so that forecasts differ. */
function copies(markets: readonly MarketHistory[], count: number): MarketHistory[] {
  return Array.from({ length: count }, (_, i) => {
    const market = markets[i % markets.length];
    const shift = Math.floor(i / markets.length) * 37 * HOUR_MILLISECONDS;
    if (shift === 0) return market;
    const openTime = market.bars.openTime.map((time) => time + shift);
    return { ...market, symbol: `M${i}${market.symbol}`, bars: { ...market.bars, openTime } };
  }).sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
}
