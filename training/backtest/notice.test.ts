import { describe, expect, test } from 'vitest';
import { mostConservativeBrackets } from '../../src/limits/brackets.ts';
import type { Announcement } from '../../src/limits/types.ts';
import { HOUR_MILLISECONDS } from '../../src/units.ts';
import { noticeHoursOf } from './notice.ts';

const announcement = (announcedHour: number, effectiveHour: number): Announcement => ({
  brackets: mostConservativeBrackets(),
  announcedAt: announcedHour * HOUR_MILLISECONDS,
  effectiveAt: effectiveHour * HOUR_MILLISECONDS,
});
const noticeAt = (hour: number, announced: readonly Announcement[], isRaised: boolean): number | null =>
  noticeHoursOf(
    { announced },
    { reasons: isRaised ? ['MAINTENANCE_RAISED'] : ['GOVERNOR_LOOSENED'] },
    hour * HOUR_MILLISECONDS,
  );

describe('the notice of a rise', () => {
  test('is counted also where the table came down in the decision that brought it into force', () => {
    expect(noticeAt(24, [announcement(0, 24)], true)).toBe(24);
  });

  test('is that of the last table that was due, and of none that waits on', () => {
    expect(noticeAt(30, [announcement(0, 24), announcement(2, 30), announcement(9, 40)], true)).toBe(28);
  });

  test('is not counted where what was due was withdrawn', () => {
    expect(noticeAt(24, [announcement(0, 24)], false)).toBeNull();
  });

  test('is none where a policy lets a table be announced and come into force at once', () => {
    expect(noticeHoursOf(null, { reasons: ['MAINTENANCE_RAISED'] }, 0)).toBe(0);
    expect(noticeAt(3, [], true)).toBe(0);
  });
});
