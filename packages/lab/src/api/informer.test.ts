import * as k8s from '@kubernetes/client-node';
import { expect } from 'chai';

import { LabApi } from './lab-api.ts';

describe('an informer of @kubernetes/client-node', () => {
  let api: LabApi;
  let core: k8s.CoreV1Api;
  let lists: number;
  let listed: () => Promise<k8s.V1ConfigMapList>;
  let informer: k8s.Informer<k8s.V1ConfigMap> & k8s.ObjectCache<k8s.V1ConfigMap>;

  const make = (name: string): Promise<unknown> =>
    core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name } } });

  beforeEach(async () => {
    api = await LabApi.start({ host: '127.0.0.1', port: 0, watchHistory: 2 });
    const config = new k8s.KubeConfig();
    config.loadFromString(api.kubeconfig);
    core = config.makeApiClient(k8s.CoreV1Api);
    lists = 0;
    listed = () => core.listNamespacedConfigMap({ namespace: 'default' });
    informer = k8s.makeInformer(config, '/api/v1/namespaces/default/configmaps', () => {
      lists++;
      return listed();
    });
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

  it('lists again when its watch would begin before the changes that are kept', async () => {
    listed = async () => {
      const list = await core.listNamespacedConfigMap({ namespace: 'default' });
      // Between this list and the watch that follows it.
      if (lists === 1) for (let i = 0; i < 10; i++) await make(`m${i}`);
      return list;
    };
    const caught = event('add', 'm9');
    await informer.start();
    await caught;
    expect(lists).to.equal(2);
    expect(informer.list()).to.have.length(10);
  });
});
