import { SettingsError, settingsFrom } from '@ambient/runtime';
import { damagedText, fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { describeSettings, loadZtunnelSettings } from '../settings.ts';
import { meshConfigPath } from './proxy-config.ts';
import {
  certificateSettings,
  controlPlaneSettings,
  placeSettings,
  processSettings,
  trafficSettings,
} from './schema.ts';

const SECRET = 'hush-hush-token';
const schemas = [processSettings, placeSettings, controlPlaneSettings, certificateSettings, trafficSettings];
const names = schemas.flatMap(({ definitions }) =>
  Object.values(definitions).flatMap(({ env }) => env as string | string[]),
);
const collected = [
  'XDS_HEADER_X',
  'XDS_HEADER_',
  'CA_HEADER_authorization',
  'ISTIO_META_DNS_CAPTURE',
  'ISTIO_META_DNS_PROXY_ADDR',
  'ISTIO_META___proto__',
  'ISTIO_METAJSON_LABELS',
  'ISTIO_METAJSON___proto__',
];

const value = damagedText(
  fc.constantFrom(
    'true',
    'false',
    '0',
    '15008',
    '10s',
    '500m',
    '25%',
    '4Mi',
    'info,access=debug',
    'plain',
    'shared',
    'dedicated',
    'ns/name/sa',
    'https://istiod.istio-system.svc:15012',
    'localhost:15053',
    '[::1]:15053',
    '{"a": [1, {"b": null}]}',
    '',
  ),
  [
    '/',
    ':',
    '=',
    ',',
    '9'.repeat(400),
    '-',
    '.',
    ' ',
    '\n',
    '\0',
    'É',
    '[',
    ']',
    '"',
    '{',
    '0x',
    '%',
    '@',
    'unix://',
  ],
);
const proxyConfig = damagedText(
  fc.constantFrom(
    'discoveryAddress: istiod:15012\nproxyAdminPort: 15000\nstatsPort: 15020\nconcurrency: 2\n',
    'proxyMetadata:\n  ISTIO_META_DNS_CAPTURE: "true"\n  DNS_PROXY_ADDR: 127.0.0.1:15053\n  A: 1\n',
    '{"proxyMetadata": {"X": true}, "concurrency": 0}',
    '',
  ),
  [
    ...'{}[]:,-!&*"\'\n#|>%@`?',
    '&a ',
    '*a',
    '<<: *a',
    '__proto__: ',
    'null',
    '1e400',
    '.nan',
    '65536',
    '-1',
    '0x1F',
  ],
);
const environment = fc.tuple(
  fc.dictionary(fc.constantFrom(...names, ...collected), value, { maxKeys: 8 }),
  fc.option(proxyConfig, { nil: undefined }),
  fc.option(proxyConfig, { nil: undefined }),
);

describe('the environment of ztunnel under fuzz', () => {
  it('gives settings that can be used, or an error that names each bad value and no secret [fuzz]', async () => {
    let loaded = 0;
    await fc.assert(
      fc.asyncProperty(environment, async ([given, config, mesh]) => {
        const env: Record<string, string> = {
          FAKE_CA: 'true',
          ...given,
          AUTH_TOKEN: SECRET,
          XDS_HEADER_SECRET: SECRET,
          'XDS_HEADER_BAD NAME': given['XDS_HEADER_X'] === undefined ? '' : SECRET,
        };
        if (given['XDS_HEADER_X'] === undefined) delete env['XDS_HEADER_BAD NAME'];
        if (config !== undefined) env['PROXY_CONFIG'] = config;
        const host = {
          readFile: (path: string) =>
            path === meshConfigPath && mesh !== undefined
              ? `defaultConfig:\n  ${mesh.replaceAll('\n', '\n  ')}`
              : undefined,
          exists: () => false,
          cpuCount: 4,
          descriptorLimit: 1024,
        };
        try {
          const settings = await loadZtunnelSettings(settingsFrom(env), host);
          loaded++;
          expect(settings.workerThreads).to.satisfy(Number.isSafeInteger).and.be.at.least(1);
          expect(settings.drainDeadlineMs).to.satisfy(Number.isFinite).and.be.at.least(0);
          for (const port of Object.values(settings.ports)) expect(port).to.be.within(1, 65_535);
          expect(structuredClone(settings)).to.deep.equal(settings);
          expect(JSON.stringify(describeSettings(settings))).to.not.include(SECRET);
        } catch (error) {
          if (!(error instanceof SettingsError)) throw error;
          expect(error.message).to.not.include(SECRET);
          for (const { env: name, expected } of error.problems) {
            expect(name).to.not.equal('');
            expect(expected).to.not.equal('');
          }
        }
      }),
      fuzzBudget(),
    );
    expect(loaded, 'environments that loaded').to.be.above(3);
  });
});
