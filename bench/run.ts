import { readdirSync } from 'node:fs';
import { machine, print } from './measure.ts';

/** `npm run bench -- NAME`: every benchmark is a module that runs when it is imported. */
const HELPERS = [
  'run.ts',
  'measure.ts',
  'read-path-server.ts',
  'checks-server.ts',
  'paced-load.ts',
  'history.ts',
  'growing-markets.ts',
  'core-share.ts',
  'shards-owner.ts',
  'account-holder.ts',
];
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && !HELPERS.includes(file))
  .map((file) => file.slice(0, -3))
  .sort();
const [name] = process.argv.slice(2);
if (name !== undefined && names.includes(name)) {
  print(`${name} on ${machine()}`);
  await import(`./${name}.ts`);
} else {
  print(`what can be measured: ${names.join(', ')}`);
  process.exitCode = name === 'list' ? 0 : 2;
}
