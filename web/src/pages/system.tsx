import type { PageProps } from '../pages.tsx';

export function SystemPage(_: PageProps) {
  return <h1>System</h1>;
}
