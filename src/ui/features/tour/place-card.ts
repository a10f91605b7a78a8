/** Where a card stands so that it does not cover what it speaks of. Pure. */
export interface CardPlace {
  readonly left: number;
  readonly top: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Box extends Size {
  readonly left: number;
  readonly top: number;
}

const GAP = 12;
const MARGIN = 12;

/**
 * Below the target, else above, right or left of it, else in its lower right corner; in the page's corner when
 * there is no target. Always within the page, in pixels.
 */
export function placeCard(target: Box | null, card: Size, page: Size): CardPlace {
  const within = ({ left, top }: CardPlace): CardPlace => ({
    left: Math.round(Math.max(MARGIN, Math.min(left, page.width - card.width - MARGIN))),
    top: Math.round(Math.max(MARGIN, Math.min(top, page.height - card.height - MARGIN))),
  });
  if (!target) return within({ left: page.width, top: page.height });
  const right = target.left + target.width;
  const bottom = target.top + target.height;
  const centred = target.left + target.width / 2 - card.width / 2;
  const level = target.top + target.height / 2 - card.height / 2;
  if (bottom + GAP + card.height + MARGIN <= page.height) return within({ left: centred, top: bottom + GAP });
  if (target.top - GAP - card.height >= MARGIN) {
    return within({ left: centred, top: target.top - GAP - card.height });
  }
  if (right + GAP + card.width + MARGIN <= page.width) return within({ left: right + GAP, top: level });
  if (target.left - GAP - card.width >= MARGIN) {
    return within({ left: target.left - GAP - card.width, top: level });
  }
  return within({ left: right - card.width - GAP, top: bottom - card.height - GAP });
}
