/** The model that comes with the page: a tiny base that speaks of one harbour, with trained heads. */
export const SHIPPED_ID = 'tiny';
