import * as k8s from '@kubernetes/client-node';
import { expect } from 'chai';

import { LabApi } from './lab-api.ts';

describe('an informer of @kubernetes/client-node', () => {
  let api: LabApi;
  let core: k8s.CoreV1Api;
  let informer: k8s.Informer<k8s.V1ConfigMap> & k8s.ObjectCache<k8s.V1ConfigMap>;

  const make = (name: string): Promise<unknown> =>
    core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name } } });

  beforeEach(async () => {
    api = await LabApi.start({ host: '127.0.0.1', port: 0, watchHistory: 2 });
    const config = new k8s.KubeConfig();
    config.loadFromString(api.kubeconfig);
    core = config.makeApiClient(k8s.CoreV1Api);
    informer = k8s.makeInformer(config, '/api/v1/namespaces/default/configmaps', () =>
      core.listNamespacedConfigMap({ namespace: 'default' }),
    );
  });
  afterEach(async () => {
    await informer.stop();
    await api.stop();
  });

  const event = (verb: 'add' | 'update' | 'delete', name: string): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    informer.on(verb, (object: k8s.V1ConfigMap) => {
      if (object.metadata?.name === name) resolve();
    });
    return promise;
  };

  it('is told of what is there, comes, changes and goes', async () => {
    await make('early');
    const early = event('add', 'early');
    await informer.start();
    await early;
    const added = event('add', 'late');
    await make('late');
    await added;
    const gone = event('delete', 'early');
    await core.deleteNamespacedConfigMap({ name: 'early', namespace: 'default' });
    await gone;
    expect(informer.list().map((object) => object.metadata?.name)).to.deep.equal(['late']);
  });

  it('lists again after it slept through more changes than are kept', async () => {
    await informer.start();
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    informer.on('error', () => resolve());
    await informer.stop();
    resolve();
    await ended;
    for (let i = 0; i < 10; i++) await make(`m${i}`);
    const caught = event('add', 'm9');
    await informer.start();
    await caught;
    expect(informer.list()).to.have.length(10);
  });
});
