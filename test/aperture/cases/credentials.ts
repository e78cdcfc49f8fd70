/** What is taken as paid. */
import {
  type Case,
  get,
  post,
  h2,
  hex,
  l402,
  withCaveat,
  inOne,
  tampered,
  other,
  day,
  show,
  authorize,
  base64,
} from './request.ts'

export const CREDENTIALS: readonly Case[] = [
  { id: 'cred.l402', request: authorize(({ paid }) => l402(paid)) },
  { id: 'cred.lsat', request: authorize(({ paid }) => l402(paid, 'LSAT')) },
  { id: 'cred.lower-case', request: authorize(({ paid }) => l402(paid, 'l402')) },
  {
    id: 'cred.upper-hex',
    request: authorize(({ paid }) => l402({ ...paid, preimage: paid.preimage.toUpperCase() })),
  },
  {
    id: 'cred.md-macaroon',
    request: show(({ paid }) => [['Grpc-Metadata-Macaroon', inOne(paid)]]),
  },
  { id: 'cred.macaroon', request: show(({ paid }) => [['Macaroon', inOne(paid)]]) },
  {
    id: 'cred.macaroon-no-preimage',
    request: show(({ paid }) => [['Macaroon', hex(paid.macaroon)]]),
  },
  {
    id: 'cred.wrong-preimage',
    request: authorize(({ paid }) => l402({ ...paid, preimage: other(paid.preimage) })),
  },
  {
    id: 'cred.zero-preimage',
    request: authorize(({ paid }) => l402({ ...paid, preimage: '0'.repeat(64) })),
  },
  { id: 'cred.other-service', request: authorize(({ second }) => l402(second)) },
  {
    id: 'cred.caveat-past',
    request: authorize(({ paid }) => l402(withCaveat(paid, 'paid_valid_until', day(-1)))),
  },
  {
    id: 'cred.caveat-shorter',
    request: authorize(({ paid }) => l402(withCaveat(paid, 'paid_valid_until', day(1)))),
  },
  {
    id: 'cred.caveat-longer',
    request: authorize(({ paid }) => l402(withCaveat(paid, 'paid_valid_until', day(999)))),
  },
  {
    id: 'cred.caveat-not-a-number',
    request: authorize(({ paid }) => l402(withCaveat(paid, 'paid_valid_until', 'soon'))),
  },
  {
    id: 'cred.caveat-svc-other',
    request: authorize(({ paid }) => l402(withCaveat(paid, 'services', 'second:0'))),
  },
  {
    id: 'cred.caveat-svc-same',
    request: authorize(({ paid }) => l402(withCaveat(paid, 'services', 'paid:0'))),
  },
  {
    id: 'cred.caveat-svc-empty',
    request: authorize(({ paid }) => l402(withCaveat(paid, 'services', ''))),
  },
  {
    id: 'cred.caveat-unknown',
    request: authorize(({ paid }) => l402(withCaveat(paid, 'colour', 'blue'))),
  },
  { id: 'cred.tampered', request: authorize(({ paid }) => l402(tampered(paid))) },
  { id: 'cred.not-base64', request: authorize(({ paid }) => `L402 %%%:${paid.preimage}`) },
  { id: 'cred.not-a-macaroon', request: authorize(({ paid }) => `L402 AAAA:${paid.preimage}`) },
  { id: 'cred.no-preimage', request: authorize(({ paid }) => `L402 ${base64(paid.macaroon)}`) },
  {
    id: 'cred.short-preimage',
    request: authorize(({ paid }) => `L402 ${base64(paid.macaroon)}:abcd`),
  },
  { id: 'cred.basic', request: authorize(() => 'Basic dXNlcjpwYXNz') },
  {
    id: 'cred.basic-before',
    request: show(({ paid }) => [
      ['Authorization', 'Basic dXNlcjpwYXNz'],
      ['Authorization', l402(paid)],
    ]),
  },
  {
    id: 'cred.basic-after',
    request: show(({ paid }) => [
      ['Authorization', l402(paid)],
      ['Authorization', 'Basic dXNlcjpwYXNz'],
    ]),
  },
  {
    id: 'cred.two-services',
    request: authorize(
      ({ paid, second }) =>
        `L402 ${base64(second.macaroon)},${base64(paid.macaroon)}:${paid.preimage}`,
    ),
  },
  {
    id: 'cred.second',
    request: ({ second }) => get('/second/x', [['Authorization', l402(second)]]),
  },
  { id: 'cred.on-open', request: ({ paid }) => get('/open/x', [['Authorization', l402(paid)]]) },
  {
    id: 'cred.post',
    request: ({ paid }) => post('/paid/x', 'paid body', [['Authorization', l402(paid)]]),
  },
  { id: 'cred.h2', request: ({ paid }) => h2('/paid/x', [['authorization', l402(paid)]]) },
  { id: 'cred.freebie', request: ({ paid }) => get('/free2/x', [['Authorization', l402(paid)]]) },
]
