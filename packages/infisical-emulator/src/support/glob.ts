/** Paths of scopes: `*` is one folder or a part of its name, `**` any number of folders. */

/** Whether a path is within a glob. As on the server, a wildcard matches no name that begins with a dot. */
export const matches = (glob: string, path: string): boolean => path.startsWith("/") && expression(glob).test(path)

const expression = (glob: string): RegExp => {
  const body = glob.split("/").map((segment, index) => {
    const slash = index === 0 ? "" : "/"
    return segment === "**" ? `(?:${slash}(?!\\.)[^/]*)*` : `${slash}${part(segment)}`
  })
  return new RegExp(`^${body.join("")}$`)
}

const part = (segment: string): string =>
  `${/^[*?]/.test(segment) ? "(?!\\.)" : ""}${
    segment.replace(/[\\^$.|+()[\]{}]/g, "\\$&").replace(/\*+/g, "[^/]*").replace(/\?/g, "[^/]")
  }`
