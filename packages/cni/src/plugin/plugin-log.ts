const ranks = { debug: 0, info: 1, warn: 2, error: 3 } as const;
type Level = keyof typeof ranks;

/** Lines of one call of the plugin, gathered for the agent: its standard output belongs to the protocol. */
export class PluginLog {
  readonly lines: string[] = [];
  readonly #least: number;

  /** @param level the least that is kept; a name that is unknown counts as `warn` */
  constructor(level: string) {
    this.#least = Object.hasOwn(ranks, level) ? ranks[level as Level] : ranks.warn;
  }

  write(level: Level, msg: string): void {
    if (ranks[level] < this.#least) return;
    this.lines.push(JSON.stringify({ msg, level, time: new Date().toISOString() }));
  }
}
