// Invented addresses and an invented owner.
import type { PostalAddress } from './model-liabilities.ts'
import type { Owner } from './model.ts'

/** The house of the mortgage. */
export const lakeHouse: PostalAddress = {
  city: 'Willow Falls',
  country: 'US',
  postal_code: '44000',
  region: 'OH',
  street: '8 Example Lane',
}

/** The servicer of the student loan. */
export const servicer: PostalAddress = {
  city: 'Sample City',
  country: 'US',
  postal_code: '60600',
  region: 'IL',
  street: '100 Placeholder Plaza',
}

/** The customer behind every generated login. */
export function sampleOwner(): Owner {
  return {
    names: ['Sample Account Holder'],
    phone_numbers: [
      // 555-0100 to 555-0199 are reserved for fiction.
      { data: '2025550142', primary: true, type: 'mobile' },
      { data: '2025550177', primary: false, type: 'home' },
    ],
    emails: [
      { data: 'holder@example.com', primary: true, type: 'primary' },
      { data: 'holder.work@example.org', primary: false, type: 'secondary' },
    ],
    addresses: [
      {
        data: {
          city: 'Willow Falls',
          region: 'OH',
          street: '21 Sample Street, Apt 4',
          postal_code: '44000',
          country: 'US',
        },
        primary: true,
      },
    ],
  }
}
