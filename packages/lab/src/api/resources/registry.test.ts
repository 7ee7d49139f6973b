import { expect } from 'chai';

import { builtInResources } from './builtin-resources.ts';
import { byStability, ResourceRegistry } from './registry.ts';

describe('ResourceRegistry', () => {
  it('finds resources by path and by kind', () => {
    const registry = new ResourceRegistry(builtInResources(() => undefined));
    expect(registry.find('apps', 'v1', 'deployments')?.resource.kind).to.equal('Deployment');
    expect(registry.findKind('v1', 'Pod')?.resource.plural).to.equal('pods');
    expect(registry.find('apps', 'v2', 'deployments')).to.equal(undefined);
    expect([...registry.groups().keys()][0]).to.equal('');
  });

  it('forgets what is removed, and says that something changed', () => {
    const registry = new ResourceRegistry(builtInResources(() => undefined));
    const before = registry.generation;
    registry.remove('apps', 'deployments');
    expect(registry.find('apps', 'v1', 'deployments')).to.equal(undefined);
    expect(registry.generation).to.not.equal(before);
  });

  it('orders versions by stability, then by number', () => {
    const versions = ['v1beta1', 'foo', 'v1', 'v10', 'v2', 'v1alpha1', 'v1beta2', 'bar'];
    expect(versions.sort(byStability)).to.deep.equal([
      'v10',
      'v2',
      'v1',
      'v1beta2',
      'v1beta1',
      'v1alpha1',
      'bar',
      'foo',
    ]);
  });
});
