/** Of so many writes in a row one is of the backlog, however much else is due. */
const backlogEvery = 4;

/**
 * Which of the objects that wait is written next. What came lately is fresh and goes first; of that there is only so much:
 * when more comes, the oldest of it joins the backlog. So a crowd that comes at once (what a new leader finds, what a change
 * of the mesh's settings brings) does not hold up the one object that somebody changes afterwards. Both go oldest first, and
 * the backlog has a share of its own.
 */
export class WriteOrder {
  readonly #mostFresh: number;
  readonly #fresh = new Set<string>();
  readonly #backlog = new Set<string>();
  #sinceBacklog = 0;

  /** @param mostFresh how many may be ahead of one that comes, at least 1 */
  constructor(mostFresh: number) {
    this.#mostFresh = mostFresh;
  }

  /** Objects that wait. */
  get size(): number {
    return this.#fresh.size + this.#backlog.size;
  }

  /** An object is to be written, or anew: one that is fresh keeps its place. */
  add(key: string): void {
    this.#backlog.delete(key);
    this.#fresh.add(key);
    if (this.#fresh.size <= this.#mostFresh) return;
    const [oldest] = this.#fresh;
    this.#fresh.delete(oldest!);
    this.#backlog.add(oldest!);
  }

  /** The first in turn of those that may be written now; it waits on until it is taken. */
  first(mayBe: (key: string) => boolean): string | undefined {
    const isTurnOfBacklog = this.#sinceBacklog >= backlogEvery - 1;
    const lanes = isTurnOfBacklog ? [this.#backlog, this.#fresh] : [this.#fresh, this.#backlog];
    for (const lane of lanes) for (const key of lane) if (mayBe(key)) return key;
    return undefined;
  }

  /** It is being written. */
  take(key: string): void {
    if (this.#backlog.delete(key)) this.#sinceBacklog = 0;
    else if (this.#fresh.delete(key)) this.#sinceBacklog++;
  }

  /** It need not be written any more. */
  remove(key: string): void {
    this.#fresh.delete(key);
    this.#backlog.delete(key);
  }

  clear(): void {
    this.#fresh.clear();
    this.#backlog.clear();
    this.#sinceBacklog = 0;
  }
}
