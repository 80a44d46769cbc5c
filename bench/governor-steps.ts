import { randomHistory } from '../src/limits/test-governed-market.ts';
import { print } from './measure.ts';

/**
 * Random histories of a market, of the people who govern it, of what it loses and of a clock that jumps, until so many
 * decisions are made; each is judged by an independent statement of the rules. Every history has a seed of its own, its
 * number, so that one that breaches can be played again alone:
 *
 *     npm run bench -- governor-steps [STEPS] [FIRST HISTORY]
 */
const STEPS = Number(process.argv[3] ?? 1_000_000);
const FIRST_HISTORY = Number(process.argv[4] ?? 0);
const STEPS_OF_A_HISTORY = 200;

const moves = new Map<string, number>();
const told = new Map<string, number>();
let breaches = 0;
let mostBrackets = 0;
let separate = 0;
let steps = 0;
const since = performance.now();
for (let history = FIRST_HISTORY; steps < STEPS; history++) {
  const length = Math.min(STEPS_OF_A_HISTORY, STEPS - steps);
  for (const { step, faults, limit } of randomHistory(history, length)) {
    steps++;
    breaches += faults.length;
    for (const fault of faults) print(`history ${history}, step ${step}: ${fault}`);
    if (limit === null) continue;
    moves.set(limit.governor.move, (moves.get(limit.governor.move) ?? 0) + 1);
    for (const reason of limit.reasons) told.set(reason, (told.get(reason) ?? 0) + 1);
    if (limit.maintenance !== undefined) {
      separate++;
      mostBrackets = Math.max(mostBrackets, limit.maintenance.length);
    }
  }
}
const seconds = (performance.now() - since) / 1000;
const count = (of: ReadonlyMap<string, number>, names: readonly string[]): string =>
  names.map((name) => `${name} ${of.get(name) ?? 0}`).join(', ');
print(`${steps} steps, ${breaches} breaches, ${seconds.toFixed(0)} s`);
print(`moves: ${count(moves, ['initial', 'tighten', 'loosen', 'hold'])}`);
const REASONS = [
  'GOVERNOR_PACED',
  'GOVERNOR_EMERGENCY',
  'GOVERNOR_FROZEN',
  'MAINTENANCE_ANNOUNCED',
  'MAINTENANCE_RAISED',
  'CLOCK_WENT_BACK',
  'MARKET_MISSING',
  'DATA_REJECTED',
];
print(`reasons: ${count(told, REASONS)}`);
print(`${separate} limits with a table of their own for open positions, of ${mostBrackets} brackets at most`);
if (breaches > 0) process.exitCode = 1;
