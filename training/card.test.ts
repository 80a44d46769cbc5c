import { describe, expect, test } from 'vitest';
import type { NetworkManifest } from '../models/manifest.ts';
import { modelCard } from './card.ts';

const manifest: NetworkManifest = {
  name: 'shock-network',
  version: '20240101-0badcafe',
  data: {
    from: '2020-01-01T00:00:00.000Z',
    to: '2024-01-01T00:00:00.000Z',
    markets: ['SIM0USDT'],
    simulated: true,
    rows: 10,
    everyHours: 4,
  },
  split: { trainUntil: 'a', validationFrom: 'b', validationUntil: 'c' },
  training: { hidden: [8], backend: 'wasm', members: [{ seed: 1, bestEpoch: 2 }] },
  evaluation: null,
} as unknown as NetworkManifest;

describe('the model card', () => {
  test('says that markets are simulated, and that a version was not evaluated', () => {
    const card = modelCard(manifest);
    expect(card).toContain('SIMULATED');
    expect(card).toContain('not evaluated out of time');
    expect(card).not.toContain('## Verdict');
  });

  test('has the verdict, every gate and links to what lies beside it', () => {
    const card = modelCard(manifest, {
      verdict: { isGood: false, title: 'Not promoted', sentence: 'One gate failed.' },
      gates: [
        { name: 'stress', passed: false, measured: '1.4 %', bound: '≤ 1.2 %', detail: 'long | 24 h' },
        { name: 'latency', passed: true, measured: '3 ms', bound: '≤ 5 ms', detail: '500 markets' },
      ],
      documents: [['report.html', 'the whole report']],
    });
    expect(card).toContain('**Not promoted.** One gate failed.');
    expect(card).toContain('| stress | **failed** | 1.4 % | ≤ 1.2 % | long \\| 24 h |');
    expect(card).toContain('| latency | passed | 3 ms | ≤ 5 ms | 500 markets |');
    expect(card).toContain('[report.html](report.html): the whole report');
  });
});
