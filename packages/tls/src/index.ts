// Public surface of @ambient/tls.
export {};
