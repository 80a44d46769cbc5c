import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Champion } from '../../models/champion.ts';
import { ModelRegistry } from '../../models/registry.ts';
import type { Proposal } from '../../src/control/decision-cycle.ts';
import { engineOn, HOUR, MemoryMarkets, NOW, TestModel } from '../../src/control/test-market-data.ts';
import { NO_GOVERNANCE } from '../../src/limits/governance.ts';
import type { LimitBook } from '../../src/limits/types.ts';

/** A model file that is damaged while the service runs. What it does at the start is in `test/serve.test.ts`. */
const SHIPPED = join(import.meta.dirname, '..', '..', 'models');
const dataDir = mkdtempSync(join(tmpdir(), 'plimsoll-damaged-'));
const registry = new ModelRegistry(SHIPPED, dataDir);
const versions = ['20250101-0000000a', '20250101-0000000b'];
const weightsOf = (version: string): string => join(dataDir, 'models', 'versions', version, 'weights.bin');
let sound: Buffer;

beforeAll(async () => {
  const shipped = (await registry.versionOf('champion')) ?? '';
  const manifest = await registry.manifest(shipped);
  sound = readFileSync(join(SHIPPED, 'versions', shipped, manifest.weights.file));
  for (const version of versions)
    await registry.add({ ...manifest, version }, sound, { 'card.md': `# ${version}\n` });
  await registry.promote(versions[0], { override: true });
});
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const damages: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
  ['cut off', (bytes) => bytes.subarray(0, bytes.length / 2)],
  ['with one bit turned', (bytes) => Buffer.from(bytes.map((byte, i) => (i === 1000 ? byte ^ 1 : byte)))],
  ['empty', () => Buffer.alloc(0)],
];

test.each(damages)(
  '%s: the one in memory goes on; the next one is not used, nothing loosens, and it is told once',
  async (_, damage) => {
    await registry.promote(versions[0], { override: true }).catch(() => undefined);
    writeFileSync(weightsOf(versions[1]), sound);
    const told: string[] = [];
    const champion = new Champion(registry, (message) => told.push(message));
    const engine = engineOn(
      new MemoryMarkets(),
      { predictor: null, reason: '' },
      {
        // Whether it may be used is what the registry says; what it forecasts is that of a test.
        champion: {
          champion: async () => {
            const { predictor, reason } = await champion.champion();
            return { predictor: predictor === null ? null : new TestModel(predictor.id), reason };
          },
        },
      },
    );
    let book: LimitBook | null = null;
    const decide = async (hour: number): Promise<Proposal> => {
      const before = book;
      const proposal = await engine.propose(book, NOW + hour * HOUR, NO_GOVERNANCE);
      if (proposal === null) throw new Error('there was nothing to decide');
      ({ book } = proposal);
      for (const [i, market] of book.markets.entries())
        if (before !== null)
          expect(market.brackets[0].maxLeverage).toBeLessThanOrEqual(
            before.markets[i].brackets[0].maxLeverage,
          );
      return proposal;
    };
    expect((await decide(0)).book.model).toContain(versions[0]);
    // The file of the one in use: it is in memory, whole.
    writeFileSync(weightsOf(versions[0]), damage(sound));
    expect((await decide(1)).facts.fallbackReason).toBeNull();
    writeFileSync(weightsOf(versions[0]), sound);
    // The file of one that has just been promoted.
    await registry.promote(versions[1], { override: true });
    writeFileSync(weightsOf(versions[1]), damage(sound));
    for (const hour of [2, 3]) {
      const { book: without, facts } = await decide(hour);
      expect([without.model, without.degraded, facts.fallbackReason]).toEqual([null, true, 'model_damaged']);
      expect(without.reasons).toContain('MODEL_UNAVAILABLE');
    }
    expect(told).toEqual([expect.stringMatching(/weights|checksum|bytes/)]);
    writeFileSync(weightsOf(versions[1]), sound);
    expect((await decide(4)).book.model).toContain(versions[1]);
  },
);
