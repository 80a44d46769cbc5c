import { writeSync } from 'node:fs';
import { ensureOperatorKey } from './operator-key.ts';

/** A first start for tests: waits for its input to end, then prints what it got of the operator key. */
process.stdin.resume();
await new Promise((resolve) => process.stdin.on('end', resolve));
const { hash, created } = await ensureOperatorKey(process.argv[2]);
writeSync(1, JSON.stringify({ hash, created }));
