import { readFileSync } from 'node:fs';

import { KubeConfigError } from './errors.ts';

/** How long a token is used before its file is looked at again. A kubelet renews one minutes before its end. Milliseconds. */
const freshMs = 10_000;

/** RFC 6750 section 2.1 allows less; what is here can be sent as a header at all. */
const sendable = /^[\x21-\x7e]+$/;

/**
 * A bearer token in a file that somebody else renews, as the kubelet does with those of pods. While the file cannot be used,
 * the last token that could goes on being used: it may be good for an hour yet.
 */
export class TokenFile {
  readonly #path: string;
  readonly #nowMs: () => number;
  #token = '';
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(path: string, nowMs: () => number = () => performance.now()) {
    this.#path = path;
    this.#nowMs = nowMs;
  }

  /** The token as it stands in the file, or stood there when it could last be used. @throws KubeConfigError there was none yet */
  get token(): string {
    if (this.#nowMs() - this.#readAtMs < freshMs) return this.#token;
    try {
      this.#read();
    } catch (error) {
      if (this.#token === '') throw error;
    }
    return this.#token;
  }

  /** After a refusal: whether the file has another token than the one that was refused. @throws KubeConfigError */
  isRenewed(refused: string): boolean {
    this.#read();
    return this.#token !== refused;
  }

  #read(): void {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8').trim();
    } catch (error) {
      throw new KubeConfigError(
        `cannot read the token in ${this.#path}: ${error instanceof Error ? error.message : String(error)}; ` +
          'in a pod, check that its service account is mounted (automountServiceAccountToken)',
        { cause: error },
      );
    }
    if (!sendable.test(text))
      throw new KubeConfigError(
        `the token file ${this.#path} is ${text === '' ? 'empty' : 'not one line of text'}; whoever renews it has to fill it`,
      );
    this.#token = text;
    this.#readAtMs = this.#nowMs();
  }
}
