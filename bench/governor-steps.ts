import { GovernedMarket, randomHappening } from '../src/limits/test-governed-market.ts';
import { Random } from '../src/random.ts';
import { print } from './measure.ts';

/**
 * Random histories of a market, of the people who govern it, of what it loses and of a clock that jumps, until so many
 * decisions are made; each is judged by an independent statement of the rules. A history starts afresh every so often.
 */
const STEPS = Number(process.argv[3] ?? 1_000_000);
const STEPS_OF_A_HISTORY = 200;

const random = new Random('governor steps');
const moves = new Map<string, number>();
const told = new Map<string, number>();
const breaches: string[] = [];
let mostBrackets = 0;
let separate = 0;
let steps = 0;
const since = performance.now();
while (steps < STEPS) {
  const market = new GovernedMarket();
  for (let step = 0; step < STEPS_OF_A_HISTORY && steps < STEPS; ) {
    const happening = randomHappening(random);
    const faults = market.happens(happening);
    if (happening.kind !== 'decide') continue;
    step++;
    steps++;
    for (const fault of faults) breaches.push(`step ${steps}: ${fault}`);
    const { limit } = market;
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
print(`${steps} steps, ${breaches.length} breaches, ${seconds.toFixed(0)} s`);
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
for (const breach of breaches.slice(0, 20)) print(breach);
if (breaches.length > 0) process.exitCode = 1;
