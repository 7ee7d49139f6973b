import { expect } from 'chai';
import { BlockYamlError, parseBlockYaml } from './block-yaml.ts';
import { KubeconfigError, parseKubeconfig, renderKubeconfig } from './kubeconfig.ts';

const yaml = `# Kubeconfig file for Istio CNI plugin.
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://[fd00::1]:443
  name: local
contexts:
- context:
    cluster: local
    user: istio-cni
  name: istio-cni-context
current-context: istio-cni-context
kind: Config
preferences: {}
users:
- name: istio-cni
  user:
    token: a.b-c
`;
const noFile = (path: string): string => {
  throw new Error(`no ${path}`);
};

describe('kubeconfig', () => {
  it('is read as Istio writes it', () => {
    const { server, ca, token } = parseKubeconfig(yaml, noFile);
    expect([server.href, ca, token]).to.deep.equal(['https://[fd00::1]/', 'CA', 'a.b-c']);
  });

  it('is read as we write it', () => {
    const access = parseKubeconfig(renderKubeconfig('https://10.0.0.1:6443', 'PEM', 't'), noFile);
    expect(access).to.deep.include({ ca: 'PEM', token: 't', insecure: false });
    expect(parseKubeconfig(renderKubeconfig('https://h', undefined, 't'), noFile).insecure).to.equal(true);
  });

  it('takes token and roots from files', () => {
    const text = yaml
      .replace('certificate-authority-data: Q0E=', 'certificate-authority: /ca')
      .replace('token: a.b-c', 'tokenFile: "/token"');
    const access = parseKubeconfig(text, (path) => `content of ${path}\n`);
    expect([access.ca, access.token]).to.deep.equal(['content of /ca\n', 'content of /token']);
  });

  const bad: readonly (readonly [string, string])[] = [
    ['', 'must be a mapping'],
    ['{', 'cannot be read'],
    [yaml.replace('current-context: istio-cni-context', 'current-context: other'), '"other" in contexts'],
    [yaml.replace('    token: a.b-c', '    other: x'), 'neither token nor tokenFile'],
    [yaml.replace('https://', 'ftp://'), 'no https URL'],
    [yaml.replace('a.b-c', '|'), 'line 19'],
  ];
  for (const [text, message] of bad)
    it(`is refused: ${message}`, () => {
      expect(() => parseKubeconfig(text, noFile)).to.throw(KubeconfigError, message);
    });
});

describe('block YAML', () => {
  const table: readonly (readonly [string, unknown])[] = [
    ['a: 1\nb:\n  c: x # why\n', { a: '1', b: { c: 'x' } }],
    ["- a\n- \"b: c\"\n-\n  d: 'it''s'\n", ['a', 'b: c', { d: "it's" }]],
    ['a:\n- b: 1\n  c: 2\n- b: 3\n', { a: [{ b: '1', c: '2' }, { b: '3' }] }],
    ['a:\n  - b\nc: null\nd: []\n', { a: ['b'], c: null, d: [] }],
    ['a:\nb: http://x:1/y\n', { a: null, b: 'http://x:1/y' }],
    ['"k: 1": v\n', { 'k: 1': 'v' }],
  ];
  for (const [text, expected] of table)
    it(`reads ${JSON.stringify(text)}`, () => {
      expect(parseBlockYaml(text)).to.deep.equal(expected);
    });

  for (const text of ['a: 1\nnonsense\n', 'a: {b: 1}\n', 'a: "x\n', "a: 'x\n", ' a: 1\nb: 2\n', 'a: &x 1\n'])
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => parseBlockYaml(text)).to.throw(BlockYamlError, /^line \d/);
    });

  it('gives a key named __proto__ no meaning', () => {
    const value = parseBlockYaml('__proto__:\n  token: x\n') as Record<string, unknown>;
    expect(Object.keys(value)).to.deep.equal(['__proto__']);
    expect(value['token']).to.equal(undefined);
  });
});
