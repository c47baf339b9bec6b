// An application that acts for no user, in the audit trail and in logs.

/** The issuer of applications. It has no users. */
const applicationIssuer = 'wealthnavigator-edge/applications'

export const applicationIdentity = (applicationId: string) => ({ issuer: applicationIssuer, subject: applicationId })
