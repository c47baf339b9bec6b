// The institutions that the simulator knows, and what each of them supports.

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

/** Plaid's own sandbox institutions, and a brokerage. */
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
  institution('ins_109512', 'Houndstooth Bank', everything, ['011000138', '011200365'], true),
  institution('ins_115616', 'Quagga Brokerage', ['balance', 'identity', 'investments'], []),
]

export function institutionById(id: string): Institution | null {
  return institutions.find((institution_) => institution_.id === id) ?? null
}

function institution(
  id: string,
  name: string,
  products: readonly Product[],
  routingNumbers: readonly string[],
  oauth = false,
): Institution {
  return { id, name, products, url: `https://${id.replace('_', '-')}.example.com`, routingNumbers, oauth }
}
