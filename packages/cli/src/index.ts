// Public surface of @ambient/cli.
export {};
