import type { ContractTerms } from '../../limits/account-policy.ts';
import type { Bracket } from '../../limits/types.ts';
import { MICROS, PPM } from '../../units.ts';
import { settlementAssetOf } from '../margin/contract.ts';
import { CONTRACT_KIND, type MarketColumns } from './columns.ts';
import { grown } from './growing.ts';

/** What open positions of a market are held to. */
export interface MarketTerms extends Pick<ContractTerms, 'kind' | 'contractSize'> {
  readonly symbol: string;
  /** What new orders ask for. */
  readonly brackets: readonly Bracket[];
  readonly maintenance: readonly Bracket[];
}

/** More than this many markets do not fit into the column of a position's market. */
const MOST_MARKETS = 65_535;

/** The markets of the book, in the order in which they came; a market that is gone from the limits keeps its last tables. */
export class MarketRows implements MarketColumns {
  readonly symbols: string[] = [];
  readonly terms: MarketTerms[] = [];
  mark = new Float64Array(0);
  /** When each mark was so, epoch milliseconds. */
  markedAt = new Float64Array(0);
  contractKind = new Uint8Array(0);
  contractSize = new Float64Array(0);
  firstBracket = new Int32Array(1);
  notionalCap = new Float64Array(0);
  maintenanceRate = new Float64Array(0);
  maintenanceAmount = new Float64Array(0);
  initialRate = new Float64Array(0);
  readonly #rows = new Map<string, number>();

  get markets(): number {
    return this.symbols.length;
  }

  /** −1 where the market is not known. */
  find(symbol: string): number {
    return this.#rows.get(symbol) ?? -1;
  }

  /** What the market's profits are paid in. */
  settlementOf(row: number): string {
    return settlementAssetOf(this.symbols[row], this.terms[row]);
  }

  /** Takes markets in, each in place of what it was. */
  set(markets: readonly MarketTerms[]): void {
    for (const terms of markets) {
      const row = this.find(terms.symbol);
      if (row >= 0) this.terms[row] = terms;
      else this.#add(terms);
    }
    this.#fill();
  }

  #add(terms: MarketTerms): void {
    const row = this.markets;
    if (row === MOST_MARKETS) throw new RangeError(`there are at most ${MOST_MARKETS} markets`);
    this.#rows.set(terms.symbol, row);
    this.symbols.push(terms.symbol);
    this.terms.push(terms);
    this.mark = grown(this.mark, row + 1);
    this.markedAt = grown(this.markedAt, row + 1);
    this.mark[row] = Number.NaN;
    this.markedAt[row] = Number.NEGATIVE_INFINITY;
  }

  /**
   * Rates between the edges of both tables: leverage and maintenance change at different notionals, and the kernels look
   * a notional up once.
   */
  #fill(): void {
    const { terms } = this;
    const rows = terms.map(mergedRows);
    const total = rows.reduce((sum, { length }) => sum + length, 0);
    this.contractKind = Uint8Array.from(terms, ({ kind }) => CONTRACT_KIND[kind]);
    this.contractSize = Float64Array.from(terms, ({ contractSize }) => contractSize);
    this.firstBracket = new Int32Array(terms.length + 1);
    this.notionalCap = new Float64Array(total);
    this.maintenanceRate = new Float64Array(total);
    this.maintenanceAmount = new Float64Array(total);
    this.initialRate = new Float64Array(total);
    let at = 0;
    for (const [m, brackets] of rows.entries()) {
      this.firstBracket[m] = at;
      for (const { notionalCap, initial, maintenance } of brackets) {
        this.notionalCap[at] = notionalCap;
        this.maintenanceRate[at] = maintenance.maintenanceMarginRatePpm / PPM;
        this.maintenanceAmount[at] = maintenance.maintenanceAmountMicros / MICROS;
        this.initialRate[at] = initial.initialMarginRatePpm / PPM;
        at++;
      }
    }
    this.firstBracket[terms.length] = at;
  }
}

interface MergedRow {
  readonly notionalCap: number;
  readonly initial: Bracket;
  readonly maintenance: Bracket;
}

function mergedRows({ brackets, maintenance }: MarketTerms): MergedRow[] {
  const caps = [...new Set([...brackets, ...maintenance].map(({ notionalCap }) => notionalCap))];
  return caps
    .sort((a, b) => a - b)
    .map((notionalCap) => ({
      notionalCap,
      initial: inForceAt(brackets, notionalCap),
      maintenance: inForceAt(maintenance, notionalCap),
    }));
}

/** Above the last cap the last bracket counts on: a position there is not free of margin. */
function inForceAt(table: readonly Bracket[], notional: number): Bracket {
  return table.find(({ notionalCap }) => notional <= notionalCap) ?? table[table.length - 1];
}
