import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PlimsollError } from '../../errors.ts';
import {
  type AdjustmentStatus,
  adaptiveLevel,
  adaptiveScores,
  type Calibrator,
  calibrateSeries,
  delayedChains,
  dtaci,
  inCorridor,
  inSequence,
  noCalibration,
  pid,
  quantileTracking,
  shortfallTracking,
  splitConformal,
} from './calibrator.ts';
import { goldenSeries, regimeSeries } from './test-streams.ts';

/** A calibrator whose state's type does not matter: what one law says of all of them. */
type AnyCalibrator = Calibrator<unknown>;
const plain = <State>(calibrator: Calibrator<State>): AnyCalibrator => calibrator as AnyCalibrator;

const confidence = 0.9;
const ALL: readonly (readonly [string, AnyCalibrator])[] = [
  ['noCalibration', plain(noCalibration())],
  ['splitConformal', plain(splitConformal({ confidence }))],
  ['splitConformal with decay', plain(splitConformal({ confidence, decay: 0.95 }))],
  ['adaptiveLevel', plain(adaptiveLevel({ confidence }))],
  ['adaptiveScores', plain(adaptiveScores({ confidence, window: 50 }))],
  ['quantileTracking', plain(quantileTracking({ confidence }))],
  ['shortfallTracking', plain(shortfallTracking({ confidence }))],
  [
    'shortfallTracking behind quantileTracking',
    plain(inSequence(quantileTracking({ confidence }), shortfallTracking({ confidence }))),
  ],
  ['dtaci', plain(dtaci({ confidence, window: 50 }))],
  ['pid', plain(pid({ confidence }))],
  [
    'inCorridor',
    plain(inCorridor(pid({ confidence }), ({ valueAtRisk }) => ({ floor: valueAtRisk / 2, ceiling: 1 }))),
  ],
  ['inSequence', plain(inSequence(dtaci({ confidence, window: 50 }), quantileTracking({ confidence })))],
];
const SCALING = ALL.filter(([name]) => name !== 'noCalibration' && name !== 'shortfallTracking');

describe.each(ALL)('%s', (name, calibrator) => {
  test('replayed step by step through JSON it gives the states and numbers of the whole series, to the bit', () => {
    const series = regimeSeries(600, 7, confidence);
    const whole = calibrateSeries(calibrator, series);
    let state = calibrator.initial();
    for (let t = 0; t < 600; t++) {
      const [valueAtRisk, expectedShortfall] = [series.valueAtRisk[t], series.expectedShortfall[t]];
      const stored = JSON.stringify(state);
      const restored = JSON.parse(stored);
      expect(restored).toStrictEqual(state);
      const adjusted = calibrator.adjusted(restored, valueAtRisk, expectedShortfall);
      expect(adjusted.valueAtRisk).toBe(whole.valueAtRisk[t]);
      expect(adjusted.expectedShortfall).toBe(whole.expectedShortfall[t]);
      expect(series.loss[t] > adjusted.valueAtRisk ? 1 : 0).toBe(whole.hits[t]);
      const next = calibrator.observe(restored, series.loss[t], { valueAtRisk, expectedShortfall });
      // A transition leaves the state that it was given alone.
      expect(JSON.stringify(restored)).toBe(stored);
      state = next;
    }
    expect(state).toStrictEqual(whole.state);
    const half = (from: number, to: number) => ({
      loss: series.loss.subarray(from, to),
      valueAtRisk: series.valueAtRisk.subarray(from, to),
      expectedShortfall: series.expectedShortfall.subarray(from, to),
    });
    const first = calibrateSeries(calibrator, half(0, 300));
    const second = calibrateSeries(calibrator, half(300, 600), first.state);
    expect(second.state).toStrictEqual(whole.state);
    expect(second.valueAtRisk).toEqual(whole.valueAtRisk.slice(300));
  });

  test('is finite, with ES not below VaR, for any numbers', () => {
    const positive = fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true });
    const loss = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(loss, positive, positive), { minLength: 1, maxLength: 60 }), (rows) => {
        let state = calibrator.initial();
        for (const [value, a, b] of rows) {
          const [valueAtRisk, expectedShortfall] = [Math.min(a, b), Math.max(a, b)];
          const adjusted = calibrator.adjusted(state, valueAtRisk, expectedShortfall);
          expect(Number.isFinite(adjusted.valueAtRisk)).toBe(true);
          expect(Number.isFinite(adjusted.expectedShortfall)).toBe(true);
          expect(adjusted.valueAtRisk).toBeGreaterThan(0);
          expect(adjusted.expectedShortfall).toBeGreaterThanOrEqual(adjusted.valueAtRisk);
          state = calibrator.observe(state, value, { valueAtRisk, expectedShortfall });
          // JSON writes NaN and infinities as null, and loses the sign of −0.
          expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
        }
      }),
      { seed: 15, numRuns: 60 },
    );
  });

  test('keeps ES / VaR, and does not depend on the unit of the losses', () => {
    if (name === 'inCorridor') return;
    const series = goldenSeries(400);
    const unit = 1024;
    const scaled = {
      loss: series.loss.map((value) => unit * value),
      valueAtRisk: series.valueAtRisk.map((value) => unit * value),
      expectedShortfall: series.expectedShortfall.map((value) => unit * value),
    };
    const [small, large] = [calibrateSeries(calibrator, series), calibrateSeries(calibrator, scaled)];
    expect(large.hits).toEqual(small.hits);
    for (let t = 0; t < 400; t++) {
      if (!name.startsWith('shortfall'))
        expect(small.expectedShortfall[t] / small.valueAtRisk[t]).toBeCloseTo(1.25, 10);
      expect(large.valueAtRisk[t] / unit).toBeCloseTo(small.valueAtRisk[t], 12);
    }
  });

  test.each([
    ['a VaR that is no number', Number.NaN, 1],
    ['an infinite ES', 1, Number.POSITIVE_INFINITY],
    ['an ES below VaR', 2, 1],
  ])('%s is refused with a remedy', (_case, valueAtRisk, expectedShortfall) => {
    expect(() => calibrator.adjusted(calibrator.initial(), valueAtRisk, expectedShortfall)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) }),
    );
  });
});

describe.each(SCALING)('%s, which multiplies', (_, calibrator) => {
  test('refuses a VaR of 0 and a loss that is no number, with a remedy', () => {
    const refused = expect.objectContaining({ code: 'INPUT_INVALID', remedy: expect.any(String) });
    expect(() => calibrator.adjusted(calibrator.initial(), 0, 1)).toThrow(refused);
    const forecast = { valueAtRisk: 1, expectedShortfall: 2 };
    expect(() => calibrator.observe(calibrator.initial(), Number.NaN, forecast)).toThrow(refused);
    expect(() =>
      calibrator.observe(calibrator.initial(), 1, { valueAtRisk: 0, expectedShortfall: 1 }),
    ).toThrow(refused);
  });
});

describe('the additive form', () => {
  test('adjusts forecasts of 0 and below, and is finite for any numbers', () => {
    const calibrator = splitConformal({ confidence, form: 'additive' });
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number, number), { minLength: 9, maxLength: 40 }), (rows) => {
        let state = calibrator.initial();
        for (const [loss, a, b] of rows) {
          const forecast = { valueAtRisk: Math.min(a, b), expectedShortfall: Math.max(a, b) };
          const adjusted = calibrator.adjusted(state, forecast.valueAtRisk, forecast.expectedShortfall);
          expect(Number.isFinite(adjusted.valueAtRisk + 0 * adjusted.expectedShortfall)).toBe(true);
          expect(adjusted.expectedShortfall).toBeGreaterThanOrEqual(adjusted.valueAtRisk);
          state = calibrator.observe(state, loss, forecast);
          expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
        }
      }),
      { seed: 16, numRuns: 100 },
    );
  });
});

describe('adjusters in sequence and in chains', () => {
  test('a sequence is the second on what the first one says', () => {
    const series = regimeSeries(800, 3, confidence);
    const [first, second] = [adaptiveScores({ confidence, window: 60 }), quantileTracking({ confidence })];
    const between = calibrateSeries(first, series);
    const after = calibrateSeries(second, { ...between, loss: series.loss });
    const sequence = calibrateSeries(inSequence(first, second), series);
    expect(sequence.valueAtRisk).toEqual(after.valueAtRisk);
    expect(sequence.expectedShortfall).toEqual(after.expectedShortfall);
    expect(sequence.state).toStrictEqual({ first: between.state, second: after.state });
  });

  test('any adjuster can be put into chains', () => {
    for (const [, calibrator] of ALL) {
      const chains = delayedChains(calibrator, 2);
      let state = chains.initial();
      for (let t = 0; t < 50; t++) {
        state = chains.issue(state, t, { valueAtRisk: 0.5, expectedShortfall: 0.6 }).state;
        state = chains.settle(state, t, 0.1 + 0.02 * (t % 30));
      }
      expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
    }
  });

  test('a refused row is named', () => {
    const series = regimeSeries(5, 1, confidence);
    series.loss[3] = Number.NaN;
    expect(() => calibrateSeries(quantileTracking({ confidence }), series)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringMatching(/^row 4: /) }),
    );
    expect(() => calibrateSeries(noCalibration(), { ...series, loss: new Float64Array(2) })).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });

  test('a refused row keeps the code, the remedy and the facts of the refusal, and what is no refusal passes as it is', () => {
    const failing = (thrown: unknown): Calibrator<null> => ({
      ...noCalibration(),
      observe: () => {
        throw thrown;
      },
    });
    const thrownBy = (thrown: unknown): unknown => {
      try {
        return calibrateSeries(failing(thrown), regimeSeries(1, 1, confidence));
      } catch (caught) {
        return caught;
      }
    };
    const refusal = new PlimsollError('DATA_INVALID', 'no', {
      remedy: 'Mend it.',
      details: { market: 'BTC' },
    });
    expect(thrownBy(refusal)).toMatchObject({
      code: 'DATA_INVALID',
      message: 'row 1: no',
      remedy: 'Mend it.',
      details: { market: 'BTC' },
      cause: refusal,
    });
    const bare = new PlimsollError('DATA_INVALID', 'no', { details: { market: 'ETH' } });
    expect(thrownBy(bare)).toMatchObject({ remedy: undefined, details: { market: 'ETH' }, cause: bare });
    const defect = new TypeError('a defect');
    expect(thrownBy(defect)).toBe(defect);
  });

  const says = (status: AdjustmentStatus): Calibrator<null> => ({
    ...noCalibration(),
    adjusted: (_, valueAtRisk, expectedShortfall) => ({ valueAtRisk, expectedShortfall, status }),
  });

  test.each<[AdjustmentStatus, AdjustmentStatus, AdjustmentStatus]>([
    ['unadjusted', 'unadjusted', 'unadjusted'],
    ['unadjusted', 'adjusted', 'adjusted'],
    ['adjusted', 'unadjusted', 'adjusted'],
    ['adjusted', 'adjusted', 'adjusted'],
    ['clipped-low', 'unadjusted', 'clipped-low'],
    ['clipped-high', 'adjusted', 'clipped-high'],
    ['adjusted', 'clipped-low', 'clipped-low'],
    ['unadjusted', 'clipped-high', 'clipped-high'],
    ['clipped-low', 'clipped-high', 'clipped-high'],
    ['clipped-high', 'clipped-low', 'clipped-low'],
  ])('%s, then %s, is %s: no clipped step is hidden by the sequence', (first, second, both) => {
    const sequence = inSequence(says(first), says(second));
    expect(sequence.adjusted(sequence.initial(), 1, 2)).toEqual({
      valueAtRisk: 1,
      expectedShortfall: 2,
      status: both,
    });
    const { clipped } = calibrateSeries(sequence, regimeSeries(3, 1, confidence));
    expect([...clipped]).toEqual(new Array(3).fill(both.startsWith('clipped') ? 1 : 0));
  });

  test('a loss of just VaR is no exceedance', () => {
    const series = {
      loss: Float64Array.of(1, 1.0000001, 0.9),
      valueAtRisk: Float64Array.of(1, 1, 1),
      expectedShortfall: Float64Array.of(2, 2, 2),
    };
    expect([...calibrateSeries(noCalibration(), series).hits]).toEqual([0, 1, 0]);
  });
});
