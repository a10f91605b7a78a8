/** What is said of the packages that the project stands on: their licences, and faults that are known of them. Pure. */

export interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  /** Builds, checks or tests, and does not ship. */
  readonly dev?: boolean;
}

/** As in `package-lock.json`. */
export interface PackageLock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** Licences that let a package ship in the page, and those that let it build or test it. */
const SHIPS = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Unlicense',
];
const BUILDS = [...SHIPS, 'CC-BY-4.0', 'MPL-2.0', 'Python-2.0'];

/** Packages whose licence is not among those that are accepted, one sentence each. */
export function foreignLicences({ packages }: PackageLock): string[] {
  return Object.entries(packages).flatMap(([path, { version, license, dev }]) => {
    if (path === '' || isAccepted(license, dev === true ? BUILDS : SHIPS)) return [];
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const use = dev === true ? 'builds or tests' : 'ships';
    return [`${name} ${version ?? ''} ${use} under ${license ?? 'no licence that it names'}.`];
  });
}

/** An expression of SPDX: all of what AND joins, one of what OR joins. */
function isAccepted(license: string | undefined, accepted: readonly string[]): boolean {
  if (license === undefined) return false;
  return license
    .replace(/[()]/g, '')
    .split(/ OR /)
    .some((choice) => choice.split(/ AND /).every((id) => accepted.includes(id.trim())));
}

export interface AuditVerdict {
  /** `unknown` where the registry could not be asked, which is nobody's fault here. */
  readonly kind: 'sound' | 'faulty' | 'unknown';
  readonly words: string;
}

const SERIOUS = ['high', 'critical'] as const;

/** @param report - what `npm audit --json` printed. */
export function auditVerdict(report: string): AuditVerdict {
  const parsed = parse(report);
  const counts = parsed?.metadata?.vulnerabilities;
  if (counts === undefined) {
    const why = parsed?.message ?? 'it gave no report';
    return {
      kind: 'unknown',
      words: `Known faults were not checked: the registry cannot be asked (${why}).`,
    };
  }
  const found = Object.entries(counts).filter(([severity, count]) => severity !== 'total' && count > 0);
  const words = found.map(([severity, count]) => `${count} ${severity}`).join(', ');
  if (SERIOUS.some((severity) => (counts[severity] ?? 0) > 0)) {
    return {
      kind: 'faulty',
      words: `Packages that ship have known faults: ${words}. See npm audit --omit=dev.`,
    };
  }
  return {
    kind: 'sound',
    words: words === '' ? 'No known faults in what ships.' : `Known faults, none serious: ${words}.`,
  };
}

interface AuditReport {
  readonly message?: string;
  readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, number>> };
}

function parse(report: string): AuditReport | null {
  try {
    const value: unknown = JSON.parse(report);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
