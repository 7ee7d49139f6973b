// Public surface of @ambient/identity.
export {};
