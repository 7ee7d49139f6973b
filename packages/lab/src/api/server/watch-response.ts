import type { ApiError } from '../errors.ts';
import type { ApiObject } from '../object.ts';
import { apiVersionOf } from '../resources/resource.ts';
import type { StorageEvent } from '../storage/object-table.ts';
import type { Target } from '../operations/request.ts';
import type { WatchEventType, WatchSink } from '../operations/watch.ts';
import type { HttpResponse } from './exchange.ts';
import type { Representation } from './representation.ts';

/** A client that does not read loses its watch when this much waits for it. */
const maxWaitingBytes = 32 * 1024 * 1024;

/**
 * The lines of the last change, by representation: all watches are told of a change in one turn, so keeping the
 * encodings of one change is enough to make each only once.
 */
export class SharedEncodings {
  #event: StorageEvent | undefined;
  readonly #lines = new Map<string, Buffer>();

  line(event: StorageEvent, representation: string, encode: () => string | Buffer): Buffer {
    if (this.#event !== event) {
      this.#event = event;
      this.#lines.clear();
    }
    let line = this.#lines.get(representation);
    if (line === undefined) {
      const encoded = encode();
      line = typeof encoded === 'string' ? Buffer.from(encoded) : encoded;
      this.#lines.set(representation, line);
    }
    return line;
  }
}

/** Writes a watch as a response of one JSON event per line. */
export class WatchResponse implements WatchSink {
  readonly #response: HttpResponse;
  readonly #target: Target;
  readonly #representation: Representation;
  readonly #shared: SharedEncodings;
  #ended = false;
  #batch: (string | Buffer)[] = [];
  #batchSize = 0;
  #initial = true;

  constructor(
    response: HttpResponse,
    target: Target,
    representation: Representation,
    shared: SharedEncodings,
  ) {
    this.#response = response;
    this.#target = target;
    this.#representation = representation;
    this.#shared = shared;
    response.writeHead(200, {
      'content-type': representation.streamType,
      'cache-control': 'no-cache, private',
    });
  }

  /** From now on each event is written at once; those before were collected. */
  flushInitial(): void {
    this.#initial = false;
    if (this.#ended) return;
    if (this.#batch.length === 0) this.#response.flushHeaders();
    else this.#writeBatch();
  }

  event(type: WatchEventType, object: ApiObject, shared: StorageEvent | undefined): void {
    if (this.#ended) return;
    if (shared === undefined) this.#line(this.#encode(type, object));
    else {
      const { resource, version } = this.#target;
      const id = `${this.#representation.id} ${resource.plural} ${version.name}`;
      this.#write(this.#shared.line(shared, id, () => this.#encode(type, object)));
    }
  }

  bookmark(resourceVersion: string, endOfInitialEvents: boolean): void {
    const { resource, version } = this.#target;
    this.#line(
      this.#representation.encodeEvent('BOOKMARK', {
        kind: resource.kind,
        apiVersion: apiVersionOf(resource.group, version.name),
        metadata: {
          resourceVersion,
          creationTimestamp: null,
          ...(endOfInitialEvents ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
        },
      }),
    );
  }

  error(error: ApiError): void {
    this.#line(this.#representation.encodeEvent('ERROR', { ...error.toStatus() }));
  }

  end(): void {
    if (this.#ended) return;
    this.#writeBatch();
    this.#ended = true;
    this.#response.end();
  }

  #encode(type: WatchEventType, object: ApiObject): string | Buffer {
    return this.#representation.encodeEvent(type, this.#representation.object(object, this.#target));
  }

  #line(line: string | Buffer): void {
    if (!this.#initial) this.#write(line);
    else {
      this.#batch.push(line);
      this.#batchSize += line.length;
      if (this.#batchSize >= 1 << 20) this.#writeBatch();
    }
  }

  #writeBatch(): void {
    const lines = this.#batch;
    if (lines.length === 0) return;
    this.#batch = [];
    this.#batchSize = 0;
    this.#write(
      lines.every((line) => typeof line === 'string')
        ? lines.join('')
        : Buffer.concat(lines.map((line) => Buffer.from(line))),
    );
  }

  #write(data: string | Buffer): void {
    if (this.#ended) return;
    this.#response.write(data);
    // Initial events come all at once, however well the client reads.
    if (!this.#initial && this.#response.writableLength > maxWaitingBytes) {
      this.#ended = true;
      this.#response.destroy();
    }
  }
}
