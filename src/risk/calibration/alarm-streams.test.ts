import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { type EProcessOptions, eProcess } from './e-process.ts';

/** The step of the first alarm on exponential losses of a size, under forecasts that are right for size 1; 0 for none. */
function firstAlarm(
  options: EProcessOptions,
  seed: number,
  steps: number,
  sizeAt: (t: number) => number,
): number {
  const process = eProcess(options);
  const random = Random.stream(seed, 'e-process');
  let state = process.initial();
  const level = -Math.log(1 - options.confidence);
  for (let t = 1; t <= steps; t++) {
    // The forecasts move, and are right in each step: VaR and ES of an exponential law with that scale.
    const scale = 1 + 0.8 * Math.sin(t / 40);
    const forecast = { valueAtRisk: scale * level, expectedShortfall: scale * (level + 1) };
    state = process.observe(state, scale * sizeAt(t) * random.exponential(), forecast);
    if (state.alarms > 0) return t;
  }
  return 0;
}

describe('false alarms', () => {
  test.each([
    ['value-at-risk', { kind: 'mixture' }],
    ['value-at-risk', { kind: 'gree' }],
    ['value-at-risk', { kind: 'grel' }],
    ['expected-shortfall', { kind: 'mixture' }],
    ['expected-shortfall', { kind: 'gree' }],
    ['overstated', { kind: 'mixture' }],
    ['overstated', { kind: 'gree' }],
  ] as const)('%s, %o: at most a share δ of 400 good streams ever alarms', (statistic, bet) => {
    const falseAlarms = 0.1;
    const runs = 400;
    const options: EProcessOptions = { statistic, bet, confidence: 0.95, falseAlarms };
    let alarmed = 0;
    const steps = bet.kind === 'grel' ? 1000 : 3000;
    for (let seed = 1; seed <= runs; seed++) if (firstAlarm(options, seed, steps, () => 1) > 0) alarmed++;
    expect(alarmed).toBeLessThan(runs * falseAlarms + 3 * Math.sqrt(runs * falseAlarms * (1 - falseAlarms)));
    expect(alarmed).toBeGreaterThan(0);
  });

  test.each(['sum', 'maximum'] as const)(
    'the detector by %s runs 1 / δ good steps and more on average',
    (form) => {
      const options: EProcessOptions = {
        statistic: 'value-at-risk',
        confidence: 0.95,
        falseAlarms: 1 / 300,
        form,
      };
      let steps = 0;
      const runs = 200;
      const cap = 20_000;
      for (let seed = 1; seed <= runs; seed++) steps += firstAlarm(options, seed, cap, () => 1) || cap;
      expect(steps / runs).toBeGreaterThan(300);
    },
  );
});

describe('alarms that are true', () => {
  const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];
  const delays = (
    options: EProcessOptions,
    steps: number,
    sizeAt: (t: number) => number,
    after = 0,
  ): number[] =>
    Array.from({ length: 60 }, (_, i) => firstAlarm(options, i + 1, steps, sizeAt))
      .map((step) => (step === 0 ? steps : step) - after)
      .filter((delay) => delay > 0);

  test.each([
    ['value-at-risk', 1.4, 400],
    ['expected-shortfall', 1.4, 300],
    ['overstated', 0.5, 700],
  ] as const)(
    '%s: losses %d times as large are found in half of the streams within %i steps',
    (statistic, size, limit) => {
      for (const kind of ['mixture', 'gree'] as const) {
        const options: EProcessOptions = { statistic, confidence: 0.95, falseAlarms: 0.01, bet: { kind } };
        expect(median(delays(options, 4000, () => size))).toBeLessThan(limit * (kind === 'gree' ? 2 : 1));
      }
    },
  );

  test('a change after a long good past is found sooner by a detector than by the product', () => {
    const change = 4000;
    const sizeAt = (t: number): number => (t > change ? 1.6 : 1);
    const common = { statistic: 'value-at-risk', confidence: 0.95 } as const;
    const product = median(delays({ ...common, falseAlarms: 0.001 }, 8000, sizeAt, change));
    for (const form of ['sum', 'maximum'] as const) {
      const detector = median(delays({ ...common, falseAlarms: 1e-5, form }, 8000, sizeAt, change));
      expect(detector).toBeLessThan(300);
      expect(detector).toBeLessThan(product / 2);
    }
  });
});
