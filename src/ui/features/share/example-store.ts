/** The embedded example once it is loaded; null before, and when it could not be loaded. */
import { create } from 'zustand';
import type { Example } from '../../model/example.ts';

export const useExample = create<{ readonly example: Example | null }>()(() => ({ example: null }));
