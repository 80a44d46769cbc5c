import fc from 'fast-check';
import { test } from 'vitest';
import { fitGarch } from './fit.ts';
import type { ErrorDistribution, GarchModel } from './model.ts';

const MODELS: readonly GarchModel[] = ['garch', 'gjr', 'egarch'];
const DISTRIBUTIONS: readonly ErrorDistribution[] = ['normal', 't'];

test('whatever the returns, a fit is a finite answer or a reason', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 100, maxLength: 140 }),
      fc.constantFrom(...MODELS),
      fc.constantFrom(...DISTRIBUTIONS),
      (values, model, distribution) => {
        const fit = fitGarch(Float64Array.from(values), { model, distribution });
        if (!fit.available) return fit.reason.length > 0;
        return (
          Number.isFinite(fit.logLikelihood) &&
          fit.nextVariance > 0 &&
          fit.variance.every((value) => value > 0)
        );
      },
    ),
    { seed: 11, numRuns: 60 },
  );
});
