import { join } from 'node:path';
import type { AddRequest } from './agent-request.ts';
import { CniError, cniCodes } from './errors.ts';
import { httpCall, HttpTimeoutError } from './http-call.ts';
import type { CallWatch } from './http-call.ts';

/** The agent's sockets in its run directory, and the kubeconfig that it writes for the plugin. */
export const agentFiles = {
  events: 'pluginevent.sock',
  logs: 'log.sock',
  kubeconfig: 'istio-cni-kubeconfig',
} as const;

/** The agent waits that long for ztunnel itself. */
const ADD_TIMEOUT_MS = 5000;
/** Logs are not worth a pod's time. */
const LOG_TIMEOUT_MS = 200;

/** An agent that is there says at once that it is at work; one that says nothing for so long hangs, or has no processor. */
const SILENCE_MS = 1000;

/** How the agent is asked. */
export interface AgentWatch {
  /** It has not said a word for a second. */
  readonly onSilent?: () => void;
  /** It is not waited for any more: it takes back what it has done. */
  readonly signal?: AbortSignal;
}

/** Asks the agent to capture a pod; resolves when the pod is. @throws CniError 110 to 112 */
export async function requestCapture(
  runDirectory: string,
  request: AddRequest,
  { onSilent, signal }: AgentWatch = {},
): Promise<void> {
  const socketPath = join(runDirectory, agentFiles.events);
  const watch: CallWatch = {
    ...(onSilent === undefined ? {} : { silence: { afterMs: SILENCE_MS, onSilent } }),
    ...(signal === undefined ? {} : { signal }),
  };
  const answer = await post(socketPath, '/cmdadd', JSON.stringify(request), ADD_TIMEOUT_MS, watch).catch(
    (cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (cause instanceof HttpTimeoutError)
        throw new CniError(
          cniCodes.agentSilent,
          `the node agent has not captured the pod: ${reason}`,
          'see the log of istio-cni-node on this node, and whether ztunnel is ready there',
          { cause },
        );
      throw new CniError(
        cniCodes.agentMissing,
        `the node agent cannot be reached at ${socketPath}: ${reason}`,
        'see whether the pod of istio-cni-node on this node runs; the pod is started as soon as it does',
        { cause },
      );
    },
  );
  if (answer.status !== 200)
    throw new CniError(
      cniCodes.agentRefused,
      `the node agent cannot capture the pod (${answer.status}): ${answer.body.trim().slice(0, 500)}`,
      'see the log of istio-cni-node on this node',
    );
}

/** Hands log lines to the agent, which writes them; without an agent they are dropped. */
export async function shipLogs(runDirectory: string, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const socketPath = join(runDirectory, agentFiles.logs);
  await post(socketPath, '/log', JSON.stringify(lines), LOG_TIMEOUT_MS).catch(() => undefined);
}

function post(
  socketPath: string,
  path: string,
  body: string,
  timeoutMs: number,
  watch?: CallWatch,
): ReturnType<typeof httpCall> {
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    host: 'unix',
  };
  // Without a server name, Node looks whether the host header is an IP address: compiling that pattern takes it 8 ms.
  return httpCall(
    { socketPath, path, method: 'POST', headers, servername: '' },
    body,
    timeoutMs,
    undefined,
    watch,
  );
}
