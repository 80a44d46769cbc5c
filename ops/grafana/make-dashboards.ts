import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACCOUNTS } from './accounts-dashboard.ts';
import { LIMITS } from './limits-dashboard.ts';
import { MODEL } from './model-dashboard.ts';
import { grafanaOf } from './panels.ts';
import { SERVICE } from './service-dashboard.ts';

export const DASHBOARDS = [LIMITS, MODEL, ACCOUNTS, SERVICE];

/** What is committed, by the name of its file: Grafana reads files and not a program. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map(
    DASHBOARDS.map((dashboard) => [
      `${dashboard.uid}.json`,
      `${JSON.stringify(grafanaOf(dashboard), null, 2)}\n`,
    ]),
  );
}

if (import.meta.main)
  for (const [name, text] of dashboardFiles())
    writeFileSync(join(import.meta.dirname, 'dashboards', name), text);
