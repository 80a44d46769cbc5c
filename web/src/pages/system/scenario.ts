import { typedPercent } from '../../typed.ts';

/** A shock as it is typed, in percent; in the address as `move` and `moves`. */
export interface ScenarioDraft {
  readonly move: string;
  readonly moves: readonly MarketMove[];
}

export interface MarketMove {
  readonly symbol: string;
  readonly move: string;
}

export interface Scenario {
  readonly move: number;
  readonly moves: Readonly<Record<string, number>>;
}

/** Uniform shocks that are asked for at once; the service names no others. */
export const PRESETS = ['-50', '-30', '-20', '-10', '-5', '5', '10', '20', '50'] as const;

/** `moves` is `AURUSDT:-30,BOREUSDT:10`. */
export function scenarioDraftOf(query: URLSearchParams): ScenarioDraft | null {
  const [move, moves] = [query.get('move'), query.get('moves')];
  if (move === null && moves === null) return null;
  const pairs = (moves ?? '').split(',').filter(Boolean);
  return {
    move: move ?? '0',
    moves: pairs.map((pair) => {
      const [symbol, own = ''] = pair.split(':', 2);
      return { symbol, move: own };
    }),
  };
}

export function addressOfScenario({ move, moves }: ScenarioDraft): { move: string; moves: string | null } {
  const filled = moves.filter(({ symbol }) => symbol.trim() !== '');
  return {
    move: move.trim() === '' ? '0' : move.trim(),
    moves:
      filled.length === 0
        ? null
        : filled.map((one) => `${one.symbol.trim().toUpperCase()}:${one.move.trim()}`).join(','),
  };
}

export function scenarioOf(draft: ScenarioDraft): {
  scenario: Scenario | null;
  faults: readonly string[];
} {
  const faults: string[] = [];
  const shareOf = (name: string, typed: string): number => {
    const share = typedPercent(typed);
    if (share === null || share <= -1 || share > 10)
      faults.push(`The move of ${name}, “${typed}”, is no percentage above −100 and up to 1000.`);
    return share ?? 0;
  };
  const move = draft.move.trim() === '' ? 0 : shareOf('all markets', draft.move);
  const moves: Record<string, number> = {};
  for (const own of draft.moves) {
    if (own.symbol === '') continue;
    if (Object.hasOwn(moves, own.symbol)) faults.push(`${own.symbol} has two moves.`);
    moves[own.symbol] = shareOf(own.symbol, own.move);
  }
  return faults.length > 0 ? { scenario: null, faults } : { scenario: { move, moves }, faults };
}
