// Public surface of @ambient/http.
export {};
