import { dumpYaml } from '@kubernetes/client-node';

import { CliError } from '../errors.ts';

export type OutputFormat = 'table' | 'json' | 'yaml';

/** `short` and `summary` are istioctl's words for the table. @throws CliError */
export function parseOutputFormat(text: string): OutputFormat {
  switch (text) {
    case 'table':
    case 'short':
    case 'summary':
      return 'table';
    case 'json':
    case 'yaml':
      return text;
    default:
      throw new CliError('USAGE', `--output ${text} is not known; use table, json or yaml`);
  }
}

export function formatStructured(value: unknown, format: 'json' | 'yaml'): string {
  return format === 'json' ? `${JSON.stringify(value, null, 4)}\n` : dumpYaml(value);
}
