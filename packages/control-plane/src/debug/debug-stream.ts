/**
 * Debug pages over discovery streams, as istioctl asks for them (`proxy-status`, `experimental internal-debug`): type
 * `istio.io/debug` with one resource name, that of the page and its query; and `istio.io/debug/syncz`.
 */
import { status } from '@grpc/grpc-js';
import { describeError } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import { envoy } from '@ambient/wire';
import { refuseStateOfTheWorld } from '@ambient/xds/server';
import type { ConnectionStatus, StateOfTheWorldCall, StreamTypeStatus } from '@ambient/xds/server';
import { formatSpiffe } from '@ambient/identity';

import { AuthError } from '../auth/auth-error.ts';
import type { Authenticator } from '../auth/authenticate.ts';
import { readCredentials } from '../auth/grpc-credentials.ts';
import { version } from '../version.ts';
import { syncState } from './client-pages.ts';
import type { SyncState } from './client-pages.ts';
import type { DebugAccess, DebugGuard } from './debug-access.ts';
import { DebugRefusal } from './debug-refusal.ts';
import { findPage } from './debug-server.ts';
import { bytesOfPieces, jsonPieces } from './long-json.ts';
import type { DebugPage } from './pages.ts';

const { DiscoveryRequest, DiscoveryResponse } = envoy.service.discovery.v3;
const { ClientConfig, ConfigStatus } = envoy.service.status.v3;
type Any = NonNullable<envoy.service.discovery.v3.IDiscoveryResponse['resources']>[number];

export interface DebugStreamOptions {
  readonly pages: ReadonlyMap<string, DebugPage>;
  readonly guard: DebugGuard;
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly connections: () => readonly ConnectionStatus[];
  /** Name of this replica. */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const pageType = 'istio.io/debug';
const syncType = 'istio.io/debug/syncz';
const clientConfigType = 'type.googleapis.com/envoy.service.status.v3.ClientConfig';
/** A longer page is for HTTP, where it is written piece by piece. Bytes. */
const maxPageLength = 32 * 1024 * 1024;
/** After a longer page the event loop turns before it is sent. Bytes. */
const turnAfterLength = 1024 * 1024;
/** A call is ended after this time: it is made for one question. Milliseconds. */
const callLifetimeMs = 60_000;
/** Questions of one call that wait. */
const maxQuestions = 8;

/** Answers calls of the older variant of discovery: debug pages for those who may see them, and a refusal for the rest. */
export function debugStream(options: DebugStreamOptions): (call: StateOfTheWorldCall) => void {
  const { guard, authenticator, clock, log } = options;
  return (call) => {
    let over = false;
    let waiting = 0;
    let nonce = 0;
    let access: Promise<DebugAccess> | undefined;
    const end = (code: status, details: string): void => {
      if (over) return;
      over = true;
      call.emit('error', { code, details });
    };
    const admit = async (): Promise<DebugAccess> => {
      const { identity } = await authenticator.authenticate(readCredentials(call));
      return guard.accessOf(identity.namespace, formatSpiffe(identity));
    };
    const answer = async (typeUrl: string, names: readonly string[]): Promise<void> => {
      const resources = await resourcesOf(options, await (access ??= admit()), typeUrl, names);
      if (over) return;
      const response = DiscoveryResponse.encode({
        versionInfo: version,
        resources,
        typeUrl,
        nonce: String(++nonce),
        controlPlane: { identifier: identifierOf(options.instance) },
      });
      const { buffer, byteOffset, byteLength } = response.finish();
      call.write(Buffer.from(buffer, byteOffset, byteLength));
    };
    const lifetime = clock.setTimer(callLifetimeMs, () =>
      end(status.RESOURCE_EXHAUSTED, 'the call has lasted too long; ask again'),
    );
    const ended = (): void => {
      over = true;
      lifetime[Symbol.dispose]();
    };
    call.on('error', ended);
    call.on('cancelled', ended);
    call.on('end', () => {
      if (!over) call.end();
      ended();
    });
    call.on('data', (bytes: Buffer) => {
      if (over) return;
      const request = readRequest(bytes);
      if (request === undefined) return end(status.INVALID_ARGUMENT, 'a request is no DiscoveryRequest');
      const { typeUrl, responseNonce, resourceNames } = request;
      if (typeUrl !== pageType && typeUrl !== syncType) {
        ended();
        return refuseStateOfTheWorld(call);
      }
      // The answer to an answer asks for nothing.
      if (responseNonce !== '') return;
      if (waiting >= maxQuestions) return end(status.RESOURCE_EXHAUSTED, 'ask one question after the other');
      waiting++;
      answer(typeUrl, resourceNames)
        .catch((error: unknown) => {
          if (error instanceof AuthError) end(error.status, error.message);
          else if (error instanceof DebugRefusal) end(codeOf(error), error.message);
          else {
            log.error('a debug page failed', { error: describeError(error) });
            end(status.INTERNAL, 'The page failed; the log of the control plane tells more.');
          }
        })
        .finally(() => waiting--);
    });
  };
}

/** @throws DebugRefusal */
async function resourcesOf(
  { pages, connections }: DebugStreamOptions,
  access: DebugAccess,
  typeUrl: string,
  names: readonly string[],
): Promise<Any[]> {
  if (typeUrl === syncType) {
    findPage(pages, 'syncz', access);
    return connections().flatMap(clientConfig);
  }
  const [name] = names;
  if (name === undefined || names.length > 1)
    throw new DebugRefusal(400, 'Ask for one page: its name, with its query, is the one resource name.');
  const { pathname, searchParams } = new URL(`http://debug/${name}`);
  const content = findPage(pages, pathname.slice(1), access).make(searchParams, access);
  const value = await bytesOfPieces(jsonPieces(content), maxPageLength);
  if (value === undefined)
    throw new DebugRefusal(413, 'The page is too long for a stream. Ask over HTTP: kubectl port-forward.');
  // What follows copies the page once more.
  if (value.length > turnAfterLength) await new Promise((resolve) => setImmediate(resolve));
  return [{ type_url: pageType, value }];
}

const statuses: Readonly<Record<SyncState, envoy.service.status.v3.ConfigStatus>> = {
  'NOT SENT': ConfigStatus.NOT_SENT,
  SYNCED: ConfigStatus.SYNCED,
  STALE: ConfigStatus.STALE,
  ERROR: ConfigStatus.ERROR,
};

function clientConfig({ node, types }: ConnectionStatus): Any[] {
  if (node === undefined) return [];
  const message = ClientConfig.encode({
    node: {
      id: node.id,
      metadata: {
        fields: {
          CLUSTER_ID: { stringValue: node.clusterId },
          NAMESPACE: { stringValue: node.namespace },
          ISTIO_VERSION: { stringValue: node.version },
        },
      },
    },
    genericXdsConfigs: types.map((type: StreamTypeStatus) => ({
      typeUrl: type.typeUrl,
      configStatus: statuses[syncState(type)],
    })),
  });
  return [{ type_url: clientConfigType, value: message.finish() }];
}

/** As istioctl reads it. */
function identifierOf(instance: string): string {
  return JSON.stringify({ Component: 'istiod', ID: instance, Info: { version } });
}

function readRequest(bytes: Buffer): envoy.service.discovery.v3.DiscoveryRequest | undefined {
  try {
    return DiscoveryRequest.decode(bytes);
  } catch {
    return undefined;
  }
}

function codeOf({ status: http }: DebugRefusal): status {
  if (http === 403) return status.PERMISSION_DENIED;
  if (http === 404) return status.NOT_FOUND;
  return http === 413 ? status.RESOURCE_EXHAUSTED : status.INVALID_ARGUMENT;
}
