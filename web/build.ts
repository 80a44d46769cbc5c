import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Builds the console where `dist/web` is missing or older than what it is made of, so that a start from a checkout has it and waits
 * for it only once. `--always` builds in any case.
 */
const root = join(import.meta.dirname, '..');
const made = join(root, 'dist/web/index.html');
/** The console takes its words, units and canonical JSON from the same modules as the service. */
const MADE_OF = ['web', 'src/limits', 'src/http', 'src/units.ts', 'src/client', 'package-lock.json'];

const isCurrent = existsSync(made) && statSync(made).mtimeMs > Math.max(...MADE_OF.map(newest));
if (!isCurrent || process.argv.includes('--always')) {
  const vite = await import('vite').catch(() => null);
  if (vite !== null)
    await vite.build({ configFile: join(root, 'web/vite.config.ts') }).catch((thrown: unknown) => {
      // What a failed build has left would be taken for current.
      rmSync(join(root, 'dist/web'), { recursive: true, force: true });
      throw thrown;
    });
  else
    process.stderr.write('The console is not built: vite is a development package. Install with npm ci.\n');
}

/** Time of the newest file in a folder, epoch milliseconds. */
function newest(path: string): number {
  const full = join(root, path);
  if (!statSync(full).isDirectory()) return statSync(full).mtimeMs;
  const files = readdirSync(full, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
}
