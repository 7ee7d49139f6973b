/** `/debug/logging`: shows the log levels, and changes them while the process runs. */
import { LogLevelError } from '@ambient/runtime';
import type { Logger, LogLevels } from '@ambient/runtime';

import { DebugRefusal } from './debug-refusal.ts';

const levelNames: readonly string[] = ['error', 'warn', 'info', 'debug', 'trace', 'off'];
const usage = `POST /debug/logging?level=LEVEL, or ?level=SCOPE=LEVEL,..., or ?reset; levels: ${levelNames.join(', ')}.`;

export function showLevels(levels: LogLevels): unknown {
  return { levels: levels.toString(), usage };
}

/** @throws DebugRefusal, having changed nothing */
export function changeLevels(levels: LogLevels, query: URLSearchParams, log: Logger): unknown {
  const level = query.get('level');
  if (level === null && !query.has('reset')) throw new DebugRefusal(400, usage);
  const before = levels.toString();
  try {
    if (query.has('reset')) levels.reset();
    if (level !== null) {
      for (const part of level.split(',').map((text) => text.trim()))
        // Alone it would be the name of a scope; far more often it is a level that was mistyped.
        if (!part.includes('=') && !levelNames.includes(part)) throw new LogLevelError(part);
      levels.apply(level);
    }
  } catch (error) {
    if (!(error instanceof LogLevelError)) throw error;
    levels.replace(before);
    throw new DebugRefusal(400, `${error.message} ${usage}`, { cause: error });
  }
  log.info('log levels changed', { levels: levels.toString() });
  return { levels: levels.toString() };
}
