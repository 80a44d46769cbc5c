import { describe, expect, test } from 'vitest';
import {
  emergencyInputSchema,
  freezeInputSchema,
  overrideInputSchema,
} from '../../../../src/http/governance-schemas.ts';
import { draftBody, FIRST_DRAFT, isComplete } from './draft.ts';

const typed = { ...FIRST_DRAFT, symbol: 'BTCUSDT', maxLeverage: '10', hours: '2.5', reason: ' thin book ' };

describe('what is sent for what was typed', () => {
  test('is what the service takes, for each kind', () => {
    expect(overrideInputSchema.parse(draftBody('override', typed))).toEqual({
      symbol: 'BTCUSDT',
      maxLeverage: 10,
      hours: 2.5,
      reason: 'thin book',
    });
    expect(freezeInputSchema.parse(draftBody('freeze', typed))).toMatchObject({ symbol: null, hours: 2.5 });
    expect(freezeInputSchema.parse(draftBody('freeze', { ...typed, scope: 'one' }))).toMatchObject({
      symbol: 'BTCUSDT',
    });
    expect(emergencyInputSchema.parse(draftBody('emergency', typed))).toEqual({
      hours: 2.5,
      reason: 'thin book',
    });
  });

  test('a time is meant as UTC, with or without seconds', () => {
    for (const until of ['2026-01-31T12:00', '2026-01-31T12:00:00']) {
      const body = draftBody('override', { ...typed, ending: 'time', until });
      expect(overrideInputSchema.parse(body)).toMatchObject({ expiresAt: '2026-01-31T12:00:00Z' });
      expect(body).not.toHaveProperty('hours');
    }
  });

  test('whether it loosens is said only where somebody said so', () => {
    expect(draftBody('override', typed)).not.toHaveProperty('mayLoosen');
    expect(draftBody('override', { ...typed, loosens: 'yes' })).toMatchObject({ mayLoosen: true });
    expect(draftBody('override', { ...typed, loosens: 'no' })).toMatchObject({ mayLoosen: false });
  });

  test('nothing is sent that is not complete', () => {
    expect(isComplete('override', typed)).toBe(true);
    for (const missing of [{ symbol: '' }, { maxLeverage: '' }, { hours: '' }, { reason: '  ' }])
      expect([missing, isComplete('override', { ...typed, ...missing })]).toEqual([missing, false]);
    expect(isComplete('freeze', { ...typed, symbol: '' })).toBe(true);
    expect(isComplete('freeze', { ...typed, symbol: '', scope: 'one' })).toBe(false);
    expect(isComplete('emergency', { ...typed, symbol: '', maxLeverage: '' })).toBe(true);
    expect(isComplete('emergency', { ...typed, ending: 'time' })).toBe(false);
  });
});
