/** What a feature is handed when it is made: what the page knows, and where it adds what it can do. */
import type { NoticeHandlers } from '../model/engine-link.ts';
import type { Model } from '../model/model.ts';
import type { Tracks } from '../model/tracks.ts';
import type { Commands } from './commands.ts';

export interface Registry {
  readonly model: Model;
  readonly commands: Commands;
  readonly tracks: Tracks;
  readonly notices: NoticeHandlers;
}
