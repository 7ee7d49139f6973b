import { readFileSync } from 'node:fs';
import type { EnrolmentFacts } from '../eligibility.ts';
import { CniError, cniCodes } from './errors.ts';
import { httpCall } from './http-call.ts';
import type { KubeAccess } from './kubeconfig.ts';
import { parseKubeconfig } from './kubeconfig.ts';

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
  const [podObject, namespaceObject] = await Promise.all([
    get(access, `${namespacePath}/pods/${pod.name}`),
    get(access, namespacePath),
  ]);
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

async function get(access: KubeAccess, path: string): Promise<KubeObject> {
  const { server, ca, token, serverName, insecure } = access;
  const prefix = server.pathname.replace(/\/$/, '');
  const options = {
    protocol: server.protocol as 'http:' | 'https:',
    hostname: server.hostname.replace(/^\[|\]$/g, ''),
    port: server.port,
    path: `${prefix}${path}`,
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
    rejectUnauthorized: !insecure,
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
  const { status, body } = await httpCall(options, undefined, TIMEOUT_MS).catch((cause: unknown) => {
    throw new CniError(
      cniCodes.apiUnreachable,
      `the Kubernetes API at ${server.host} cannot be reached: ${textOf(cause)}`,
      'see whether it runs, and whether this node reaches it',
      { cause },
    );
  });
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
