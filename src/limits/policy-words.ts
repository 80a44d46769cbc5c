import { formatHours } from '../spelling.ts';
import { REST_CLASS } from './bound-policy.ts';
import { MAINTENANCE_TO_INITIAL_RATIO } from './curve.ts';
import type { Policy } from './policy.ts';

export interface PolicyChapter {
  readonly title: string;
  readonly sentences: readonly string[];
}

/** What a valid policy means, in sentences. */
export function policyWords(policy: Policy): readonly PolicyChapter[] {
  return [
    { title: 'Margins', sentences: marginWords(policy) },
    { title: 'Ceilings', sentences: ceilingWords(policy) },
    { title: 'In bad times', sentences: badTimesWords(policy) },
    { title: 'Moves', sentences: moveWords(policy) },
    { title: 'Users', sentences: userWords(policy) },
    { title: 'Open positions', sentences: accountWords(policy) },
    { title: 'People', sentences: peopleWords(policy) },
    { title: 'Appetite', sentences: appetiteWords(policy) },
  ];
}

function marginWords(policy: Policy): string[] {
  const { minimumCloseoutHorizonHours: quickest, maximumCloseoutHorizonHours: slowest } = policy;
  const order = 10_000;
  const fixedCost = order * (policy.halfSpreadRate + policy.takerFeeRate);
  const miss = 1 - policy.maintenanceConfidence;
  return [
    `Maintenance margin covers the cost of a closeout and ${percent(policy.maintenanceConfidence)} of the moves while it lasts: at the liquidation trigger, one position in ${number(1 / miss)} may leave bad debt.`,
    `A closeout takes at most ${percent(policy.participationRatio)} of the volume of a quiet hour (the ${percent(policy.volumeQuantile)} quantile of recent hours), and counts as ${formatHours(quickest)} at least. A position that would need more than ${formatHours(slowest)} is refused.`,
    `Closing out ${number(order)} costs ${number(fixedCost)} in half the spread and fees, and market impact with a coefficient of ${number(policy.impactCoefficient)}.`,
    depthWords(policy),
    `A new order puts up initial margin: the mean of the worst ${percent(1 - policy.initialConfidence)} of moves over the ${formatHours(policy.marginCallHorizonHours)} that a user has to answer a margin call, and that cost; at least maintenance margin / ${MAINTENANCE_TO_INITIAL_RATIO}.`,
    `Both margins come from moves times ${number(policy.marginMultiplier)}.`,
    `Maintenance margin is at least ${number(policy.closeoutCostCover)} times the cost of closing ${number(policy.referenceNotional)} out.`,
    `A market has at most ${policy.maximumBrackets} brackets, of the leverages ${policy.leverageLadder.join(', ')}.`,
  ];
}

function depthWords({ bounds: { depth } }: Policy): string {
  if (depth.refillHours === 0) return 'The order book does not count.';
  return `Where the order book is known and at most ${formatHours(depth.staleAfterHours)} old, impact is at least the cost of walking it, filled again every ${formatHours(depth.refillHours)}.`;
}

function ceilingWords(policy: Policy): string[] {
  const classes = policy.classes.map(
    (one) =>
      `${capital(one.name)} (${one.members.join(', ')}): at most ${number(one.maximumLeverage)}x; ${number(one.youngListingMaximumLeverage)}x with less than ${number(one.youngListingDays)} days of history; ${crowdingWords(one)}.`,
  );
  return [
    ...classes,
    `${capital(REST_CLASS)} (all other markets): at most ${number(policy.maximumLeverage)}x; ${number(policy.youngListingMaximumLeverage)}x with less than ${number(policy.youngListingDays)} days of history; ${crowdingWords(policy)}.`,
    `Accounts in their first ${number(policy.newAccountDays)} days, and those of unknown age: at most ${number(policy.newAccountMaximumLeverage)}x.`,
    coefWords(policy),
  ];
}

function coefWords({ maximumNotionalCoef: most, notionalCoefRaisesLastCap: raises }: Policy): string {
  const sentence = `A user’s brackets may be scaled by a coefficient of at most ${number(most)}`;
  if (most <= 1) return `${sentence}, which can only tighten.`;
  return `${sentence}, which grants more than the margin curve allows; the largest position ${raises ? 'rises with it' : 'stays that of the market'}.`;
}

function crowdingWords({
  crowdingLowerCap: lower,
  crowdingUpperCap: upper,
}: Pick<Policy, 'crowdingLowerCap' | 'crowdingUpperCap'>): string {
  if (upper === 0) return 'initial margin does not depend on open interest';
  return `initial margin rises from an open interest of ${number(lower)} on, to all of the notional at ${number(upper)}`;
}

function badTimesWords(policy: Policy): string[] {
  const { marketWide, crowding, systemStress } = policy.bounds;
  return [
    `While data are degraded: at most ${number(policy.degradedMaximumLeverage)}x, and nothing loosens. Data are stale after ${formatHours(policy.staleAfterHours)}; a book of limits is valid for ${formatHours(policy.validityHours)}.`,
    `The shock model may ask for no more than ${number(policy.bounds.modelMaximumRatio)} times the classical margin, nor for more than ${number(policy.stressMultiplier)} times the worst moves of history.`,
    `When from ${percent(marketWide.stressedShareFrom)} to ${percent(marketWide.stressedShareTo)} of at least ${number(marketWide.minimumMarkets)} markets are in stress, or the day’s common return is from ${number(marketWide.commonShockFrom)} to ${number(marketWide.commonShockTo)} deviations, initial margins rise to ${number(marketWide.maximumFactor)} times what they are.`,
    systemStressWords(systemStress),
    `Open interest that is older than ${formatHours(crowding.staleAfterHours)} holds for ${formatHours(crowding.holdHours)} more; then ${percent(crowding.conservativeShare)} of the way between the caps count as taken at least.`,
    antiProcyclicalWords(policy),
    ...guardWords(policy),
  ];
}

function systemStressWords(rules: Policy['bounds']['systemStress']): string {
  if (rules.maximumFactor <= 1) return 'What accounts hold together raises no margin.';
  return (
    `Where accounts are known: when all of them together have from ${number(rules.leverageFrom)} to ${number(rules.leverageTo)} times their equity open, or a move of all markets by ${percent(rules.shockRate)} ends in forced sales of ${percent(rules.forcedShareFrom)} to ${percent(rules.forcedShareTo)} of it, or in bad debt of ${number(rules.fundUseFrom)} to ${number(rules.fundUseTo)} times the insurance fund, ` +
    `initial margins rise to ${number(rules.maximumFactor)} times what they are; what is older than ${formatHours(rules.staleAfterHours)} holds.`
  );
}

function antiProcyclicalWords({ bounds }: Policy): string {
  const rule = bounds.antiProcyclical;
  switch (rule.option) {
    case 'buffer':
      return `Against procyclical margins: a buffer of ${percent(rule.bufferRatio)} on initial margin, drawn while margin is above ${number(rule.sharpRiseRatio)} times its average of ${formatHours(rule.referenceHours)}, full again after ${formatHours(rule.refillHours)}.`;
    case 'stressedWeight':
      return `Against procyclical margins: the ${number(rule.stressedDays)} most volatile days of history weigh ${percent(rule.stressedWeight)}.`;
    case 'longLookbackFloor':
      return `Against procyclical margins: margin is at least ${percent(rule.floorRatio)} of that at the volatility of ${number(rule.lookbackYears)} years.`;
    case 'none':
      return 'No rule against procyclical margins is in use.';
  }
}

function guardWords({ guard }: Policy): string[] {
  return [
    `Between bars, a move beyond the ${percent(guard.confidence)} VaR of its time (${formatHours(guard.minimumElapsedHours)} at least) raises initial margins as many times as it is beyond, up to ${number(guard.maximumFactor)} times, and to at least ${number(guard.coverRatio)} times the move.`,
    `A price that is ${number(guard.heldAboveRatio)} times the one before it, up or down, waits for another that confirms it ${number(guard.confirmSeconds)} seconds later or more; one that is ${number(guard.refusedAboveRatio)} times is refused, and one older than ${number(guard.staleAfterSeconds)} seconds has no effect.`,
  ];
}

function moveWords({ governor }: Policy): string[] {
  return [
    `Tightening comes at once, to leverage / ${number(governor.tightenMaximumRatio)} in one decision at most; what is left follows after ${formatHours(governor.tightenPaceHours)}. Only an emergency goes further.`,
    `Loosening comes ${formatHours(governor.loosenDelayHours)} after the last change at the earliest, where the gain is more than ${percent(governor.deadBandRatio - 1)}, to at most ${number(governor.loosenMaximumRatio)} times the leverage or the next rung.`,
    `A higher maintenance margin reaches open positions with a notice of ${formatHours(governor.maintenanceNoticeHours)}, of ${formatHours(governor.emergencyNoticeHours)} in an emergency.`,
  ];
}

function userWords({ users }: Policy): string[] {
  const classes = users.experienceClasses.map(
    ({ name, maximumLeverage }) => `${name} ${number(maximumLeverage)}x`,
  );
  const stay =
    users.openPositions === 'keep'
      ? 'may stay'
      : `has to fit ${formatHours(users.noticeHours)} after the limits changed`;
  return [
    classes.length === 0
      ? 'There are no classes of experience: a user who has one gets leverage 1.'
      : `By experience: ${classes.join(', ')}; a class that is not known counts as the tightest.`,
    `The expected shortfall of an account’s positions together is at most ${percent(users.portfolioEquityShare)} of its equity, with the correlations that were measured and with those moved ${percent(users.correlationStressShare)} of the way towards one and towards none.`,
    `A user holds at most ${percent(users.openInterestShare)} of a market’s open interest, and ${percent(users.dailyVolumeShare)} of what is traded in 24 quiet hours, where they are known.`,
    `A position that new limits no longer allow may only reduce; it ${stay}.`,
  ];
}

function accountWords({ accounts, contracts }: Policy): string[] {
  const commands = accounts.interventionMode === 'command';
  return [
    `By maintenance margin over equity an account is warned at ${percent(accounts.warningRatio)}, called for margin at ${percent(accounts.marginCallRatio)}, held to reductions at ${percent(accounts.reduceOnlyRatio)}, reduced in stages at ${percent(accounts.reductionRatio)}, liquidated at ${percent(accounts.liquidationRatio)}, and taken over by the backstop at ${percent(accounts.backstopRatio)} or with no equity left. The exchange ${commands ? 'is expected to do so' : 'is advised, and decides'}.`,
    `A threshold counts as crossed again once the ratio was ${percent(accounts.rearmRatio)} below it.`,
    `A reduction brings the ratio to ${percent(accounts.reductionTargetRatio)}; positions above ${number(accounts.sliceAboveNotional)} go in slices of ${percent(accounts.sliceRatio)}, ${number(accounts.coolDownSeconds)} seconds apart at least.`,
    `Liquidation probabilities look ${formatHours(accounts.liquidationHorizonHours)} ahead.`,
    accounts.insuranceFund === null
      ? 'The insurance fund is not stated; one percent of what is open is assumed.'
      : `Bad debt falls on an insurance fund of ${number(accounts.insuranceFund)} first.`,
    ...contracts.map(
      (terms) =>
        `${capital(terms.name)} (${terms.members.join(', ')}): ${terms.kind} contracts of ${number(terms.contractSize)} ${terms.kind === 'inverse' ? 'in the quote asset' : 'of the base asset'}.`,
    ),
  ];
}

function peopleWords({ governance }: Policy): string[] {
  return [
    `An override lasts ${formatHours(governance.maximumOverrideHours)} at most, a freeze ${formatHours(governance.maximumFreezeHours)}, an emergency ${formatHours(governance.maximumEmergencyHours)}.`,
    `An override that needs a second person waits ${formatHours(governance.approvalHours)} for one.`,
  ];
}

function appetiteWords({ appetite }: Policy): string[] {
  const { badDebtPerNotionalYear, liquidationProbability, largestDailyCutRatio } = appetite;
  const sentences: string[] = [];
  if (badDebtPerNotionalYear !== null)
    sentences.push(`Bad debt of a year: at most ${percent(badDebtPerNotionalYear)} of the open notional.`);
  if (liquidationProbability !== null)
    sentences.push(
      `Positions at the leverage granted that are liquidated: at most ${percent(liquidationProbability)}.`,
    );
  if (largestDailyCutRatio !== null)
    sentences.push(`The largest cut of a day: leverage / ${number(largestDailyCutRatio)} at most.`);
  return sentences.length === 0 ? ['Nothing is stated; calibration has nothing to solve for.'] : sentences;
}

function percent(share: number): string {
  return `${number(share * 100)} %`;
}

/** Six significant digits, which hides the noise of binary fractions. */
function number(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: Math.abs(value) < 1e6 ? 6 : 15 });
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
