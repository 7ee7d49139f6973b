const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** The number that a resource.Quantity stands for (`100m`, `64Mi`, `1e3`); undefined for text that is none. */
export function parseQuantity(quantity: string | number): number | undefined {
  const match = /^([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)(?:([eE][+-]?\d+)|([numkMGTP]|[KMGTP]i))?$/.exec(
    String(quantity),
  );
  if (match === null) return undefined;
  const [, number = '', exponent = '', suffix = ''] = match;
  const factor = factors[suffix];
  return factor === undefined ? undefined : Number(number + exponent) * factor;
}

/** As containers see it: divided, and rounded up to a whole number. */
export function dividedQuantity(quantity: string | number, divisor: string | number | undefined): string {
  const value = parseQuantity(quantity) ?? 0;
  // The API server fills in 0 for a divisor that is absent.
  const by = parseQuantity(divisor ?? 1) || 1;
  // 100m / 1m is 100 and not 100.00000000000001.
  return String(Math.ceil(Number((value / by).toPrecision(12))));
}
