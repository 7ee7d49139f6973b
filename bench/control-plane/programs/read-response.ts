import protobuf from 'protobufjs/minimal.js';

/** What a client of the benchmark reads of a response. */
export interface ReadResponse {
  readonly type: string;
  readonly nonce: string;
  readonly resources: number;
  /** Changes of pods that are in it. */
  readonly revisions: readonly number[];
}

// Fields of envoy.service.discovery.v3.DeltaDiscoveryResponse.
const field = { resources: 2, typeUrl: 4, nonce: 5 } as const;
const mark = Buffer.from('bench-revision-');

/** Reads no more than it must: 200 clients in one process share a core with what they measure. */
export function readResponse(bytes: Buffer): ReadResponse {
  const reader = protobuf.Reader.create(bytes);
  let [type, nonce, resources] = ['', '', 0];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case field.resources:
        resources++;
        reader.skipType(tag & 7);
        break;
      case field.typeUrl:
        type = reader.string();
        break;
      case field.nonce:
        nonce = reader.string();
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  return { type, nonce, resources, revisions: revisionsIn(bytes) };
}

function revisionsIn(bytes: Buffer): number[] {
  const revisions: number[] = [];
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + mark.length))
    revisions.push(Number.parseInt(bytes.toString('latin1', at + mark.length, at + mark.length + 10), 10));
  return revisions;
}
