import { damagedText, fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { LogLevelError, LogLevels } from './log/levels.ts';
import { bare, describeError, formatLine } from './log/line-format.ts';
import type { LogFields, LogValue } from './log/line-format.ts';
import { LineBatch } from './log/line-batch.ts';
import { formatDuration, parseDuration } from './settings/duration.ts';
import { defineSettings, SettingsError } from './settings/schema.ts';
import type { SettingType } from './settings/setting-types.ts';
import { bool, bytes, duration, int, oneOf, port, text, ValueError } from './settings/setting-types.ts';
import { settingsFrom } from './settings/sources.ts';
import { parseYaml, YamlSyntaxError } from './settings/yaml-document.ts';

/** Any text, with what logs and terminals treat specially more often than chance has it. */
const anyText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\n',
        '\r',
        '\t',
        '\0',
        '\u001b[31m',
        '"',
        '\\',
        '\u2028',
        '\u0085',
        '=',
        ' ',
        ',',
        '\ud800',
      ),
      fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
      fc.constantFrom('name', 'value', '10.0.0.1'),
    ),
    { maxLength: 12 },
  )
  .map((units) => units.join(''));

describe('log lines under fuzz', () => {
  const value: fc.Arbitrary<LogValue> = fc.oneof(
    anyText,
    anyText.map(bare),
    fc.double(),
    fc.bigInt(),
    fc.boolean(),
    fc.constant(undefined),
  );
  const key = fc.constantFrom('src.addr', 'dst_service', 'error', 'bytes', 'k');
  const fields: fc.Arbitrary<LogFields> = fc.dictionary(key, value, { maxKeys: 5 });
  const level = fc.constantFrom(
    'trace' as const,
    'debug' as const,
    'info' as const,
    'warn' as const,
    'error' as const,
  );
  const time = fc.nat(4_000_000_000_000).map((ms) => ms + 0.125);

  it('JSON: one line, that reads back as it was said [fuzz]', () => {
    fc.assert(
      fc.property(level, anyText, fields, time, (severity, message, given, at) => {
        const line = formatLine('json', severity, 'access', message, given, at);
        expect(line).to.match(/^\{[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*\}\n$/);
        const read = JSON.parse(line) as Record<string, unknown>;
        expect(read['message']).to.equal(message);
        expect(Math.abs(Date.parse(String(read['time'])) - at)).to.be.below(1);
        for (const [name, said] of Object.entries(given)) {
          if (said === undefined) expect(read).to.not.have.property(name);
          else if (typeof said === 'string') expect(read[name]).to.equal(said);
          else if (typeof said === 'number')
            expect(read[name]).to.equal(Number.isFinite(said) ? said || 0 : null);
          else if (typeof said === 'boolean') expect(read[name]).to.equal(said);
          else if (typeof said === 'bigint') expect(read[name]).to.equal(Number(said));
          else expect(read[name]).to.equal(said.text);
        }
      }),
      fuzzBudget(),
    );
  });

  it('plain: one line of four or five columns, whatever a peer put into them [fuzz]', () => {
    fc.assert(
      fc.property(level, anyText, fields, time, (severity, message, given, at) => {
        const line = formatLine('plain', severity, 'access', message, given, at);
        expect(line.endsWith('\n')).to.equal(true);
        expect(line.slice(0, -1)).to.not.match(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/);
        const some = Object.values(given).some((each) => each !== undefined);
        expect(line.split('\t')).to.have.lengthOf(some ? 5 : 4);
      }),
      fuzzBudget(),
    );
  });

  it('a batch holds its bound and only whole lines [fuzz]', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 30 }), fc.nat(2000), (messages, most) => {
        const batch = new LineBatch('json', most);
        for (const message of messages) batch.write('info', 's', message, undefined, 0);
        const lines = batch.take(0);
        expect(batch.empty).to.equal(true);
        let dropped = 0;
        let written = 0;
        for (const line of lines.split('\n').slice(0, -1)) {
          const read = JSON.parse(line) as { dropped?: number };
          if (read.dropped === undefined) written++;
          else dropped += read.dropped;
        }
        expect(written + dropped).to.equal(messages.length);
      }),
      fuzzBudget(),
    );
  });

  it('an error of any kind has a text [fuzz]', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), anyText, (cause, message) => {
        expect(describeError(cause)).to.be.a('string');
        expect(describeError(new Error(message, { cause }))).to.be.a('string');
      }),
      fuzzBudget(),
    );
  });
});

describe('log levels under fuzz', () => {
  const dictionary = [
    'ztunnel',
    '::',
    '=',
    ',',
    'off',
    'DEBUG',
    'info',
    ' ',
    '-',
    '.',
    '_',
    '9',
    '\n',
    '\0',
    'é',
    'x',
  ];
  const spec = damagedText(
    fc.constantFrom('info', 'info,access=debug', 'ztunnel::proxy=trace,h2=off', 'ztunnel=warn', 'a::b'),
    dictionary,
  );

  it('what was taken can be said again, to a worker that takes it [fuzz]', () => {
    fc.assert(
      fc.property(fc.array(spec, { maxLength: 4 }), (specs) => {
        const levels = new LogLevels('info,h2=off', 'ztunnel');
        for (const each of specs) {
          const before = levels.toString();
          try {
            levels.apply(each);
          } catch (error) {
            expect(error).to.be.instanceOf(LogLevelError);
            expect(levels.toString()).to.equal(before);
          }
          const worker = new LogLevels(levels.toString(), 'ztunnel');
          worker.replace(levels.toString());
          expect(worker.toString()).to.equal(levels.toString());
          for (const scope of ['proxy', 'proxy::inbound', 'access', 'h2', 'a', 'a::b'])
            expect(worker.scope(scope).rank, scope).to.equal(levels.scope(scope).rank);
        }
        levels.reset();
        expect(levels.toString()).to.equal('info,h2=off');
      }),
      fuzzBudget(),
    );
  });
});

describe('settings under fuzz', () => {
  const words = [
    '0',
    '1',
    '9',
    '.',
    '-',
    '+',
    'e5',
    '0x',
    'ms',
    's',
    'm',
    'h',
    'd',
    'µs',
    'Ki',
    'Gi',
    ' ',
    '\n',
    '٣',
    '%',
  ];
  const raw = damagedText(
    fc.constantFrom(
      '10s',
      '1h30m',
      '1.5s',
      '250ms',
      '0',
      '64Ki',
      '15008',
      'true',
      'plain',
      '99999999999999999999h',
    ),
    words,
  );
  const types: readonly SettingType<never>[] = [
    bool,
    int(),
    int({ hex: true, min: 0 }),
    port,
    duration(),
    duration({ bareSeconds: true, minMs: 5 }),
    bytes({ min: 10 }),
    oneOf('plain', 'json'),
  ] as never[];

  it('a value is refused by name, or written again is the same value [fuzz]', () => {
    fc.assert(
      fc.property(fc.constantFrom(...types), raw, (type, given) => {
        let value: never;
        try {
          value = type.parse(given);
        } catch (error) {
          expect(error).to.be.instanceOf(ValueError);
          return;
        }
        if (typeof value === 'number') expect(value).to.satisfy(Number.isFinite);
        const again = type.parse(type.render(value));
        // A duration is a sum of floating-point numbers.
        if (typeof value === 'number')
          expect(again, type.render(value)).to.be.closeTo(value, 1e-9 * Math.abs(value) + 1e-6);
        else expect(again).to.equal(value);
      }),
      fuzzBudget(),
    );
  });

  it('a duration of whole milliseconds is written so that it reads the same [fuzz]', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), (ms) => {
        expect(parseDuration(formatDuration(ms)), formatDuration(ms)).to.be.closeTo(ms, 1e-6);
      }),
      fuzzBudget(),
    );
  });

  it('all bad values are told at once, and no secret [fuzz]', () => {
    const schema = defineSettings('S', {
      a: { env: ['A', 'B'], type: duration(), default: 5, doc: '' },
      b: { env: 'C', type: int({ min: 1 }), default: 1, doc: '' },
      c: { env: 'D', type: bool, default: false, doc: '', secret: true },
      d: { env: 'E', type: text, default: '', doc: '' },
    });
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...'ABCDE', '__proto__'), fc.oneof(raw, anyText)),
        (environment) => {
          try {
            const values = schema.load(settingsFrom(environment));
            expect(values.a).to.be.at.least(0);
          } catch (error) {
            expect(error).to.be.instanceOf(SettingsError);
            const { problems } = error as SettingsError;
            expect(problems).to.not.have.lengthOf(0);
            for (const { env, value } of problems) if (env === 'D') expect(value).to.equal('(hidden)');
          }
        },
      ),
      fuzzBudget(),
    );
  });

  it('YAML is read or refused by name [fuzz]', async () => {
    const document = damagedText(fc.constantFrom('a: 1\nb: [x, {y: z}]\n', '- 1\n- "x"\n', ''), [
      ...'{}[]:,-!&*"\'\n#|>%@`?',
      '&a ',
      '*a',
      '<<: *a',
      '---\n',
      '__proto__: ',
      '!!binary x',
    ]);
    await fc.assert(
      fc.asyncProperty(document, async (yaml) => {
        try {
          JSON.stringify(await parseYaml('it', yaml));
        } catch (error) {
          expect(error).to.be.instanceOf(YamlSyntaxError);
        }
      }),
      fuzzBudget(),
    );
  });
});
