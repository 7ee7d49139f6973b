import { defineSettings } from '../settings/schema.ts';
import { custom, oneOf, ValueError } from '../settings/setting-types.ts';
import type { SettingType } from '../settings/setting-types.ts';
import { LogLevelError, parseLogDirectives } from './levels.ts';

/**
 * Log levels in the syntax of `parseLogDirectives`, kept as text: each thread reads them for itself.
 *
 * @param root as there
 */
export function logLevels(root?: string): SettingType<string> {
  return custom(
    'log levels',
    (raw) => {
      try {
        parseLogDirectives(raw, root);
      } catch (error) {
        if (!(error instanceof LogLevelError)) throw error;
        throw new ValueError(`levels such as info,access=debug (${error.message})`, { cause: error });
      }
      return raw;
    },
    (value) => value,
  );
}

/** How the programs log whose names are not given by a forerunner. */
export const logSettings = defineSettings('Log', {
  levels: {
    env: 'LOG_LEVEL',
    type: logLevels(),
    default: 'info',
    doc: 'LEVEL, or SCOPE=LEVEL, separated by commas.',
  },
  format: { env: 'LOG_FORMAT', type: oneOf('plain', 'json'), default: 'plain', doc: 'Form of log lines.' },
});
