import { LogLevelError } from '@ambient/runtime';
import type { LogLevels } from '@ambient/runtime';
import { textReply } from './http-endpoint.ts';
import type { Endpoint } from './http-endpoint.ts';

const usage = `usage: POST /logging                       (to show the present levels)
       POST /logging?level=LEVEL           (to change the general level)
       POST /logging?level=SCOPE=LEVEL,... (to change the level of scopes)
       POST /logging?reset                 (back to the levels of the start; &level= as above)
levels: error, warn, info, debug, trace, off`;

/**
 * `/logging`: shows and changes log levels while the process runs.
 *
 * @param changed called with the new specification, for the data workers
 */
export function loggingEndpoint(levels: LogLevels, changed: (spec: string) => void): Endpoint {
  return {
    method: 'POST',
    path: '/logging',
    doc: 'show or change log levels: ?level=debug, ?level=access=debug, ?reset',
    handle(query) {
      const level = query.get('level');
      const before = levels.toString();
      try {
        if (query.has('reset')) levels.reset();
        if (level !== null) {
          refuseScopeAlone(level);
          levels.apply(level);
        }
      } catch (error) {
        if (!(error instanceof LogLevelError)) throw error;
        levels.replace(before);
        return textReply(400, `${error.message}\n${usage}`);
      }
      const now = levels.toString();
      if (now !== before) changed(now);
      return textReply(200, `current log level is ${now}`);
    },
  };
}

const levelNames = ['error', 'warn', 'info', 'debug', 'trace', 'off'];

/** RUST_LOG takes a scope alone as all of it; here a single word is far more often a level that was mistyped. */
function refuseScopeAlone(spec: string): void {
  for (const part of spec.split(',').map((text) => text.trim()))
    if (part !== '' && !part.includes('=') && !levelNames.includes(part.toLowerCase()))
      throw new LogLevelError(part);
}
