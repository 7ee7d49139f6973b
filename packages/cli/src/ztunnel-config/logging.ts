import { CliError } from '../errors.ts';

/** istioctl's names, and ztunnel's. */
const levels: Readonly<Record<string, string>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  warn: 'warn',
  error: 'error',
  critical: 'error',
  off: 'off',
};

/** Query of `/logging`, with its `?`; '' to look only. @throws CliError USAGE */
export function loggingQuery(spec: string | undefined, reset: boolean): string {
  if (spec !== undefined && reset)
    throw new CliError('USAGE', '--level and --reset exclude each other; give one of them');
  if (reset) return '?reset';
  if (spec === undefined) return '';
  const parts = spec.split(',').map((part) => {
    const at = Math.max(part.lastIndexOf(':'), part.lastIndexOf('='));
    const name = part.slice(at + 1);
    const level = Object.hasOwn(levels, name) ? levels[name] : undefined;
    if (level === undefined)
      throw new CliError(
        'USAGE',
        `--level ${part}: ${JSON.stringify(name)} is no level; use one of ${Object.keys(levels).join(', ')}`,
      );
    return at < 0 ? level : `${part.slice(0, at)}=${level}`;
  });
  return `?level=${encodeURIComponent(parts.join(','))}`;
}
