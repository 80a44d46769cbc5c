import { readFileSync } from 'node:fs';
import { Document, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { CONFIDENCES, HORIZONS_HOURS } from './forecast/predictor.ts';
import type { Policy } from './limits/policy.ts';
import { policyFromInput, type ReadPolicy } from './limits/policy-input.ts';
import { POLICY_CHOICES, POLICY_SETTINGS } from './limits/policy-settings.ts';

/** The layout of policy files that this program reads and writes. */
export const POLICY_FILE_VERSION = 1;
const LARGEST_FILE_CHARACTERS = 1_000_000;
const COMMENT_WIDTH = 110;
const AXES = { horizonsHours: HORIZONS_HOURS, confidences: CONFIDENCES };

/** @throws Error of the file system, and where the file is too large to be settings. */
export function readSettingsText(path: string): string {
  const text = readFileSync(path, 'utf8');
  if (text.length > LARGEST_FILE_CHARACTERS)
    throw new Error(`it is larger than ${LARGEST_FILE_CHARACTERS} characters`);
  return text;
}

/** As `policyFromText`; a file that cannot be read is a fault as well. Faults begin with the path of the file. */
export function readPolicyFile(path: string): ReadPolicy {
  let text: string;
  try {
    text = readSettingsText(path);
  } catch (thrown) {
    const fault = `${path}: cannot be read: ${(thrown as Error).message}`;
    return { ...policyFromInput(undefined, AXES), faults: [fault] };
  }
  const { policy, faults } = policyFromText(text);
  return { policy, faults: faults.map((fault) => `${path}: ${fault}`) };
}

/**
 * A policy from the text of a policy file: YAML (or JSON) with `version`, `name`, and any part of the default policy; the
 * rest stays.
 *
 * @returns every fault, with its line where there is one; the policy is only to be used when there are none.
 */
export function policyFromText(text: string): ReadPolicy {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, stringKeys: true });
  const none = policyFromInput(undefined, AXES);
  if (document.errors.length > 0) {
    const faults = document.errors.map(({ message, pos }) =>
      withLine(
        lineCounter.linePos(pos[0]).line,
        message.split('\n')[0].replace(/ at line \d+, column \d+:$/, ''),
      ),
    );
    return { ...none, faults };
  }
  if (!isMap(document.contents)) return { ...none, faults: ['it must hold settings by name'] };
  let content: Record<string, unknown>;
  try {
    content = document.toJS();
  } catch (thrown) {
    // Aliases that would unfold without end.
    return { ...none, faults: [(thrown as Error).message] };
  }
  const { version, ...settings } = content;
  const faults: string[] = [];
  if (version !== POLICY_FILE_VERSION)
    faults.push(`version must be ${POLICY_FILE_VERSION}, the layout that this program reads`);
  if (settings.name === undefined) faults.push('name is missing');
  const read = policyFromInput(settings, AXES, '');
  faults.push(...read.faults);
  const contents: Node = document.contents;
  return {
    policy: read.policy,
    faults: faults.map((fault) => withLine(lineOfFault(fault, contents, lineCounter), fault)),
  };
}

/**
 * A policy as the text of a policy file, with what every setting means.
 *
 * @param remarks lines at the top, such as the evidence behind the values.
 */
export function policyText(policy: Policy, remarks: readonly string[] = []): string {
  const document = new Document({ version: POLICY_FILE_VERSION, ...policy });
  describe(document.contents, '');
  document.commentBefore = remarks.map((line) => ` ${line}`).join('\n');
  return document.toString({ lineWidth: COMMENT_WIDTH, flowCollectionPadding: false });
}

/** JSON schema (draft 2020-12) of a policy file, for editors. Contradictions between settings are found on reading. */
export function policyFileSchema(policy: Policy): Record<string, unknown> {
  const { properties, ...rest } = schemaOf(policy, '') as { properties: Record<string, unknown> };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Plimsoll policy',
    ...rest,
    properties: {
      version: { const: POLICY_FILE_VERSION, description: 'The layout of this file.' },
      ...properties,
    },
    required: ['version', 'name'],
  };
}

function schemaOf(model: unknown, path: string): Record<string, unknown> {
  const description = POLICY_SETTINGS[path];
  const described = description === undefined ? {} : { description };
  const choices = POLICY_CHOICES[path];
  if (choices !== undefined) return { ...described, enum: choices };
  if (model === null) return { ...described, type: ['number', 'null'] };
  if (Array.isArray(model)) return { ...described, type: 'array', items: schemaOf(model[0], `${path}[]`) };
  if (typeof model !== 'object') return { ...described, type: typeof model };
  const properties = Object.fromEntries(
    Object.entries(model).map(([name, value]) => [name, schemaOf(value, pathOf(path, name))]),
  );
  const required = path.endsWith('[]') ? { required: Object.keys(properties) } : {};
  return { ...described, type: 'object', properties, additionalProperties: false, ...required };
}

/** Puts what settings mean before them; lists of plain values onto one line. Of a list's items the first is explained. */
function describe(node: unknown, path: string): void {
  if (isSeq(node)) {
    if (node.items.every(isScalar)) node.flow = true;
    else describe(node.items[0], `${path}[]`);
  }
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    const at = pathOf(path, String(key));
    const meaning = POLICY_SETTINGS[at];
    if (isNode(key) && meaning !== undefined) {
      key.commentBefore = wrapped(meaning, COMMENT_WIDTH - 2 * at.split('.').length);
      key.spaceBefore = isMap(value) || (isSeq(value) && value.flow !== true && !value.items.every(isScalar));
    }
    describe(value, at);
  }
}

function wrapped(text: string, width: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = `${lines[lines.length - 1]} ${word}`;
    if (line.length <= width) lines[lines.length - 1] = line;
    else lines.push(` ${word}`);
  }
  return lines.join('\n');
}

function pathOf(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function withLine(line: number | null, fault: string): string {
  return line === null ? fault : `line ${line}: ${fault}`;
}

/**
 * The line of the first setting that a fault names and the file holds, since a contradiction may be with a default; else
 * the line of what should hold the setting.
 */
function lineOfFault(fault: string, contents: Node, lineCounter: LineCounter): number | null {
  const paths = fault.split(/[^\w.-]+/).map((word) => word.split('.'));
  for (const path of paths) {
    const offset = offsetOf(contents, path);
    if (offset !== null) return lineCounter.linePos(offset).line;
  }
  for (let path = paths[0].slice(0, -1); path.length > 0; path = path.slice(0, -1)) {
    const offset = offsetOf(contents, path);
    if (offset !== null) return lineCounter.linePos(offset).line;
  }
  return null;
}

/** Where the setting of a path begins; items of lists go by their number or by their name. */
function offsetOf(node: unknown, [name, ...rest]: readonly string[]): number | null {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => String(key) === name);
    if (pair === undefined) return null;
    return rest.length > 0 ? offsetOf(pair.value, rest) : startOf(pair.key);
  }
  if (isSeq(node)) {
    const item = node.items.find((one, i) => String(i) === name || (isMap(one) && one.get('name') === name));
    if (item === undefined) return null;
    return rest.length > 0 ? offsetOf(item, rest) : startOf(item);
  }
  return null;
}

function startOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}
