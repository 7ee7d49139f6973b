import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LabProcess } from '@ambient/testkit/lab';
import type { AgentNode } from '../agent/agent-node.ts';
import { NODE } from '../agent/agent-node.ts';

const ZTUNNEL = fileURLToPath(new URL('../../../../packages/ztunnel/src/main.ts', import.meta.url));

/** Starts our ztunnel in shared mode on the node of a test, where it dials the agent. */
export async function startZtunnel(
  node: AgentNode,
  env: Readonly<Record<string, string>> = {},
): Promise<LabProcess> {
  const authority = join(node.lab.directory, 'fake-ca');
  mkdirSync(authority, { recursive: true });
  return node.node.spawn([process.execPath, '--disable-warning=ExperimentalWarning', ZTUNNEL], {
    name: 'ztunnel',
    env: {
      PROXY_MODE: 'shared',
      NODE_NAME: NODE,
      FAKE_CA: 'true',
      FAKE_CA_DIR: authority,
      XDS_ADDRESS: '',
      INPOD_UDS: node.socket,
      ZTUNNEL_WORKER_THREADS: '2',
      CONNECTION_TERMINATION_DEADLINE: '1s',
      ISTIO_META_DNS_CAPTURE: 'true',
      LOG_FORMAT: 'json',
      RUST_LOG: 'info',
      ...env,
    },
  });
}
