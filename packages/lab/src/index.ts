// Public surface of @ambient/lab.
export {};
