/** Leaves out what is undefined, as exact optional properties want it. */
export const defined = <A extends Record<string, unknown>>(
  fields: A
): { readonly [K in keyof A]?: Exclude<A[K], undefined> } => {
  const result: { [K in keyof A]?: Exclude<A[K], undefined> } = {}
  for (const key in fields) {
    const value = fields[key]
    if (isDefined(value)) result[key] = value
  }
  return result
}

const isDefined = <A>(value: A): value is Exclude<A, undefined> => value !== undefined
