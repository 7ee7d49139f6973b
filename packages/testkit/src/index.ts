// Public surface of @ambient/testkit.
export {};
