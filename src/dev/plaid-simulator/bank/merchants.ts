// The merchants of the simulated town. All are invented, with sites under example.com. Some names break careless code.
import { pick, type Random } from './random.ts'
import type { Confidence } from './values.ts'

export type MerchantKind =
  | 'grocer'
  | 'coffee'
  | 'lunch'
  | 'dinner'
  | 'fuel'
  | 'transport'
  | 'shop'
  | 'health'
  | 'leisure'
  | 'utility'
  | 'subscription'
  | 'abroad'
  | 'odd'

export interface Merchant {
  readonly kind: MerchantKind
  readonly name: string
  /** The text on the bank statement. */
  readonly statement: string
  /** Detailed category of Plaid's taxonomy v2; null if Plaid would not know it. */
  readonly category: string | null
  readonly confidence: Confidence
  readonly channel: 'online' | 'in store'
  /** The lowest and the highest usual purchase, in the currency's smallest unit. */
  readonly low: number
  readonly high: number
  /** The currency that the merchant charges, with its number of decimals (ISO 4217); US dollars if absent. */
  readonly currency?: { readonly code: string; readonly decimals: number; readonly country: string }
}

type Row = readonly [name: string, statement: string, category: string | null, low: number, high: number]

const inTown: readonly (readonly [MerchantKind, readonly Row[]])[] = [
  [
    'grocer',
    [
      ['Corner Grocer', 'CORNER GROCER #0412', 'FOOD_AND_DRINK_GROCERIES', 1450, 9800],
      ['Green Basket Market', 'GREEN BASKET MKT 77', 'FOOD_AND_DRINK_GROCERIES', 2200, 12_400],
      ['Big Barn Warehouse', 'BIG BARN WHSE 0031', 'GENERAL_MERCHANDISE_SUPERSTORES', 4100, 16_800],
    ],
  ],
  [
    'coffee',
    [
      ['Morning Kettle', 'SQ *MORNING KETTLE', 'FOOD_AND_DRINK_COFFEE', 325, 980],
      ["Zoë's Café ☕", "ZOE'S CAFE", 'FOOD_AND_DRINK_COFFEE', 410, 1240],
    ],
  ],
  [
    'lunch',
    [
      ['Noodle Bowl', 'NOODLE BOWL 12', 'FOOD_AND_DRINK_FAST_FOOD', 890, 1720],
      ['Burrito Wagon', 'TST* BURRITO WAGON', 'FOOD_AND_DRINK_FAST_FOOD', 780, 1590],
    ],
  ],
  [
    'dinner',
    [
      ['The Copper Pot', 'TST* THE COPPER POT', 'FOOD_AND_DRINK_RESTAURANT', 2400, 8900],
      ['Harbor Pizza House', 'HARBOR PIZZA HOUSE', 'FOOD_AND_DRINK_RESTAURANT', 1850, 5200],
      ['Hop & Barrel Taproom', 'HOP AND BARREL', 'FOOD_AND_DRINK_BEER_WINE_AND_LIQUOR', 1200, 4800],
    ],
  ],
  ['fuel', [['Roadside Fuel', 'ROADSIDE FUEL 5521', 'TRANSPORTATION_GAS', 2800, 6200]]],
  [
    'transport',
    [
      ['Metro Transit', 'METRO TRANSIT FARE', 'TRANSPORTATION_PUBLIC_TRANSIT', 275, 2500],
      ['City Parking', 'CITY PARKING METER', 'TRANSPORTATION_PARKING', 200, 1800],
      ['Hop In Rides', 'HOP IN RIDES *TRIP', 'TRANSPORTATION_TAXIS_AND_RIDE_SHARES', 840, 3900],
    ],
  ],
  [
    'shop',
    [
      ['Everything Bazaar', 'EVERYTHING BAZAAR*ORDER', 'GENERAL_MERCHANDISE_ONLINE_MARKETPLACES', 900, 14_000],
      ['Thread & Button', 'THREAD AND BUTTON', 'GENERAL_MERCHANDISE_CLOTHING_AND_ACCESSORIES', 1900, 12_000],
      ['Hammer Home Supply', 'HAMMER HOME SUPPLY 08', 'HOME_IMPROVEMENT_HARDWARE', 600, 18_500],
      ['Circuit Corner', 'CIRCUIT CORNER', 'GENERAL_MERCHANDISE_ELECTRONICS', 1500, 39_900],
    ],
  ],
  [
    'health',
    [
      ['Main Street Pharmacy', 'MAIN ST PHARMACY', 'MEDICAL_PHARMACIES_AND_SUPPLEMENTS', 600, 6400],
      ['Bright Smile Dental', 'BRIGHT SMILE DENTAL', 'MEDICAL_DENTAL_CARE', 4000, 22_000],
      ['Scissors & Co', 'SCISSORS AND CO', 'PERSONAL_CARE_HAIR_AND_BEAUTY', 2800, 7500],
    ],
  ],
  [
    'leisure',
    [
      ['Starlight Cinema', 'STARLIGHT CINEMA', 'ENTERTAINMENT_TV_AND_MOVIES', 1100, 4600],
      ['Paper Lantern Books', 'PAPER LANTERN BOOKS', 'GENERAL_MERCHANDISE_BOOKSTORES_AND_NEWSSTANDS', 900, 5200],
      ['Wayfarer Inns', 'WAYFARER INNS 221', 'TRAVEL_LODGING', 9900, 32_000],
    ],
  ],
  [
    'utility',
    [
      [
        'Valley Power & Light',
        'VALLEY POWER AND LIGHT WEB PAY',
        'RENT_AND_UTILITIES_GAS_AND_ELECTRICITY',
        6800,
        14_000,
      ],
      ['Clearwater Utility', 'CLEARWATER UTILITY', 'RENT_AND_UTILITIES_WATER', 2600, 4800],
      ['Fiberlane Internet', 'FIBERLANE INTERNET', 'RENT_AND_UTILITIES_INTERNET_AND_CABLE', 5500, 7900],
      ['Pocket Mobile', 'POCKET MOBILE AUTOPAY', 'RENT_AND_UTILITIES_TELEPHONE', 3500, 6500],
    ],
  ],
  [
    'subscription',
    [
      ['Streamly', 'STREAMLY.EXAMPLE.COM', 'ENTERTAINMENT_TV_AND_MOVIES', 1099, 1799],
      ['Tunebox', 'TUNEBOX SUBSCRIPTION', 'ENTERTAINMENT_MUSIC_AND_AUDIO', 999, 1199],
      ['Iron Room Gym', 'IRON ROOM GYM MONTHLY', 'PERSONAL_CARE_GYMS_AND_FITNESS_CENTERS', 2999, 4499],
      ['Cloud Attic Storage', 'CLOUD ATTIC', 'GENERAL_SERVICES_OTHER_GENERAL_SERVICES', 299, 999],
      ['Safe Harbor Insurance', 'SAFE HARBOR INS PREM', 'GENERAL_SERVICES_INSURANCE', 8900, 13_900],
    ],
  ],
  [
    'odd',
    [
      [`"Quoted" Goods; it's`, `"QUOTED" GOODS; IT'S`, 'GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE', 700, 3200],
      [`'); DELETE FROM till; --`, `'); DELETE FROM TILL; --`, 'GENERAL_MERCHANDISE_GIFTS_AND_NOVELTIES', 500, 2600],
      ['مقهى الواحة', 'مقهى الواحة', 'FOOD_AND_DRINK_COFFEE', 350, 1500],
      ['麺屋 🍜', 'MENYA 麺屋 🍜', 'FOOD_AND_DRINK_RESTAURANT', 1100, 3400],
      ['<b>Bold</b> & 100%_Wild\\Card', '<B>BOLD</B> & 100%_WILD\\CARD', null, 900, 4100],
      ['👩‍👩‍👧 Family Fun', 'FAMILY FUN 👩‍👩‍👧', 'ENTERTAINMENT_OTHER_ENTERTAINMENT', 1500, 6000],
    ],
  ],
]

// What users without rare values get in place of the odd and the foreign merchants: as many of each kind, in the same
// order.
const plain: readonly (readonly [MerchantKind, readonly Row[]])[] = [
  [
    'coffee',
    [
      ['Morning Kettle', 'SQ *MORNING KETTLE', 'FOOD_AND_DRINK_COFFEE', 325, 980],
      ["Zoe's Cafe", "ZOE'S CAFE", 'FOOD_AND_DRINK_COFFEE', 410, 1240],
    ],
  ],
  [
    'odd',
    [
      ['Maple Gifts', 'MAPLE GIFTS', 'GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE', 700, 3200],
      ['Second Story Novelties', 'SECOND STORY NOVELTIES', 'GENERAL_MERCHANDISE_GIFTS_AND_NOVELTIES', 500, 2600],
      ['Oasis Coffee', 'OASIS COFFEE', 'FOOD_AND_DRINK_COFFEE', 350, 1500],
      ['Ramen Counter', 'RAMEN COUNTER', 'FOOD_AND_DRINK_RESTAURANT', 1100, 3400],
      ['Corner Hardware', 'CORNER HARDWARE', 'HOME_IMPROVEMENT_HARDWARE', 900, 4100],
      ['Family Fun Park', 'FAMILY FUN PARK', 'ENTERTAINMENT_OTHER_ENTERTAINMENT', 1500, 6000],
    ],
  ],
  [
    'abroad',
    [
      ['Airport Bookshop', 'AIRPORT BOOKSHOP', 'GENERAL_MERCHANDISE_BOOKSTORES_AND_NEWSSTANDS', 800, 6000],
      ['Terminal Grill', 'TERMINAL GRILL', 'FOOD_AND_DRINK_RESTAURANT', 980, 6400],
      ['Spice Bazaar', 'SPICE BAZAAR', 'FOOD_AND_DRINK_GROCERIES', 1250, 8750],
      ['Tea Rooms', 'TEA ROOMS', 'FOOD_AND_DRINK_COFFEE', 450, 2600],
    ],
  ],
]

const online = new Set<MerchantKind>(['utility', 'subscription'])
const onlineShops = new Set(['Everything Bazaar', 'Hop In Rides'])

// The currencies have two, no and three decimals on purpose.
const abroad: readonly Merchant[] = [
  foreign('Librairie du Quai', 'GENERAL_MERCHANDISE_BOOKSTORES_AND_NEWSSTANDS', 'EUR', 2, 'FR', 800, 6000),
  foreign('Kissaten Aoi', 'FOOD_AND_DRINK_RESTAURANT', 'JPY', 0, 'JP', 980, 6400),
  foreign('Souk Al Bahar Spices', 'FOOD_AND_DRINK_GROCERIES', 'KWD', 3, 'KW', 1250, 18_750),
  foreign('Tea & Scone Rooms', 'FOOD_AND_DRINK_COFFEE', 'GBP', 2, 'GB', 450, 2600),
]

const catalogue: readonly Merchant[] = [...inTown.flatMap(([kind, rows]) => listed(kind, rows)), ...abroad]
const standIns: readonly Merchant[] = plain.flatMap(([kind, rows]) => listed(kind, rows))

/**
 * Every merchant of a kind, in a fixed order. Odd and foreign merchants are included only with `rare`; otherwise plain
 * ones take their places.
 */
export function merchantsOf(kind: MerchantKind, rare = false): readonly Merchant[] {
  const ownStandIns = rare ? [] : standIns.filter((merchant) => merchant.kind === kind)
  return ownStandIns.length > 0 ? ownStandIns : catalogue.filter((merchant) => merchant.kind === kind)
}

/** A random merchant of a kind. */
export function randomMerchant(random: Random, kind: MerchantKind, rare: boolean): Merchant {
  return pick(random, merchantsOf(kind, rare))
}

/** The merchant's site, always under example.com. Without a scheme, as Plaid writes it. */
export function websiteOf({ name }: Merchant): string {
  const label = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  return `${label || 'shop'}.example.com`
}

function listed(kind: MerchantKind, rows: readonly Row[]): Merchant[] {
  return rows.map(([name, statement, category, low, high]) => ({
    kind,
    name,
    statement,
    category,
    confidence: kind === 'odd' ? 'LOW' : 'VERY_HIGH',
    channel: online.has(kind) || onlineShops.has(name) ? 'online' : 'in store',
    low,
    high,
  }))
}

function foreign(
  name: string,
  category: string,
  code: string,
  decimals: number,
  country: string,
  low: number,
  high: number,
): Merchant {
  const statement = name.toUpperCase()
  const currency = { code, decimals, country }
  return { kind: 'abroad', name, statement, category, confidence: 'HIGH', channel: 'in store', low, high, currency }
}
