/** Severity, the least severe first; `off` only as a threshold. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';
export type LogThreshold = LogLevel | 'off';

const ranks: Readonly<Record<LogThreshold, number>> = {
  trace: 0,
  debug: 1,
  info: 2,
  warn: 3,
  error: 4,
  off: 5,
};

/** Position in the order of severity, 0 for `trace`. */
export function levelRank(level: LogThreshold): number {
  return ranks[level];
}

/** A log specification that cannot be read. */
export class LogLevelError extends Error {
  readonly code = 'LOG_LEVEL_INVALID';
  constructor(directive: string) {
    super(
      `log level ${JSON.stringify(directive)} is not understood: write LEVEL or SCOPE=LEVEL, separated by commas, with error, warn, info, debug, trace or off`,
    );
    this.name = 'LogLevelError';
  }
}

/** Thresholds of one specification: the general one, and those of scopes with everything below them. */
export interface LogDirectives {
  readonly general: LogThreshold | undefined;
  readonly scopes: ReadonlyMap<string, LogThreshold>;
}

function parseThreshold(word: string): LogThreshold | undefined {
  const lower = word.toLowerCase();
  return Object.hasOwn(ranks, lower) ? (lower as LogThreshold) : undefined;
}

const scopeName = /^[A-Za-z_][\w:.-]*$/;

/** A scope as loggers call it, '' for everything. What comes of it must not begin with the root again, or it would change
 * its meaning when it is written down and read by another thread. */
function withoutRoot(name: string, root: string | undefined): string {
  let rest = name;
  while (root !== undefined && rest.startsWith(`${root}::`)) rest = rest.slice(root.length + 2);
  return rest === root ? '' : rest;
}

/**
 * Reads the syntax of `RUST_LOG`: `info,access=debug,h2=off`. A scope alone means all of it; the last of two directives
 * for the same scope wins.
 *
 * @param root a leading `root::` of a scope is dropped and `root` itself means everything, so that `ztunnel::proxy=debug`
 *   names the scope `proxy`
 * @throws LogLevelError naming the part that does not fit
 */
export function parseLogDirectives(spec: string, root?: string): LogDirectives {
  let general: LogThreshold | undefined;
  const scopes = new Map<string, LogThreshold>();
  for (const part of spec.split(',')) {
    const directive = part.trim();
    if (directive === '') continue;
    const equals = directive.indexOf('=');
    const name = equals < 0 ? directive : directive.slice(0, equals);
    const word = equals < 0 ? undefined : directive.slice(equals + 1);
    if (!scopeName.test(name)) throw new LogLevelError(directive);
    const alone = word === undefined ? parseThreshold(name) : undefined;
    if (alone !== undefined) {
      general = alone;
      continue;
    }
    const threshold = word === undefined ? 'trace' : parseThreshold(word);
    if (threshold === undefined) throw new LogLevelError(directive);
    const scope = withoutRoot(name, root);
    if (scope === '') general = threshold;
    else if (scopeName.test(scope)) scopes.set(scope, threshold);
    else throw new LogLevelError(directive);
  }
  return { general, scopes };
}

/** A scope's name with its present threshold as a rank; loggers read it before each line. */
export interface ScopeThreshold {
  readonly scope: string;
  rank: number;
}

/**
 * Thresholds by scope, changeable while the process runs. A directive for `proxy` also holds for `proxy::inbound`
 * unless that has its own.
 */
export class LogLevels {
  readonly #root: string | undefined;
  readonly #initial: LogDirectives;
  readonly #known = new Map<string, ScopeThreshold>();
  #general: LogThreshold;
  #scopes: Map<string, LogThreshold>;

  /**
   * @param spec the specification that `reset` comes back to
   * @param root see {@link parseLogDirectives}
   * @throws LogLevelError
   */
  constructor(spec = 'info', root?: string) {
    this.#root = root;
    this.#initial = parseLogDirectives(spec, root);
    this.#general = this.#initial.general ?? 'info';
    this.#scopes = new Map(this.#initial.scopes);
  }

  /** The live threshold of a scope, one object per scope for the life of the process. */
  scope(name: string): ScopeThreshold {
    let entry = this.#known.get(name);
    if (entry === undefined) {
      entry = { scope: name, rank: this.#rankOf(name) };
      this.#known.set(name, entry);
    }
    return entry;
  }

  /**
   * Lays a specification over the present one: it changes the thresholds that it names and leaves the others.
   *
   * @throws LogLevelError, having changed nothing
   */
  apply(spec: string): void {
    const { general, scopes } = parseLogDirectives(spec, this.#root);
    this.#general = general ?? this.#general;
    for (const [scope, threshold] of scopes) this.#scopes.set(scope, threshold);
    this.#refresh();
  }

  /** Back to the specification that the process started with. */
  reset(): void {
    this.#general = this.#initial.general ?? 'info';
    this.#scopes = new Map(this.#initial.scopes);
    this.#refresh();
  }

  /** Replaces everything by another process part's `toString()`, as a worker does on a message from the main thread. */
  replace(spec: string): void {
    const { general, scopes } = parseLogDirectives(spec, this.#root);
    this.#general = general ?? 'info';
    this.#scopes = new Map(scopes);
    this.#refresh();
  }

  /** The present specification, as `apply` reads it. */
  toString(): string {
    return [this.#general, ...[...this.#scopes].map(([scope, level]) => `${scope}=${level}`)].join(',');
  }

  #refresh(): void {
    for (const entry of this.#known.values()) entry.rank = this.#rankOf(entry.scope);
  }

  #rankOf(scope: string): number {
    for (let name = scope; ;) {
      const threshold = this.#scopes.get(name);
      if (threshold !== undefined) return levelRank(threshold);
      const cut = name.lastIndexOf('::');
      if (cut < 0) return levelRank(this.#general);
      name = name.slice(0, cut);
    }
  }
}
