/** What the words of the page mean, in the terms of the project's documents, and where an idea comes from. */
interface Source {
  readonly title: string;
  readonly address: string;
}

export interface Definition {
  readonly id: string;
  readonly term: string;
  readonly text: string;
  /** As arithmetic, where words alone leave room. */
  readonly formula?: string;
  readonly sources?: readonly Source[];
}

const arxiv = (title: string, number: string): Source => ({
  title,
  address: `https://arxiv.org/abs/${number}`,
});

export const DEFINITIONS = [
  {
    id: 'block',
    term: 'Block and level of detail',
    text: 'A block is K = 32 consecutive tokens that start at a multiple of K. At LOD0 it is its raw tokens; a gist of level l is one vector that stands for 32^l tokens: LOD1 for 32, LOD2 for 1,024, LOD3 for 32,768, LOD4 for 1,048,576.',
  },
  {
    id: 'working-context',
    term: 'Working context, entry and budget',
    text: 'The window that the base model reads: a gapless, ordered list of entries, each at one level of detail. A raw token costs 1 and a gist costs 1; the sum of costs never exceeds the budget W_max. What is oldest and coarsest leaves the window when nothing else fits; the tree keeps it.',
    formula: 'Σ cost(entry) ≤ W_max',
  },
  {
    id: 'assembly',
    term: 'Recency assembly',
    text: 'How a working context begins, and what it falls back to: the newest tokens raw, a window of LOD1 before them, and before that the coarsest gists that tile the rest; it shrinks from the oldest side until the budget holds. The newest tokens stay raw whatever the scores say.',
    sources: [arxiv('StreamingLLM keeps the newest tokens and four sinks (Xiao et al., 2023)', '2309.17453')],
  },
  {
    id: 'positions',
    term: 'Positions',
    text: 'Where the rotary embedding places each slot. A raw token stands at its index, a gist at the centre of its span. Absolute uses these; compact numbers the slots of the window; grouped keeps near tokens exact and counts far ones in groups, so that no position exceeds the trained context.',
    formula: 'position(gist) = start + span / 2',
    sources: [
      arxiv('RoPE (Su et al., 2021)', '2104.09864'),
      arxiv('Self-Extend (Jin et al., 2024)', '2401.01325'),
    ],
  },
  {
    id: 'gist-decay',
    term: 'Gist decay',
    text: 'A gist stands for a whole span, so its place is uncertain: with σ above 0 its queries and keys are turned by the expected rotation over a Gaussian of that width, in which frequencies too fast for the span fade. Raw tokens have σ = 0, bit for bit.',
    formula: 'E[exp(iωp)] = exp(iωμ) · exp(−(σω)² / 2),  σ = decay · span / √12',
  },
  {
    id: 'gist-input',
    term: 'Gist input',
    text: 'What the base reads where a gist stands. A trained GistNet writes vectors that its base reads like tokens. An untrained mean of embeddings is like no token at all and can ruin the reading, so that a base without a GistNet is better given the rarest token of the span, or nothing: the gists then serve the choice of what to expand and are not read. Costs and budget stay the same.',
  },
  {
    id: 'kv-mode',
    term: 'KV mode',
    text: 'How the base’s cached keys and values follow a refocus. Exact runs every slot again from the first changed one on. Patch runs only the slots that were swapped in, against what stands before them, and the eight slots behind what was opened; all others keep the keys and values that they got in an earlier context. That is faster and not the same: ΔNLL measurements then also say what it costs against exact.',
    formula: 'extra NLL = f(patched cache) − f(exact cache)',
    sources: [
      arxiv('CacheBlend reuses cached chunks and recomputes a few tokens (Yao et al., 2024)', '2405.16444'),
    ],
  },
  {
    id: 'how-much-to-open',
    term: 'How much to open',
    text: 'A full budget is no goal in itself: every raw block that nobody asked for is one more candidate that a small base may take for the answer. The best blocks may be limited in number, whatever room is left. A fact that a block’s edge cuts in two is read whole only with the neighbour beside it, so that a block may ask for its neighbours, too, less strongly than for itself. Both cost quality where they are set wrong; a model’s manifest says what measured best.',
  },
  {
    id: 'score',
    term: 'Score and thresholds',
    text: 'A scorer gives every entry a number from −1 to 1. LensNet’s is meant as the nats per token that the entry’s detail is expected to save, times three, less its price, squashed by tanh. Above τ_expand a gist asks for its children, below −τ_collapse raw text or a group of 32 siblings asks for its gist; in between nothing moves, which is what keeps focus from thrashing. A raw block’s score is the mean over its tokens, a group’s the mean over its entries.',
    formula: 'score > τ_expand → expand,  score < −τ_collapse → collapse',
  },
  {
    id: 'refocus',
    term: 'Refocus and actions',
    text: 'One pass of scorer and allocator: every 32 new tokens, or as rarely as the refocus cadence says while a long text is read and as the share for focus says while an answer is decoded, and at the end of a turn until nothing moves any more. At most N_diff expansions and collapses are applied in it; after moves that the scores asked for the scorer may look again (refine steps). An expansion that does not fit waits until collapses have paid for it, or is refused with the tokens that are missing.',
  },
  {
    id: 'answer-focus',
    term: 'Focus while answering',
    text: 'What an answer needs was opened at the end of the question; while it is decoded, focus follows where it goes. On a small base a look at the whole window costs more than 32 tokens. With a share set, the work of a refocus, of opening a block and of closing those that the answer pushes out is estimated in multiplications, and focus is renewed every 32, 64, 128 … up to 1,024 tokens, as soon as the share of what was decoded pays for a refocus and one block; it then opens as many as are paid for. Estimates depend on sizes alone, so that a run can be repeated. Between two refocuses the lowest-scored blocks make room. A changed parameter or mark is followed at the next block in any case.',
    formula: 'share · tokens · work(token) ≥ work(refocus) + work(opened blocks) + work(closed blocks)',
  },
  {
    id: 'cooldown',
    term: 'Cooldown',
    text: 'A span that was expanded or collapsed, and what it turned into, cannot move the other way for this many refocuses. A move that was undone within four refocuses counts as a flip.',
  },
  {
    id: 'drift',
    term: 'Net-cost drift',
    text: 'A moving average of the cost that actions added minus what they gave back. It is subtracted from the next scores, so that a run of expansions makes the next one harder.',
    formula: 'drift ← decay · drift + (1 − decay) · net cost,  score ← score − gain · drift / W_max',
  },
  {
    id: 'strategy',
    term: 'Strategies of the allocator',
    text: 'Greedy takes the best candidates of both queues in turn. Adaptive is greedy with a τ_expand that follows utilisation: it falls while the budget lies idle and rises when too much asks. Stochastic samples among the best few at a temperature. Matching chooses the set of moves with the highest total score that the budget allows (a knapsack).',
    formula: 'utilisation = cost of the working context / W_max',
  },
  {
    id: 'policy',
    term: 'Policies',
    text: 'Who gives the scores. LensNet is the learned one: a small net that reads the newest tokens and all entries at once and says which detail is worth its price. Recency, random and retrieval (cosine of gist and tail) are baselines; oracle tries every move and measures it; manual moves only by hand.',
  },
  {
    id: 'lens-variant',
    term: 'LensNet variants',
    text: 'Dual cross-attention: a few tail gists read the working context, then its entries query them. Transformer: entries attend to their neighbours and to the tail. Perceiver: latent slots compete for the entries and tell them back. Default is what the model ships as its own, or what was trained on this session; the others need weights in the model’s folder.',
    sources: [
      arxiv('Slot attention, in the perceiver (Locatello et al., 2020)', '2006.15055'),
      arxiv('Windowed attention, in the transformer (Longformer, Beltagy et al., 2020)', '2004.05150'),
    ],
  },
  {
    id: 'question-parts',
    term: 'Question parts and look-ahead',
    text: 'Two second looks at a turn’s end, while the history stands still. A question of several sentences is also scored sentence by sentence, and the highest score counts. A coarse gist is scored by the best LOD1 gist below it, because one vector cannot tell thirty facts apart and its children can.',
  },
  {
    id: 'pruning',
    term: 'Pruning and the cold tier',
    text: 'Detail that focus has not used for long can go to the cold tier: raw blocks first, while their gists stay, then groups of 32 gists below which everything is cold and of which none was ever expanded. Accesses count the less the older they are, and detail whose loss was measured to cost too much stays, as do pins, tags and the newest tokens. Nothing is erased: what is cold cannot be expanded until it is restored, and every move is in the trace with a checksum.',
    formula: 'worth = accesses · 2^(−idle / half-life) + max(0, ΔNLL) / highest ΔNLL to prune',
  },
  {
    id: 'chat-template',
    term: 'Chat template, system text and stop texts',
    text: 'A base that was trained to chat expects its messages between certain words: its chat template. What it writes before the first message, mostly a system text, opens the history and stays raw, whatever the policy says, as every answer depends on it. Every question and answer follows in the template’s words; an answer ends before the first stop text. A base without a template is asked in the form Question and Answer.',
  },
  {
    id: 'sampling',
    term: 'Sampling',
    text: 'How the next token is drawn from the model’s distribution. Temperature divides the logits, 0 takes the most likely token. Top-k and top-p cut off the unlikely rest. The repetition penalty divides the logits of what the answer said already. Generation ends at a stop text, at the end token or at the limit.',
    sources: [
      arxiv('Top-k (Fan et al., 2018)', '1805.04833'),
      arxiv('Nucleus sampling, top-p (Holtzman et al., 2019)', '1904.09751'),
      arxiv('Repetition penalty (CTRL, Keskar et al., 2019)', '1909.05858'),
    ],
  },
  {
    id: 'delta-nll',
    term: 'ΔNLL',
    text: 'What focus costs: the mean negative log-likelihood of the next 64 tokens given the working context, minus the same given the full raw history, in nats a token. Undefined where the full history no longer fits the base.',
    formula: 'ΔNLL@64 = f(working context) − f(full history)',
  },
  {
    id: 'attention',
    term: 'Recorded attention',
    text: 'How much a generated token attended to each block when it was predicted: the softmax weights of the base, folded over heads and layers as chosen. It changes no logit and no token. Attention says where the model looked, not what its answer depends on; sensitivity measures that.',
  },
  {
    id: 'seed',
    term: 'Seed',
    text: 'One number drives sampling and the random policy. The same trace header on the same backend gives the same run.',
  },
  {
    id: 'multi-head-focus',
    term: 'Multi-Head Focus and head',
    text: 'Several working contexts over one memory, each with a share of the budget, an allocator, a scorer and a key-value cache of its own. All stand at the same cursor. For every token the base reads the chosen heads in one pass and merges their final hidden states, from which the LM head predicts. With one head nothing of this happens.',
    formula: 'Σ W_max(head) ≤ W_max',
  },
  {
    id: 'head-cue',
    term: 'Cue',
    text: 'What a head looks for beside what its policy asks, as a score of its own between -1 and 1 that is added to the policy’s with a gain: what is new, what shares the question’s words, names, what is rare, whatever touches the question at all. The cue part replaces the question by one of its sentences.',
    formula: 'score = policy + gain · cue − diversity · overlap',
  },
  {
    id: 'head-overlap',
    term: 'Overlap and novelty',
    text: 'Overlap of two heads is the share of tokens raw in either that is raw in both, without the protected recent window. Novelty of a head is the share of its raw tokens that no other head holds raw. A diversity above 0 keeps a head from opening what heads before it hold.',
    formula: 'overlap(a, b) = |raw(a) ∩ raw(b)| / |raw(a) ∪ raw(b)|',
  },
  {
    id: 'head-router',
    term: 'Router (Mixture of Focus)',
    text: 'Chooses at every refocus which k of the H heads the base reads. Utility is the mean of a head’s three best scores among what it holds raw beyond the recent window; confidence is the share of the utilities’ softmax that the chosen heads have.',
    sources: [arxiv('Sparsely-gated mixture of experts (Shazeer et al., 2017)', '1701.06538')],
  },
  {
    id: 'head-merger',
    term: 'Merger',
    text: 'Puts the final hidden states of the chosen heads together as a weighted sum, from which the LM head predicts. With mean weights that is the geometric mean of the heads’ distributions; confident weighs a head by how little entropy its own distribution has. For that, as for learned, the LM head runs on every state in one pass, and their logits are summed: it is linear, so that this is what it makes of the sum.',
    formula: 'h = Σ w_i · h_i,  Σ w_i = 1;  confident: w_i ∝ exp(−entropy_i / 0.5 nats)',
    sources: [
      arxiv('Context-aware decoding mixes distributions of one model (Shi et al., 2023)', '2305.14739'),
    ],
  },
  {
    id: 'staging-context',
    term: 'Staging context, hit and miss',
    text: 'A wide working context that the base never reads, between tree and heads. LensNet refocuses it block by block, so that the cost grows linearly, and what it saw below a coarse gist counts as that gist’s score in the heads. An expansion of a head is a hit where staging holds the span finer than the head did, and a miss where the head goes beyond it. Its age is how many tokens came in since it was refocused. A LensNet that was trained on staging contexts, LensNet-G, may score it instead of the one that scores the heads.',
  },
] as const satisfies readonly Definition[];

export type DefinitionId = (typeof DEFINITIONS)[number]['id'];
