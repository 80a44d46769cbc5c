import { CONTRACT_KIND } from '../book/columns.ts';
import type { CascadeRules } from './cascade.ts';
import { type ImpactColumns, logImpact } from './price-impact.ts';

/** Objects and plain loops: the slow twin of the kernels, and the baseline of their benchmarks. */
export interface PlainMarket {
  mark: number;
  readonly kind: number;
  readonly size: number;
  readonly brackets: readonly { readonly cap: number; readonly rate: number; readonly amount: number }[];
}

export interface PlainPosition {
  readonly market: number;
  quantity: number;
  readonly entryPrice: number;
}

/** What is liquidated together. */
export interface PlainGroup {
  readonly account: number;
  readonly margin: number;
  /** Market whose base asset the margin is in; −1 for the quote asset. */
  readonly marginMarket: number;
  received: number;
  isGone: boolean;
  readonly positions: PlainPosition[];
}

export interface PlainBook {
  readonly markets: readonly PlainMarket[];
  readonly groups: readonly PlainGroup[];
}

export function plainNotional({ kind, size }: PlainMarket, quantity: number, mark: number): number {
  return Math.abs(quantity) * size * (kind === CONTRACT_KIND.linear ? mark : 1);
}

export function plainProfit({ kind, size }: PlainMarket, p: PlainPosition, mark: number): number {
  const inUnits = kind === CONTRACT_KIND.linear ? mark - p.entryPrice : mark * (1 / p.entryPrice - 1 / mark);
  return p.quantity * size * inUnits;
}

export function plainEquity(
  group: PlainGroup,
  markets: readonly PlainMarket[],
  marks: readonly number[],
): number {
  const price = group.marginMarket < 0 ? 1 : marks[group.marginMarket];
  const profit = group.positions.reduce(
    (sum, p) => sum + plainProfit(markets[p.market], p, marks[p.market]),
    0,
  );
  return group.margin * price + group.received + profit;
}

export function plainMaintenance(
  group: PlainGroup,
  markets: readonly PlainMarket[],
  marks: readonly number[],
): number {
  return group.positions.reduce((sum, p) => {
    const market = markets[p.market];
    const notional = plainNotional(market, p.quantity, marks[p.market]);
    const bracket =
      market.brackets.find(({ cap }) => notional <= cap) ?? market.brackets[market.brackets.length - 1];
    return p.quantity === 0 ? sum : sum + notional * bracket.rate - bracket.amount;
  }, 0);
}

export function plainGross(
  group: PlainGroup,
  markets: readonly PlainMarket[],
  marks: readonly number[],
): number {
  return group.positions.reduce(
    (sum, p) => sum + plainNotional(markets[p.market], p.quantity, marks[p.market]),
    0,
  );
}

export function isPlainFallen(
  group: PlainGroup,
  markets: readonly PlainMarket[],
  marks: readonly number[],
  ratio: number,
): boolean {
  if (group.isGone || group.positions.every(({ quantity }) => quantity === 0)) return false;
  return ratio * plainEquity(group, markets, marks) <= plainMaintenance(group, markets, marks);
}

export interface PlainCascade {
  readonly fallenByRound: readonly (readonly PlainGroup[])[];
  readonly badDebt: number;
  readonly fundLeft: number;
  readonly deleveragedNotional: number;
  readonly deleveragedLoss: number;
  readonly fees: number;
  readonly returned: number;
  readonly marks: readonly number[];
  /** What came of whoever took the forced sales and the closed positions, at the last marks. */
  readonly outsideProfit: number;
}

/** The cascade as its definition reads; changes the book that it is given. */
export function plainCascade(
  { markets, groups }: PlainBook,
  moves: ArrayLike<number>,
  impact: ImpactColumns,
  rules: CascadeRules,
  fund: number,
): PlainCascade {
  const before = markets.map(({ mark }) => mark);
  const shocked = before.map((mark, m) => mark * (1 + moves[m]));
  const flow = markets.map(() => 0);
  const outside: { market: number; quantity: number; at: number }[] = [];
  let marks = [...shocked];
  let [fundLeft, badDebt, deleveragedNotional, deleveragedLoss, fees, returned] = [fund, 0, 0, 0, 0, 0];
  const fallenByRound: PlainGroup[][] = [];
  while (fallenByRound.length < rules.maximumRounds) {
    const fallen = groups.filter((group) => isPlainFallen(group, markets, marks, rules.liquidationRatio));
    if (fallen.length === 0) break;
    fallenByRound.push(fallen);
    for (const group of fallen) for (const p of group.positions) flow[p.market] += p.quantity;
    marks = shocked.map((mark, m) => {
      const log = logImpact(plainNotional(markets[m], flow[m], mark), m, impact, rules);
      return mark * Math.exp(-Math.sign(flow[m]) * log);
    });
    const missing = new Map<string, { loss: number; contracts: number }>();
    let debt = 0;
    for (const group of fallen) {
      const cost = rules.closeoutCostRate * plainGross(group, markets, marks);
      const left = plainEquity(group, markets, marks) - cost;
      fees += cost;
      returned += Math.max(left, 0);
      const lossOf = (p: PlainPosition): number =>
        Math.max(
          plainProfit(markets[p.market], p, before[p.market]) -
            plainProfit(markets[p.market], p, marks[p.market]),
          0,
        );
      const lost = group.positions.reduce((sum, p) => sum + lossOf(p), 0);
      for (const p of group.positions) {
        const share =
          lost > 0
            ? lossOf(p) / lost
            : plainNotional(markets[p.market], p.quantity, marks[p.market]) /
              plainGross(group, markets, marks);
        if (left < 0 && share > 0) {
          const key = `${p.market} ${Math.sign(p.quantity)}`;
          const { loss, contracts } = missing.get(key) ?? { loss: 0, contracts: 0 };
          missing.set(key, { loss: loss - left * share, contracts: contracts + Math.abs(p.quantity) });
        }
      }
      debt += Math.max(-left, 0);
      for (const p of group.positions)
        outside.push({ market: p.market, quantity: p.quantity, at: marks[p.market] });
      for (const p of group.positions) p.quantity = 0;
      group.isGone = true;
    }
    badDebt += debt;
    const paid = Math.min(debt, fundLeft);
    fundLeft -= paid;
    // Ranked by the leverage of before anybody is deleveraged.
    const leverage = new Map(
      groups
        .filter((group) => !group.isGone && plainEquity(group, markets, marks) > 0)
        .map((group) => [group, plainGross(group, markets, marks) / plainEquity(group, markets, marks)]),
    );
    for (const [m, market] of markets.entries()) {
      for (const side of [1, -1]) {
        const need = missing.get(`${m} ${side}`);
        const unpaid = debt > paid ? 1 - paid / debt : 0;
        if (need === undefined || unpaid === 0) continue;
        let left = need.contracts * unpaid;
        const perContract = (need.loss * unpaid) / left;
        const rank = (group: PlainGroup, p: PlainPosition): number =>
          (plainProfit(market, p, marks[m]) / plainNotional(market, p.quantity, p.entryPrice)) *
          (leverage.get(group) ?? 0);
        const winners = groups
          .filter((group) => leverage.has(group))
          .flatMap((group) => group.positions.map((p) => ({ group, p })))
          .filter(({ p }) => p.market === m && p.quantity * side < 0 && plainProfit(market, p, marks[m]) > 0)
          .map((one) => ({ ...one, rank: rank(one.group, one.p) }))
          .sort((a, b) => b.rank - a.rank);
        for (const { group, p } of winners) {
          const closed = Math.min(Math.abs(p.quantity), left);
          if (closed <= 0) break;
          const part = { ...p, quantity: -side * closed };
          const profit = plainProfit(market, part, marks[m]);
          const share = Math.min(closed * perContract, profit);
          group.received += profit - share;
          outside.push({ market: m, quantity: part.quantity, at: marks[m] });
          p.quantity -= part.quantity;
          deleveragedNotional += plainNotional(market, closed, marks[m]);
          deleveragedLoss += share;
          left -= closed;
        }
      }
    }
  }
  // Linear contracts alone; an inverse one is worth mark / entry − 1 of its size, see the valuation of groups.
  const outsideProfit = outside.reduce(
    (sum, { market, quantity, at }) => sum + quantity * markets[market].size * (marks[market] - at),
    0,
  );
  return {
    fallenByRound,
    badDebt,
    fundLeft,
    deleveragedNotional,
    deleveragedLoss,
    fees,
    returned,
    marks,
    outsideProfit,
  };
}
