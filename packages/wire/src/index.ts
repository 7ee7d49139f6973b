// Public surface of @ambient/wire.
export {};
