/** The methods of VaR and ES by name, in the order in which they are shown. */
export const RISK_METHODS = [
  'historical',
  'age-weighted',
  'ewma',
  'filtered',
  'garch',
  'gjr-garch',
  'egarch',
  'evt',
  'cornish-fisher',
  'caviar',
  'caviar-asymmetric',
] as const;

export type RiskMethod = (typeof RISK_METHODS)[number];
