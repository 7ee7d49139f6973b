import { expect } from 'chai';

import { builtInApiVersion, builtInPath } from './built-in.ts';

describe('the path of a built-in kind', () => {
  it('leads to a collection or an object, in its namespace or none', () => {
    expect(builtInPath('Pod')).equal('/api/v1/pods');
    expect(builtInPath('Pod', 'shop', 'cart-1')).equal('/api/v1/namespaces/shop/pods/cart-1');
    expect(builtInPath('Node', undefined, 'one')).equal('/api/v1/nodes/one');
    expect(builtInPath('Deployment', 'shop')).equal('/apis/apps/v1/namespaces/shop/deployments');
  });

  it('ignores a namespace where the kind has none', () => {
    expect(builtInPath('Node', 'shop', 'one')).equal('/api/v1/nodes/one');
  });

  it('cannot be led astray by a name', () => {
    expect(builtInPath('Secret', 'a/../b', 'c?d')).equal('/api/v1/namespaces/a%2F..%2Fb/secrets/c%3Fd');
  });

  it('goes with the apiVersion that its objects say', () => {
    expect(builtInApiVersion('Pod')).equal('v1');
    expect(builtInApiVersion('Lease')).equal('coordination.k8s.io/v1');
  });
});
