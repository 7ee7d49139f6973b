import { writeSync } from 'node:fs';
import { realClock } from '../clock/clock.ts';
import type { Clock } from '../clock/clock.ts';
import { LogLevels } from '../log/levels.ts';
import { describeError } from '../log/line-format.ts';
import type { LogFormat } from '../log/line-format.ts';
import { openLogOutput } from '../log/log-output.ts';
import type { LogOutput } from '../log/log-output.ts';
import { Logger } from '../log/logger.ts';
import { SettingsError } from '../settings/schema.ts';
import type { SignalSource } from './shutdown-signals.ts';

/** What a life needs of the process that it is the life of; tests bring their own. */
export interface ProcessHost {
  readonly events: SignalSource & {
    on(event: 'uncaughtException', listener: (error: Error) => void): unknown;
    off(event: 'uncaughtException', listener: (error: Error) => void): unknown;
  };
  readonly clock: Clock;
  openLog(format: LogFormat): Promise<LogOutput>;
  /** Tells whoever has started the program, while there is no log yet. */
  complain(text: string): void;
  /** Ends the process at once. */
  exit(code: number): void;
}

export const realHost: ProcessHost = {
  events: process,
  clock: realClock,
  openLog: (format) => openLogOutput(format),
  complain: (text) => void writeSync(2, text),
  exit: (code) => process.exit(code),
};

/** What of its settings a life goes by. */
export interface LifeSettings {
  readonly log: { readonly levels: string; readonly format: LogFormat };
}

/** What a program has while it runs. */
export interface LifeContext<Settings> {
  readonly settings: Settings;
  readonly logLevels: LogLevels;
  readonly logOutput: LogOutput;
  /** Of scope `app`. */
  readonly log: Logger;
  /** Logs what the program fails of, and writes the log out. @returns the exit code, 1 */
  readonly failed: (message: string, error: unknown) => number;
}

export interface ProcessLife<Settings extends LifeSettings> {
  /** As its message on standard error begins. */
  readonly name: string;
  /** @throws SettingsError */
  readonly loadSettings: () => Settings | Promise<Settings>;
  /** What scopes of the log may begin with, as `parseLogDirectives` has it. */
  readonly logRoot?: string;
  /** What is logged of a defect, before `onDefect`. */
  readonly defectMessage?: string;
  /** An exception has reached nobody: the state may be anything, so the program has to end; its exit code is 1. */
  readonly onDefect: () => void;
  /** The program itself, to its end. What it throws is logged: it cannot run. */
  readonly run: (context: LifeContext<Settings>) => Promise<void>;
}

/**
 * The life of a process that serves: settings, log, defects, the end.
 *
 * @returns the exit code: 0 after an orderly end, 1 with a message on standard error or in the log
 */
export async function runProcess<Settings extends LifeSettings>(
  life: ProcessLife<Settings>,
  host: ProcessHost = realHost,
): Promise<number> {
  let settings: Settings;
  try {
    settings = await life.loadSettings();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    host.complain(`${life.name}: ${error.message}\n`);
    return 1;
  }
  const logOutput = await host.openLog(settings.log.format);
  const logLevels = new LogLevels(settings.log.levels, life.logRoot);
  const log = new Logger(logLevels, logOutput, 'app');
  const failed = (message: string, error: unknown): number => {
    log.error(message, { error: describeError(error) });
    log.debug(message, { stack: error instanceof Error ? error.stack : undefined });
    logOutput.flush();
    return 1;
  };
  let defect = false;
  const onDefect = (error: Error): void => {
    defect = true;
    failed(life.defectMessage ?? 'defect, the process ends', error);
    life.onDefect();
  };
  host.events.on('uncaughtException', onDefect);
  try {
    await life.run({ settings, logLevels, logOutput, log, failed });
    logOutput.flush();
    return defect ? 1 : 0;
  } catch (error) {
    return failed('cannot run', error);
  } finally {
    host.events.off('uncaughtException', onDefect);
  }
}
