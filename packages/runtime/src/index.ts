// Public surface of @ambient/runtime.
export {};
