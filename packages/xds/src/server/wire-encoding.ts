import { hash } from 'node:crypto';
import { envoy } from '@ambient/wire';

import type { ServedResource } from './resource-table.ts';

const { DeltaDiscoveryResponse } = envoy.service.discovery.v3;

/**
 * Version of a resource by its content: 16 hexadecimal digits. Istio uses a 64-bit xxHash here, and clients only compare for
 * equality; a cut SHA-256 costs as little with hardware support and cannot be made to collide by who writes the content.
 */
export function contentVersion(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex').slice(0, 16);
}

/**
 * One resource as a field of a DeltaDiscoveryResponse. Encoded messages that are written one after the other are read as one
 * merged message, so a response is the concatenation of such fields and of `responseTail`.
 *
 * @param aliases only clients that subscribe by name get them, as upstream
 */
export function resourceField(
  typeUrl: string,
  resource: Pick<ServedResource, 'name' | 'bytes' | 'aliases'>,
  version: string,
  aliases: boolean,
): Uint8Array {
  return DeltaDiscoveryResponse.encode({
    resources: [
      {
        name: resource.name,
        version,
        resource: { type_url: typeUrl, value: resource.bytes },
        aliases: aliases ? [...(resource.aliases ?? [])] : [],
      },
    ],
  }).finish();
}

/** Everything of a response but its resources. */
export function responseTail(
  typeUrl: string,
  nonce: string,
  removedResources: readonly string[],
): Uint8Array {
  return DeltaDiscoveryResponse.encode({ typeUrl, nonce, removedResources: [...removedResources] }).finish();
}
