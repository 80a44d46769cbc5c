import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestService } from '../src/http/test-service.ts';
import { ROOT } from './repository.ts';

const run = promisify(execFile);
const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'plimsoll-package-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a project with nothing but the built client imports it, with its types, and gets caps', async () => {
  const home = join(folder, 'node_modules/plimsoll');
  mkdirSync(home, { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(home, 'package.json'));
  // Only what the client reaches: nothing else is there that it could lean on.
  const build = ['-p', join(ROOT, 'tsconfig.client.json'), '--emitDeclarationOnly', 'false'];
  await run(process.execPath, [compiler, ...build, '--outDir', join(home, 'dist')]);

  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(folder, 'main.ts'),
    `import { type ClientCap, PlimsollClient } from 'plimsoll/client';
const [url, at] = process.argv.slice(2);
const clock = { now: () => Number(at) };
const client = await PlimsollClient.connect({ url, clock, fallback: { step: 3 } });
const cap: ClientCap = client.cap('BTCUSDT', 1000, { accountCreatedAt: 0, maxLeverage: 3 });
// @ts-expect-error a market is a text
client.cap(5, 1000);
console.log(JSON.stringify([client.state.name, cap.maxLeverage, cap.bindingReason, cap.version]));
client.close();
`,
  );
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        ...{ module: 'nodenext', target: 'es2024', lib: ['es2024', 'dom'], strict: true, noEmit: true },
        ...{ typeRoots: [join(ROOT, 'node_modules/@types')], types: ['node'] },
      },
      include: ['main.ts'],
    }),
  );
  await run(process.execPath, [compiler, '-p', folder]);
  const service = await TestService.start();
  // A book whose validity was over on the client's clock would grant less.
  const at = String(service.clock.now());
  const { stdout } = await run(process.execPath, [join(folder, 'main.ts'), service.url, at]);
  expect(JSON.parse(stdout)).toEqual(['live', 3, 'HOUSE_LIMIT', 1]);
  await service.stop();
});
