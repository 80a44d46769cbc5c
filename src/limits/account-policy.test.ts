import { expect, test } from 'vitest';
import {
  accountPolicyFaults,
  type ContractTerms,
  contractFaults,
  contractOf,
  DEFAULT_ACCOUNT_POLICY,
  DEFAULT_CONTRACTS,
} from './account-policy.ts';

const HORIZONS = [1, 4, 8, 24];

test('the policy of accounts has no fault, and each contradiction is named', () => {
  expect(accountPolicyFaults(DEFAULT_ACCOUNT_POLICY, HORIZONS)).toEqual([]);
  const wrong = {
    ...DEFAULT_ACCOUNT_POLICY,
    warningRatio: 0.9,
    liquidationRatio: 1.1,
    reductionTargetRatio: 0.99,
    rearmRatio: 0.9,
    sliceRatio: 0,
    coolDownSeconds: Number.NaN,
    liquidationHorizonHours: 3,
  };
  expect(accountPolicyFaults(wrong, HORIZONS)).toEqual([
    'accounts.marginCallRatio must be above accounts.warningRatio',
    'accounts.liquidationRatio must not be above 1',
    'accounts.rearmRatio must be at least 0 and below accounts.warningRatio',
    'accounts.reductionTargetRatio must be above 0 and below accounts.reductionRatio',
    'accounts.sliceRatio must be above 0 and at most 1',
    'accounts.coolDownSeconds must be a number of at least 0',
    'accounts.liquidationHorizonHours must be one of 1, 4, 8, 24',
  ]);
});

test('the first entry that names a market says what its contracts are; one that none names is linear', () => {
  expect(contractOf('BTCUSD_PERP', DEFAULT_CONTRACTS)).toEqual({ kind: 'inverse', contractSize: 100 });
  expect(contractOf('ADAUSD_PERP', DEFAULT_CONTRACTS)).toEqual({ kind: 'inverse', contractSize: 10 });
  expect(contractOf('BTCUSDT', DEFAULT_CONTRACTS)).toEqual({ kind: 'linear', contractSize: 1 });
  const dotted: ContractTerms = { name: 'a', members: ['A.B'], kind: 'linear', contractSize: 2 };
  expect(contractOf('A.B', [dotted]).contractSize).toBe(2);
  expect(contractOf('AXB', [dotted]).contractSize).toBe(1);
});

test('contracts that cannot be are named', () => {
  expect(contractFaults(DEFAULT_CONTRACTS)).toEqual([]);
  const wrong = { name: 'a', members: [], kind: 'odd', contractSize: 0 } as unknown as ContractTerms;
  expect(contractFaults([wrong])).toEqual([
    'contracts.a must have members',
    'contracts.a kind must be one of linear, inverse',
    'contracts.a contractSize must be a number above 0',
  ]);
});
