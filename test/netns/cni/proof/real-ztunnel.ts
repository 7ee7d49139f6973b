import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LabProcess, Netns } from '@ambient/testkit/lab';
import { NODE } from '../agent/agent-node.ts';

const ZTUNNEL = fileURLToPath(new URL('../../../../packages/ztunnel/src/main.ts', import.meta.url));

/**
 * Starts our ztunnel in shared mode on a node, where it dials an agent.
 * @param directory of the test
 * @param socket on which the agent awaits it
 */
export async function startZtunnel(
  node: Netns,
  directory: string,
  socket: string,
  env: Readonly<Record<string, string>> = {},
): Promise<LabProcess> {
  const authority = join(directory, 'fake-ca');
  mkdirSync(authority, { recursive: true });
  return node.spawn([process.execPath, '--disable-warning=ExperimentalWarning', ZTUNNEL], {
    name: 'ztunnel',
    env: {
      PROXY_MODE: 'shared',
      NODE_NAME: NODE,
      FAKE_CA: 'true',
      FAKE_CA_DIR: authority,
      XDS_ADDRESS: '',
      INPOD_UDS: socket,
      ZTUNNEL_WORKER_THREADS: '2',
      CONNECTION_TERMINATION_DEADLINE: '1s',
      ISTIO_META_DNS_CAPTURE: 'true',
      LOG_FORMAT: 'json',
      RUST_LOG: 'info',
      ...env,
    },
  });
}
