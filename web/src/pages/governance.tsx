import type { PageProps } from '../pages.tsx';

export function GovernancePage(_: PageProps) {
  return <h1>Governance</h1>;
}
