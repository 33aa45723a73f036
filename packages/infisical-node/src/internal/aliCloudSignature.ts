/** The signature of Alibaba Cloud's RPC APIs, version 1.0: HMAC-SHA1. */
import { createHmac } from "node:crypto"

/**
 * The signature of a GET with these parameters: RPC style, version 1.0.
 *
 * https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism
 */
export const signatureOf = (parameters: Readonly<Record<string, string>>, accessKeySecret: string): string => {
  const query = Object.keys(parameters).toSorted()
    .map((name) => `${percentEncoded(name)}=${percentEncoded(parameters[name] ?? "")}`)
    .join("&")
  return createHmac("sha1", `${accessKeySecret}&`).update(`GET&%2F&${percentEncoded(query)}`).digest("base64")
}

/** Encodes as RFC 3986 does: all but letters, digits, `-`, `_`, `.` and `~`. */
const percentEncoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
