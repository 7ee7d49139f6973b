import { once } from 'node:events';
import type { WriteStream } from 'node:tty';
import type { Scene } from '../scene.ts';
import type { Style } from '../style.ts';
import { LivePoll } from './state.ts';
import type { LiveState } from './state.ts';
import { renderLive } from './table.ts';

const REFRESH_MS = 1000;
const CHECKOUT_CALLS = 5;
const INTRUDER_CALLS = 1;

const clearToLineEnd = '\x1b[K';
const clearBelow = '\x1b[J';
const clearAll = '\x1b[2J\x1b[H';

/**
 * Starts traffic and shows what the proxies carry, below what stands on the terminal already, until one of the signals
 * comes.
 *
 * @throws NodeProxyError if a proxy ceases to answer
 */
export async function showLiveTable(
  scene: Scene,
  style: Style,
  terminal: WriteStream,
  signals: readonly NodeJS.Signals[],
): Promise<void> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  for (const signal of signals) process.on(signal, end);
  scene.startTraffic(scene.checkout, CHECKOUT_CALLS);
  scene.startTraffic(scene.intruder, INTRUDER_CALLS);

  const display = new Display(terminal, style);
  const resized = (): void => display.resize();
  terminal.on('resize', resized);
  const live = new LivePoll(scene);
  try {
    while (!ended.signal.aborted) {
      display.show(await live.poll());
      await pause(REFRESH_MS, ended.signal);
    }
  } catch (error) {
    // At a signal the pods end at once, in the middle of a question.
    if (!ended.signal.aborted) throw error;
  } finally {
    terminal.off('resize', resized);
    display.close();
    for (const signal of signals) process.off(signal, end);
  }
}

/** Draws in place, at the end of what is on the terminal, and leaves no mode set that a crash could leave behind. */
class Display {
  readonly #terminal: WriteStream;
  readonly #style: Style;
  #state: LiveState | undefined;
  #height = 0;

  constructor(terminal: WriteStream, style: Style) {
    this.#terminal = terminal;
    this.#style = style;
  }

  show(state: LiveState): void {
    this.#state = state;
    const { columns, rows } = this.#terminal;
    // The cursor rests on the line below the table.
    const lines = renderLive(state, this.#style, { columns, rows: rows - 1 });
    const up = this.#height > 0 ? `\x1b[${this.#height}A` : '';
    const drawn = lines.map((line) => `${line}${clearToLineEnd}\n`).join('');
    this.#terminal.write(`\r${up}${drawn}${clearBelow}`);
    this.#height = lines.length;
  }

  /** Terminals differ in how they break lines anew: the screen is cleared, what has scrolled out of it stays. */
  resize(): void {
    this.#height = 0;
    this.#terminal.write(clearAll);
    if (this.#state !== undefined) this.show(this.#state);
  }

  /** Leaves the table as it is; what was typed below it goes. */
  close(): void {
    this.#terminal.write(`\r${clearBelow}`);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const timer = AbortSignal.timeout(ms);
  await once(AbortSignal.any([signal, timer]), 'abort');
}
