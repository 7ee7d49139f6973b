import { expect } from 'chai';
import { contentType, readServerHello, readTlsRecords } from './tls-records.ts';

function record(type: number, body: Buffer): Buffer {
  const header = Buffer.from([type, 3, 3, 0, 0]);
  header.writeUInt16BE(body.length, 3);
  return Buffer.concat([header, body]);
}

function extension(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}

function serverHello(cipher: number, extensions: Buffer): Buffer {
  const fixed = Buffer.alloc(2 + 32 + 1 + 2 + 2 + 1 + 2);
  fixed.writeUInt16BE(0x0303, 0);
  fixed[34] = 2; // session id, echoed
  fixed.writeUInt16BE(cipher, 37);
  fixed.writeUInt16BE(extensions.length, 40);
  const message = Buffer.concat([Buffer.from([2, 0, 0, 0]), fixed, extensions]);
  return record(contentType.handshake, message);
}

describe('TLS on the wire', () => {
  it('is read from the hello of the server: version, cipher and group', () => {
    const share = Buffer.from([0x11, 0xec, 0, 1, 0xff]);
    const extensions = Buffer.concat([extension(51, share), extension(43, Buffer.from([3, 4]))]);
    const [hello] = readTlsRecords(serverHello(0x1301, extensions))!;
    expect(readServerHello(hello!)).to.deep.equal({
      version: 'TLS 1.3',
      cipher: 'TLS_AES_128_GCM_SHA256',
      group: 'X25519MLKEM768',
    });
  });

  it('tells TLS 1.2 and unknown numbers from what is expected', () => {
    const [hello] = readTlsRecords(serverHello(0xc02f, Buffer.alloc(0)))!;
    expect(readServerHello(hello!)).to.deep.equal({ version: 'TLS 1.2', cipher: '0xc02f', group: '0x0000' });
  });

  it('finds no hello in a message that ends before its lengths say, nor in another one', () => {
    const whole = serverHello(0x1301, extension(51, Buffer.alloc(4)));
    const torn = { type: contentType.handshake, bytes: whole.subarray(0, 44) };
    expect(readServerHello(torn)).to.equal(undefined);
    expect(readServerHello({ type: contentType.applicationData, bytes: whole })).to.equal(undefined);
  });

  it('is not what begins or goes on with other bytes', () => {
    const secret = record(contentType.applicationData, Buffer.from('....'));
    expect(readTlsRecords(Buffer.concat([secret, secret]))).to.have.lengthOf(2);
    expect(readTlsRecords(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).to.equal(undefined);
    expect(readTlsRecords(Buffer.concat([secret, Buffer.from('GET /')]))).to.equal(undefined);
    expect(readTlsRecords(secret.subarray(0, 7))).to.equal(undefined);
  });
});
