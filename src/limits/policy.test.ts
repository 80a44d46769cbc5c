import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, policyFaults, policyHash, requireValidPolicy } from './policy.ts';
import { AXES } from './test-inputs.ts';

describe('the policy', () => {
  it('that ships is valid', () => {
    expect(policyFaults(DEFAULT_POLICY, AXES)).toEqual([]);
  });

  it('with several contradictions names all of them at once', () => {
    const broken = {
      ...DEFAULT_POLICY,
      maintenanceConfidence: 0.98,
      marginCallHorizonHours: 5,
      participationRatio: Number.NaN,
      leverageLadder: [10, 20, 2.5],
      maximumBrackets: 1,
      youngListingMaximumLeverage: 200,
      governor: {
        tightenMaximumRatio: 1,
        tightenPaceHours: Number.NaN,
        loosenMaximumRatio: 1,
        loosenDelayHours: -1,
        deadBandRatio: 0.5,
        maintenanceNoticeHours: 1,
        emergencyNoticeHours: 2,
      },
    };
    const faults = policyFaults(broken, AXES).join('\n');
    for (const setting of [
      'maintenanceConfidence',
      'marginCallHorizonHours',
      'participationRatio',
      'leverageLadder must end in 1',
      'leverageLadder must hold whole numbers',
      'leverageLadder must fall strictly',
      'maximumBrackets',
      'youngListingMaximumLeverage',
      'loosenMaximumRatio',
      'loosenDelayHours',
      'deadBandRatio',
      'tightenMaximumRatio',
      'tightenPaceHours',
      'emergencyNoticeHours',
    ]) {
      expect(faults).toContain(setting);
    }
    expect(() => requireValidPolicy(broken, AXES)).toThrow('contradicts itself');
  });

  it.each([
    ['halfSpreadRate', Number.NaN],
    ['takerFeeRate', -0.1],
    ['impactCoefficient', Number.NaN],
    ['impactCoefficient', -1],
    ['maximumLeverage', Number.NaN],
    ['maximumLeverage', Number.POSITIVE_INFINITY],
    ['validityHours', Number.POSITIVE_INFINITY],
    ['youngListingDays', Number.NaN],
    ['newAccountDays', -1],
    ['maximumCloseoutHorizonHours', 0.5],
  ] as const)('refuses %s of %d', (name, value) => {
    const faults = policyFaults({ ...DEFAULT_POLICY, [name]: value }, AXES);
    expect(faults.some((fault) => fault.includes(name))).toBe(true);
  });

  it('has a hash that depends on every setting and not on their order', () => {
    const reversed = Object.fromEntries(Object.entries(DEFAULT_POLICY).reverse());
    expect(policyHash({ ...DEFAULT_POLICY, ...reversed })).toBe(policyHash(DEFAULT_POLICY));
    const changed = {
      ...DEFAULT_POLICY,
      governor: { ...DEFAULT_POLICY.governor, loosenDelayHours: 25 },
    };
    expect(policyHash(changed)).not.toBe(policyHash(DEFAULT_POLICY));
  });
});
