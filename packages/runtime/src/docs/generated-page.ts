import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A page of `docs/` that the source tree writes itself. */
export interface GeneratedPage {
  /** File name in `docs/`. */
  readonly name: string;
  /** The npm script that writes it. */
  readonly script: string;
  /** The page, whole. */
  render(): string;
}

/** The page's place in the source tree. */
export function pagePath(page: GeneratedPage): string {
  return fileURLToPath(new URL(`../../../../docs/${page.name}`, import.meta.url));
}

/**
 * Writes a page, or with `--check` only compares it.
 *
 * @returns the exit code: 1 if the page is stale
 */
export function writePage(
  page: GeneratedPage,
  args: readonly string[],
  path: string,
  say: (text: string) => void,
): number {
  const fresh = page.render();
  if (!args.includes('--check')) {
    writeFileSync(path, fresh);
    return 0;
  }
  let present = '';
  try {
    present = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  if (present === fresh) return 0;
  say(`docs/${page.name} is stale: run \`npm run ${page.script}\`\n`);
  return 1;
}

/** Does what the command line says: for the entry of a page's module. */
export function runPageCommand(page: GeneratedPage): void {
  process.exitCode = writePage(page, process.argv.slice(2), pagePath(page), (text) =>
    process.stderr.write(text),
  );
}

/** A table in Markdown, aligned as Prettier does it. @param rows cells; a `|` in them is escaped */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...lines.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [first = [], ...rest] = lines;
  return [line(first), line(widths.map((width) => '-'.repeat(width))), ...rest.map(line)].join('\n');
}
