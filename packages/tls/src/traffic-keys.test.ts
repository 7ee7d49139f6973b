import { expect } from 'chai';
import { cipherSuites, nextTrafficSecret, trafficKeys } from './traffic-keys.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('traffic keys', () => {
  const suite = cipherSuites['TLS_AES_128_GCM_SHA256']!;

  // RFC 8448, section 3: "derive write traffic keys for application data".
  it('are those of the example trace of RFC 8448, server', () => {
    const secret = hex('a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643');
    const { key, iv } = trafficKeys(suite, secret);
    expect(key.toString('hex')).to.equal('9f02283b6c9c07efc26bb9f2ac92e356');
    expect(iv.toString('hex')).to.equal('cf782b88dd83549aadf1e984');
  });

  it('are those of the example trace of RFC 8448, client', () => {
    const secret = hex('9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5');
    const { key, iv } = trafficKeys(suite, secret);
    expect(key.toString('hex')).to.equal('17422dda596ed5d9acd890e3c63f5051');
    expect(iv.toString('hex')).to.equal('5b78923dee08579033e523d9');
  });

  it('change with a KeyUpdate, in both suites', () => {
    for (const one of Object.values(cipherSuites)) {
      const secret = Buffer.alloc(one.hashLength, 7);
      const next = nextTrafficSecret(one, secret);
      expect(next).to.have.length(one.hashLength);
      expect(next.equals(secret)).to.equal(false);
      expect(trafficKeys(one, next).key).to.have.length(one.keyLength);
    }
  });
});
