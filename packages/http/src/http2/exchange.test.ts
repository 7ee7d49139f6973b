import { expect } from 'chai';
import { Pair } from '../testing/pair.ts';

describe('an exchange between both roles', () => {
  it('carries a CONNECT tunnel: half-close each way, then closed', () => {
    const pair = new Pair();
    pair.settle();
    expect(pair.client.log.take()).to.deep.equal(['settings']);
    expect(pair.server.log.take()).to.deep.equal(['settings']);

    const up = pair.client.connection.request(
      [':method', 'CONNECT', ':authority', '10.0.0.1:80'],
      false,
      'c',
    )!;
    pair.settle();
    expect(pair.server.log.take()).to.deep.equal(['headers 1 :method=CONNECT,:authority=10.0.0.1:80']);
    const down = pair.server.log.streams[0]!;
    down.sendHeaders([':status', '200'], false);
    pair.settle();
    expect(pair.client.log.take()).to.deep.equal(['headers 1 :status=200']);

    expect(pair.client.send(up, 'hello', true)).to.equal('');
    expect(up.localClosed).to.equal(true);
    pair.settle();
    expect(pair.server.log.bodies.get(1)).to.equal('hello');
    expect(pair.server.log.take()).to.deep.equal(['end 1']);
    expect(pair.server.send(down, 'world')).to.equal('');
    down.end();
    pair.settle();
    expect(pair.client.log.bodies.get(1)).to.equal('world');
    expect(pair.client.log.take()).to.deep.equal(['end 1', 'closed 1']);
    expect(pair.server.log.take()).to.deep.equal(['closed 1']);
    expect(pair.client.connection.activeStreams).to.equal(0);
  });
});
