/**
 * Objects as `application/vnd.kubernetes.protobuf`: four bytes that say so, then a runtime.Unknown whose `raw` is the
 * object (apimachinery's pkg/runtime/serializer/protobuf).
 */
import protobuf from 'protobufjs';
import type { Reader } from 'protobufjs';

import { badRequest } from '../errors.ts';
import type { JsonObject } from '../object.ts';
import { messageOfKind, messageTypes } from './kinds.ts';
import { ObjectCodec } from './object-codec.ts';
import { message } from './values.ts';

export const protobufType = 'application/vnd.kubernetes.protobuf';

const magic = Buffer.from('k8s\0');
const codec = new ObjectCodec(messageTypes);

/** An object of a kind that has no such encoding. */
export class NoProtobufError extends Error {
  override readonly name = 'NoProtobufError';
  readonly code = 'no-protobuf';
  constructor(apiVersion: string, kind: string) {
    super(`objects of ${apiVersion} ${kind} have no protocol buffer encoding; send JSON`);
  }
}

/**
 * @throws ApiError 400 for bytes that are no object
 * @throws {NoProtobufError} for a custom resource
 */
export function decodeObject(body: Buffer): JsonObject {
  try {
    return decode(body);
  } catch (error) {
    if (error instanceof NoProtobufError) throw error;
    throw badRequest(
      `the body of the request is not a Kubernetes protocol buffer: ${(error as Error).message}`,
      error,
    );
  }
}

function decode(body: Buffer): JsonObject {
  if (!body.subarray(0, magic.length).equals(magic)) throw new RangeError('it does not begin with "k8s\\0"');
  const reader = protobuf.Reader.create(body.subarray(magic.length));
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = new Uint8Array();
  let encoding = '';
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 10) ({ apiVersion, kind } = typeMeta(reader));
    else if (tag === 18) raw = reader.bytes();
    else if (tag === 26) encoding = reader.string();
    else reader.skipType(tag & 7);
  }
  if (encoding !== '') throw new RangeError(`the content encoding "${encoding}" is not spoken`);
  const type = messageOfKind(apiVersion, kind);
  if (type === undefined) throw new NoProtobufError(apiVersion, kind);
  return { apiVersion, kind, ...codec.read(type, protobuf.Reader.create(raw), raw.length) };
}

function typeMeta(reader: Reader): { apiVersion: string; kind: string } {
  const end = reader.uint32() + reader.pos;
  const found = { apiVersion: '', kind: '' };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 10) found.apiVersion = reader.string();
    else if (tag === 18) found.kind = reader.string();
    else reader.skipType(tag & 7);
  }
  return found;
}

/** @throws {NoProtobufError} for a kind that has no such encoding */
export function encodeObject(object: JsonObject): Buffer {
  const apiVersion = String(object['apiVersion']);
  const kind = String(object['kind']);
  const type = messageOfKind(apiVersion, kind);
  if (type === undefined) throw new NoProtobufError(apiVersion, kind);
  const writer = protobuf.Writer.create();
  writer.uint32(10);
  message(writer, (inner) => inner.uint32(10).string(apiVersion).uint32(18).string(kind));
  writer.uint32(18);
  message(writer, (inner) => codec.write(type, object, inner));
  writer.uint32(26).string('').uint32(34).string('');
  return Buffer.concat([magic, writer.finish()]);
}

/**
 * An event of a watch: four bytes of length, then a meta.k8s.io WatchEvent, whose object is an envelope of its own.
 *
 * @throws {NoProtobufError} for a kind that has no such encoding
 */
export function encodeWatchEvent(type: string, object: JsonObject): Buffer {
  const writer = protobuf.Writer.create();
  writer.uint32(10).string(type).uint32(18);
  message(writer, (inner) => inner.uint32(10).bytes(encodeObject(object)));
  const event = writer.finish();
  const length = Buffer.alloc(4);
  length.writeUInt32BE(event.length);
  return Buffer.concat([length, event]);
}
