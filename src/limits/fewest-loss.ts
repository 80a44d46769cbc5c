import { SMALLEST_NOTIONAL_CAP } from './brackets.ts';
import type { Step } from './cut.ts';

/** The first step counts from here on, half the smallest cap: in logs nothing has a range from 0 on. */
const FIRST_FLOOR = SMALLEST_NOTIONAL_CAP / 2;

/**
 * The `count` steps of a staircase that lose least leverage, the last one always among them. Where a step is left out,
 * its notionals get the leverage of the next one that is kept. That loses the fall in leverage times the range of
 * notionals, both in logs: the area between the two staircases. The area between the whole staircase and the margin
 * curve does not depend on the choice, so this is also the choice that loses least against the curve.
 *
 * Exact: a dynamic programme over how many steps are kept up to each one, in steps² · (count + 1) additions. Of equal
 * choices the one that keeps later steps is taken.
 *
 * @param steps leverages fall, caps rise.
 * @param count from 1 to the number of steps.
 */
export function fewestLoss(steps: readonly Step[], count: number): readonly Step[] {
  const width = steps.map(({ cap }, i) => Math.log(cap / (i === 0 ? FIRST_FLOOR : steps[i - 1].cap)));
  const height = steps.map(({ leverage }) => Math.log(leverage));
  const size = steps.length;
  // Of `kept` steps up to and with step i, at kept · size + i: the least loss, and which step is kept before it.
  const loss = new Float64Array((count + 1) * size).fill(Number.POSITIVE_INFINITY);
  const before = new Int32Array((count + 1) * size).fill(-1);
  for (let i = 0; i < size; i++) {
    let lost = 0;
    for (let j = i - 1; j >= 0; j--) {
      for (let kept = Math.min(count, j + 2); kept >= 2; kept--) {
        const total = loss[(kept - 1) * size + j] + lost;
        if (total < loss[kept * size + i]) {
          loss[kept * size + i] = total;
          before[kept * size + i] = j;
        }
      }
      lost += width[j] * (height[j] - height[i]);
    }
    loss[size + i] = lost;
  }
  const chosen: Step[] = [];
  for (let kept = count, i = size - 1; i >= 0; i = before[kept * size + i], kept--) chosen.push(steps[i]);
  return chosen.reverse();
}
