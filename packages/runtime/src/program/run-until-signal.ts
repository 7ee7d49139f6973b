import type { LifeContext, LifeSettings, ProcessHost, ProcessLife } from './process-life.ts';
import { realHost, runProcess } from './process-life.ts';
import { onShutdownSignals } from './shutdown-signals.ts';

/** The wish that the program ends: of whoever sends SIGTERM or SIGINT, or because of a defect. */
export interface EndWish {
  /** Aborted with the first wish, so that a start that waits does not outlast it. */
  readonly signal: AbortSignal;
  /** Settles with the first wish. From then on the program has its patience to come to an end. */
  readonly asked: Promise<void>;
}

export interface SignalledLife<Settings extends LifeSettings> extends Pick<
  ProcessLife<Settings>,
  'name' | 'loadSettings'
> {
  /** An orderly end that takes longer is cut short with exit code 1, milliseconds. */
  readonly endPatienceMs: number;
  /** Starts, waits for `end.asked`, and ends in order. */
  readonly run: (context: LifeContext<Settings>, end: EndWish) => Promise<void>;
}

/**
 * The life of a process that serves until a signal ends it.
 *
 * @returns the exit code: 0 after an orderly end, 1 with a message on standard error or in the log
 */
export function runUntilSignal<Settings extends LifeSettings>(
  life: SignalledLife<Settings>,
  host: ProcessHost = realHost,
): Promise<number> {
  const { name, loadSettings, endPatienceMs } = life;
  const ending = new AbortController();
  let reason = '';
  const ask = (why: string): void => {
    if (!ending.signal.aborted) reason = why;
    ending.abort();
  };
  return runProcess(
    {
      name,
      loadSettings,
      onDefect: () => ask('defect'),
      run: async (context) => {
        using owned = new DisposableStack();
        owned.use(onShutdownSignals(host.events, ask));
        const asked = Promise.withResolvers<void>();
        const onAsked = (): void => {
          context.log.info('stopping', { reason });
          const cutShort = (): void => host.exit(context.failed('the end took too long', reason));
          owned.use(host.clock.setTimer(endPatienceMs, cutShort));
          asked.resolve();
        };
        ending.signal.addEventListener('abort', onAsked, { once: true });
        await life.run(context, { signal: ending.signal, asked: asked.promise });
      },
    },
    host,
  );
}
