import { request } from 'node:http';
import type { LabCluster } from '@ambient/lab/cluster';
import { MESH_NAMESPACE } from '@ambient/lab/cluster';
import { logEntries, matches } from '../../../test/netns/harness/access-log.ts';
import type { LogEntry, LogMatch } from '../../../test/netns/harness/access-log.ts';
import type { PodLogs } from './pod-logs.ts';

const ADMIN_PORT = 15_000;
const DEADLINE_MS = 15_000;
const LOOK_MS = 50;

/** A node proxy said nothing of use at its admin port, or did not log what it should have. */
export class NodeProxyError extends Error {
  override readonly name = 'NodeProxyError';
  readonly code = 'ERR_NODE_PROXY';
}

/** The ztunnel of a node. */
export class NodeProxy {
  readonly node: string;
  readonly pod: string;
  readonly #cluster: LabCluster;
  readonly #logs: PodLogs;

  constructor(cluster: LabCluster, logs: PodLogs, node: string, pod: string) {
    this.#cluster = cluster;
    this.#logs = logs;
    this.node = node;
    this.pod = pod;
  }

  /** Its log, as JSON lines were read. @param tail lines at most, the latest */
  async log(tail?: number): Promise<LogEntry[]> {
    return logEntries({ lines: await this.#logs.lines(MESH_NAMESPACE, this.pod, tail) });
  }

  /** The first line of its access log, past or to come, that matches. @throws NodeProxyError */
  async waitForAccess(match: LogMatch): Promise<LogEntry> {
    const deadlineMs = performance.now() + DEADLINE_MS;
    for (;;) {
      const log = await this.log();
      const found = log.find((entry) => matches(entry, { scope: 'access', ...match }));
      if (found !== undefined) return found;
      if (performance.now() > deadlineMs)
        throw new NodeProxyError(
          `the ztunnel of ${this.node} logged no connection with ${Object.entries(match)
            .map(([key, value]) => `${key}=${String(value)}`)
            .join(' ')}; its last lines:\n${log
            .slice(-8)
            .map((entry) => JSON.stringify(entry))
            .join('\n')}`,
        );
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** GET on its admin port, which listens on the loopback of its pod. @throws NodeProxyError */
  admin(path: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown): void => {
        const problem = cause instanceof Error ? cause.message : String(cause);
        const message = `the admin port of the ztunnel of ${this.node} does not answer ${path}: ${problem}`;
        reject(new NodeProxyError(message, { cause }));
      };
      const container = this.#cluster.kubelets.get(this.node)?.find(MESH_NAMESPACE, this.pod, undefined);
      if (container === undefined) return fail('its pod does not run');
      const call = request(
        {
          host: 'localhost',
          path,
          timeout: DEADLINE_MS,
          createConnection: () => container.connect(ADMIN_PORT),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', fail);
          response.on('end', () => {
            try {
              resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
            } catch (error) {
              fail(error);
            }
          });
        },
      );
      call.on('timeout', () => call.destroy(new Error(`no answer within ${DEADLINE_MS} ms`)));
      call.on('error', fail);
      call.end();
    });
  }
}
