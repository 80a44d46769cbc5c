import type { PageProps } from '../pages.tsx';

export function AuditPage(_: PageProps) {
  return <h1>Audit</h1>;
}
