import type { AccountColumns, MarketColumns } from '../book/columns.ts';
import {
  addMarkets,
  type CascadeMarkets,
  type CascadeResult,
  type CascadeRound,
  noCascadeMarkets,
} from './cascade-result.ts';
import { type DeleveragedBook, Deleveraging, type Shortfall } from './deleverage.ts';
import { FallenScan } from './fallen-scan.ts';
import { buildGroupIndex, endOf, firstOf, GROUP_STATE, type GroupIndex } from './group-index.ts';
import { type ImpactColumns, type ImpactRules, logImpact } from './price-impact.ts';
import {
  FETCHED_TOGETHER,
  fetchGroups,
  notionalOf,
  profitOf,
  VALUE,
  VALUES,
  valueGroup,
} from './valuation.ts';

/** A shock, and what meets it. */
export interface Shock {
  /** By market: the move of the mark as a share of it, above −1; 0 where the market is not shocked. */
  readonly moves: Float64Array;
  readonly impact: ImpactColumns;
  readonly rules: CascadeRules;
  /** Quote asset in the insurance fund; one fund for all markets. */
  readonly insuranceFund: number;
}

export interface CascadeRules extends ImpactRules {
  /** Maintenance margin over equity from which on a group is liquidated. */
  readonly liquidationRatio: number;
  /** Half spread and fee that those who are sold out pay, as a share of the notional. */
  readonly closeoutCostRate: number;
  readonly maximumRounds: number;
}

/**
 * What a shock sets off. Marks move; every margin group whose maintenance margin over equity is at the liquidation ratio is
 * closed out whole; forced sales less forced purchases of a market, all rounds together, move its price by `logImpact`
 * from the shocked mark; fills are at that impacted price; then the next round, until nobody falls. A loss beyond the margin
 * falls on the insurance fund, then on the most profitable opposite positions, see `deleverage`.
 *
 * Whoever takes the forced sales is outside of the book, and so is what answers margin calls: nobody adds margin.
 * The book is not changed; the cascade works on copies of quantities and marks.
 */
export function cascade(
  accounts: AccountColumns,
  markets: MarketColumns,
  shock: Shock,
  index: GroupIndex = buildGroupIndex(accounts, markets),
): CascadeResult {
  return new Cascade(accounts, markets, shock, index).run();
}

class Cascade {
  readonly #book: DeleveragedBook;
  readonly #shock: Shock;
  readonly #scan: FallenScan;
  readonly #markBefore: Float64Array;
  readonly #shockedMark: Float64Array;
  /** By market: contracts sold by force less contracts bought, all rounds together. */
  readonly #flow: Float64Array;
  readonly #hasFallen: Uint8Array;
  readonly #isDue: Uint8Array;
  readonly #out = new Float64Array(VALUES);
  /** By market, of the fallen of a round that left a loss: contracts and loss of the longs, then of the shorts. */
  readonly #lossContracts: readonly [Float64Array, Float64Array];
  readonly #loss: readonly [Float64Array, Float64Array];
  /** By market: the last move of its mark as a share of it; of no meaning where it did not move then. */
  readonly #lastMoves: Float64Array;
  #deleveraging: Deleveraging | undefined;
  #fundLeft: number;
  #closeoutFees = 0;
  #equityReturned = 0;

  constructor(accounts: AccountColumns, markets: MarketColumns, shock: Shock, index: GroupIndex) {
    const count = markets.markets;
    this.#shock = shock;
    this.#markBefore = markets.mark.slice(0, count);
    this.#shockedMark = this.#markBefore.map((mark, m) => mark * (1 + shock.moves[m]));
    this.#book = {
      accounts,
      markets,
      index,
      quantity: accounts.quantity.slice(0, index.positionRows),
      mark: this.#markBefore.slice(),
      received: new Float64Array(index.groups),
    };
    this.#scan = new FallenScan(this.#book, shock.rules.liquidationRatio);
    this.#flow = new Float64Array(count);
    this.#lastMoves = new Float64Array(count);
    this.#hasFallen = new Uint8Array(accounts.accounts);
    this.#isDue = new Uint8Array(index.groups);
    this.#lossContracts = [new Float64Array(count), new Float64Array(count)];
    this.#loss = [new Float64Array(count), new Float64Array(count)];
    this.#fundLeft = shock.insuranceFund;
  }

  run(): CascadeResult {
    const { rules } = this.#shock;
    const { mark } = this.#book;
    const due = this.#scan.all();
    const openNotional = this.#scan.grossNotional;
    const accountsDue = this.#markDue(due);
    const rounds: CountedRound[] = [];
    const byMarket = noCascadeMarkets(mark.length, mark.slice());
    const moved = this.#moveTo(this.#shockedMark);
    let fallen = this.#scan.after(moved, this.#lastMoves);
    while (fallen.length > 0 && rounds.length < rules.maximumRounds) {
      const round = this.#round(fallen);
      rounds.push(round);
      addMarkets(byMarket, round.byMarket);
      fallen = this.#scan.after(round.moved, this.#lastMoves);
    }
    byMarket.mark.set(mark);
    const sum = (name: SummedName): number => rounds.reduce((all, round) => all + round[name], 0);
    const badDebt = sum('badDebt');
    const fundPaid = sum('fundPaid');
    const deleveragedLoss = sum('deleveragedLoss');
    return {
      rounds: rounds.map(({ moved: _, ...round }) => round),
      isSettled: fallen.length === 0,
      ...judgedAccounts(this.#book.index, this.#hasFallen.length),
      openNotional,
      accountsDue,
      accountsFallen: sum('accounts'),
      groupsFallen: sum('groups'),
      accountsByContagion: sum('accountsByContagion'),
      soldNotional: sum('soldNotional'),
      boughtNotional: sum('boughtNotional'),
      closeoutFees: this.#closeoutFees,
      equityReturned: this.#equityReturned,
      badDebt,
      fundPaid,
      fundLeft: this.#fundLeft,
      deleveragedNotional: sum('deleveragedNotional'),
      deleveragedLoss,
      uncovered: Math.max(badDebt - fundPaid - deleveragedLoss, 0),
      byMarket,
    };
  }

  /** Those who were due fall in the first round, whatever markets move. @returns accounts of them. */
  #markDue(due: Int32Array): number {
    const isCounted = new Uint8Array(this.#hasFallen.length);
    let accounts = 0;
    for (const group of due) {
      this.#isDue[group] = 1;
      this.#scan.touch(group);
      const account = this.#book.index.accountOfGroup[group];
      accounts += 1 - isCounted[account];
      isCounted[account] = 1;
    }
    return accounts;
  }

  /** Sets the marks. @returns the markets whose mark it moved; `#lastMoves` has by how much. */
  #moveTo(marks: Float64Array): readonly number[] {
    const { mark } = this.#book;
    const moved: number[] = [];
    for (let m = 0; m < mark.length; m++) {
      if (marks[m] === mark[m] || Number.isNaN(marks[m])) continue;
      this.#lastMoves[m] = marks[m] / mark[m] - 1;
      mark[m] = marks[m];
      moved.push(m);
    }
    return moved;
  }

  #round(fallen: Int32Array): CountedRound {
    const { mark } = this.#book;
    const { accounts, accountsByContagion } = this.#sell(fallen);
    const moved = this.#moveTo(this.#impactedMarks());
    const byMarket = noCascadeMarkets(mark.length, mark.slice());
    for (const column of [...this.#loss, ...this.#lossContracts]) column.fill(0);
    const badDebt = this.#closeOut(fallen, byMarket);
    const fundPaid = Math.min(badDebt, this.#fundLeft);
    this.#fundLeft -= fundPaid;
    if (badDebt > fundPaid) this.#deleverage(1 - fundPaid / badDebt, byMarket);
    return {
      groups: fallen.length,
      accounts,
      accountsByContagion,
      soldNotional: sumOf(byMarket.soldNotional),
      boughtNotional: sumOf(byMarket.boughtNotional),
      badDebt,
      fundPaid,
      fundLeft: this.#fundLeft,
      deleveragedNotional: sumOf(byMarket.deleveragedNotional),
      deleveragedLoss: sumOf(byMarket.deleveragedLoss),
      byMarket,
      moved,
    };
  }

  /** The contracts of the fallen come onto the market. @returns accounts of them that had not lost a group before. */
  #sell(fallen: Int32Array): { accounts: number; accountsByContagion: number } {
    const { accounts, index, quantity } = this.#book;
    let count = 0;
    let byContagion = 0;
    for (let i = 0; i < fallen.length; i++) {
      if (i % FETCHED_TOGETHER === 0)
        fetchGroups(this.#book, fallen, i, Math.min(i + FETCHED_TOGETHER, fallen.length));
      const group = fallen[i];
      const end = endOf(group, this.#book);
      let holdsShocked = false;
      for (let row = firstOf(group, this.#book); row < end; row++) {
        if (index.groupOfPosition[row] !== group || quantity[row] === 0) continue;
        const m = accounts.market[row];
        this.#flow[m] += quantity[row];
        holdsShocked ||= this.#shock.moves[m] !== 0;
      }
      const account = index.accountOfGroup[group];
      if (this.#hasFallen[account] === 1) continue;
      this.#hasFallen[account] = 1;
      count++;
      if (this.#isDue[group] === 0 && !holdsShocked) byContagion++;
    }
    return { accounts: count, accountsByContagion: byContagion };
  }

  /** The shocked marks, moved by all that was sold or bought by force so far. */
  #impactedMarks(): Float64Array {
    const { impact, rules } = this.#shock;
    const { markets } = this.#book;
    return this.#shockedMark.map((mark, m) => {
      const flow = this.#flow[m];
      if (flow === 0) return mark;
      const log = logImpact(notionalOf(markets, m, flow, mark), m, impact, rules);
      return mark * Math.exp(flow > 0 ? -log : log);
    });
  }

  /** Closes the fallen out at the present marks. @returns their bad debt. */
  #closeOut(fallen: Int32Array, byMarket: CascadeMarkets): number {
    const { accounts, index, markets, mark, quantity } = this.#book;
    const { closeoutCostRate } = this.#shock.rules;
    const out = this.#out;
    let badDebt = 0;
    for (let i = 0; i < fallen.length; i++) {
      if (i % FETCHED_TOGETHER === 0)
        fetchGroups(this.#book, fallen, i, Math.min(i + FETCHED_TOGETHER, fallen.length));
      const group = fallen[i];
      valueGroup(this.#book, group, out);
      const fees = closeoutCostRate * out[VALUE.gross];
      const left = out[VALUE.equity] - fees;
      this.#closeoutFees += fees;
      if (left >= 0) this.#equityReturned += left;
      else {
        badDebt -= left;
        this.#attribute(group, -left, out[VALUE.gross], byMarket.badDebt);
      }
      const end = endOf(group, this.#book);
      for (let row = firstOf(group, this.#book); row < end; row++) {
        if (index.groupOfPosition[row] !== group) continue;
        const m = accounts.market[row];
        const notional = notionalOf(markets, m, quantity[row], mark[m]);
        if (quantity[row] > 0) byMarket.soldNotional[m] += notional;
        else byMarket.boughtNotional[m] += notional;
        quantity[row] = 0;
      }
      this.#scan.drop(group);
    }
    return badDebt;
  }

  /** Says which positions a group's bad debt comes from: those that lost since before the shock, or all where none did. */
  #attribute(group: number, badDebt: number, gross: number, byMarket: Float64Array): void {
    const { accounts, index, markets, mark, quantity } = this.#book;
    const first = firstOf(group, this.#book);
    const end = endOf(group, this.#book);
    let lost = 0;
    for (let row = first; row < end; row++)
      if (index.groupOfPosition[row] === group) lost += this.#lossOf(row, accounts.market[row]);
    for (let row = first; row < end; row++) {
      if (index.groupOfPosition[row] !== group || quantity[row] === 0) continue;
      const m = accounts.market[row];
      const contracts = Math.abs(quantity[row]);
      const share =
        lost > 0 ? this.#lossOf(row, m) / lost : notionalOf(markets, m, contracts, mark[m]) / gross;
      if (share === 0) continue;
      const side = quantity[row] > 0 ? 0 : 1;
      byMarket[m] += badDebt * share;
      this.#loss[side][m] += badDebt * share;
      this.#lossContracts[side][m] += contracts;
    }
  }

  #lossOf(row: number, m: number): number {
    const { accounts, markets, mark, quantity } = this.#book;
    const entryPrice = accounts.entryPrice[row];
    const now = profitOf(markets, m, quantity[row], entryPrice, mark[m]);
    return Math.max(profitOf(markets, m, quantity[row], entryPrice, this.#markBefore[m]) - now, 0);
  }

  /** @param share of the bad debt that the fund did not pay. */
  #deleverage(share: number, byMarket: CascadeMarkets): void {
    const shortfalls: Shortfall[] = [];
    for (let market = 0; market < byMarket.mark.length; market++) {
      for (const side of [0, 1] as const) {
        const loss = this.#loss[side][market] * share;
        if (loss <= 0) continue;
        const contracts = this.#lossContracts[side][market] * share;
        shortfalls.push({ market, fallenSide: side === 0 ? 1 : -1, contracts, loss });
      }
    }
    this.#deleveraging ??= new Deleveraging(this.#book, this.#scan.isGone);
    const closed = this.#deleveraging.close(shortfalls, (group) => this.#scan.touch(group));
    for (const [i, { market }] of shortfalls.entries()) {
      byMarket.deleveragedNotional[market] += closed[i].notional;
      byMarket.deleveragedLoss[market] += closed[i].paid;
    }
  }
}

/** With what the next look needs. */
type CountedRound = CascadeRound & { readonly moved: readonly number[] };

type SummedName = Exclude<keyof CascadeRound, 'byMarket' | 'fundLeft'>;

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}

function judgedAccounts(
  { groups, state, accountOfGroup }: GroupIndex,
  accounts: number,
): Pick<CascadeResult, 'accounts' | 'unknownAccounts'> {
  const [isKnown, isUnknown] = [new Uint8Array(accounts), new Uint8Array(accounts)];
  for (let g = 0; g < groups; g++) {
    if (state[g] === GROUP_STATE.known) isKnown[accountOfGroup[g]] = 1;
    if (state[g] === GROUP_STATE.unknown) isUnknown[accountOfGroup[g]] = 1;
  }
  const count = (flags: Uint8Array): number => flags.reduce((sum, flag) => sum + flag, 0);
  return { accounts: count(isKnown), unknownAccounts: count(isUnknown) };
}
