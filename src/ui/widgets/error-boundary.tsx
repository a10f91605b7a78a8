/** Keeps a failure in one part of the page to that part: says what happened, and shows the part again on demand. */
import { Component, type ReactNode } from 'react';

interface ErrorBoundaryProps {
  /** What the part is called. */
  readonly name: string;
  /** Instead of words in the part's place: for a part that can be closed. With a key for each time it opens. */
  readonly onFailure?: (error: unknown) => void;
  readonly children: ReactNode;
}

interface ErrorBoundaryState {
  readonly failure: { readonly error: unknown } | null;
}

export class ErrorBoundary extends Component<ErrorBoundaryProps, ErrorBoundaryState> {
  override readonly state: ErrorBoundaryState = { failure: null };

  static getDerivedStateFromError(error: unknown): ErrorBoundaryState {
    return { failure: { error } };
  }

  override componentDidCatch(error: unknown): void {
    this.props.onFailure?.(error);
  }

  override render(): ReactNode {
    const { name, children, onFailure } = this.props;
    const { failure } = this.state;
    if (!failure) return children;
    if (onFailure) return null;
    return (
      <section className="failed-part" role="alert" aria-label={`${name} failed`}>
        <p>
          <strong>{name}</strong>
          <span> could not be shown: {wordsOf(failure.error)} The session itself goes on.</span>
        </p>
        <button
          type="button"
          className="button"
          onClick={() => {
            this.setState({ failure: null });
          }}
        >
          Show it again
        </button>
      </section>
    );
  }
}

/** The DOM refuses what React asks of it once something else, as a page translator does, has moved its nodes. */
function wordsOf(error: unknown): string {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return name === 'NotFoundError'
    ? 'something outside this page, such as a translator, changed its text.'
    : `${message.replace(/[.\s]*$/, '')}.`;
}
