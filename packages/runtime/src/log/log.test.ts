import { expect } from 'chai';
import { LineBatch } from './line-batch.ts';
import { bare, describeError, formatLine, formatTimestamp } from './line-format.ts';
import { LogLevelError, LogLevels, parseLogDirectives } from './levels.ts';
import { LogOutput } from './log-output.ts';
import { Logger } from './logger.ts';
import type { LogSink } from './logger.ts';

const timeMs = Date.UTC(2026, 0, 2, 3, 4, 5, 123) + 0.456;

describe('log directives', () => {
  it('read the syntax of RUST_LOG', () => {
    const { general, scopes } = parseLogDirectives('info, access=debug,h2=OFF,dns,proxy::inbound=warn,');
    expect(general).equal('info');
    expect([...scopes]).deep.equal([
      ['access', 'debug'],
      ['h2', 'off'],
      ['dns', 'trace'],
      ['proxy::inbound', 'warn'],
    ]);
  });

  it('drop the root scope', () => {
    const { general, scopes } = parseLogDirectives('ztunnel=debug,ztunnel::proxy=warn', 'ztunnel');
    expect([general, [...scopes]]).deep.equal(['debug', [['proxy', 'warn']]]);
  });

  it('drop the root as often as it stands in front, so that another thread reads them the same', () => {
    for (const [spec, text] of [
      ['ztunnel::ztunnel=debug', 'debug'],
      ['ztunnel::=warn', 'warn'],
      ['ztunnel::ztunnel::proxy=error', 'info,proxy=error'],
    ] as const) {
      const levels = new LogLevels(spec, 'ztunnel');
      expect(levels.toString(), spec).equal(text);
      const worker = new LogLevels('info', 'ztunnel');
      worker.replace(levels.toString());
      expect(worker.toString(), spec).equal(text);
    }
    for (const bad of ['ztunnel::-x=debug', 'ztunnel:::=debug', 'ztunnel::9'])
      expect(() => parseLogDirectives(bad, 'ztunnel'), bad).throw(LogLevelError);
  });

  it('name the part that is not understood', () => {
    for (const bad of ['access=loud', 'access==info', '=info', 'a b', 'h2[span]=info'])
      expect(() => parseLogDirectives(`info,${bad}`), bad).throw(LogLevelError, JSON.stringify(bad));
  });
});

describe('LogLevels', () => {
  const rankOf = (levels: LogLevels, scope: string) => levels.scope(scope).rank;

  it('gives a scope its own threshold, else that of the scope above, else the general one', () => {
    const levels = new LogLevels('warn,proxy=debug,proxy::inbound=error');
    expect(rankOf(levels, 'xds')).equal(3);
    expect(rankOf(levels, 'proxy')).equal(1);
    expect(rankOf(levels, 'proxy::outbound::h2')).equal(1);
    expect(rankOf(levels, 'proxy::inbound::h2')).equal(4);
    expect(rankOf(levels, 'proxyish')).equal(3);
  });

  it('changes live, and comes back to the start on reset', () => {
    const levels = new LogLevels('info,h2=off');
    const access = levels.scope('access');
    levels.apply('access=debug');
    expect([access.rank, levels.toString()]).deep.equal([1, 'info,h2=off,access=debug']);
    levels.apply('error');
    expect([access.rank, levels.toString()]).deep.equal([1, 'error,h2=off,access=debug']);
    levels.reset();
    expect([access.rank, levels.toString()]).deep.equal([2, 'info,h2=off']);
  });

  it('changes nothing by a specification that is not understood', () => {
    const levels = new LogLevels('info');
    expect(() => levels.apply('debug,access=loud')).throw(LogLevelError);
    expect(levels.toString()).equal('info');
  });

  it('takes over the state of another thread', () => {
    const levels = new LogLevels('info,a=debug');
    levels.replace('warn,b=trace');
    expect(levels.toString()).equal('warn,b=trace');
    expect(rankOf(levels, 'a')).equal(3);
  });
});

describe('formatLine', () => {
  it('writes plain lines with tabs, quoted strings and bare addresses', () => {
    const fields = {
      'src.addr': bare('10.0.0.1:1234'),
      'dst.service': 'web.default.svc',
      bytes_sent: 12,
      skipped: undefined,
      ok: true,
    };
    expect(formatLine('plain', 'info', 'access', 'connection complete', fields, timeMs)).equal(
      '2026-01-02T03:04:05.123456Z\tinfo\taccess\tconnection complete\t' +
        'src.addr=10.0.0.1:1234 dst.service="web.default.svc" bytes_sent=12 ok=true\n',
    );
    expect(formatLine('plain', 'warn', 'app', 'no fields', undefined, timeMs)).equal(
      '2026-01-02T03:04:05.123456Z\twarn\tapp\tno fields\n',
    );
  });

  it('writes JSON in the order level, time, scope, message, fields', () => {
    const line = formatLine(
      'json',
      'error',
      'xds',
      'a "b"',
      { 'dst.addr': bare('[::1]:80'), n: 1.5, gone: undefined, nan: Number.NaN, big: 10n },
      timeMs,
    );
    expect(line).equal(
      '{"level":"error","time":"2026-01-02T03:04:05.123456Z","scope":"xds","message":"a \\"b\\"",' +
        '"dst.addr":"[::1]:80","n":1.5,"nan":null,"big":10}\n',
    );
    expect(JSON.parse(line)).include({ scope: 'xds', message: 'a "b"' });
  });

  it('keeps line breaks, tabs and terminal escapes of a peer out of the log', () => {
    const evil = 'a\nb\tc\u001b[31m\u0085\u2028';
    const plain = formatLine('plain', 'info', 's', evil, { q: evil, b: bare(evil) }, timeMs);
    const json = formatLine('json', 'info', 's', evil, { q: evil, b: bare(evil) }, timeMs);
    for (const line of [plain, json]) {
      expect(line.slice(0, -1), line).not.match(/[\n\u001b\u0085\u2028]/);
      expect(line.endsWith('\n')).equal(true);
    }
    expect(plain.split('\t')).length(5);
    expect((JSON.parse(json) as { q: string }).q).equal(evil);
  });

  it('writes microseconds, also across a second', () => {
    expect(formatTimestamp(0)).equal('1970-01-01T00:00:00.000000Z');
    expect(formatTimestamp(999.999)).equal('1970-01-01T00:00:00.999999Z');
    expect(formatTimestamp(1000.5)).equal('1970-01-01T00:00:01.000500Z');
  });
});

describe('describeError', () => {
  it('tells the whole chain of causes, each once', () => {
    const root = new Error('ECONNREFUSED');
    const middle = new Error('connect failed: ECONNREFUSED', { cause: root });
    expect(describeError(new Error('xds stream', { cause: middle }))).equal(
      'xds stream: connect failed: ECONNREFUSED',
    );
    expect(describeError('text')).equal('text');
    expect(describeError(undefined)).equal('');
  });

  it('has a word for what JSON cannot say', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    expect(
      [{ n: 1n }, cyclic, undefined, Symbol('x')].map((cause) => describeError(new Error('e', { cause }))),
    ).deep.equal(['e: object', 'e: object', 'e', 'e: symbol']);
  });

  it('ends on a cyclic cause', () => {
    const error = new Error('loop');
    error.cause = error;
    expect(describeError(error)).equal('loop');
  });
});

describe('Logger', () => {
  function setup(spec: string) {
    const lines: string[] = [];
    const sink: LogSink = {
      write: (level, scope, message, fields, time) =>
        lines.push(formatLine('plain', level, scope, message, fields, time).slice(28, -1)),
    };
    const levels = new LogLevels(spec);
    return { lines, levels, logger: new Logger(levels, sink, 'access', undefined, () => timeMs) };
  }

  it('writes what the threshold of its scope lets through, as it is at that moment', () => {
    const { lines, levels, logger } = setup('info');
    logger.debug('one');
    expect(logger.enabled('debug')).equal(false);
    levels.apply('access=debug');
    expect(logger.enabled('debug')).equal(true);
    logger.debug('two');
    levels.apply('off');
    levels.apply('access=off');
    logger.error('three');
    expect(lines).deep.equal(['debug\taccess\ttwo']);
  });

  it('adds the fields of its connection before those of the line', () => {
    const { lines, logger } = setup('trace');
    const connection = logger.with({ id: 7 }).scope('proxy');
    connection.info('x', { n: 1 });
    connection.trace('y');
    expect(lines).deep.equal(['info\tproxy\tx\tid=7 n=1', 'trace\tproxy\ty\tid=7']);
  });
});

describe('LineBatch', () => {
  it('holds lines until they are taken', () => {
    const batch = new LineBatch('plain');
    expect(batch.empty).equal(true);
    batch.write('info', 's', 'one', undefined, timeMs);
    batch.write('info', 's', 'two', undefined, timeMs);
    expect(batch.take(timeMs).split('\n')).length(3);
    expect([batch.empty, batch.take(timeMs)]).deep.equal([true, '']);
  });

  it('drops lines beyond its limit and says how many', () => {
    const batch = new LineBatch('plain', 10);
    for (let i = 0; i < 4; i += 1) batch.write('info', 's', 'line', undefined, timeMs);
    const lines = batch.take(timeMs).trimEnd().split('\n');
    expect(lines).length(2);
    expect(lines[1]).contain('log lines dropped').contain('dropped=3');
    expect(batch.empty).equal(true);
  });
});

describe('LogOutput', () => {
  it('writes its own lines and those of workers, flushes, and drops what comes after its end', () => {
    const events: string[] = [];
    const output = new LogOutput('json', {
      write: (lines) => events.push(lines),
      flushSync: () => events.push('flush'),
      end: () => events.push('end'),
    });
    output.write('info', 's', 'm', undefined, timeMs);
    output.writeFormatted('from a worker\n');
    output.writeFormatted('');
    output[Symbol.dispose]();
    output.writeFormatted('late\n');
    output[Symbol.dispose]();
    expect(events).deep.equal([
      formatLine('json', 'info', 's', 'm', undefined, timeMs),
      'from a worker\n',
      'flush',
      'end',
    ]);
  });
});
