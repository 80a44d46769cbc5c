import type { PageProps } from '../pages.tsx';

export function ModelsPage(_: PageProps) {
  return <h1>Models</h1>;
}
