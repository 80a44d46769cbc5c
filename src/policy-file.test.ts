import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY, type Policy } from './limits/policy.ts';
import { POLICY_SETTINGS } from './limits/policy-settings.ts';
import { policyFileSchema, policyFromText, policyText, readPolicyFile } from './policy-file.ts';
import { PROGRAM_ROOT } from './program.ts';

const HEAD = 'version: 1\nname: ours\n';

/** Paths of all settings, sections included; items of lists are `[]`. */
function pathsOf(value: unknown, at: string): string[] {
  if (Array.isArray(value)) return typeof value[0] === 'object' ? pathsOf(value[0], `${at}[]`) : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = at === '' ? name : `${at}.${name}`;
    return [path, ...pathsOf(inner, path)];
  });
}

describe('the committed policy file', () => {
  const path = join(PROGRAM_ROOT, 'ops', 'policy.yaml');

  test('is the default, as `plimsoll config policy` prints it', () => {
    expect(readFileSync(path, 'utf8')).toBe(policyText(DEFAULT_POLICY));
    expect(readPolicyFile(path)).toEqual({ policy: DEFAULT_POLICY, faults: [] });
  });

  test('has a JSON schema beside it, as `plimsoll config policy --schema` prints it', () => {
    const committed = readFileSync(join(PROGRAM_ROOT, 'ops', 'policy.schema.json'), 'utf8');
    expect(JSON.parse(committed)).toEqual(policyFileSchema(DEFAULT_POLICY));
  });

  test('explains every setting, and none that there is not', () => {
    expect(Object.keys(POLICY_SETTINGS).sort()).toEqual(pathsOf(DEFAULT_POLICY, '').sort());
  });
});

describe('the policies beside it', () => {
  const folder = join(PROGRAM_ROOT, 'ops', 'policies');

  test.each(readdirSync(folder))('%s is without a fault and has the name of its file', (file) => {
    const { policy, faults } = readPolicyFile(join(folder, file));
    expect(faults).toEqual([]);
    expect(`${policy.name}.yaml`).toBe(file);
  });

  test('through-the-cycle has rungs no further apart than a fifth from 6x on, so that margins rise no further than they have to', () => {
    const ladder = readPolicyFile(join(folder, 'through-the-cycle.yaml')).policy.leverageLadder;
    for (const [i, rung] of ladder.entries())
      if (rung > 6) expect(rung / ladder[i + 1]).toBeLessThanOrEqual(1.2);
  });
});

describe('a policy file', () => {
  test('changes what it names and leaves the rest as it is by default', () => {
    const { policy, faults } = policyFromText(
      `${HEAD}governor:\n  loosenDelayHours: 72\nappetite: {badDebtPerNotionalYear: 1e-5}\n`,
    );
    expect(faults).toEqual([]);
    expect(policy).toEqual({
      ...DEFAULT_POLICY,
      name: 'ours',
      governor: { ...DEFAULT_POLICY.governor, loosenDelayHours: 72 },
      appetite: { ...DEFAULT_POLICY.appetite, badDebtPerNotionalYear: 1e-5 },
    });
  });

  test('tells every fault at once, with its line', () => {
    const text = `version: 2
maximumLeverage: 5
governor:
  loosenDelay: 3
  deadBandRatio: 2
  tightenMaximumRatio: often
classes:
  - name: small
    members: [DOGE, doge]
    maximumLeverage: 900
    youngListingDays: 1
    youngListingMaximumLeverage: 1
    crowdingLowerCap: 5
    crowdingUpperCap: 1
appetite:
  liquidationProbability: 2
  largestDailyCutRatio: lots
`;
    expect(policyFromText(text).faults).toEqual([
      'line 1: version must be 1, the layout that this program reads',
      'name is missing',
      'line 4: governor.loosenDelay is not known; did you mean loosenDelayHours?',
      'line 6: governor.tightenMaximumRatio must be a number',
      'line 17: appetite.largestDailyCutRatio must be a number or null',
      // A contradiction with a default has the line of the setting that the file holds.
      'line 2: youngListingMaximumLeverage must not be above maximumLeverage',
      'line 2: degradedMaximumLeverage must not be above maximumLeverage',
      'line 8: classes.small holds doge, which is no symbol, base asset or pattern',
      'line 8: classes.small must have a maximumLeverage from 1 to that of the policy',
      'line 8: classes.small crowdingLowerCap and crowdingUpperCap must be whole numbers, 0 ≤ crowdingLowerCap < crowdingUpperCap, or both 0',
      'line 5: governor.deadBandRatio must not be above governor.loosenMaximumRatio',
      'line 16: appetite.liquidationProbability must be between 0 and 1, or null',
    ]);
  });

  test.each([
    ['no YAML', `${HEAD}classes: [\ngovernor: 1`, 'line 4: '],
    [
      'a setting given twice',
      `${HEAD}maximumBrackets: 3\nmaximumBrackets: 4`,
      'line 4: Map keys must be unique',
    ],
    ['a list', '- 1', 'must hold settings by name'],
    ['nothing', '', 'must hold settings by name'],
    [
      'a class that lacks settings',
      `${HEAD}classes:\n - {name: a, members: [A]}`,
      'line 4: classes.0.maximumLeverage is missing',
    ],
    ['a section that is none', `${HEAD}governor: 7`, 'line 3: governor must hold settings by name'],
    ['the prototype of objects', `${HEAD}__proto__: {a: 1}`, 'line 3: __proto__ is not known'],
    [
      'a number that is none',
      `${HEAD}participationRatio: .nan`,
      'line 3: participationRatio must be a number above 0',
    ],
    [
      'aliases that unfold without end',
      `${HEAD}a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]`,
      'alias',
    ],
  ])('that holds %s is refused', (_, text, expected) => {
    expect(policyFromText(text).faults.join('\n')).toContain(expected);
  });

  test('that is not there is a fault with its path', () => {
    expect(readPolicyFile('absent.yaml').faults).toEqual([
      expect.stringMatching(/^absent\.yaml: cannot be read: /),
    ]);
  });

  test('of any policy reads back as the same policy', () => {
    const positive = fc.double({ min: 1e-9, max: 1e9, noNaN: true });
    const policies = fc
      .record({
        name: fc.string({ minLength: 1 }),
        closeoutCostCover: positive,
        validityHours: positive,
        classes: fc.constantFrom(DEFAULT_POLICY.classes, []),
        appetite: fc.record({
          badDebtPerNotionalYear: fc.option(fc.double({ min: 1e-12, max: 0.5, noNaN: true })),
          liquidationProbability: fc.constant(null),
          largestDailyCutRatio: fc.option(fc.double({ min: 1.001, max: 100, noNaN: true })),
        }),
      })
      .map((changes): Policy => ({ ...DEFAULT_POLICY, ...changes }));
    fc.assert(
      fc.property(policies, fc.array(fc.string()), (policy, remarks) => {
        expect(policyFromText(policyText(policy, remarks))).toEqual({ policy, faults: [] });
      }),
      { seed: 51, numRuns: 200 },
    );
  });

  test('of any text is read or refused, and never throws', () => {
    const lines = policyText(DEFAULT_POLICY).split('\n');
    const damaged = fc
      .array(
        fc.tuple(
          fc.nat(lines.length - 1),
          fc.oneof(fc.string(), fc.constantFrom('- ', ': ', '&a ', '*a', '{', '? ')),
        ),
      )
      .map((changes) => {
        const text = [...lines];
        for (const [at, line] of changes) text[at] = line;
        return text.join('\n');
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.string(), fc.json()), (text) => {
        for (const fault of policyFromText(text).faults) expect(fault).not.toBe('');
      }),
      { seed: 52, numRuns: 300 },
    );
  });
});
