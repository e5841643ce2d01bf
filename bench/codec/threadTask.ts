// What the thread of a hand-over does: it answers at once, so that what is measured is the hand-over and nothing else.

/** What millrace hands over of a large message. */
export interface Task {
  readonly pointer: number
  readonly length: number
}

export default function answer({ length }: Task): number {
  return length
}
