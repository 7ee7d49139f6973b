import { expect } from 'chai';
import { isUntimelyCertificate } from './untimely-certificate.ts';

describe('isUntimelyCertificate', () => {
  for (const details of [
    'No connection established. Last error: certificate has expired (10)',
    'Last error: Error: certificate is not yet valid',
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
  ])
    it(`holds for ${details}`, () => expect(isUntimelyCertificate(details)).to.equal(true));

  for (const details of ['self-signed certificate in certificate chain', 'ECONNREFUSED', 'CERT_REVOKED', ''])
    it(`does not hold for ${JSON.stringify(details)}`, () =>
      expect(isUntimelyCertificate(details)).to.equal(false));
});
