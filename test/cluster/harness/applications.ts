import type { Manifest } from './command.ts';
import { environment, image } from './environment.ts';

/** A namespace that is carried by the mesh, and one that is not. */
export const MESHED = 'ambient-test-shop';
export const PLAIN = 'ambient-test-plain';

export function namespace(name: string, labels: Readonly<Record<string, string>> = {}): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

export function account(space: string, name: string): Manifest {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: space } };
}

/** Without a request a container gets next to nothing of a node that is busy. */
const resources = { requests: { cpu: '30m' } };

/** A sample program as a container. */
export function program(
  name: string,
  args: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return { name, image: image('samples'), imagePullPolicy: environment.pullPolicy, args, resources, ...more };
}

/** A container in which programs are run by exec. */
export function shell(more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return program('shell', [], { command: ['sleep', 'infinity'], ...more });
}

export interface PodOptions {
  readonly account: string;
  readonly containers: readonly Readonly<Record<string, unknown>>[];
  readonly more?: Readonly<Record<string, unknown>>;
}

function podSpec({ account: serviceAccountName, containers, more }: PodOptions): object {
  return { serviceAccountName, terminationGracePeriodSeconds: 1, containers, ...more };
}

export function pod(space: string, name: string, options: PodOptions): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: space, labels: { app: name } },
    spec: podSpec(options),
  };
}

export function deployment(space: string, name: string, replicas: number, options: PodOptions): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: space },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: podSpec(options) },
    },
  };
}

export function service(
  space: string,
  name: string,
  ports: Readonly<Record<string, readonly [port: number, targetPort: number]>>,
  more: Readonly<Record<string, unknown>> = {},
): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: space },
    spec: {
      selector: { app: name },
      ports: Object.entries(ports).map(([each, [port, targetPort]]) => ({ name: each, port, targetPort })),
      ...more,
    },
  };
}

/** Two replicas of a server with HTTP (8080) and TCP (9000) behind a Service, a client, and one that asks without an end. */
export function applications(space: string): readonly Manifest[] {
  // Patient: a machine that is busy must not take the server out of its Service.
  const httpGet = { httpGet: { path: '/', port: 8080 }, periodSeconds: 2, timeoutSeconds: 10 };
  return [
    account(space, 'server'),
    account(space, 'client'),
    account(space, 'load'),
    deployment(space, 'server', 2, {
      account: 'server',
      containers: [
        program('http', ['http-constant', '--port', '8080'], { readinessProbe: httpGet }),
        program('echo', ['echo', '--port', '9000']),
      ],
    }),
    service(space, 'server', { http: [80, 8080], 'tcp-echo': [9000, 9000] }),
    deployment(space, 'client', 1, { account: 'client', containers: [shell()] }),
    deployment(space, 'load', 1, {
      account: 'load',
      containers: [program('load', ['http-load', '--url', `http://server.${space}/`, '--pause-ms', '60'])],
    }),
  ];
}
