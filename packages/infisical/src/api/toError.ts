/**
 * The error of ours for each failure of a request. The errors of the platform print the request with its token, and a
 * `ParseError` prints its input, so neither becomes part of ours.
 */
import type * as HttpApiError from "@effect/platform/HttpApiError"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import {
  type AnswerError,
  InvalidRequestError,
  NetworkError,
  UnexpectedResponseError
} from "../model/InfisicalError.js"
import { leavesOf } from "../support/parseIssue.js"
import { classify, isWrite, type RequestInfo, tooLarge } from "./classify.js"
import type { TransportFailure } from "./transport.js"

export type CallFailure =
  | TransportFailure
  | ParseResult.ParseError
  | HttpApiError.HttpApiDecodeError

/** A request without an answer. */
export const unanswered = (info: RequestInfo) => ({ endpoint: info.endpoint, mayHaveBeenApplied: isWrite(info) })

export const toError = (error: CallFailure, info: RequestInfo): AnswerError => {
  const unexpected = (status: number, problem: string) =>
    new UnexpectedResponseError({ endpoint: info.endpoint, status, problem })
  switch (error._tag) {
    case "Refused":
      return classify(error, info)
    case "TooLarge":
      return new InvalidRequestError({ parameter: tooLarge[0], problem: tooLarge[1] })
    case "Unexpected":
      return unexpected(error.status, error.problem)
    case "RequestError":
      return new NetworkError({
        reason: "Transport",
        endpoint: info.endpoint,
        ...transportCode(error.cause),
        mayHaveBeenApplied: isWrite(info) && !wasNeverSent(error)
      })
    case "ResponseError":
      return error.reason === "StatusCode"
        ? unexpected(error.response.status, "Infisical does not answer this request with that status")
        : new NetworkError({ reason: "Transport", ...transportCode(error.cause), ...unanswered(info) })
    case "HttpApiDecodeError":
      return unexpected(400, "the body is an error of another API")
    case "ParseError":
      return unexpected(200, problemOf(error))
  }
}

/** What is wrong with the body: up to three places, and nothing of what is there. */
const problemOf = (error: ParseResult.ParseError): string => {
  const places: Array<string> = []
  for (const { issue, path } of leavesOf(error.issue)) {
    if (issue._tag === "Type" && issue.message === noJson) return "the body is not JSON"
    places.push(`, at ${path.length === 0 ? "its top" : path.map(String).join(".")} (${issue._tag})`)
    if (places.length === 3) break
  }
  return `the body has another shape${places.join("")}`
}

/** The platform's message for what `JSON.parse` refuses. */
const noJson = "Could not parse JSON"

const codesOf = (cause: unknown, depth = 0): ReadonlyArray<string> =>
  depth > 4 || !Predicate.isObject(cause)
    ? []
    : [
      ..."code" in cause && typeof cause.code === "string" && /^[A-Z][A-Z0-9_]{1,40}$/.test(cause.code)
        ? [cause.code]
        : [],
      ..."cause" in cause ? codesOf(cause.cause, depth + 1) : []
    ]

const transportCode = (cause: unknown): { readonly code?: string } => {
  const code = codesOf(cause)[0]
  return code === undefined ? {} : { code }
}

/** Codes of failures to connect: by then nothing of the request was sent. */
const connectCodes = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT"
])

const wasNeverSent = (error: HttpClientError.RequestError): boolean =>
  error.reason !== "Transport" || codesOf(error.cause).some((code) => connectCodes.has(code))
