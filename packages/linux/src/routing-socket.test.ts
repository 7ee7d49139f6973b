import { expect } from 'chai';
import { SystemError } from './errors.ts';
import { NetworkNamespace } from './namespace.ts';
import { routeBody, RoutingChanges, RoutingSocket, ruleBody } from './routing-socket.ts';
import type { MarkRule } from './routing-socket.ts';
import { runTool } from './tool.ts';

const rule: MarkRule = { mark: 0x111, mask: 0xfff, priority: 32_764, table: 100 };
/** More than a byte of the header holds. */
const largeTable = 1000;
/** The loopback interface is the first of each namespace. */
const LOOPBACK = 1;

describe('messages of routing', () => {
  // Laid out by hand after linux/fib_rules.h and linux/rtnetlink.h.
  it('tell of a rule: header, priority, mark, mask, table', () => {
    expect(ruleBody(4, rule).toString('hex')).to.equal(
      [
        '020000006400000100000000',
        '08000600fc7f0000',
        '08000a0011010000',
        '08001000ff0f0000',
        '08000f0064000000',
      ].join(''),
    );
    expect(ruleBody(6, { ...rule, table: largeTable }).toString('hex')).to.match(
      /^0a0000000000000100000000.*08000f00e8030000$/,
    );
  });

  it('tell of a route by which everything is local: header, table, interface', () => {
    expect(routeBody(6, largeTable, LOOPBACK).toString('hex')).to.equal(
      ['0a0000000003fe0200000000', '08000f00e8030000', '0800040001000000'].join(''),
    );
    expect(routeBody(4, 100, LOOPBACK).toString('hex')).to.match(/^020000006403fe0200000000/);
  });
});

describe('RoutingSocket', () => {
  let namespace: NetworkNamespace;
  let routing: RoutingSocket;

  const ip = async (...args: readonly string[]): Promise<string> => {
    const outcome = await runTool(['ip', ...args], { namespace });
    if (outcome.kind !== 'done') throw new Error(`ip ${args.join(' ')}: ${JSON.stringify(outcome)}`);
    return outcome.output;
  };

  beforeEach(async () => {
    namespace = NetworkNamespace.create();
    routing = namespace.enter(() => new RoutingSocket());
    await ip('link', 'set', 'lo', 'up');
  });
  afterEach(() => {
    routing.close();
    namespace.close();
  });

  for (const family of [4, 6] as const) {
    it(`sets and removes rules of IPv${family}, as ip(8) sees them too`, async () => {
      expect(routing.countRules(family, rule)).to.equal(0);
      routing.addRule(family, rule);
      expect(routing.countRules(family, rule)).to.equal(1);
      expect(await ip(`-${family}`, 'rule')).to.match(/^32764:\s+from all fwmark 0x111\/0xfff lookup 100/m);
      expect(() => routing.addRule(family, rule))
        .to.throw(SystemError)
        .with.property('code', 'EEXIST');
      routing.removeRule(family, rule);
      expect(routing.countRules(family, rule)).to.equal(0);
      expect(() => routing.removeRule(family, rule))
        .to.throw(SystemError)
        .with.property('code', 'ENOENT');
    });

    it(`sets and removes a route of IPv${family} by which everything is local`, async () => {
      for (const table of [100, largeTable]) {
        expect(routing.hasLocalRoute(family, table, LOOPBACK)).to.equal(false);
        routing.addLocalRoute(family, table, LOOPBACK);
        expect(routing.hasLocalRoute(family, table, LOOPBACK)).to.equal(true);
        expect(routing.hasLocalRoute(family, table, LOOPBACK + 1)).to.equal(false);
        expect(await ip(`-${family}`, 'route', 'show', 'table', String(table))).to.match(
          /^local default dev lo/,
        );
        routing.removeLocalRoute(family, table, LOOPBACK);
        expect(routing.hasLocalRoute(family, table, LOOPBACK)).to.equal(false);
      }
    });
  }

  it('counts rules that somebody else has made, and only those that are the same in everything', async () => {
    await ip('rule', 'add', 'fwmark', '0x111/0xfff', 'pref', '32764', 'lookup', '100');
    expect(routing.countRules(4, rule)).to.equal(1);
    expect(routing.countRules(6, rule)).to.equal(0);
    for (const other of [{ mark: 0x112 }, { mask: 0xffff }, { priority: 1 }, { table: 101 }])
      expect(routing.countRules(4, { ...rule, ...other }), JSON.stringify(other)).to.equal(0);
  });

  it('does not take a route to some addresses, or a route elsewhere, for one to all', async () => {
    await ip('route', 'add', 'local', '10.0.0.0/8', 'dev', 'lo', 'table', '100');
    await ip('route', 'add', 'blackhole', 'default', 'table', '100');
    expect(routing.hasLocalRoute(4, 100, LOOPBACK)).to.equal(false);
  });

  it('stays in the namespace that it was made in', () => {
    using home = new RoutingSocket();
    routing.addRule(4, { ...rule, priority: 31_999 });
    expect(home.countRules(4, { ...rule, priority: 31_999 })).to.equal(0);
  });

  it('changes are told once, of rules and of routes of the table that is asked for', () => {
    using changes = namespace.enter(() => new RoutingChanges());
    expect(changes.take(100)).to.equal(false);
    routing.addRule(6, rule);
    expect(changes.take(100)).to.equal(true);
    expect(changes.take(100)).to.equal(false);
    routing.addLocalRoute(4, 100, LOOPBACK);
    expect(changes.take(largeTable)).to.equal(false);
    routing.removeLocalRoute(4, 100, LOOPBACK);
    routing.addLocalRoute(6, largeTable, LOOPBACK);
    expect(changes.take(largeTable)).to.equal(true);
    routing.removeRule(6, rule);
    expect(changes.take(100)).to.equal(true);
  });
});
