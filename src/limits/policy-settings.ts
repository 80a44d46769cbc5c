import { CONTRACT_KINDS, INTERVENTION_MODES } from './account-policy.ts';
import { ANTI_PROCYCLICAL_OPTIONS, BOUND_USES } from './bound-policy.ts';
import { OPEN_POSITIONS } from './user-policy.ts';

/**
 * What each setting of a policy means, by its path; a list's items are `[]`. The one source of the comments in a policy
 * file and of its JSON schema.
 */
export const POLICY_SETTINGS: Readonly<Record<string, string>> = {
  name: 'What people call this policy. Decisions carry the hash of all settings, not the name alone.',
  maintenanceConfidence:
    'Maintenance margin covers the move during a closeout with this probability. One that forecasts come in.',
  initialConfidence:
    'Initial margin covers the mean of the moves beyond this quantile. One that forecasts come in.',
  marginCallHorizonHours:
    'Time that a user has to answer a margin call before the closeout starts. One that forecasts come in.',
  minimumCloseoutHorizonHours: 'No closeout counts as quicker than this.',
  maximumCloseoutHorizonHours: 'A position that takes longer to close out is refused.',
  participationRatio: 'Share of the traded volume that a closeout may be.',
  takerFeeRate: 'Fee of a closeout, as a share of its notional.',
  halfSpreadRate: 'Half the spread that a closeout pays, as a share of its notional.',
  impactCoefficient: 'Y of the square-root law of market impact.',
  volumeQuantile: 'The traded volume that is counted on is this quantile of recent hours.',
  leverageLadder: 'Leverages that a bracket may have, strictly falling, ending in 1.',
  maximumBrackets: 'Most brackets of a market.',
  maximumLeverage: 'Highest leverage of any market.',
  youngListingDays: 'A market with less history than this is young: it may tighten, and not loosen.',
  youngListingMaximumLeverage: 'Highest leverage of a young market.',
  degradedMaximumLeverage: 'Highest leverage while the data of a market are degraded.',
  stressMultiplier: 'The worst moves of history are multiplied by this.',
  marginMultiplier:
    'VaR, ES and stress moves are multiplied by this before margins are made of them: the dial that plimsoll calibrate solves for.',
  crowdingLowerCap:
    'Open interest in quote units from which on initial margin rises, in markets of no class. 0 and 0 for no such rule.',
  crowdingUpperCap: 'Open interest at which initial margin is all of the notional.',
  classes: 'Markets with a ceiling, an age of youth and open-interest caps of their own.',
  'classes[].name': 'What people call the class.',
  'classes[].members':
    'Symbols or base assets; * stands for any characters. BTC is every market of bitcoin, BTCUSDT one of them.',
  'classes[].maximumLeverage': 'Highest leverage of the class, at most that of the policy.',
  'classes[].youngListingDays': 'A market of the class with less history than this is young.',
  'classes[].youngListingMaximumLeverage': 'Highest leverage of a young market of the class.',
  'classes[].crowdingLowerCap':
    'Open interest in quote units from which on initial margin rises. 0 and 0 for no such rule.',
  'classes[].crowdingUpperCap': 'Open interest at which initial margin is all of the notional.',
  bounds: 'Bounds that are more than one number.',
  'bounds.filteredUse':
    'Where filtered historical simulation counts: both margins, maintenance alone, or none. Without it and the tail, margins follow the last year and not the last day.',
  'bounds.tailUse':
    'Where the tail estimate (extreme-value theory) counts: both margins, maintenance alone, or none.',
  'bounds.modelMaximumRatio':
    'The shock model is believed up to this many times the classical margin; what it asks for beyond is taken for extrapolation.',
  'bounds.antiProcyclical': 'The three options of EMIR RTS 153/2013, Article 28 (1), and none of them.',
  'bounds.antiProcyclical.option': 'Which of them: (a) buffer, (b) stressedWeight, (c) longLookbackFloor.',
  'bounds.antiProcyclical.bufferRatio':
    '(a) The full buffer, as a share of initial margin; the rule asks for 0.25.',
  'bounds.antiProcyclical.sharpRiseRatio':
    '(a) The buffer is drawn while initial margin is above this ratio of its own recent average.',
  'bounds.antiProcyclical.referenceHours': '(a) Time constant of that average.',
  'bounds.antiProcyclical.refillHours': '(a) An empty buffer is full again after this long.',
  'bounds.antiProcyclical.stressedWeight':
    '(b) Weight of stressed observations; the rule asks for 0.25 at least.',
  'bounds.antiProcyclical.stressedDays': '(b) The most volatile days of history, that are the stressed ones.',
  'bounds.antiProcyclical.lookbackYears': '(c) Years of history behind the volatility of the floor.',
  'bounds.antiProcyclical.floorRatio':
    '(c) The floor is this share of the margin at that volatility; the rule asks for 1.',
  'bounds.crowding': 'What happens where open interest is not known.',
  'bounds.crowding.staleAfterHours': 'Open interest older than this counts as missing.',
  'bounds.crowding.holdHours': 'While it is missing, the last one known counts for this long.',
  'bounds.crowding.conservativeShare':
    'After that, at least this share of the way between the two caps counts as taken.',
  'bounds.depth': 'How the order book counts, where it is known. It can only raise the cost of a closeout.',
  'bounds.depth.staleAfterHours': 'A book that is older than this does not count.',
  'bounds.depth.refillHours':
    'The book counts as filled again after this long, at most minimumCloseoutHorizonHours; 0 where it is not to count.',
  'bounds.marketWide': 'When the whole market is in stress, initial margins of all markets rise.',
  'bounds.marketWide.stressedShareFrom': 'They rise from this share of markets in stress on.',
  'bounds.marketWide.stressedShareTo': 'At this share they have risen all the way.',
  'bounds.marketWide.commonShockFrom':
    'The same for the day’s return of all markets together, in its own standard deviations.',
  'bounds.marketWide.commonShockTo': 'At this return they have risen all the way.',
  'bounds.marketWide.maximumFactor': 'All the way is this many times what they are.',
  'bounds.marketWide.minimumMarkets': 'Of fewer markets no share is taken.',
  'bounds.systemStress':
    'When accounts and their positions, as one system, are fragile, initial margins of all markets rise. Counts where accounts are known.',
  'bounds.systemStress.shockRate':
    'All markets fall, and rise, by this share: the shock whose cascade of forced sales is looked at.',
  'bounds.systemStress.leverageFrom':
    'Margins rise from this leverage of all accounts together on, marked notional over marked equity.',
  'bounds.systemStress.leverageTo': 'At this leverage they have risen all the way.',
  'bounds.systemStress.forcedShareFrom':
    'The same for the share of the open notional that the shock ends in forced sales.',
  'bounds.systemStress.forcedShareTo': 'At this share they have risen all the way.',
  'bounds.systemStress.fundUseFrom': 'The same for bad debt of the shock over the insurance fund.',
  'bounds.systemStress.fundUseTo': 'At this ratio they have risen all the way.',
  'bounds.systemStress.maximumFactor':
    'All the way is this many times what they are; 1 where accounts are not to count.',
  'bounds.systemStress.minimumAccounts': 'With fewer accounts nothing is concluded.',
  'bounds.systemStress.staleAfterHours': 'Older than this, the last factor holds, and nothing loosens.',
  referenceNotional: 'The notional at which bounds are stated and compared.',
  closeoutCostCover:
    'Maintenance margin is at least this many times the cost of closing the reference notional out.',
  governor: 'How fast limits may move, and how long it takes until a move reaches positions that are open.',
  'governor.tightenMaximumRatio':
    'One decision divides leverage, and multiplies maintenance margin, by at most this. Only an emergency goes further.',
  'governor.tightenPaceHours': 'Least time until a tightening that stopped there goes on.',
  'governor.loosenMaximumRatio':
    'One loosening multiplies leverage by at most this, or goes to the next rung.',
  'governor.loosenDelayHours': 'Least time between the last change of a market and its next loosening.',
  'governor.deadBandRatio': 'Loosenings smaller than this ratio are not made.',
  'governor.maintenanceNoticeHours':
    'Least time between the announcement of a higher maintenance margin and its force on open positions.',
  'governor.emergencyNoticeHours': 'The same in an emergency.',
  guard: 'When prices between two bars tighten a market, and which prices are believed.',
  'guard.confidence':
    'A move since the last bar is out of bounds beyond the VaR at this confidence. One that forecasts come in.',
  'guard.minimumElapsedHours': 'The time since that bar never counts as shorter than this.',
  'guard.maximumFactor':
    'A move of so many times its bound raises initial margins as many times, up to this.',
  'guard.coverRatio': 'Initial margins are at least this many times the move.',
  'guard.stepRatio': 'A market is decided on again once its move has grown by this ratio.',
  'guard.staleAfterSeconds': 'Prices older than this when they arrive have no effect.',
  'guard.heldAboveRatio':
    'A price this many times the one before, up or down, waits for another that confirms it.',
  'guard.refusedAboveRatio': 'A price this many times the one before is refused.',
  'guard.confirmSeconds': 'Least time between a price that is held and the one that confirms it.',
  validityHours: 'A book of limits is valid for this long after it was decided.',
  staleAfterHours: 'Data older than this make a market stale: it holds or tightens.',
  newAccountDays: 'An account younger than this is new.',
  newAccountMaximumLeverage: 'Highest leverage of a new account.',
  maximumNotionalCoef:
    'Largest coefficient by which a user’s brackets may be scaled. Above 1 a user gets more than the margin curve allows.',
  notionalCoefRaisesLastCap: 'Whether a coefficient above 1 also raises the largest position.',
  users: 'What one user may carry, beside what the markets allow.',
  'users.experienceClasses':
    'Classes of experience. A user whose class is not among them counts as of the tightest; a user without one is not limited by any.',
  'users.experienceClasses[].name': 'What users are given as experienceClass.',
  'users.experienceClasses[].maximumLeverage': 'Highest leverage of a user of the class.',
  'users.portfolioEquityShare':
    'The expected shortfall of an account’s positions together may be this share of its equity, over the margin-call horizon.',
  'users.correlationStressShare':
    'Correlations between markets are moved this far towards one, and towards none; the worst of both and the measured ones counts.',
  'users.openInterestShare':
    'A user’s positions in a market may be this share of its open interest, where that is known.',
  'users.dailyVolumeShare': 'And this share of what is traded in 24 quiet hours.',
  'users.openPositions':
    'keep: a position that new limits no longer allow may only reduce. reduceWithNotice: it also has to fit after a notice.',
  'users.noticeHours': 'That notice, from when the limits of the market or of the user changed.',
  accounts:
    'When an account with open positions is warned, called, reduced and liquidated. Ratios are maintenance margin over equity.',
  'accounts.interventionMode':
    'advise: the exchange decides what to do with an intervention. command: it is expected to do it.',
  'accounts.warningRatio': 'From here on the user is warned.',
  'accounts.marginCallRatio': 'From here on more margin is called for.',
  'accounts.reduceOnlyRatio': 'From here on the account may only reduce.',
  'accounts.reductionRatio': 'From here on positions are reduced in stages.',
  'accounts.liquidationRatio': 'From here on positions are closed out. At most 1.',
  'accounts.backstopRatio': 'From here on, or with no equity left, the backstop takes positions over.',
  'accounts.rearmRatio':
    'A threshold that was crossed counts as crossed again only once the ratio was this far below it.',
  'accounts.reductionTargetRatio': 'A reduction brings the ratio down to this.',
  'accounts.sliceAboveNotional': 'A position above this notional is reduced in slices.',
  'accounts.sliceRatio': 'Share of the position that one slice is.',
  'accounts.coolDownSeconds': 'Least time between two slices.',
  'accounts.liquidationHorizonHours':
    'Liquidation probabilities are of this horizon. One that forecasts come in.',
  'accounts.insuranceFund':
    'What bad debt falls on first, in quote units. Null: one percent of what is open is assumed.',
  contracts: 'Markets whose contracts are not linear ones of one unit of the base asset.',
  'contracts[].name': 'What people call these contracts.',
  'contracts[].members': 'Symbols; * stands for any characters. The first entry that names a market counts.',
  'contracts[].kind':
    'linear: profit in the quote asset. inverse: profit in the base asset, as coin-margined contracts have it.',
  'contracts[].contractSize': 'One contract is so much of the base asset (linear) or quote asset (inverse).',
  governance: 'How long what people decide may last.',
  'governance.maximumOverrideHours': 'An override ends after this at the latest.',
  'governance.maximumFreezeHours': 'A freeze ends after this at the latest.',
  'governance.maximumEmergencyHours': 'An emergency ends after this at the latest.',
  'governance.approvalHours': 'An override that waits for a second person lapses after this.',
  appetite:
    'The risk that the house wants, or null for no opinion. Calibration solves the other settings for it; no decision reads it.',
  'appetite.badDebtPerNotionalYear':
    'Bad debt in a year, as a share of the notional that was open on average.',
  'appetite.liquidationProbability':
    'Share of positions, opened at the leverage granted, that end in liquidation.',
  'appetite.largestDailyCutRatio':
    'Leverage before over leverage after the largest cut of a day; 2 is a halving.',
};

/** Settings that take one of a few words. */
export const POLICY_CHOICES: Readonly<Record<string, readonly string[]>> = {
  'bounds.filteredUse': BOUND_USES,
  'bounds.tailUse': BOUND_USES,
  'users.openPositions': OPEN_POSITIONS,
  'accounts.interventionMode': INTERVENTION_MODES,
  'contracts[].kind': CONTRACT_KINDS,
  'bounds.antiProcyclical.option': ANTI_PROCYCLICAL_OPTIONS,
};
