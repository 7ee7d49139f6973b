import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname } from 'node:path';
import { isRecord } from '@ambient/kube';
import type { Clock, Logger } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import type { ZdsWorkload } from '../../zds/messages.ts';
import type { NetnsFinder } from '../netns/find-netns.ts';
import type { CapturedPod } from './captured-pod.ts';

/** What is kept of a captured pod. */
interface RememberedPod extends ZdsWorkload {
  readonly addresses: readonly string[];
}

/** Changes that come together are written together. */
const WRITE_DELAY_MS = 200;

/**
 * The node's captured pods in a file, for an agent that starts while the API server is away: without them it could not tell
 * a ztunnel that connects whom to serve. Whoever may write the file may write ztunnel's socket beside it too. The directory
 * does not outlive the node's boot, as the pods' namespaces do not.
 */
export class RememberedPods {
  readonly #path: string;
  readonly #pods: () => Iterable<CapturedPod>;
  readonly #clock: Clock;
  readonly #log: Logger;
  #timer: Disposable | undefined;
  #written = '';

  /** @param pods those that there are, when it is time to write */
  constructor(path: string, pods: () => Iterable<CapturedPod>, clock: Clock, log: Logger) {
    this.#path = path;
    this.#pods = pods;
    this.#clock = clock;
    this.#log = log;
  }

  /** Something may have changed. */
  touch(): void {
    this.#timer ??= this.#clock.setTimer(WRITE_DELAY_MS, () => this.write());
  }

  /** Writes what there is now; that it cannot is told, and harms only a later start without an API server. */
  write(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const remembered = [...this.#pods()]
      .filter(({ complete }) => complete)
      .map(({ uid, name, namespace, serviceAccount, addresses }): RememberedPod => {
        return { uid, name, namespace, serviceAccount, addresses };
      });
    const text = JSON.stringify(remembered);
    if (text === this.#written) return;
    const temporary = `${this.#path}.new`;
    try {
      this.#written = text;
      // An agent that leaves for good has released all, and leaves no trace.
      if (remembered.length === 0) return rmSync(this.#path, { force: true });
      mkdirSync(dirname(this.#path), { recursive: true });
      rmSync(temporary, { force: true });
      writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
      renameSync(temporary, this.#path);
    } catch (error) {
      this.#written = '';
      this.#log.warn(
        'the list of captured pods cannot be written: a start without the API server will not know them',
        {
          path: this.#path,
          error: describeError(error),
        },
      );
    }
  }

  [Symbol.dispose](): void {
    if (this.#timer !== undefined) this.write();
  }
}

/** Pods of the file. One that is not there, or cannot be read, has none; entries that are none are left out. */
export async function readRemembered(
  path: string,
  finder: Pick<NetnsFinder, 'find'>,
): Promise<Map<string, CapturedPod>> {
  const records = await Promise.all(
    readEntries(path).map(async (entry): Promise<CapturedPod> => {
      const netns = await finder.find(entry);
      return { ...entry, netns, capture: undefined, complete: false, unheardUntilMs: 0 };
    }),
  );
  return new Map(records.map((record) => [record.uid, record]));
}

function readEntries(path: string): readonly RememberedPod[] {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return [];
  }
  return Array.isArray(value) ? (value as readonly unknown[]).filter(isEntry) : [];
}

function isEntry(value: unknown): value is RememberedPod {
  if (!isRecord(value)) return false;
  const named = (['uid', 'name', 'namespace', 'serviceAccount'] as const).every(
    (field) => typeof value[field] === 'string' && value[field] !== '',
  );
  const { addresses } = value;
  return (
    named && Array.isArray(addresses) && addresses.every((ip) => typeof ip === 'string' && isIP(ip) !== 0)
  );
}
