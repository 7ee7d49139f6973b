// Public surface of @ambient/ztunnel.
export {};
