// Public surface of @ambient/control-plane.
export {};
