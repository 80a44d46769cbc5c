import { describe, expect, test } from 'vitest';
import type { Margin } from '../../answers.ts';
import { closedWhere, MOVES, type MovedMargin, movedPrice } from './moves.ts';

describe('a mark that is moved', () => {
  test.each([
    ['40000', -0.5, 20000],
    ['0.00000012', 0.1, 0.000000132],
    ['123456789012345', 0.5, 185185183518517.5],
  ])('%s by %d is a plain decimal', (mark, move, price) => {
    const text = movedPrice(mark, move);
    expect(text).toMatch(/^\d{1,15}\.\d{1,18}$/);
    expect(Number(text) / price).toBeCloseTo(1, 10);
  });
});

describe('where an account is closed out', () => {
  const rows = (closed: (move: number) => boolean): readonly MovedMargin[] =>
    MOVES.map((move) => ({
      move,
      margin: { status: closed(move) ? 'liquidation' : 'healthy' } as unknown as Margin,
    }));

  test.each([
    [(move: number) => move <= -0.15, 'between −10 % and −15 %'],
    [(move: number) => move >= 0.2, 'between +15 % and +20 %'],
    [(move: number) => Math.abs(move) >= 0.3, 'between −25 % and −30 %, and between +25 % and +30 %'],
    [() => false, 'No part of it'],
    [() => true, 'already due'],
  ])('%#: is told between two of the moves that were asked', (closed, words) => {
    expect(closedWhere(rows(closed))).toContain(words);
  });
});
