// Public surface of @ambient/linux.
export {};
