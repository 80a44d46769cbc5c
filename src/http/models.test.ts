import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newAlarms, withOrigins } from '../control/coverage-alarms.ts';
import { DECIDED_AT, HOUR } from '../limits/test-inputs.ts';
import { SHIPPED_MODELS } from '../program.ts';
import { SHIPPED_CHAMPION } from './route-examples.fixture.ts';
import { TestService } from './test-service.ts';

const PATH = `/v1/models/${SHIPPED_CHAMPION}`;
const manifest = JSON.parse(
  readFileSync(join(SHIPPED_MODELS, 'versions', SHIPPED_CHAMPION, 'manifest.json'), 'utf8'),
);

let service: TestService;

beforeAll(async () => {
  service = await TestService.start({ books: 0 });
});

afterAll(() => service.stop());

test('a version tells what its manifest says of judgement, gates, lineage, split, training and data', async () => {
  const { status, json } = await service.call(PATH);
  expect(status).toBe(200);
  expect(json).toMatchObject({
    ...{
      name: manifest.name,
      version: SHIPPED_CHAMPION,
      aliases: ['champion'],
      createdAt: manifest.createdAt,
    },
    ...{ dataFrom: manifest.data.from, dataTo: manifest.data.to, markets: manifest.data.markets.length },
    ...{ shipped: true, simulated: false, shadow: null, title: null },
    gates: manifest.gates.passed ? 'passed' : 'failed',
    evaluation: manifest.evaluation,
    gateRecord: manifest.gates,
    lineage: manifest.lineage,
    split: manifest.split,
    training: manifest.training,
    featureCount: manifest.features.names.length,
  });
  expect(json.data).toEqual({ leftOut: [], ...manifest.data });
  expect(json.evaluation.scores.length).toBeGreaterThan(100);
  expect(json.gateRecord.results.length).toBeGreaterThan(3);
});

test('it leaves out what only a program reads: weights, scaling, the probe and histograms', async () => {
  const { json, text } = await service.call(PATH);
  for (const name of ['weights', 'scaling', 'probe', 'reference', 'features'])
    expect([name, name in json]).toEqual([name, false]);
  expect(text).not.toContain(manifest.weights.sha256);
});

test.each(['20200101-0a1b2c3d', 'test', 'a..b'])(
  'the version %s, which is not there, is refused',
  async (version) => {
    const { status, json } = await service.call(`/v1/models/${version}`);
    expect([status, json.code]).toEqual([404, 'VERSION_UNKNOWN']);
    expect(json.remedy.length).toBeGreaterThan(5);
  },
);

test('what cannot be a version is refused as such', async () => {
  const { status, json } = await service.call('/v1/models/..%2f..%2fetc');
  expect([status, json.code]).toEqual([400, 'INPUT_INVALID']);
});

test('coverage is empty before any forecast was watched, and afterwards says how often VaR was exceeded and since when that is too often', async () => {
  expect((await service.call('/v1/coverage')).json).toEqual({ model: null, tiers: [], drift: null });
  let alarms = newAlarms(`shock-network@${SHIPPED_CHAMPION}`);
  for (let hour = 1; hour <= 40; hour++) {
    const asOf = hour * HOUR;
    const count = { asOf, horizonHours: 1, confidence: 0.95, observations: 20, exceedances: 4 };
    alarms = withOrigins(alarms, [count], asOf + 2 * HOUR, DECIDED_AT + asOf);
  }
  const raised = alarms.tiers.find(({ observations }) => observations > 0)?.alarmedAt.exceeded;
  await service.store.putWatchEntries([{ name: 'coverage/alarms', body: JSON.stringify(alarms) }]);
  await service.restart();
  const { status, json } = await service.call('/v1/coverage');
  expect([status, json.model, json.tiers.length, json.drift]).toEqual([200, alarms.model, 16, null]);
  const tierOf = (horizonHours: number, confidence: number) =>
    json.tiers.find(
      (tier: { horizonHours: number; confidence: number }) =>
        tier.horizonHours === horizonHours && tier.confidence === confidence,
    );
  expect(tierOf(1, 0.95)).toEqual({
    ...{ horizonHours: 1, confidence: 0.95, observations: 800, exceedances: 160 },
    ...{ exceedanceRate: 0.2, expectedRate: 0.05 },
    alarmedAt: { exceeded: new Date(raised ?? 0).toISOString(), overstated: null },
  });
  expect(tierOf(24, 0.999)).toMatchObject({
    ...{ observations: 0, exceedanceRate: null, expectedRate: 0.001 },
    alarmedAt: { exceeded: null, overstated: null },
  });
});
