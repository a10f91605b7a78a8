/** The connection to IndexedDB: opening, upgrading, losing and regaining it, and turning its errors into ours. */
import { wrap } from 'idb';
import { MIGRATIONS } from './migrations.ts';
import type { Migration } from './migrations.ts';
import { ALL_STORES, DATABASE_NAME } from './schema.ts';
import type { PlaygroundDatabase, ReadTransaction, UpgradeTransaction, WriteTransaction } from './schema.ts';
import { StorageError } from '../ports.ts';

export interface DatabaseOptions {
  readonly factory: IDBFactory;
  readonly name?: string;
  readonly migrations?: readonly Migration[];
  /** How long an upgrade waits for other tabs to let go before it is given up, in milliseconds. */
  readonly blockedTimeoutMs?: number;
  /** Told when this connection gave way to another page's upgrade and will not come back. */
  readonly onLost?: (error: StorageError) => void;
}

export type Durability = 'relaxed' | 'strict';

const KEPT = 'Everything acknowledged before is stored.';

export class Database {
  #connection: PlaygroundDatabase | null = null;
  #opening: Promise<PlaygroundDatabase> | null = null;
  #ended: StorageError | null = null;

  private constructor(private readonly options: DatabaseOptions) {}

  /** @throws {StorageError} `newer-schema`, `blocked`, `quota` or `unavailable`; stored data is unchanged. */
  static async open(options: DatabaseOptions): Promise<Database> {
    const database = new Database(options);
    await database.#connect();
    return database;
  }

  async read<T>(work: (transaction: ReadTransaction) => Promise<T>): Promise<T> {
    const transaction = await this.#begin((connection) => connection.transaction(ALL_STORES));
    return settle(transaction, () => work(transaction));
  }

  /**
   * Run one transaction; resolves only once it is complete.
   *
   * @throws {StorageError} after which nothing of the transaction is stored.
   */
  async write<T>(durability: Durability, work: (transaction: WriteTransaction) => Promise<T>): Promise<T> {
    const transaction = await this.#begin((connection) =>
      connection.transaction(ALL_STORES, 'readwrite', { durability }),
    );
    return settle(transaction, () => work(transaction));
  }

  close(): void {
    this.#end(new StorageError('closed', 'The storage is closed.', KEPT));
  }

  #end(reason: StorageError): void {
    this.#ended ??= reason;
    this.#connection?.close();
    this.#connection = null;
  }

  /** A browser may end a connection at any time; it is opened again once, then the caller hears of it. */
  async #begin<T>(start: (connection: PlaygroundDatabase) => T): Promise<T> {
    if (this.#ended !== null) throw this.#ended;
    try {
      if (this.#connection !== null) return start(this.#connection);
    } catch (error) {
      if (nameOf(error) !== 'InvalidStateError') throw classify(error);
      this.#connection = null;
    }
    try {
      return start(await this.#connect());
    } catch (error) {
      if (error instanceof StorageError && error.code !== 'unavailable') throw error;
      throw new StorageError('closed', 'The browser closed the storage and did not open it again.', KEPT, {
        cause: error,
      });
    }
  }

  #connect(): Promise<PlaygroundDatabase> {
    this.#opening ??= openConnection(this.options)
      .then((raw) => this.#adopt(raw))
      .finally(() => {
        this.#opening = null;
      });
    return this.#opening;
  }

  #adopt(raw: IDBDatabase): PlaygroundDatabase {
    if (this.#ended !== null) {
      raw.close();
      throw this.#ended;
    }
    const connection = wrap(raw) as unknown as PlaygroundDatabase;
    raw.onversionchange = () => {
      const message =
        'Another tab upgrades or deletes the storage, so this page let go of it. Reload the page to go on.';
      const lost = new StorageError('closed', message, KEPT);
      this.#end(lost);
      this.options.onLost?.(lost);
    };
    raw.onclose = () => {
      if (this.#connection === connection) this.#connection = null;
    };
    this.#connection = connection;
    return connection;
  }
}

function openConnection(options: DatabaseOptions): Promise<IDBDatabase> {
  const { factory, name = DATABASE_NAME, migrations = MIGRATIONS, blockedTimeoutMs = 3000 } = options;
  const version = migrations.at(-1)!.version;
  return new Promise((resolve, reject) => {
    let request: IDBOpenDBRequest;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let givenUp = false;
    try {
      request = factory.open(name, version);
    } catch (error) {
      reject(openingError(error));
      return;
    }
    request.onupgradeneeded = ({ oldVersion }) => {
      const transaction = request.transaction!;
      // Too late for the caller: an upgrade nobody waits for must not happen behind the other tab's back.
      if (givenUp) transaction.abort();
      else void migrate(request.result, transaction, migrations, oldVersion);
    };
    request.onblocked = () => {
      timer = setTimeout(() => {
        givenUp = true;
        const message = 'Another tab holds an older version of the storage open. Close it and try again.';
        reject(new StorageError('blocked', message, 'The stored sessions are unchanged.'));
      }, blockedTimeoutMs);
    };
    request.onsuccess = () => {
      clearTimeout(timer);
      if (givenUp) request.result.close();
      else resolve(request.result);
    };
    request.onerror = (event) => {
      event.preventDefault();
      clearTimeout(timer);
      reject(openingError(request.error));
    };
  });
}

async function migrate(
  raw: IDBDatabase,
  transaction: IDBTransaction,
  migrations: readonly Migration[],
  oldVersion: number,
): Promise<void> {
  const upgrade = wrap(transaction) as unknown as UpgradeTransaction;
  // The opening request reports an aborted upgrade; this promise would report it a second time.
  upgrade.done.catch(() => undefined);
  try {
    for (const migration of migrations.filter(({ version }) => version > oldVersion)) {
      await migration.up(wrap(raw) as unknown as PlaygroundDatabase, upgrade);
    }
  } catch {
    abortQuietly(upgrade);
  }
}

/** Await the work and then the transaction's completion; on any failure nothing of it is stored. */
async function settle<T>(
  transaction: ReadTransaction | WriteTransaction,
  work: () => Promise<T>,
): Promise<T> {
  const done = transaction.done;
  done.catch(() => undefined);
  try {
    const result = await work();
    await done;
    return result;
  } catch (error) {
    abortQuietly(transaction);
    await done.catch(() => undefined);
    // The transaction knows why it died (quota); the requests in it only know that it did.
    throw error instanceof StorageError ? error : classify(transaction.error ?? error);
  }
}

function abortQuietly(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch {
    // It is over already, which is what was wanted.
  }
}

function openingError(error: unknown): StorageError {
  const kept = 'The stored sessions are unchanged.';
  if (nameOf(error) === 'VersionError') {
    const message =
      'The stored sessions were written by a newer version of this page. Reload to get that version.';
    return new StorageError('newer-schema', message, kept, { cause: error });
  }
  if (nameOf(error) === 'QuotaExceededError') return classify(error);
  const message = `The browser does not offer its storage here (${nameOf(error)}).`;
  return new StorageError('unavailable', message, kept, { cause: error });
}

function classify(error: unknown): StorageError {
  const name = nameOf(error);
  if (name === 'QuotaExceededError') {
    return new StorageError('quota', 'The storage of this site is full.', KEPT, { cause: error });
  }
  if (name === 'AbortError' || name === 'InvalidStateError') {
    return new StorageError('closed', 'The browser broke the storage off in the middle of a batch.', KEPT, {
      cause: error,
    });
  }
  const detail = error instanceof Error ? error.message : String(error);
  return new StorageError('failed', `The storage failed: ${detail}`, KEPT, { cause: error });
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown error';
}
