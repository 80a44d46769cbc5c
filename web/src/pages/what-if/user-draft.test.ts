import { describe, expect, test } from 'vitest';
import { changesOf, type UserSettings, userDraftOf, userSettingsOf } from './user-draft.ts';

const SET: UserSettings = {
  maxLeverage: 20,
  accountCreatedAt: '2024-01-01T13:37:00.000Z',
  ownInitialMarginRatePpm: 123_456,
  notionalCoef: '0.5',
  experienceClass: 'regular',
  overrideMaxLeverage: 5,
  overrideExpiresAt: '2026-12-01T18:00:30.000Z',
  overrideReason: 'under review',
};

describe('the form of a user’s policy', () => {
  test('sends back what it was filled with, to the second and the millionth', () => {
    expect(userSettingsOf(userDraftOf(SET), SET)).toEqual({ settings: SET, faults: [] });
  });

  test('empty fields take away: all settings go with each change', () => {
    const { settings } = userSettingsOf(userDraftOf(null), SET);
    expect(Object.values(settings ?? { a: 'missing' })).toEqual(Object.values(SET).map(() => null));
  });

  test.each([
    ['10', 100_000],
    ['8.3333', 83_333],
    ['0.00005', 1],
    ['33.33335', 333_334],
  ])('a chosen margin of %s %% is %d millionths, never less than chosen', (typed, ppm) => {
    const { settings } = userSettingsOf({ ...userDraftOf(null), ownInitialMarginRate: typed }, null);
    expect(settings?.ownInitialMarginRatePpm).toBe(ppm);
  });

  test('a temporary limit without a reason is told before it is sent', () => {
    const { settings, faults } = userSettingsOf({ ...userDraftOf(SET), overrideReason: ' ' }, SET);
    expect(settings).toBeNull();
    expect(faults).toEqual([expect.stringContaining('all three or none')]);
  });

  test('says what changes, and only that', () => {
    expect(changesOf(SET, { ...SET, maxLeverage: 10, experienceClass: null })).toEqual([
      { name: 'Largest leverage (house)', from: '20x', to: '10x' },
      { name: 'Class of experience', from: 'regular', to: 'not set' },
    ]);
    expect(changesOf(null, { ...SET, maxLeverage: null })).toHaveLength(7);
  });
});
