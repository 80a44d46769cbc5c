import { describe, expect, test } from 'vitest';
import { Random } from '../../random.ts';
import { descend, type PlaneRows } from './quantile-descent.ts';

/** Rows of a constant and one regressor, with a spread that grows. */
function lines(n: number, isWhole = false): PlaneRows {
  const random = Random.stream(n, 'descent');
  const x = new Float64Array(2 * n);
  const y = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const at = isWhole ? random.integer(4) : random.uniform();
    x.set([1, at], 2 * i);
    const value = 1 + 2 * at + (1 + at) * random.normal();
    y[i] = isWhole ? Math.round(value) : value;
  }
  return { x, y, size: 2, pull: new Float64Array(2) };
}

function lossOf({ x, y, pull }: PlaneRows, probability: number, b: ArrayLike<number>): number {
  let sum = -(pull[0] * b[0] + pull[1] * b[1]);
  for (let i = 0; i < y.length; i++) {
    const residual = y[i] - b[0] * x[2 * i] - b[1] * x[2 * i + 1];
    sum += residual * (residual >= 0 ? probability : probability - 1);
  }
  return sum;
}

/** The least loss over the lines through any two rows: one of them is a minimum. */
function slowest(rows: PlaneRows, probability: number): number {
  const { x, y } = rows;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < y.length; i++)
    for (let k = 0; k < i; k++) {
      const spread = x[2 * i + 1] - x[2 * k + 1];
      if (spread === 0) continue;
      const slope = (y[i] - y[k]) / spread;
      least = Math.min(least, lossOf(rows, probability, [y[i] - slope * x[2 * i + 1], slope]));
    }
  return least;
}

/** Two rows that differ in their regressor. */
function basisOf({ x, y }: PlaneRows): Int32Array {
  const other = Array.from(y.keys()).findIndex((i) => x[2 * i + 1] !== x[1]);
  return Int32Array.of(0, other);
}

const EVER = Number.POSITIVE_INFINITY;

describe('a descent over vertices', () => {
  test.each([60, 90])('ends at the least loss of all lines through two of %d rows', (n) => {
    const rows = lines(n);
    for (const probability of [0.03, 0.3, 0.5, 0.9, 0.99]) {
      const basis = basisOf(rows);
      const vertex = descend(rows, probability, basis, EVER)!;
      expect(vertex.isStalled).toBe(false);
      expect(lossOf(rows, probability, vertex.coefficients)).toBeCloseTo(slowest(rows, probability), 9);
      for (const row of vertex.basis) {
        const plane = vertex.coefficients[0] + vertex.coefficients[1] * rows.x[2 * row + 1];
        expect(plane).toBeCloseTo(rows.y[row], 10);
      }
      expect(new Set(vertex.basis).size).toBe(2);
      // What it was given is kept.
      expect(basis).toEqual(basisOf(rows));
    }
  });

  test('counts the pull of the rows that are left out: as if they were there', () => {
    const all = lines(80);
    const probability = 0.8;
    const plain = descend(all, probability, basisOf(all), EVER)!;
    const kept: number[] = [];
    const pull = new Float64Array(2);
    for (let i = 0; i < 80; i++) {
      const x = all.x[2 * i + 1];
      const residual = all.y[i] - plain.coefficients[0] - plain.coefficients[1] * x;
      if (Math.abs(residual) < 0.8) kept.push(i);
      else {
        pull[0] += residual >= 0 ? probability : probability - 1;
        pull[1] += (residual >= 0 ? probability : probability - 1) * x;
      }
    }
    expect(kept.length).toBeLessThan(50);
    const band = {
      x: Float64Array.from(kept.flatMap((i) => [1, all.x[2 * i + 1]])),
      y: Float64Array.from(kept, (i) => all.y[i]),
      size: 2,
      pull,
    };
    const vertex = descend(band, probability, basisOf(band), EVER)!;
    expect(Int32Array.from(vertex.basis, (row) => kept[row]).sort()).toEqual(plain.basis.slice().sort());
  });

  test('has no end where more is pulled than the rows can hold, and none from rows that depend on one another', () => {
    for (const pull of [Float64Array.of(90, 0), Float64Array.of(0, -90)])
      expect(descend({ ...lines(40), pull }, 0.5, basisOf(lines(40)), EVER)).toBeNull();
    const twice = lines(40);
    twice.x.set(twice.x.slice(0, 2), 2);
    expect(descend(twice, 0.5, Int32Array.of(0, 1), EVER)).toBeNull();
  });

  test('may begin at rows whose first regressor is 0', () => {
    const rows = lines(50);
    // The columns change places: the regressor is first, and 0 in the first row.
    const turned = rows.x.map((_, at) => rows.x[at % 2 === 0 ? at + 1 : at - 1]);
    turned[0] = 0;
    const given = rows.x.slice();
    given[1] = 0;
    const plain = descend({ ...rows, x: given }, 0.7, Int32Array.of(0, 1), EVER)!;
    for (const basis of [Int32Array.of(0, 1), Int32Array.of(1, 0)]) {
      const vertex = descend({ ...rows, x: turned }, 0.7, basis, EVER)!;
      expect(vertex.coefficients[0]).toBeCloseTo(plain.coefficients[1], 10);
      expect(vertex.coefficients[1]).toBeCloseTo(plain.coefficients[0], 10);
    }
  });

  test('is given up where turns leave the plane in its place, and only there', () => {
    // Whole numbers: many rows lie on one line, and a turn leads from one of them to the next.
    const whole = lines(90, true);
    const stalled = [0.03, 0.3, 0.5, 0.9, 0.99].map((probability) => {
      const vertex = descend(whole, probability, basisOf(whole), 3)!;
      const least = slowest(whole, probability);
      if (!vertex.isStalled) expect(lossOf(whole, probability, vertex.coefficients)).toBeCloseTo(least, 9);
      else expect(lossOf(whole, probability, vertex.coefficients)).toBeGreaterThan(least - 1e-9);
      return vertex.isStalled;
    });
    expect(new Set(stalled)).toEqual(new Set([true, false]));
    // Turns that move the plane ask for no patience, however many they are.
    const moving = lines(400);
    const vertex = descend(moving, 0.97, basisOf(moving), 0)!;
    expect(vertex.isStalled).toBe(false);
    expect(vertex.coefficients).toEqual(descend(moving, 0.97, basisOf(moving), EVER)!.coefficients);
  });
});
