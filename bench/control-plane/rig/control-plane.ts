import { fileURLToPath } from 'node:url';
import { freePorts, Program } from './program.ts';

const command = fileURLToPath(new URL('../../../packages/control-plane/bin/control-plane', import.meta.url));

/** A control plane of this tree, just spawned. */
export interface ControlPlane {
  readonly program: Program;
  /** `host:port` of discovery in plaintext. */
  readonly plaintext: string;
  /** `host:port` of discovery and certificates over TLS. */
  readonly secure: string;
}

export async function spawnControlPlane(
  kubeconfig: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ControlPlane> {
  const [plaintext, secure, webhook, monitoring, readiness] = (await freePorts(5)).map(
    (port) => `127.0.0.1:${port}`,
  ) as [string, string, string, string, string];
  const program = new Program(
    'control-plane',
    [command, '--kubeconfig', kubeconfig, '--plaintext-xds', plaintext],
    {
      SECURE_GRPC_ADDRESS: secure,
      WEBHOOK_ADDRESS: webhook,
      MONITORING_ADDRESS: monitoring,
      HTTP_ADDRESS: readiness,
      // The clients of the benchmark come all at once, from one address.
      PILOT_MAX_REQUESTS_PER_SECOND: '1000',
      LOG_LEVEL: 'info',
      ...environment,
    },
  );
  return { program, plaintext, secure };
}
