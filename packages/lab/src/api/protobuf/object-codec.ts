import type { Reader, Writer } from 'protobufjs';

import { isJsonObject, setField } from '../object.ts';
import type { JsonObject } from '../object.ts';
import type { MessageField, MessageType, MessageTypes } from './message-types.ts';
import { message, ProtobufValueError, valueCodecs } from './values.ts';

/** Schemas of custom resources nest, and may do so on purpose to exhaust whoever reads them. */
const maxDepth = 100;

/** Unions of apiextensions: in JSON, one of two forms. The fields of the messages, in this order. */
const unions: Readonly<Record<string, { readonly one: MessageField; readonly other: MessageField }>> = {
  JSONSchemaPropsOrBool: { one: union(2, 'JSONSchemaProps'), other: union(1, 'bool') },
  JSONSchemaPropsOrArray: {
    one: union(1, 'JSONSchemaProps'),
    other: { ...union(2, 'JSONSchemaProps'), repeated: true },
  },
  JSONSchemaPropsOrStringArray: {
    one: union(1, 'JSONSchemaProps'),
    other: { ...union(2, 'string'), repeated: true },
  },
};

function union(number: number, type: string): MessageField {
  return {
    number,
    name: String(number),
    repeated: false,
    map: false,
    inline: false,
    omitsZero: false,
    always: false,
    type,
  };
}

/** Reads and writes messages as the JSON that the same objects have. */
export class ObjectCodec {
  readonly #types: MessageTypes;

  constructor(types: MessageTypes) {
    this.#types = types;
  }

  /**
   * The object as a client would have sent it in JSON.
   *
   * @throws {ProtobufValueError} what stands there is no such message; RangeError for one that is cut off
   */
  read(type: MessageType, reader: Reader, length: number, depth = 0): JsonObject {
    const object: JsonObject = {};
    this.#readInto(object, type, reader, length, depth);
    return object;
  }

  /** Writes the fields of a message, without a length before them. Members that it does not know are left out. */
  write(type: MessageType, object: JsonObject, writer: Writer): void {
    for (const field of type.byNumber.values()) {
      if (field.inline) {
        writer.uint32(tag(field.number, 2));
        message(writer, (inner) => this.write(this.#types.message(type, field.type), object, inner));
        continue;
      }
      const value = object[field.name];
      if (value === undefined || value === null) continue;
      this.#writeField(type, field, value, writer);
    }
  }

  #readInto(object: JsonObject, type: MessageType, reader: Reader, length: number, depth: number): void {
    if (depth > maxDepth) throw new ProtobufValueError(`messages are nested more than ${maxDepth} deep`);
    const end = reader.pos + length;
    if (end > reader.len) throw new RangeError('a message is longer than what holds it');
    while (reader.pos < end) {
      const next = reader.uint32();
      const field = type.byNumber.get(next >>> 3);
      const wireType = next & 7;
      if (field === undefined) reader.skipType(wireType);
      else if (field.inline)
        this.#readInto(object, this.#types.message(type, field.type), reader, reader.uint32(), depth + 1);
      else this.#readField(object, type, field, reader, wireType, depth);
    }
    if (reader.pos !== end) throw new RangeError('a field is longer than the message that holds it');
  }

  #readField(
    object: JsonObject,
    type: MessageType,
    field: MessageField,
    reader: Reader,
    wireType: number,
    depth: number,
  ): void {
    if (field.map) {
      const entries = isJsonObject(object[field.name]) ? (object[field.name] as JsonObject) : {};
      this.#readEntry(entries, type, field, reader, depth);
      object[field.name] = entries;
      return;
    }
    const codec = valueCodecs.get(field.type);
    const packed = field.repeated && codec !== undefined && codec.wireType !== 2 && wireType === 2;
    if (packed) {
      const end = reader.uint32() + reader.pos;
      while (reader.pos < end) append(object, field.name, codec.read(reader, 0));
      return;
    }
    const value = this.#readValue(type, field, reader, wireType, depth);
    if (value === undefined || (field.omitsZero && (value === '' || value === 0 || value === false))) return;
    if (field.repeated) append(object, field.name, value);
    else object[field.name] = value;
  }

  #readValue(
    type: MessageType,
    field: MessageField,
    reader: Reader,
    wireType: number,
    depth: number,
  ): unknown {
    const codec = valueCodecs.get(field.type);
    const expected = codec?.wireType ?? 2;
    if (wireType !== expected)
      throw new ProtobufValueError(
        `${type.name}.${field.name}: encoded as wire type ${wireType}, not ${expected}`,
      );
    const length = expected === 2 ? reader.uint32() : 0;
    if (length > reader.len - reader.pos) throw new RangeError('a value is longer than what holds it');
    if (codec !== undefined) return codec.read(reader, length);
    const either = unions[field.type];
    if (either === undefined)
      return this.read(this.#types.message(type, field.type), reader, length, depth + 1);
    const both = unionType(type.table, either);
    const found = this.read(both, reader, length, depth + 1);
    return found[either.one.name] ?? found[either.other.name];
  }

  /** One entry of a map: field 1 is the key, field 2 the value. */
  #readEntry(
    entries: JsonObject,
    type: MessageType,
    field: MessageField,
    reader: Reader,
    depth: number,
  ): void {
    const end = reader.uint32() + reader.pos;
    let key = '';
    let value: unknown;
    while (reader.pos < end) {
      const next = reader.uint32();
      if (next === tag(1, 2)) key = reader.string();
      else if (next >>> 3 === 2) value = this.#readValue(type, field, reader, next & 7, depth);
      else reader.skipType(next & 7);
    }
    // An empty text is not written; the zero value of a time is null in a map.
    setField(entries, key, value ?? (field.type === 'string' ? '' : null));
  }

  #writeField(type: MessageType, field: MessageField, value: unknown, writer: Writer): void {
    if (field.map) {
      if (!isJsonObject(value)) return;
      for (const [key, each] of Object.entries(value)) {
        writer.uint32(tag(field.number, 2));
        message(writer, (inner) => {
          inner.uint32(tag(1, 2)).string(key);
          this.#writeValue(type, field, 2, each, inner);
        });
      }
    } else if (field.repeated)
      for (const each of Array.isArray(value) ? (value as unknown[]) : [])
        this.#writeValue(type, field, field.number, each, writer);
    else this.#writeValue(type, field, field.number, value, writer);
  }

  #writeValue(type: MessageType, field: MessageField, number: number, value: unknown, writer: Writer): void {
    const codec = valueCodecs.get(field.type);
    writer.uint32(tag(number, codec?.wireType ?? 2));
    if (codec !== undefined) {
      codec.write(writer, value);
      return;
    }
    const either = unions[field.type];
    if (either !== undefined) {
      const form = isJsonObject(value) ? either.one : either.other;
      message(writer, (inner) => this.#writeField(unionType(type.table, either), form, value, inner));
    } else
      message(writer, (inner) =>
        this.write(this.#types.message(type, field.type), isJsonObject(value) ? value : {}, inner),
      );
  }
}

function unionType(table: string, { one, other }: { one: MessageField; other: MessageField }): MessageType {
  return {
    table,
    name: 'union',
    byNumber: new Map([
      [one.number, one],
      [other.number, other],
    ]),
  };
}

function tag(number: number, wireType: number): number {
  return ((number << 3) | wireType) >>> 0;
}

function append(object: JsonObject, name: string, value: unknown): void {
  const list = object[name];
  if (Array.isArray(list)) list.push(value);
  else object[name] = [value];
}
