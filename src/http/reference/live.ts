import { type OperationTexts, sample } from './text.ts'

export const liveTexts: OperationTexts = {
  createLiveTicket: {
    description:
      'Returns a ticket for one WebSocket at `GET /live`, within 30 seconds and from the same origin. A ' +
      'browser cannot send an access token with a WebSocket. A read-only token is enough.',
    responses: { 200: 'The ticket.' },
    example: { response: { ticket: 'eyJpZCI6IuKApiJ9.c2lnbmF0dXJl', expires_at: sample.time } },
  },
  openLive: {
    description:
      'Opens a WebSocket. After a change it sends `{"seq": 42, "items": ["…"]}`: the number of the newest ' +
      'change of the user, and the items whose rows changed, none if any may have. Messages contain no data ' +
      'and can be lost: read what you show, or `GET /changes`, after each message and after each connect. ' +
      'Send `ping` to get `pong`; any other message closes the socket (1008). It is closed with the access ' +
      'token of its ticket and after an hour at the latest (4001), after a sign-out (4002), at an erasure ' +
      '(4003), and when ten newer sockets of the user are open (4004).',
    responses: { 101: 'The WebSocket is open.' },
  },
}
