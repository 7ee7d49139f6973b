import { readFileSync } from 'node:fs';
import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { EnrolmentFacts } from '../eligibility.ts';
import { CniError, cniCodes } from './errors.ts';
import { httpCall } from './http-call.ts';
import type { KubeAccess } from './kubeconfig.ts';
import { parseKubeconfig } from './kubeconfig.ts';
import { systemRoots } from './system-roots.ts';

/** For one request. */
const TIMEOUT_MS = 5000;

interface KubeObject {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly hostNetwork?: boolean };
}

/**
 * Reads what decides about a pod from the Kubernetes API. The kubeconfig is read each time: the agent renews its token.
 * @throws CniError 100 to 103
 */
export async function readEnrolmentFacts(
  kubeconfigPath: string,
  pod: { readonly name: string; readonly namespace: string },
): Promise<EnrolmentFacts> {
  const access = readAccess(kubeconfigPath);
  const namespacePath = `/api/v1/namespaces/${pod.namespace}`;
  using connection = connectionTo(access);
  // One after the other over one connection: a second handshake costs both sides more than the round trip.
  const podObject = await get(access, connection, `${namespacePath}/pods/${pod.name}`);
  const namespaceObject = await get(access, connection, namespacePath);
  return {
    namespace: pod.namespace,
    namespaceLabels: namespaceObject.metadata?.labels,
    podLabels: podObject.metadata?.labels,
    podAnnotations: podObject.metadata?.annotations,
    hostNetwork: podObject.spec?.hostNetwork === true,
  };
}

function readAccess(path: string): KubeAccess {
  try {
    return parseKubeconfig(readFileSync(path, 'utf8'), (other) => readFileSync(other, 'utf8'));
  } catch (cause) {
    throw new CniError(
      cniCodes.kubeconfigUnusable,
      `cannot use the kubeconfig ${path}: ${textOf(cause)}`,
      'the node agent writes it: see whether the pod of istio-cni-node on this node runs, and its log',
      { cause },
    );
  }
}

/** What requests to the API server have in common. */
interface Connection extends Disposable {
  readonly options: RequestOptions;
  readonly begin: typeof tlsRequest;
}

function connectionTo({ server, ca, serverName, insecure }: KubeAccess): Connection {
  const to = { hostname: server.hostname.replace(/^\[|\]$/g, ''), port: server.port };
  const reuse = { keepAlive: true, maxSockets: 1 };
  const tls = server.protocol === 'https:';
  const agent = tls ? new TlsAgent(reuse) : new PlainAgent(reuse);
  const roots = insecure || !tls ? undefined : (ca ?? systemRoots());
  return {
    options: {
      ...to,
      agent,
      rejectUnauthorized: !insecure,
      ...(roots === undefined ? {} : { ca: roots }),
      ...(serverName === undefined ? {} : { servername: serverName }),
    },
    begin: tls ? tlsRequest : plainRequest,
    [Symbol.dispose]: () => agent.destroy(),
  };
}

async function get({ server, token }: KubeAccess, to: Connection, path: string): Promise<KubeObject> {
  const options = {
    ...to.options,
    path: `${server.pathname.replace(/\/$/, '')}${path}`,
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
  };
  const { status, body } = await httpCall(options, undefined, TIMEOUT_MS, to.begin).catch(
    (cause: unknown) => {
      throw new CniError(
        cniCodes.apiUnreachable,
        `the Kubernetes API at ${server.host} cannot be reached: ${textOf(cause)}`,
        'see whether it runs, and whether this node reaches it',
        { cause },
      );
    },
  );
  if (status === 401 || status === 403)
    throw new CniError(
      cniCodes.tokenRefused,
      `the Kubernetes API refuses the plugin's token for ${path}: ${status}`,
      status === 401
        ? 'the token has expired or belongs to another cluster: the node agent renews it; see its log'
        : 'the service account of istio-cni must be allowed to get pods and namespaces',
    );
  if (status === 404)
    throw new CniError(cniCodes.podUnknown, `${path} is not there`, 'it has been deleted meanwhile');
  const failed = (reason: string, cause?: unknown): CniError =>
    new CniError(
      cniCodes.apiUnreachable,
      `the Kubernetes API answers ${path} with ${reason}`,
      'see its log',
      { cause },
    );
  if (status !== 200) throw failed(String(status));
  try {
    const object = JSON.parse(body) as unknown;
    if (typeof object === 'object' && object !== null) return object;
  } catch (cause) {
    throw failed('what is no JSON', cause);
  }
  throw failed('what is no object');
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
