// Public surface of @ambient/cni.
export {};
