import { didYouMean } from '../spelling.ts';
import { DEFAULT_POLICY, type Policy, type PolicyAxes, policyFaults } from './policy.ts';

/**
 * A policy as people write it: any part of the default may be given, the rest stays. Unknown names, wrong types and
 * contradictions are all found at once.
 *
 * @param given anything that a file held; undefined for none.
 * @param at the name that the settings stand under; empty where they are all that the file holds.
 * @returns the policy, and every fault in words that begin with the path of the setting; the policy is only to be used
 *   when there are none.
 */
export function policyFromInput(given: unknown, axes: PolicyAxes, at = 'policy'): ReadPolicy {
  if (given === undefined) return { policy: DEFAULT_POLICY, faults: [] };
  const faults: string[] = [];
  const policy = overlay(DEFAULT_POLICY, given, at, faults) as Policy;
  // What is of the wrong type has stayed as it is by default, so the rest can be judged.
  faults.push(...policyFaults(policy, axes).map((fault) => under(at, fault)));
  return { policy, faults };
}

export interface ReadPolicy {
  readonly policy: Policy;
  readonly faults: readonly string[];
}

function under(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`;
}

/** `given` over `model`, which says what names and types there are. */
function overlay(model: unknown, given: unknown, at: string, faults: string[]): unknown {
  if (Array.isArray(model)) {
    if (typeof model[0] === 'object') return overlayList(model[0], given, at, faults);
    if (Array.isArray(given) && given.every((item) => typeof item === typeof model[0])) return given;
    faults.push(`${at} must be a list of ${typeof model[0]}s`);
    return model;
  }
  if (model === null) {
    if (given === null || typeof given === 'number') return given;
    faults.push(`${at} must be a number or null`);
    return model;
  }
  if (typeof model !== 'object') {
    if (typeof given === typeof model) return given;
    faults.push(`${at} must be a ${typeof model}`);
    return model;
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    faults.push(`${at} must hold settings by name`);
    return model;
  }
  const known = Object.keys(model);
  const result: Record<string, unknown> = { ...model };
  for (const [name, value] of Object.entries(given)) {
    const path = under(at, name);
    if (!known.includes(name)) faults.push(`${path} is not known${didYouMean(name, known)}`);
    else result[name] = overlay(result[name], value, path, faults);
  }
  return result;
}

/**
 * A list of settings by name takes the place of the default one; each of its items gives every setting. One that does
 * not is no ground to judge anything by.
 */
function overlayList(item: object, given: unknown, at: string, faults: string[]): unknown {
  if (!Array.isArray(given)) {
    faults.push(`${at} must be a list`);
    return [];
  }
  const before = faults.length;
  const items = given.map((one, i) => {
    const result = overlay(item, one, `${at}.${i}`, faults);
    if (typeof one !== 'object' || one === null) return result;
    for (const name of Object.keys(item)) {
      if (!(name in one)) faults.push(`${at}.${i}.${name} is missing`);
    }
    return result;
  });
  return faults.length > before ? [] : items;
}
