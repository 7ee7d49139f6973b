import { expect } from 'chai';
import { checkedShape, checkRequest, checkResponse, checkTrailers } from './header-rules.ts';

const base = [':method', 'GET', ':scheme', 'https', ':path', '/'];
const good = [...base, ':authority', 'a:1'];
const connect = [':method', 'CONNECT', ':authority', 'a:1'];
const extended = [...connect, ':protocol', 'websocket', ':scheme', 'https', ':path', '/'];

describe('8.2 and 8.3 request header rules', () => {
  const valid: [string, string[]][] = [
    ['a plain request', good],
    ['host in place of :authority', [...base, 'host', 'a:1']],
    ['host like :authority in another case', [...good, 'host', 'A:1']],
    ['te: trailers', [...good, 'te', 'Trailers']],
    ['OPTIONS *', [':method', 'OPTIONS', ':scheme', 'http', ':path', '*', ':authority', 'a']],
    ['another scheme without authority', [':method', 'GET', ':scheme', 'x', ':path', 'y']],
    ['CONNECT', connect],
    ['CONNECT with fields', [...connect, 'baggage', 'a=b', 'content-length', '7']],
    ['the same content-length twice', [...good, 'content-length', '7', 'content-length', '7']],
  ];
  for (const [title, headers] of valid)
    it(`takes ${title}`, () => expect(checkRequest(headers, false)).to.equal(''));

  const malformed: [string, string[], RegExp][] = [
    ['8.2.2: connection', [...good, 'connection', 'close'], /connection/],
    ['8.2.2: keep-alive', [...good, 'keep-alive', 'x'], /keep-alive/],
    ['8.2.2: proxy-connection', [...good, 'proxy-connection', 'x'], /proxy-connection/],
    ['8.2.2: transfer-encoding', [...good, 'transfer-encoding', 'chunked'], /transfer-encoding/],
    ['8.2.2: upgrade', [...good, 'upgrade', 'h2c'], /upgrade/],
    ['8.2.2: te other than trailers', [...good, 'te', 'trailers, deflate'], /te/],
    ['8.3: unknown pseudo-header', [...good, ':test', 'x'], /unknown/],
    ['8.3: pseudo-header of responses', [...good, ':status', '200'], /unknown/],
    ['8.3: pseudo-header after a field', [...base, 'x', 'y', ':authority', 'a'], /out of place/],
    ['8.3.1: empty :path', [':method', 'GET', ':scheme', 'http', ':path', '', ':authority', 'a'], /:path/],
    [
      '8.3.1: relative :path',
      [':method', 'GET', ':scheme', 'http', ':path', 'a', ':authority', 'a'],
      /:path/,
    ],
    [
      '8.3.1: * without OPTIONS',
      [':method', 'GET', ':scheme', 'http', ':path', '*', ':authority', 'a'],
      /:path/,
    ],
    ['8.3.1: no :method', good.slice(2), /:method/],
    ['8.3.1: no :scheme', [...good.slice(0, 2), ...good.slice(4)], /:scheme/],
    ['8.3.1: no :path', [...good.slice(0, 4), ...good.slice(6)], /:path/],
    ['8.3.1: two :method', [...good, ':method', 'GET'], /duplicate/],
    ['8.3.1: two :scheme', [...good, ':scheme', 'https'], /duplicate/],
    ['8.3.1: two :path', [...good, ':path', '/'], /duplicate/],
    ['8.3.1: two :authority', [...good, ':authority', 'a:1'], /duplicate/],
    ['8.3.1: neither :authority nor host', base, /no host/],
    ['8.3.1: empty :authority', [...base, ':authority', ''], /empty/],
    ['8.3.1: user information', [...base, ':authority', 'u@a'], /user/],
    ['8.3.1: host that differs', [...good, 'host', 'b:1'], /differs/],
    ['8.3.1: two hosts', [...good, 'host', 'a:1', 'host', 'b'], /two hosts/],
    ['8.5: CONNECT with :scheme', [...connect, ':scheme', 'https'], /CONNECT/],
    ['8.5: CONNECT with :path', [...connect, ':path', '/'], /CONNECT/],
    ['8.5: CONNECT without :authority', [':method', 'CONNECT', 'host', 'a:1'], /CONNECT/],
    ['8.5: CONNECT with empty :authority', [':method', 'CONNECT', ':authority', ''], /CONNECT/],
    ['RFC 8441: :protocol that was not allowed', extended, /:protocol/],
    ['8.1.1: content-length that is no number', [...good, 'content-length', '-1'], /number/],
    ['8.1.1: empty content-length', [...good, 'content-length', ''], /number/],
    ['8.1.1: content-length beyond any file', [...good, 'content-length', '9'.repeat(16)], /number/],
    ['8.1.1: two lengths', [...good, 'content-length', '7', 'content-length', '8'], /two/],
  ];
  for (const [title, headers, wrong] of malformed)
    it(`refuses ${title}`, () => expect(checkRequest(headers, false)).to.match(wrong));

  it('takes extended CONNECT where it was allowed, which is no tunnel (RFC 8441)', () => {
    expect(checkRequest(extended, true)).to.equal('');
    expect(checkedShape.tunnel).to.equal(false);
    expect(checkRequest([...good, ':protocol', 'x'], true)).to.match(/without CONNECT/);
    expect(checkRequest([...extended, ':protocol', 'x'], true)).to.match(/:protocol/);
    expect(checkRequest([...connect, ':protocol', 'x', ':path', '/'], true)).to.match(/:scheme/);
  });

  it('tells the shape of the message', () => {
    checkRequest([...good, 'content-length', '1290'], false);
    expect(checkedShape).to.deep.equal({ status: 0, contentLength: 1290, tunnel: false });
    checkRequest(connect, false);
    expect(checkedShape).to.deep.equal({ status: 0, contentLength: -1, tunnel: true });
  });
});

describe('8.3.2 response header rules', () => {
  it('takes a response and tells its shape', () => {
    expect(checkResponse([':status', '204', 'content-length', '0'])).to.equal('');
    expect(checkedShape).to.deep.equal({ status: 204, contentLength: 0, tunnel: false });
  });
  for (const status of ['', '20', '2000', '099', 'abc', '101', '-10'])
    it(`refuses :status "${status}"`, () => expect(checkResponse([':status', status])).to.match(/:status/));
  it('refuses a response without :status', () => expect(checkResponse(['a', 'b'])).to.match(/:status/));
  it('refuses :status twice', () =>
    expect(checkResponse([':status', '200', ':status', '200'])).to.match(/duplicate/));
  it('refuses the pseudo-headers of requests', () =>
    expect(checkResponse([':status', '200', ':path', '/'])).to.match(/unknown/));
});

describe('8.1 trailer rules', () => {
  it('takes fields', () => expect(checkTrailers(['grpc-status', '0'])).to.equal(''));
  it('refuses pseudo-headers', () => expect(checkTrailers([':status', '200'])).to.match(/out of place/));
});
