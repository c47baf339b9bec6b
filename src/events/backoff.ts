// When a failed delivery is attempted again, and when an endpoint gets its next attempt.

const day = 86_400
const firstSeconds = 5
/** 5 s, 20 s, 80 s, … up to a day: ten attempts within the three days of a delivery. */
const factor = 4
const longestPauseSeconds = 3600

const jittered = (seconds: number, random: number): number => Math.ceil(seconds * (0.75 + random / 2))

/** Seconds after the given attempt (1, 2, …) of a delivery until the next one. */
export const retrySeconds = (attempt: number, random: number): number =>
  Math.min(day, jittered(Math.min(day, firstSeconds * factor ** Math.min(attempt - 1, 20)), random))

/** Seconds that an endpoint rests after so many consecutive failures: 5 s, 10 s, … up to an hour. */
export const pauseSeconds = (failures: number, random: number): number =>
  Math.min(longestPauseSeconds, jittered(firstSeconds * 2 ** Math.min(failures - 1, 20), random))

/** An endpoint is disabled after failing for so long, with so many attempts, without a success in between. */
export const failingDays = 3
export const failingAttempts = 10
