// The institutions that the simulator has, and what each one supports.

export const productNames = [
  'transactions',
  'investments',
  'liabilities',
  'auth',
  'identity',
  'balance',
  'assets',
] as const
export type Product = (typeof productNames)[number]

export interface Institution {
  id: string
  name: string
  products: readonly Product[]
  url: string
  routingNumbers: readonly string[]
  oauth: boolean
  /** Whether linking a second item ends the access of the login's first item. */
  secondItemEndsFirst: boolean
}

const everything: readonly Product[] = [
  'assets',
  'auth',
  'balance',
  'identity',
  'investments',
  'liabilities',
  'transactions',
]

const banking: readonly Product[] = ['assets', 'auth', 'balance', 'identity', 'liabilities', 'transactions']

/**
 * Plaid's sandbox institutions, a brokerage, and institutions that handle a second item in a special way. Ids are
 * Plaid's.
 */
export const institutions: readonly Institution[] = [
  institution('ins_109508', 'First Platypus Bank', everything, ['011401533']),
  institution(
    'ins_109509',
    'First Gingham Credit Union',
    ['auth', 'balance', 'identity', 'transactions'],
    ['011401534'],
  ),
  institution(
    'ins_109510',
    'Tattersall Federal Credit Union',
    ['auth', 'balance', 'identity', 'liabilities', 'transactions'],
    ['011401535'],
  ),
  institution('ins_109511', 'Tartan Bank', everything, ['011401536']),
  institution('ins_109512', 'Houndstooth Bank', everything, ['011000138', '011200365'], { oauth: true }),
  institution('ins_127287', 'Platypus OAuth Bank', banking, ['011401537'], { oauth: true }),
  institution('ins_115616', 'Quagga Brokerage', ['balance', 'identity', 'investments'], []),
  institution('ins_56', 'Chase', everything, ['011401538'], { oauth: true, secondItemEndsFirst: true }),
  institution('ins_13', 'PNC', banking, ['011401539'], { oauth: true, secondItemEndsFirst: true }),
  institution('ins_15', 'Navy Federal Credit Union', banking, ['011401540'], {
    oauth: true,
    secondItemEndsFirst: true,
  }),
  institution('ins_11', 'Charles Schwab', everything, ['011401541'], { oauth: true, secondItemEndsFirst: true }),
  institution('ins_127990', 'US Bank', banking, ['011401542'], { oauth: true }),
]

export function institutionById(id: string): Institution | null {
  return institutions.find((institution_) => institution_.id === id) ?? null
}

function institution(
  id: string,
  name: string,
  products: readonly Product[],
  routingNumbers: readonly string[],
  { oauth = false, secondItemEndsFirst = false }: Partial<Pick<Institution, 'oauth' | 'secondItemEndsFirst'>> = {},
): Institution {
  const url = `https://${id.replace('_', '-')}.example.com`
  return { id, name, products, url, routingNumbers, oauth, secondItemEndsFirst }
}
