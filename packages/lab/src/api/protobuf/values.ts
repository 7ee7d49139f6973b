/** Values whose JSON is not an object with the fields of their message, and scalars. */
import type { Reader, Writer } from 'protobufjs';

/** How one type of value is read and written, its length and its tag apart. */
export interface ValueCodec {
  /** 0: varint; 1: eight bytes; 2: with a length before it. */
  readonly wireType: 0 | 1 | 2;
  /**
   * @param length in bytes, for wire type 2
   * @returns undefined for what JSON leaves out
   */
  read(reader: Reader, length: number): unknown;
  /** Everything after the tag. */
  write(writer: Writer, value: unknown): void;
}

/** A value that its type does not allow. */
export class ProtobufValueError extends Error {
  override readonly name = 'ProtobufValueError';
  readonly code = 'protobuf-value';
}

/** A message within a message: its length stands before it. */
export function message(writer: Writer, write: (inner: Writer) => void): void {
  writer.fork();
  write(writer);
  writer.ldelim();
}

function bytesOf(reader: Reader, length: number): Buffer {
  const from = reader.pos;
  reader.skip(length);
  return Buffer.from(reader.buf.buffer, reader.buf.byteOffset + from, length);
}

/** The fields of a small message: integers as numbers, everything else as bytes; the last one of each number. */
function smallFields(reader: Reader, length: number): Map<number, number | Buffer> {
  const end = reader.pos + length;
  const fields = new Map<number, number | Buffer>();
  while (reader.pos < end) {
    const tag = reader.uint32();
    if ((tag & 7) === 0) fields.set(tag >>> 3, integer(reader));
    else if ((tag & 7) === 2) fields.set(tag >>> 3, bytesOf(reader, reader.uint32()));
    else reader.skipType(tag & 7);
  }
  return fields;
}

function integer(reader: Reader): number {
  return Number(reader.int64());
}

function text(value: number | Buffer | undefined): string {
  return Buffer.isBuffer(value) ? value.toString() : '';
}

function json(bytes: number | Buffer | undefined): unknown {
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch (cause) {
    throw new ProtobufValueError('an embedded value is not JSON', { cause });
  }
}

function rawJson(): ValueCodec {
  return {
    wireType: 2,
    read: (reader, length) => json(smallFields(reader, length).get(1)),
    write: (writer, value) => message(writer, (inner) => inner.uint32(10).string(JSON.stringify(value))),
  };
}

const zeroSeconds = -62_135_596_800;

function time(digits: 0 | 6): ValueCodec {
  return {
    wireType: 2,
    read(reader, length) {
      const fields = smallFields(reader, length);
      const seconds = Number(fields.get(1) ?? 0);
      // Nothing, or the year 1: the zero value of a time.
      if (length === 0 || seconds === zeroSeconds) return undefined;
      const date = new Date(seconds * 1000);
      if (Number.isNaN(date.getTime())) throw new ProtobufValueError(`no time has ${seconds} seconds`);
      const whole = date.toISOString().replace(/\.\d+Z$/, '');
      const micros = Math.trunc(Number(fields.get(2) ?? 0) / 1000);
      return digits === 0 ? `${whole}Z` : `${whole}.${String(micros).padStart(6, '0')}Z`;
    },
    write(writer, value) {
      if (value === null) {
        message(writer, () => undefined);
        return;
      }
      const written = typeof value === 'string' ? value : '';
      const parsed = Date.parse(written);
      if (Number.isNaN(parsed)) throw new ProtobufValueError(`not a time: ${written}`);
      const fraction = /\.(\d{1,9})/.exec(written)?.[1];
      message(writer, (inner) => {
        inner.uint32(8).int64(Math.floor(parsed / 1000));
        if (fraction !== undefined && digits > 0) inner.uint32(16).int32(Number(fraction.padEnd(9, '0')));
      });
    },
  };
}

const intOrString: ValueCodec = {
  wireType: 2,
  read(reader, length) {
    const fields = smallFields(reader, length);
    return fields.get(1) === 1 ? text(fields.get(3)) : Number(fields.get(2) ?? 0);
  },
  write(writer, value) {
    message(writer, (inner) => {
      if (typeof value === 'number') inner.uint32(8).int32(0).uint32(16).int32(value);
      else inner.uint32(8).int32(1).uint32(26).string(String(value));
    });
  },
};

const extraValue: ValueCodec = {
  wireType: 2,
  read(reader, length) {
    const end = reader.pos + length;
    const items: string[] = [];
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === 10) items.push(reader.string());
      else reader.skipType(tag & 7);
    }
    return items;
  },
  write(writer, value) {
    message(writer, (inner) => {
      for (const item of Array.isArray(value) ? value : []) inner.uint32(10).string(String(item));
    });
  },
};

function scalar(
  wireType: 0 | 1 | 2,
  read: (reader: Reader, length: number) => unknown,
  write: (writer: Writer, value: unknown) => void,
): ValueCodec {
  return { wireType, read, write };
}

export const valueCodecs: ReadonlyMap<string, ValueCodec> = new Map(
  Object.entries({
    bool: scalar(
      0,
      (reader) => reader.bool(),
      (writer, value) => writer.bool(value === true),
    ),
    int32: scalar(0, integer, (writer, value) => writer.int64(Number(value))),
    int64: scalar(0, integer, (writer, value) => writer.int64(Number(value))),
    double: scalar(
      1,
      (reader) => reader.double(),
      (writer, value) => writer.double(Number(value)),
    ),
    string: scalar(
      2,
      (reader, length) => bytesOf(reader, length).toString(),
      (writer, value) => writer.string(String(value)),
    ),
    bytes: scalar(
      2,
      (reader, length) => bytesOf(reader, length).toString('base64'),
      (writer, value) => writer.bytes(Buffer.from(String(value), 'base64')),
    ),
    Quantity: {
      wireType: 2,
      read: (reader, length) => text(smallFields(reader, length).get(1)),
      write: (writer, value) => message(writer, (inner) => inner.uint32(10).string(String(value))),
    },
    Time: time(0),
    MicroTime: time(6),
    IntOrString: intOrString,
    ExtraValue: extraValue,
    FieldsV1: rawJson(),
    RawExtension: rawJson(),
    JSON: rawJson(),
  } satisfies Record<string, ValueCodec>),
);
