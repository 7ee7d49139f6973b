// Public surface of @ambient/xds.
export {};
