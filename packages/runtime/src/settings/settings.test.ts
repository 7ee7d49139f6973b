import { expect } from 'chai';
import { formatDuration, parseDuration } from './duration.ts';
import { renderSettingsTable } from './markdown.ts';
import { defineSettings, derived, SettingsError } from './schema.ts';
import type { SettingType } from './setting-types.ts';
import { bool, bytes, duration, int, list, oneOf, optional, port, text } from './setting-types.ts';
import { collectByPrefix, layered, settingsFrom } from './sources.ts';
import { parseYaml, YamlSyntaxError } from './yaml-document.ts';

function parses<T>(type: SettingType<T>, raw: string): T | string {
  try {
    return type.parse(raw);
  } catch (error) {
    return (error as Error).message;
  }
}

describe('setting types', () => {
  it('reads bool as Go and Rust do, in any case', () => {
    for (const raw of ['true', 'TRUE', 'True', '1', ' true ']) expect(bool.parse(raw)).equal(true);
    for (const raw of ['false', 'FALSE', '0']) expect(bool.parse(raw)).equal(false);
    for (const raw of ['yes', 'on', '', '2'])
      expect(() => bool.parse(raw), raw).throw('`true`, `false`, `1` or `0`');
  });

  it('reads whole numbers within bounds only', () => {
    expect(int().parse('-7')).equal(-7);
    expect(int({ hex: true }).parse('0x539')).equal(1337);
    expect(parses(int({ min: 1, max: 9 }), '10')).equal('a whole number from 1 to 9');
    for (const raw of ['', '1.5', '1e3', '0x10', 'ten', '9007199254740993'])
      expect(parses(int(), raw), raw).equal('a whole number');
    expect(parses(port, '0')).contain('from 1 to 65535');
  });

  it('reads durations in the form of Go', () => {
    const table: [string, number][] = [
      ['5m', 300_000],
      ['10s', 10_000],
      ['250ms', 250],
      ['1h30m', 5_400_000],
      ['1.5s', 1500],
      ['0', 0],
      ['24h', 86_400_000],
      ['1d', 86_400_000],
      ['100us', 0.1],
    ];
    for (const [raw, ms] of table) expect(duration().parse(raw), raw).equal(ms);
    for (const raw of ['', 's', '5', '-5s', '5 s', '1h30', '5sec', '.5s'])
      expect(parseDuration(raw), raw).equal(undefined);
  });

  it('refuses a bare number and says how to write seconds, unless the setting reads seconds', () => {
    expect(parses(duration(), '30')).contain('if seconds were meant: 30s');
    expect(duration({ bareSeconds: true }).parse('30')).equal(30_000);
    expect(parses(duration({ minMs: 1000 }), '10ms')).equal('a duration of at least 1s');
  });

  it('reads durations to the nanosecond, and none that Go could not hold', () => {
    expect(parseDuration('0.1ns')).equal(0);
    expect(parseDuration('1ns')).equal(0.000001);
    expect(formatDuration(parseDuration('1ns')!)).equal('0.000001ms');
    expect(formatDuration(parseDuration('150.8d')!)).equal('3619h12m0.000000002s');
    expect(formatDuration(600_000)).equal('10m');
    expect(formatDuration(10_000)).equal('10s');
    expect(parseDuration('2562047h47m16.854s')).equal(9_223_372_036_854);
    for (const raw of ['2562048h', '99999999999999999999h', `${'9'.repeat(400)}s`])
      expect(parseDuration(raw), raw.slice(0, 30)).equal(undefined);
  });

  it('writes durations that it can read again', () => {
    for (const ms of [0, 250, 1500, 60_000, 300_000, 5_400_000, 86_400_000])
      expect(parseDuration(formatDuration(ms)), String(ms)).equal(ms);
    expect(formatDuration(300_000)).equal('5m');
  });

  it('reads bytes with the suffixes of Kubernetes', () => {
    expect(bytes().parse('4194304')).equal(4 * 1024 * 1024);
    expect(bytes().parse('4Mi')).equal(4 * 1024 * 1024);
    expect(bytes().parse('1M')).equal(1_000_000);
    expect(parses(bytes({ min: 16384, max: 100_000 }), '1Ki')).contain('from 16384 to 100000');
    expect(parses(bytes(), '4MB')).contain('64Ki');
  });

  it('reads lists, without what is empty in them', () => {
    expect(list.parse(' a,b ,, c,')).deep.equal(['a', 'b', 'c']);
    expect(list.parse(',')).deep.equal([]);
    expect(list.render(['a', 'b'])).equal('a,b');
  });

  it('reads one of several words', () => {
    const type = oneOf('plain', 'json');
    expect(type.parse('json')).equal('json');
    expect(parses(type, 'xml')).equal('one of plain, json');
  });
});

const schema = defineSettings('Sample', {
  name: { env: ['NAME', 'FALLBACK_NAME'], type: text, default: 'nobody', doc: 'Who | what.' },
  limit: { env: 'LIMIT', type: optional(int({ min: 0 })), default: undefined, doc: 'Optional.' },
  wait: {
    env: 'WAIT',
    type: duration(),
    default: derived('`1m` in a cluster, else `5s`', (source) =>
      source.get('IN_CLUSTER') === undefined ? 5000 : 60_000,
    ),
    doc: 'How long.',
  },
  token: { env: 'TOKEN', type: int(), default: 0, doc: 'Secret number.', secret: true },
  even: {
    env: 'EVEN',
    type: int(),
    default: 2,
    check: (value) => (value % 2 === 0 ? undefined : 'an even number'),
    doc: 'Even.',
  },
});

describe('a settings schema', () => {
  it('gives defaults, computed ones included, and a frozen object', () => {
    const values = schema.load(settingsFrom({}));
    expect(values).deep.equal({ name: 'nobody', limit: undefined, wait: 5000, token: 0, even: 2 });
    expect(values).frozen;
    expect(schema.load(settingsFrom({ IN_CLUSTER: '' })).wait).equal(60_000);
  });

  it('is typed by its definitions', () => {
    const values = schema.load(settingsFrom({ LIMIT: '3' }));
    const limit: number | undefined = values.limit;
    const name: string = values.name;
    expect([limit, name]).deep.equal([3, 'nobody']);
  });

  it('takes the preferred variable before the fallback', () => {
    expect(schema.load(settingsFrom({ FALLBACK_NAME: 'b' })).name).equal('b');
    expect(schema.load(settingsFrom({ NAME: 'a', FALLBACK_NAME: 'b' })).name).equal('a');
  });

  it('takes empty text as a value of a text and as unset for any other kind', () => {
    const values = schema.load(settingsFrom({ NAME: '', LIMIT: '', WAIT: '' }));
    expect([values.name, values.limit, values.wait]).deep.equal(['', undefined, 5000]);
  });

  it('ignores variables that it does not know', () => {
    expect(schema.load(settingsFrom({ LIMITT: 'x', PATH: '/bin' })).limit).equal(undefined);
  });

  it('reports all bad values at once, by name, and hides secrets', () => {
    let error: unknown;
    try {
      schema.load(settingsFrom({ LIMIT: '-1', WAIT: '30', TOKEN: 'hunter2', EVEN: '3' }));
    } catch (caught) {
      error = caught;
    }
    expect(error).instanceOf(SettingsError);
    const { message, problems, code } = error as SettingsError;
    expect(code).equal('SETTINGS_INVALID');
    expect(problems.map((p) => p.env)).deep.equal(['LIMIT', 'WAIT', 'TOKEN', 'EVEN']);
    expect(message)
      .contain('4 settings cannot be used')
      .contain('LIMIT="-1": expected a whole number of at least 0')
      .contain('WAIT="30": expected a duration')
      .contain('TOKEN=(hidden): expected a whole number')
      .contain('EVEN="3": expected an even number');
    expect(message).not.contain('hunter2');
  });

  it('renders its documentation', () => {
    expect(renderSettingsTable(schema, 3)).equal(
      [
        '### Sample',
        '',
        '| Variable | Kind | Default | Meaning |',
        '| --- | --- | --- | --- |',
        '| `NAME`, else `FALLBACK_NAME` | text | `nobody` | Who \\| what. |',
        '| `LIMIT` | int | unset | Optional. |',
        '| `WAIT` | duration | `1m` in a cluster, else `5s` | How long. |',
        '| `TOKEN` | int | `0` | Secret number. |',
        '| `EVEN` | int | `2` | Even. |',
        '',
      ].join('\n'),
    );
  });
});

describe('settings sources', () => {
  it('collect variables by prefix, without the prefix', () => {
    const source = settingsFrom({ META_A: '1', META_: 'x', META_B: undefined, OTHER: '2' });
    expect(collectByPrefix(source, 'META_')).deep.equal([['A', '1']]);
  });

  it('lie over each other: the one above counts, also where it says nothing by empty text', () => {
    const source = layered(settingsFrom({ A: '1', B: '' }), settingsFrom({ A: '2', B: '2', C: '2' }));
    expect(['A', 'B', 'C', 'D'].map((name) => source.get(name))).deep.equal(['1', '', '2', undefined]);
    expect([...source.names()]).deep.equal(['A', 'B', 'C']);
  });

  it('do not fall for names of Object.prototype', () => {
    expect(settingsFrom({}).get('constructor')).equal(undefined);
  });
});

describe('parseYaml', () => {
  it('reads a document and names the one that is broken', async () => {
    expect(await parseYaml('x', 'a: [1, 2]')).deep.equal({ a: [1, 2] });
    const error: unknown = await parseYaml('PROXY_CONFIG', 'a: [1').catch((e: unknown) => e);
    expect(error).instanceOf(YamlSyntaxError);
    expect((error as Error).message).match(/^PROXY_CONFIG is not valid YAML.*line 1/s);
  });

  it('refuses data that hold themselves, and takes one thing in two places', async () => {
    for (const text of ['a: &a [*a]', '&a {b: {c: *a}}']) {
      const error: unknown = await parseYaml('x', text).catch((e: unknown) => e);
      expect(error, text).instanceOf(YamlSyntaxError);
    }
    expect(await parseYaml('x', 'a: &a [1]\nb: [*a, *a]')).deep.equal({ a: [1], b: [[1], [1]] });
  });
});
