import type { InfisicalError } from "effect-infisical"

/** The tag of an error, with what tells it from others of the same tag. */
export const meaningOf = (
  error: InfisicalError.WriteError | InfisicalError.AlreadyExistsError | InfisicalError.InvalidCredentialError
): string => {
  switch (error._tag) {
    case "AuthenticationError":
    case "NetworkError":
      return `${error._tag} ${error.reason}`
    case "InvalidRequestError":
      return `${error._tag} ${error.parameter}`
    case "AlreadyExistsError":
    case "NotFoundError":
      return `${error._tag} ${error.resource}`
    case "PermissionError":
      return `${error._tag} ${error.problem}`
    default:
      return error._tag
  }
}
