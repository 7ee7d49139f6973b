// Public surface of @ambient/hbone.
export {};
