import { isIPv4 } from 'node:net';

/** A name that no server but ztunnel answers: RFC 6761 section 6.4. It has the same (its worker/capture-proof.ts). */
const PROOF_NAME = 'capture-proof.ambient.invalid';
const TYPE_A = 1;
const TYPE_AAAA = 28;
const CLASS_IN = 1;
const HEADER_BYTES = 12;
/** A socket serves one question, so the id tells nothing. */
const ID = 0x4350;
const RESPONSE = 0x8000;

const questions = { v4: write(TYPE_A), v6: write(TYPE_AAAA) };

/** The question for ztunnel's address of proofs (RFC 1035 section 4). */
export function encodeQuestion(ipv6: boolean): Buffer {
  return ipv6 ? questions.v6 : questions.v4;
}

/** Whether a message is the answer that ztunnel gives: the address that was asked for. */
export function answersQuestion(message: Buffer, address: string): boolean {
  const question = encodeQuestion(!isIPv4(address));
  if (message.length <= question.length || message.readUInt16BE(0) !== ID) return false;
  const isAnswer = (message.readUInt16BE(2) & RESPONSE) !== 0 && message.readUInt16BE(6) === 1;
  const echoed = message.subarray(HEADER_BYTES, question.length).equals(question.subarray(HEADER_BYTES));
  const data = bytesOf(address);
  return isAnswer && echoed && message.subarray(-data.length).equals(data);
}

function write(type: number): Buffer {
  const labels = PROOF_NAME.split('.').map((label) =>
    Buffer.from(`${String.fromCharCode(label.length)}${label}`),
  );
  const tail = Buffer.alloc(5);
  tail.writeUInt16BE(type, 1);
  tail.writeUInt16BE(CLASS_IN, 3);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(ID, 0);
  header.writeUInt16BE(1, 4);
  return Buffer.concat([header, ...labels, tail]);
}

/** Of an address without `::`, or IPv4. */
function bytesOf(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  return Buffer.from(
    address
      .split(':')
      .map((group) => group.padStart(4, '0'))
      .join(''),
    'hex',
  );
}
