/**
 * What each failure that was recorded from another server of July 2024 means, judged by its request and its answer. `none`: no
 * call of ours makes such a request. A write that waits for an approval counts as a failure: nothing was written.
 */
export const meanings: Readonly<Record<string, string>> = {
  "auth/n-jwt-auth-login": "InvalidRequestError credential",
  "auth/n-login-secret-of-another": "AuthenticationError Refused",
  "auth/n-oidc-auth-unknown-identity": "AuthenticationError Refused",
  "auth/n-revoke-again": "AuthenticationError Refused",
  "auth/n-revoke-garbage": "AuthenticationError Refused",
  "auth/n-use-revoked-on-e2ee": "AuthenticationError Refused",

  "batch/n-delete-all": "NotFoundError secret",
  "batch/n-delete-default-path": "NotFoundError secret",
  "batch/n-delete-readonly": "PermissionError scope",
  "batch/n-out-of-scope-env": "PermissionError scope",
  "batch/n-patch-same-name-twice": "InvalidRequestError secrets",
  "batch/n-unknown-folder": "NotFoundError folder",

  "folders/n-create-out-of-scope": "PermissionError scope",
  "folders/n-create-viewer-v2": "PermissionError scope",
  "folders/n-delete-by-name": "NotFoundError folder",
  "folders/n-delete-by-unknown-name": "NotFoundError folder",
  "folders/n-delete-readonly": "PermissionError scope",
  "folders/n-get-secret-by-old-path": "NotFoundError folder",
  "folders/n-rename-readonly": "PermissionError scope",
  "folders/n-rename-wrong-path": "NotFoundError folder",

  "get/foo-exact-on-root": "PermissionError scope",
  "get/imports-flag-missing-in-importer": "NotFoundError secret",
  "get/path-no-leading-slash": "PermissionError scope",

  "imports/m-create-unknown-env-by-identity": "NotFoundError environment",
  "imports/m-delete-non-uuid": "InvalidRequestError id",
  "imports/n-create-missing-import": "InvalidRequestError import",
  "imports/n-create-out-of-scope-source": "PermissionError scope",
  "imports/n-create-viewer-v2": "PermissionError scope",
  "imports/n-delete-2-again": "NotFoundError import",
  "imports/n-delete-unknown-id": "NotFoundError import",
  "imports/n-delete-wrong-path": "NotFoundError import",

  "list/env-uppercase": "PermissionError scope",
  "list/recursive-TRUE": "InvalidRequestError recursive",
  "list/repeated-query-key": "InvalidRequestError environment",

  "raw/m-post-unknown-tag": "InvalidRequestError tagIds",
  "raw/n-batch-unknown-slug": "NotFoundError project",
  "raw/n-cleanup-NR9": "NotFoundError secret",
  "raw/n-cleanup-NRB7": "NotFoundError secret",
  "raw/n-list-expand-bad-flag": "InvalidRequestError expandSecretReferences",
  "raw/n-patch-v1-project": "InvalidRequestError project",
  "raw/n-post-number-value": "InvalidRequestError secretValue",

  "status/unknown-v4-get": "InvalidRequestError siteUrl",

  "write/n-delete-array-body": "InvalidRequestError request",
  "write/n-delete-foo-exact-out-of-scope": "PermissionError scope",
  "write/n-delete-no-auth": "AuthenticationError Refused",
  "write/n-delete-type-bogus": "InvalidRequestError type",
  "write/n-delete-unknown-env": "PermissionError scope",
  "write/n-delete-unknown-folder": "NotFoundError folder",
  "write/n-delete-wrong-path": "NotFoundError secret",
  "write/n-patch-padded-name": "NotFoundError secret",
  "write/n-patch-unknown-tag": "InvalidRequestError tagIds",
  "write/n-post-null-comment": "InvalidRequestError secretCommentCiphertext"
}
