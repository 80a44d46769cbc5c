import { describe, expect, test } from 'vitest';
import {
  refusal,
  requireConfidence,
  requireSameLength,
  requireSeries,
  requireWhole,
  requireWithin,
} from './inputs.ts';

const invalid = expect.objectContaining({ code: 'INPUT_INVALID' });

describe('at the doors of the risk engine', () => {
  test('a confidence lies between 0 and 1, and is neither', () => {
    for (const confidence of [0, 1, -0.1, 99, Number.NaN])
      expect(() => requireConfidence(confidence)).toThrow(invalid);
    for (const confidence of [1e-9, 0.5, 0.9999]) requireConfidence(confidence);
  });

  test('a series is long enough, and each of its values is a number', () => {
    requireSeries('returns', Float64Array.of(1, 2), 2);
    requireSeries('returns', new Float64Array(0), 0);
    expect(() => requireSeries('returns', Float64Array.of(1, 2), 3)).toThrow(
      expect.objectContaining({ code: 'DATA_INSUFFICIENT', remedy: expect.stringContaining('3') }),
    );
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY])
      for (const place of [0, 1, 2]) {
        const values = Float64Array.of(1, 2, 3);
        values[place] = wrong;
        const named = expect.objectContaining({
          code: 'INPUT_INVALID',
          message: expect.stringContaining(`value ${place + 1} `),
        });
        expect(() => requireSeries('returns', values, 1)).toThrow(named);
      }
  });

  test('series that belong together are equally long', () => {
    requireSameLength('losses and forecasts', 3, 3, 3);
    for (const lengths of [
      [3, 4],
      [3, 3, 2],
    ])
      expect(() => requireSameLength('losses and forecasts', ...lengths)).toThrow(invalid);
  });

  test('a number lies within its bounds, which belong to them', () => {
    for (const value of [2, 2.5, 3]) requireWithin('a share', value, 2, 3);
    for (const value of [1.999, 3.001, Number.NaN])
      expect(() => requireWithin('a share', value, 2, 3)).toThrow(invalid);
  });

  test('a count is whole and not below its least', () => {
    for (const value of [5, 6]) requireWhole('a lag', value, 5);
    for (const value of [4, 5.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => requireWhole('a lag', value, 5)).toThrow(invalid);
  });

  test('a refusal says what to do', () => {
    expect(refusal('it is wrong', 'Mend it.')).toMatchObject({
      code: 'INPUT_INVALID',
      message: 'it is wrong',
      remedy: 'Mend it.',
    });
  });
});
